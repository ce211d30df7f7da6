package fuzz

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/encseal/encseal/engine/logblock"
)

// FuzzLogBlock: what parses in a scheme prints to one text, which says the same, and has a header of its own.
func FuzzLogBlock(f *testing.F) {
	addLines(f, "*.blocks.ndjson")
	f.Fuzz(func(t *testing.T, line []byte) {
		var accepted int
		for _, scheme := range []string{logblock.EncSeal1, logblock.BPI1} {
			b, err := logblock.Parse(line, scheme)
			if err != nil {
				continue
			}
			accepted++
			printed, err := b.AppendJSON(nil)
			if err != nil {
				t.Fatalf("accepted, but does not print: %v", err)
			}
			again, err := logblock.Parse(printed, scheme)
			if err != nil {
				t.Fatalf("printed form %q refused: %v", printed, err)
			}
			if diff := cmp.Diff(b, again); diff != "" {
				t.Fatalf("printed form says something else (-read +printed):\n%s", diff)
			}
			if scheme == logblock.EncSeal1 {
				if _, err := b.Hash(); err != nil {
					t.Fatalf("accepted, but has no block hash: %v", err)
				}
			}
		}
		if accepted > 1 {
			t.Fatal("accepted in two schemes")
		}
	})
}

// FuzzProof: a proof file that parses prints to one text with the same verdict; only the seeds' own proofs hold.
func FuzzProof(f *testing.F) {
	addLines(f, "*.proofs.ndjson", "encseal-1.proofs.refused.ndjson", "evidence*.ndjson")
	key, err := logblock.Parse(lines(f, "encseal-1.blocks.ndjson")[0], logblock.EncSeal1)
	if err != nil {
		f.Fatal(err)
	}
	var good []*logblock.Proof
	for _, line := range lines(f, "*.proofs.ndjson") {
		p, err := logblock.ParseProof(line)
		if err != nil {
			f.Fatal(err)
		}
		good = append(good, p)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := logblock.ParseProof(data)
		if err != nil {
			return
		}
		printed, err := p.AppendJSON(nil)
		if err != nil {
			t.Fatalf("accepted, but does not print: %v", err)
		}
		again, err := logblock.ParseProof(printed)
		if err != nil {
			t.Fatalf("printed form %q refused: %v", printed, err)
		}
		if twice, err := again.AppendJSON(nil); err != nil || !bytes.Equal(twice, printed) {
			t.Fatalf("printed twice: %q and %q (%v)", printed, twice, err)
		}
		verdict := p.Check(key.Key)
		if (verdict == nil) != (again.Check(key.Key) == nil) {
			t.Fatalf("read: %v, printed: %v", verdict, again.Check(key.Key))
		}
		if verdict != nil {
			return
		}
		for _, g := range good {
			text, err := g.AppendJSON(nil)
			if err == nil && bytes.Equal(text, printed) {
				return
			}
		}
		t.Fatalf("a proof nobody made holds: %s", printed)
	})
}
