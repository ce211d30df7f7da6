package merkle

import (
	"bytes"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
)

// transparencyHasher gives transparency-dev/merkle, the library of today's certificate logs, our leaf and node hashes.
type transparencyHasher struct{}

func (transparencyHasher) Size() int { return len(Hash{}) }

func (transparencyHasher) EmptyRoot() []byte {
	h := derive("encseal 2026-11-23 node v1")
	return h[:]
}

func (transparencyHasher) HashLeaf(leaf []byte) []byte {
	h := derive("encseal 2026-11-23 leaf v1", leaf)
	return h[:]
}

func (transparencyHasher) HashChildren(l, r []byte) []byte {
	h := derive("encseal 2026-11-23 node v1", l, r)
	return h[:]
}

// bytesOf returns a path as transparency-dev/merkle takes it.
func bytesOf(path []Hash) [][]byte {
	var all [][]byte
	for i := range path {
		all = append(all, path[i][:])
	}
	return all
}

// TestTransparencyProofs grows a tree in transparency-dev/merkle, which keeps perfect subtrees alone and rehashes the right edge
// for each proof, and compares its roots, its proofs and its verdict on ours.
func TestTransparencyProofs(t *testing.T) {
	hasher := transparencyHasher{}
	nodes := make(map[compact.NodeID][]byte)
	keep := func(id compact.NodeID, hash []byte) { nodes[id] = hash }
	grown := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)
	all := leafHashes(130)
	for n := 1; n <= len(all); n++ {
		hashes := all[:n]
		if err := grown.Append(all[n-1][:], keep); err != nil {
			t.Fatal(err)
		}
		wantRoot, err := grown.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		tree := NewTree(hashes)
		root := tree.Root()
		if !bytes.Equal(root[:], wantRoot) {
			t.Fatalf("root of %d: got %x, want %x", n, root, wantRoot)
		}
		for i := range uint64(n) {
			plan, err := proof.Inclusion(i, uint64(n))
			if err != nil {
				t.Fatal(err)
			}
			var picked [][]byte
			for _, id := range plan.IDs {
				picked = append(picked, nodes[id])
			}
			want, err := plan.Rehash(picked, hasher.HashChildren)
			if err != nil {
				t.Fatal(err)
			}
			path, err := tree.AppendPath(nil, i)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytesOf(path); !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
				t.Fatalf("path of %d in %d: got %x, want %x", i, n, got, want)
			}
			if err := proof.VerifyInclusion(hasher, i, uint64(n), hashes[i][:], bytesOf(path), root[:]); err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
		}
	}
}
