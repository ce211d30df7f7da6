package fuzz

import (
	"bytes"
	"testing"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/logblock"
)

// FuzzEvidence: an evidence line that parses prints to one text with the same verdict, and is told from a proof; only the
// vectors' equivocation holds.
func FuzzEvidence(f *testing.F) {
	addLines(f, "evidence*.ndjson", "encseal-1.proofs.ndjson", "*.blocks.ndjson")
	block, err := logblock.Parse(lines(f, "encseal-1.blocks.ndjson")[0], logblock.EncSeal1)
	if err != nil {
		f.Fatal(err)
	}
	known := lines(f, "evidence.ndjson")
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := logblock.ParseEvidence(line)
		if err != nil {
			return
		}
		if kind, err := logblock.Kind(line); err != nil || kind != logblock.EvidenceFile {
			t.Fatalf("parses as evidence, but is taken for %v (%v)", kind, err)
		}
		printed, err := e.AppendJSON(nil)
		if err != nil {
			t.Fatalf("accepted, but does not print: %v", err)
		}
		again, err := logblock.ParseEvidence(printed)
		if err != nil {
			t.Fatalf("printed form %q refused: %v", printed, err)
		}
		if twice, err := again.AppendJSON(nil); err != nil || !bytes.Equal(twice, printed) {
			t.Fatalf("printed twice: %q and %q (%v)", printed, twice, err)
		}
		verdict := e.Check(block.Key, bpi1.Rules{})
		if (verdict == nil) != (again.Check(block.Key, bpi1.Rules{}) == nil) {
			t.Fatal("the printed form has another verdict")
		}
		if verdict == nil && !sameBlocks(t, e, known) {
			t.Fatalf("evidence nobody gave holds: %s", printed)
		}
	})
}

// sameBlocks tells whether e shows the two blocks of one of the known lines, in either order.
func sameBlocks(t *testing.T, e *logblock.Evidence, known [][]byte) bool {
	t.Helper()
	hash := func(b *logblock.LogBlock) [32]byte {
		h, err := b.SignedDigest(bpi1.Rules{})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, line := range known {
		k, err := logblock.ParseEvidence(line)
		if err != nil {
			t.Fatal(err)
		}
		a, b := hash(&k.Blocks[0]), hash(&k.Blocks[1])
		x, y := hash(&e.Blocks[0]), hash(&e.Blocks[1])
		if x == a && y == b || x == b && y == a {
			return true
		}
	}
	return false
}
