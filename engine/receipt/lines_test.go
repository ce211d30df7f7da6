package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readLines reads all of l: "number:line" each, "number!" for an overlong
// one, and how it ended.
func readLines(l *Lines) (got []string, err error) {
	for {
		line, err := l.Next()
		switch {
		case err == ErrLineTooLong:
			got = append(got, fmt.Sprintf("%d!", l.Line()))
		case err != nil:
			return got, err
		case len(line) > 100:
			got = append(got, fmt.Sprintf("%d:%d bytes", l.Line(), len(line)))
		default:
			got = append(got, fmt.Sprintf("%d:%s", l.Line(), line))
		}
	}
}

func TestLines(t *testing.T) {
	full := strings.Repeat("x", MaxLine)
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"one", "a\n", "1:a"},
		{"no final LF", "a\nb", "1:a 2:b"},
		{"blank lines", "\n \n\t\r\n\na\n\n  b\n \r", "5:a 7:  b"},
		{"carriage returns", "a\r\nb\rc\r\n", "1:a\r 2:b\rc\r"},
		{"no-break space is no white space", "\u00a0\n", "1:\u00a0"},
		{"full line", full + "\n" + full + "\nb", fmt.Sprintf("1:%d bytes 2:%d bytes 3:b", MaxLine, MaxLine)},
		{"full line at the end", "a\n" + full, fmt.Sprintf("1:a 2:%d bytes", MaxLine)},
		{"overlong", "a\n" + full + "x\nb\n", "1:a 2! 3:b"},
		{"overlong at the end", full + "x", "1!"},
		{"overlong at the end with LF", full + "x\n", "1!"},
		{"overlong twice", full + "x\n" + full + "xx\nb", "1! 2! 3:b"},
		{"very long", strings.Repeat(full, 3) + "\nb", "1! 2:b"},
		{"overlong blank", strings.Repeat(" ", MaxLine+1) + "\nb", "1! 2:b"},
		{"full blank", strings.Repeat(" ", MaxLine) + "\nb", "2:b"},
		{"growing", strings.Repeat("y", 70000) + "\n" + strings.Repeat("y", 200000) + "\nb", "1:70000 bytes 2:200000 bytes 3:b"},
	}
	readers := map[string]func(io.Reader) io.Reader{
		"plain":   func(r io.Reader) io.Reader { return r },
		"dataErr": iotest.DataErrReader,
		"half":    iotest.HalfReader,
		"lazy":    func(r io.Reader) io.Reader { return &lazyReader{r: r} },
	}
	for _, test := range tests {
		if len(test.in) < 1000 {
			readers["one byte"] = iotest.OneByteReader
		} else {
			delete(readers, "one byte")
		}
		for name, wrap := range readers {
			got, err := readLines(NewLines(wrap(strings.NewReader(test.in))))
			if err != io.EOF || strings.Join(got, " ") != test.want {
				t.Errorf("%s, %s reader: got %q (%v), want %q", test.name, name, got, err, test.want)
			}
		}
	}
}

// lazyReader returns nothing every other time, as io.Reader may.
type lazyReader struct {
	r   io.Reader
	odd bool
}

func (l *lazyReader) Read(p []byte) (int, error) {
	if l.odd = !l.odd; l.odd {
		return 0, nil
	}
	return l.r.Read(p)
}

func TestOverlong(t *testing.T) {
	long := strings.Repeat("0123456789", MaxLine/5)
	in := "a\n" + long + "\nb\n" + long + "x"
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"plain": func(r io.Reader) io.Reader { return r }, "half": iotest.HalfReader, "dataErr": iotest.DataErrReader,
	} {
		for _, part := range []int{-1, 0, 1, 100000, MaxLine + 5} {
			l := NewLines(wrap(strings.NewReader(in)))
			if line, err := l.Next(); err != nil || string(line) != "a" {
				t.Fatalf("%s: got %q (%v), want a", name, line, err)
			}
			if got, err := io.ReadAll(l.Overlong()); err != nil || len(got) != 0 {
				t.Errorf("%s: got %d bytes (%v) outside an overlong line, want none", name, len(got), err)
			}
			if _, err := l.Next(); err != ErrLineTooLong || l.Line() != 2 {
				t.Fatalf("%s: got %v at line %d, want ErrLineTooLong at 2", name, err, l.Line())
			}
			over := l.Overlong()
			if n, err := over.Read(nil); n != 0 || err != nil {
				t.Errorf("%s: got %d (%v) for no room, want nothing", name, n, err)
			}
			src, want := io.Reader(over), long
			if part >= 0 {
				src, want = io.LimitReader(over, int64(part)), long[:part]
			}
			if got, err := io.ReadAll(src); err != nil || string(got) != want {
				t.Errorf("%s: got %d bytes (%v), want %d", name, len(got), err, len(want))
			}
			if line, err := l.Next(); err != nil || string(line) != "b" || l.Line() != 3 {
				t.Errorf("%s: got %q (%v) at line %d, want b at 3", name, line, err, l.Line())
			}
			if got, err := io.ReadAll(over); err != nil || len(got) != 0 {
				t.Errorf("%s: got %d bytes (%v) after the line, want none", name, len(got), err)
			}
			if _, err := l.Next(); err != ErrLineTooLong || l.Line() != 4 {
				t.Fatalf("%s: got %v at line %d, want ErrLineTooLong at 4", name, err, l.Line())
			}
			if got, err := io.ReadAll(over); err != nil || len(got) != 0 {
				t.Errorf("%s: got %d bytes (%v) of another line, want none", name, len(got), err)
			}
			if got, err := io.ReadAll(l.Overlong()); err != nil || string(got) != long+"x" {
				t.Errorf("%s: got %d bytes (%v), want %d", name, len(got), err, len(long)+1)
			}
			if _, err := l.Next(); err != io.EOF {
				t.Errorf("%s: got %v, want io.EOF", name, err)
			}
		}
	}
}

// TestLinesError: a reader that fails ends the lines with its error, at every
// byte; a line that had not come whole is never returned.
func TestLinesError(t *testing.T) {
	broken := errors.New("broken")
	const in = "first\n\nsecond\nthird\n"
	for n := range len(in) + 1 {
		for name, failure := range map[string]error{"broken": broken, "cut": io.ErrUnexpectedEOF} {
			l := NewLines(io.MultiReader(strings.NewReader(in[:n]), iotest.ErrReader(failure)))
			got, err := readLines(l)
			if !errors.Is(err, failure) || err == io.EOF {
				t.Errorf("%d, %s: got %v, want the reader's error", n, name, err)
			}
			var want []string
			for i, line := range strings.Split(in[:n], "\n") {
				if whole := strings.Count(in[:n], "\n"); i < whole && line != "" {
					want = append(want, fmt.Sprintf("%d:%s", i+1, line))
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d, %s: got %q, want %q", n, name, got, want)
			}
			if _, again := l.Next(); !errors.Is(again, failure) {
				t.Errorf("%d, %s: got %v again, want the reader's error", n, name, again)
			}
		}
	}
	long := strings.Repeat("x", MaxLine+10)
	l := NewLines(io.MultiReader(strings.NewReader(long), iotest.ErrReader(broken)))
	if _, err := l.Next(); err != ErrLineTooLong {
		t.Fatalf("got %v, want ErrLineTooLong", err)
	}
	if got, err := io.ReadAll(l.Overlong()); !errors.Is(err, broken) || string(got) != long {
		t.Errorf("got %d bytes (%v), want %d and the reader's error", len(got), err, len(long))
	}
	if _, err := l.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// TestPartial: a reader that fails inside a line is told from one that fails
// between two, at every byte; one that ends is neither.
func TestPartial(t *testing.T) {
	broken := errors.New("broken")
	const in = "first\n \n\t second\nthird\n"
	for n := range len(in) + 1 {
		last := in[strings.LastIndex(in[:n], "\n")+1 : n]
		want := strings.TrimSpace(last) != ""
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"plain": func(r io.Reader) io.Reader { return r }, "one byte": iotest.OneByteReader, "dataErr": iotest.DataErrReader,
		} {
			l := NewLines(wrap(io.MultiReader(strings.NewReader(in[:n]), iotest.ErrReader(broken))))
			if l.Partial() {
				t.Errorf("%d, %s: got true before the first line", n, name)
			}
			if _, err := readLines(l); !errors.Is(err, broken) || l.Partial() != want {
				t.Errorf("%d, %s: got %v (%v), want %v", n, name, l.Partial(), err, want)
			}
			if got := int64(strings.Count(in[:n], "\n")); l.Line() != got {
				t.Errorf("%d, %s: got line %d, want %d before the one cut off", n, name, l.Line(), got)
			}
		}
		l := NewLines(strings.NewReader(in[:n]))
		if _, err := readLines(l); err != io.EOF || l.Partial() {
			t.Errorf("%d: got %v (%v) at the end, want false", n, l.Partial(), err)
		}
	}
	long := strings.Repeat("x", MaxLine+10)
	for text, want := range map[string]bool{long: true, long + "\n": false, long + "\nb": true} {
		l := NewLines(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
		if _, err := l.Next(); err != ErrLineTooLong {
			t.Fatalf("got %v, want ErrLineTooLong", err)
		}
		if _, err := io.Copy(io.Discard, l.Overlong()); (err != nil) != (text == long) {
			t.Fatalf("%d bytes: got %v", len(text), err)
		}
		if _, err := l.Next(); !errors.Is(err, broken) || l.Partial() != want {
			t.Errorf("%d bytes: got %v (%v), want %v", len(text), l.Partial(), err, want)
		}
	}
}

type badReader int

func (n badReader) Read([]byte) (int, error) { return int(n), nil }

func TestLinesBadReaders(t *testing.T) {
	if _, err := NewLines(badReader(0)).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want io.ErrNoProgress", err)
	}
	for _, n := range []badReader{-1, 1 << 30} {
		if _, err := NewLines(n).Next(); err == nil || err == io.EOF {
			t.Errorf("got %v, want an error", err)
		}
	}
}

// TestLinesMemory: a reader of short lines stays small, and one of overlong
// lines holds little more than the longest line.
func TestLinesMemory(t *testing.T) {
	short := NewLines(strings.NewReader(strings.Repeat("abc\n", 100000)))
	if got, err := readLines(short); err != io.EOF || len(got) != 100000 || len(short.buf) > firstBuffer {
		t.Errorf("got %d lines (%v) in %d bytes, want 100000 in %d", len(got), err, len(short.buf), firstBuffer)
	}
	long := NewLines(bytes.NewReader(make([]byte, 10*MaxLine)))
	if _, err := long.Next(); err != ErrLineTooLong {
		t.Errorf("got %v, want ErrLineTooLong", err)
	}
	if n, err := io.Copy(io.Discard, long.Overlong()); err != nil || n != 10*MaxLine || len(long.buf) > fullBuffer {
		t.Errorf("got %d bytes (%v) through %d, want %d through %d", n, err, len(long.buf), 10*MaxLine, fullBuffer)
	}
}

// A line can be found again by its offset, whatever was skipped, compacted or grown before it.
func TestLinesOffset(t *testing.T) {
	var in strings.Builder
	for i := range 40 {
		in.WriteString("\n \r\n")
		in.WriteString(strings.Repeat("x", 1+i*i*40))
		in.WriteString("\n")
		if i%13 == 5 {
			in.WriteString(strings.Repeat("y", MaxLine+i) + "\n")
		}
	}
	in.WriteString("last")
	text := in.String()
	for name, r := range map[string]io.Reader{
		"plain": strings.NewReader(text), "half": iotest.HalfReader(strings.NewReader(text)),
	} {
		l := NewLines(r)
		lines := 0
		for {
			line, err := l.Next()
			if err == io.EOF {
				break
			}
			at := text[l.Offset():]
			if err == ErrLineTooLong {
				if !strings.HasPrefix(at, strings.Repeat("y", MaxLine)) {
					t.Fatalf("%s: overlong line %d: offset %d is not where it begins", name, l.Line(), l.Offset())
				}
			} else if err != nil {
				t.Fatal(err)
			} else if !strings.HasPrefix(at, string(line)) || l.Offset() > 0 && text[l.Offset()-1] != '\n' {
				t.Fatalf("%s: line %d: offset %d is not where it begins", name, l.Line(), l.Offset())
			}
			lines++
		}
		if want := 44; lines != want {
			t.Errorf("%s: %d lines, want %d", name, lines, want)
		}
	}
}
