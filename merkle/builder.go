package merkle

import (
	"slices"

	"github.com/encseal/encseal/engine/lanes"
)

// Builder computes roots of leaves at hand, one tree after another. Its zero value is ready; it keeps nothing of what it was given
// and allocates nothing but room that dst lacks. Not for use by two goroutines at once: what working memory a way of
// hashing needs belongs here.
type Builder struct{}

// HashLeaves appends the leaf hashes of arena[ends[i-1]:ends[i]] for each i, where ends[-1] is 0, to dst and returns it. It borrows
// arena and ends for the call; neither may overlap dst. Ends must ascend (equal ones make empty leaves) and lie within arena;
// others are a bug and panic, with dst as it was.
func (b *Builder) HashLeaves(dst []Hash, arena []byte, ends []int) []Hash {
	n := len(dst)
	dst = slices.Grow(dst, len(ends))[:n+len(ends)]
	lanes.HashArena(&leafKey, arena, ends, dst[n:])
	return dst
}

// Root returns the root over leaf hashes, in their order; of none, [EmptyRoot]. It works in place: afterwards hashes is scratch,
// the caller's to reuse.
//
// The levels are those of the package doc, each written over the front of the one below.
func (b *Builder) Root(hashes []Hash) Hash {
	if len(hashes) == 0 {
		return EmptyRoot()
	}
	for len(hashes) > 1 {
		hashes = nextLevel(hashes[:(len(hashes)+1)/2], hashes)
	}
	return hashes[0]
}

// nextLevel sets dst, of (len(level)+1)/2 hashes, to the level above and returns it. Dst is apart from level or its first half.
func nextLevel(dst, level []Hash) []Hash {
	pairs := len(level) / 2
	lanes.HashPairs(&nodeKey, level[:2*pairs], dst[:pairs])
	if len(level)%2 != 0 {
		dst[pairs] = level[len(level)-1]
	}
	return dst
}
