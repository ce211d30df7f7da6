// Package merkle turns leaves into one root and proves that a leaf is under it.
//
// A leaf is a byte string; what it says is the caller's business. Two BLAKE3 derive_key contexts keep leaves and nodes apart, so
// that no node can be shown as a leaf:
//
//	leaf(x)    = dk(LeafContext, x)
//	node(l, r) = dk(NodeContext, l ‖ r)        l, r: 32 bytes each, one compression
//	root()     = dk(NodeContext, "")
//
// The tree has the shape of RFC 9162 §2.1: of n > 1 leaves, the left subtree takes k, the largest power of two smaller than n.
// Seven leaves, with the path of leaf 4 (the siblings on the way up, §2.1.3.1) in brackets:
//
//	        root
//	    ┌────┴────┐
//	   [g]        h
//	 ┌──┴──┐    ┌─┴─┐
//	 .     .    .  [6]
//	┌┴┐   ┌┴┐  ┌┴┐
//	0 1   2 3  4[5]
//
// An index means something only together with the number of leaves, and that only if somebody answers for it: the path of leaf 0
// of three leads to the same root when four are claimed. A LogBlock signs its count.
//
// Three ways to a root, which agree: [Builder] for leaves at hand, in place, one tree or many together; [Tree], which keeps its levels for
// proofs; [Accumulator] for leaves that pass by one at a time. [Verify] checks a path and needs none of them.
//
// # Level by level
//
// Hashing the pairs of a level from left to right, the odd last hash of a level carried up unchanged, gives exactly the tree
// of the RFC. Call the i-th hash of level j, counted from 0, (j, i). It covers the leaves [i·2^j, (i+1)·2^j), as
// far as there are such leaves. Claim: (j, i) is the RFC's root of the leaves that it covers. At level 0 it is the leaf's hash.
// One level up, (j+1, i) is one of two things:
//
//   - node((j, 2i), (j, 2i+1)), when (j, 2i+1) is there. It covers at least one leaf, so (j, 2i) covers 2^j; itself it covers m
//     of them, 1 ≤ m ≤ 2^j. The RFC splits 2^j + m leaves at the largest power of two smaller than their number, and because
//     2^j < 2^j + m ≤ 2^(j+1), that is 2^j: the same two subtrees, each right by the claim for level j.
//   - (j, 2i), carried, when it is the last of an odd level. It covers the same leaves, and its hash is right already.
//
// A level of n hashes is followed by one of ⌈n/2⌉, so the last level has one hash, which covers all leaves: the root. The same
// argument gives paths: above leaf i at level j stands (j, ⌊i/2^j⌋); where it is one of a pair, the RFC's path has the other
// one, whose index differs in bit 0; where it is carried, the RFC has no split there and its path no hash.
package merkle

import "github.com/encseal/encseal/engine/lanes"

// Hash is a leaf's hash, a node's or a root: 32 bytes.
type Hash = [32]byte

// The contexts of leaf and node hashes. They are the format: a change makes it another one.
const (
	LeafContext = "encseal 2026-11-23 leaf v1"
	NodeContext = "encseal 2026-11-23 node v1"
)

// The contexts' keys, never written to.
var (
	leafKey = lanes.NewKey(LeafContext)
	nodeKey = lanes.NewKey(NodeContext)
)

// HashLeaf returns leaf(x). It borrows leaf for the call. The format allows leaves of at most 65,535 bytes; that is for the caller to
// see to, a longer one is hashed as well.
func HashLeaf(leaf []byte) Hash { return lanes.Sum(&leafKey, leaf) }

// HashNode returns node(l, r).
func HashNode(l, r *Hash) Hash {
	var pair [2 * lanes.Size]byte
	copy(pair[:lanes.Size], l[:])
	copy(pair[lanes.Size:], r[:])
	return lanes.Sum(&nodeKey, pair[:])
}

// EmptyRoot returns the root of no leaves. No LogBlock has it.
func EmptyRoot() Hash { return lanes.Sum(&nodeKey, nil) }
