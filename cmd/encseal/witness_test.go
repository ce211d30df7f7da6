package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/receipt"
)

// Lines of a pipe are found again, however long they are and whatever chunk they fell into.
func TestSourceKeepsLines(t *testing.T) {
	s := &source{}
	var offsets []int64
	line := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 1+i*receipt.MaxLine/12) }
	for i := range 13 {
		offsets = append(offsets, s.keep(line(i), -1))
	}
	if len(s.kept) != 2 {
		t.Errorf("got %d chunks, want 2", len(s.kept))
	}
	for i, offset := range offsets {
		got, err := s.line(offset, int32(len(line(i))))
		if err != nil || !bytes.Equal(got, line(i)) {
			t.Errorf("line %d at %d: got %.20q… (%v), want %.20q…", i, offset, got, err, line(i))
		}
	}
}

// A file that changes while it is read is no evidence against anybody.
func TestWitnessOfAChangedFile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "evidence.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.SplitAfter(strings.TrimSuffix(strings.TrimPrefix(string(text), `{"v":1,"evidence":[`), "]}\n"), "},{\"v\"")
	first := strings.TrimSuffix(blocks[0], `,{"v"`)
	other := `{"v"` + blocks[1]
	for _, test := range []struct{ name, now, words string }{
		{"the same", first, ""},
		{"another block", other + strings.Repeat(" ", 2000), "was changed while it was read"},
		{"no block", strings.Repeat("x", len(first)), "was changed while it was read"},
		{"shorter", first[:10], "reading again"},
	} {
		path := filepath.Join(t.TempDir(), "blocks")
		if err := os.WriteFile(path, []byte(first), 0o644); err != nil {
			t.Fatal(err)
		}
		in, err := (&console{}).open(path, "")
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		printed, err := os.Create(filepath.Join(t.TempDir(), "printed"))
		if err != nil {
			t.Fatal(err)
		}
		defer printed.Close()
		var c evidenceCmd
		w, err := c.witness(&console{out: printed, err: &words{Writer: &bytes.Buffer{}}})
		if err != nil {
			t.Fatal(err)
		}
		w.sources = []*source{newSource(in)}
		if err := w.read(0); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(test.now), 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := w.parse([]byte(other))
		if err != nil {
			t.Fatal(err)
		}
		digest, err := w.verify(b, &b.Key)
		if err != nil {
			t.Fatal(err)
		}
		err = w.compare(0, []byte(other), 0, b, b.Key, digest)
		if test.words == "" && err != nil || test.words != "" && (err == nil || !strings.Contains(err.Error(), test.words)) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.words)
		}
		if out, err := os.ReadFile(printed.Name()); err != nil || (len(out) > 0) != (test.words == "") {
			t.Errorf("%s: printed %q (%v)", test.name, out, err)
		}
	}
}
