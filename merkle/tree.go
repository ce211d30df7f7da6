package merkle

import "fmt"

// Tree is a Merkle tree with all its levels, for inclusion proofs: about 64 bytes a leaf. It does not change after [NewTree], and
// any number of goroutines may use it. The zero Tree has no leaves.
type Tree struct {
	// levels[0] holds the leaf hashes, each next one ⌈n/2⌉ hashes for the n before, the last one the root alone. No levels: no
	// leaves.
	levels [][]Hash
}

// NewTree builds the tree over leaf hashes, in their order. It copies them: the slice stays the caller's, unchanged.
func NewTree(hashes []Hash) *Tree {
	t := new(Tree)
	if len(hashes) == 0 {
		return t
	}
	level := append([]Hash(nil), hashes...)
	t.levels = append(t.levels, level)
	for len(level) > 1 {
		level = nextLevel(make([]Hash, (len(level)+1)/2), level)
		t.levels = append(t.levels, level)
	}
	return t
}

// Len returns the number of leaves.
func (t *Tree) Len() uint64 {
	if len(t.levels) == 0 {
		return 0
	}
	return uint64(len(t.levels[0]))
}

// Root returns the tree's root; of no leaves, [EmptyRoot].
func (t *Tree) Root() Hash {
	if len(t.levels) == 0 {
		return EmptyRoot()
	}
	return t.levels[len(t.levels)-1][0]
}

// AppendPath appends the inclusion proof of leaf index, in [0, Len()): the sibling hashes from the leaf up, RFC 9162 §2.1.3.1, at
// most one for each level and none where the hash is carried. With an index beyond the leaves it returns dst as it came and an
// error.
func (t *Tree) AppendPath(dst []Hash, index uint64) ([]Hash, error) {
	if index >= t.Len() {
		return dst, fmt.Errorf("merkle: index %d is not below the count of leaves, %d", index, t.Len())
	}
	i := int(index) // below the length of a slice
	for _, level := range t.levels {
		if sibling := i ^ 1; sibling < len(level) {
			dst = append(dst, level[sibling])
		}
		i /= 2
	}
	return dst, nil
}
