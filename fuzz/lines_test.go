package fuzz

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/encseal/encseal/engine/receipt"
)

// FuzzLines: lines come out as bytes.Split cuts them, blank ones left out, however the reader hands them over.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\n \t\r\nb\r\nlast"), false)
	f.Add([]byte("\n"), true)
	f.Add(bytes.Repeat([]byte("x"), receipt.MaxLine+1), false)
	f.Add(append(bytes.Repeat([]byte("x"), receipt.MaxLine), '\n', 'y'), false)
	f.Fuzz(func(t *testing.T, data []byte, bytewise bool) {
		var r io.Reader = bytes.NewReader(data)
		if bytewise && len(data) < 1<<16 {
			r = iotest.OneByteReader(r)
		}
		got := receipt.NewLines(r)
		for i, want := range bytes.Split(data, []byte("\n")) {
			if len(bytes.Trim(want, " \t\r\n")) == 0 && len(want) <= receipt.MaxLine {
				continue
			}
			line, err := got.Next()
			if at := got.Offset(); !bytes.HasPrefix(data[at:], want) || at > 0 && data[at-1] != '\n' {
				t.Fatalf("line %d: got offset %d, where it does not begin", i+1, at)
			}
			if errors.Is(err, receipt.ErrLineTooLong) {
				if line, err = io.ReadAll(got.Overlong()); len(line) <= receipt.MaxLine {
					t.Fatalf("line %d of %d bytes is said to be too long", i+1, len(line))
				}
			}
			if err != nil || !bytes.Equal(line, want) || got.Line() != int64(i+1) {
				t.Fatalf("line %d: got line %d, %q (%v), want %q", i+1, got.Line(), line, err, want)
			}
		}
		if line, err := got.Next(); err != io.EOF {
			t.Fatalf("behind the end: got %q (%v), want EOF", line, err)
		}
	})
}
