package merkle

import (
	"encoding/binary"
	"strconv"
	"testing"
)

func TestRootVectors(t *testing.T) {
	var vectors struct {
		Roots map[string]string `json:"roots_of_u32_leaves"`
	}
	unmarshal(t, testdata(t, "vectors.json"), &vectors)
	if len(vectors.Roots) != 131 {
		t.Fatalf("got %d roots, want those of 0 to 130 leaves", len(vectors.Roots))
	}
	var b Builder
	for count, text := range vectors.Roots {
		n, err := strconv.Atoi(count)
		if err != nil {
			t.Fatal(err)
		}
		want := unhash(t, text)
		var arena []byte
		var ends []int
		for i := range n {
			arena = binary.LittleEndian.AppendUint32(arena, uint32(i))
			ends = append(ends, len(arena))
		}
		hashes := b.HashLeaves(nil, arena, ends)
		if got := NewTree(hashes).Root(); got != want {
			t.Errorf("Tree of %d leaves: got %x, want %x", n, got, want)
		}
		if got := accumulate(hashes); got != want {
			t.Errorf("Accumulator of %d leaves: got %x, want %x", n, got, want)
		}
		if got := b.Root(hashes); got != want {
			t.Errorf("Builder, %d leaves: got %x, want %x", n, got, want)
		}
	}
}

func TestLeafVectors(t *testing.T) {
	var vectors struct {
		Leaves map[string]string `json:"leaf_of_pattern"`
	}
	unmarshal(t, testdata(t, "vectors.json"), &vectors)
	if len(vectors.Leaves) == 0 {
		t.Fatal("no leaf_of_pattern")
	}
	for length, text := range vectors.Leaves {
		n, err := strconv.Atoi(length)
		if err != nil {
			t.Fatal(err)
		}
		leaf := make([]byte, n)
		for i := range leaf {
			leaf[i] = byte(i % 251)
		}
		if got, want := HashLeaf(leaf), unhash(t, text); got != want {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

// TestBlockVectors follows a log from the encodings of its receipts to the roots that its blocks sign.
func TestBlockVectors(t *testing.T) {
	var b Builder
	var arena []byte
	var ends []int
	for _, line := range lines(t, "encseal-1.enc.hex") {
		arena = append(arena, unhex(t, line)...)
		ends = append(ends, len(arena))
	}
	hashes := b.HashLeaves(nil, arena, ends)
	for i, line := range lines(t, "encseal-1.leaf.hex") {
		if want := unhash(t, line); hashes[i] != want {
			t.Errorf("leaf of line %d: got %x, want %x", i+1, hashes[i], want)
		}
	}
	for i, line := range lines(t, "encseal-1.blocks.ndjson") {
		var block struct {
			Count int    `json:"count"`
			Root  string `json:"merkle_root"`
		}
		unmarshal(t, []byte(line), &block)
		if len(hashes) < block.Count {
			t.Fatalf("block %d: %d receipts left, want %d", i+1, len(hashes), block.Count)
		}
		if got, want := b.Root(hashes[:block.Count]), unhash(t, block.Root); got != want {
			t.Errorf("root of block %d: got %x, want %x", i+1, got, want)
		}
		hashes = hashes[block.Count:]
	}
	if len(hashes) != 0 {
		t.Errorf("%d receipts belong to no block", len(hashes))
	}
}

func TestProofVectors(t *testing.T) {
	for i, line := range lines(t, "opaque.proofs.ndjson") {
		var proof struct {
			Leaf     []byte
			Index    uint64
			Path     []string
			LogBlock struct {
				Root  string `json:"merkle_root"`
				Count uint64
			}
		}
		unmarshal(t, []byte(line), &proof)
		var path []Hash
		for _, text := range proof.Path {
			path = append(path, unhash(t, text))
		}
		root, leaf, count := unhash(t, proof.LogBlock.Root), HashLeaf(proof.Leaf), proof.LogBlock.Count
		if err := Verify(root, leaf, proof.Index, count, path); err != nil {
			t.Errorf("line %d: %v", i+1, err)
		}
		if Verify(root, HashLeaf(append(proof.Leaf, 0)), proof.Index, count, path) == nil {
			t.Errorf("line %d holds for another leaf", i+1)
		}
	}
}
