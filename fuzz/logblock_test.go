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

// FuzzHeader: a header that parses encodes to the same bytes, and its block leads back to them by way of JSON.
func FuzzHeader(f *testing.F) {
	addHex(f, "encseal-1.hdr.hex")
	for _, line := range lines(f, "rotation.blocks.ndjson") { // with next_key
		b, err := logblock.Parse(line, logblock.EncSeal1)
		if err != nil {
			f.Fatal(err)
		}
		hdr, err := b.AppendHeader(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(hdr)
	}
	f.Fuzz(func(t *testing.T, given []byte) {
		hdr := bytes.Clone(given)
		b, err := logblock.ParseHeader(hdr)
		if !bytes.Equal(given, hdr) {
			t.Fatalf("wrote into the header: %x became %x", given, hdr)
		}
		if err != nil {
			if b != nil {
				t.Fatalf("a block beside the error %v", err)
			}
			return
		}
		clear(hdr) // the block keeps nothing of it
		again, err := b.AppendHeader(nil)
		if err != nil || !bytes.Equal(again, given) {
			t.Fatalf("accepted %x\nbut encodes to %x (%v)", given, again, err)
		}
		printed, err := b.AppendJSON(nil)
		if err != nil {
			t.Fatalf("accepted, but does not print: %v", err)
		}
		back, err := logblock.Parse(printed, logblock.EncSeal1)
		if err != nil {
			t.Fatalf("printed form %q refused: %v", printed, err)
		}
		if diff := cmp.Diff(b, back); diff != "" {
			t.Fatalf("printed form says something else (-header +printed):\n%s", diff)
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
