package merkle

import (
	"slices"

	"github.com/encseal/encseal/engine/lanes"
)

// Roots appends the roots of many trees to dst and returns it: for each i that of [Builder.Root] over
// hashes[ends[i-1]:ends[i]], where ends[-1] is 0. Small trees are hashed together, which costs less than one after the
// other: the levels near a root are narrower than a backend is. Like Root it works in place; dst may not overlap hashes,
// ends is borrowed for the call. Ends must ascend (equal ones make empty trees) and lie within hashes; others are a bug and
// panic, with dst and hashes as they were.
func (b *Builder) Roots(dst, hashes []Hash, ends []int) []Hash {
	lanes.CheckEnds(0, ends, len(hashes))
	n := len(dst)
	dst = slices.Grow(dst, len(ends))[:n+len(ends)]
	roots := dst[n:]
	b.trunks = slices.Grow(b.trunks[:0], len(ends))[:len(ends)]
	start := 0
	for i, end := range ends {
		t := trunk{from: start, run: end - start}
		if t.run == 0 || t.run > pieceHashes {
			roots[i], t = b.Root(hashes[start:end]), trunk{from: start}
		}
		b.trunks[i], start = t, end
	}
	b.pieces.run(b.workers(start, pieceHashes), job{
		hashes: hashes[:start], ends: ends, trunks: b.trunks, roots: roots, size: pieceHashes,
	})
	return dst
}

// trunk is one of several trees while they are hashed together: the level that is reached, hashes[from:from+run] and
// perhaps its last hash apart from them, where the tree's root is to be.
type trunk struct {
	from, run int
	apart     bool
}

// grow brings the root of trees[i] to roots[i], all of them up a level at a time. Their runs lie in the order of the trees;
// gaps between them do not matter. A tree without a run has its root already.
func grow(hashes []Hash, trees []trunk, roots []Hash) {
	if len(trees) == 0 {
		return
	}
	base := trees[0].from
	for {
		level := hashes[base : base+pairUp(hashes, trees, roots)]
		if len(level) == 0 {
			return
		}
		lanes.HashPairs(&nodeKey, level, level[:len(level)/2])
		for i := range trees {
			t := &trees[i]
			t.from, t.run = base+(t.from-base)/2, t.run/2
		}
	}
}

// pairUp makes every run even, so that its pairs are the level's, moves the runs together and returns their hashes' number.
//
// An odd run whose tree has no hash apart is an odd level: its last hash is carried up, and waits apart. If there is one
// apart, an odd run makes an even level, whose last pair that hash belongs to: it comes back. An even run is as it should
// be: what is apart is carried once more. So a tree's last hash, the root, ends up apart, as a run of one does, and no run
// is left.
//
// There is room for those that come back: a tree never has more hashes than it had leaves, and the runs lie at the front.
func pairUp(hashes []Hash, trees []trunk, roots []Hash) int {
	at, back := trees[0].from, 0
	for i := range trees {
		t := &trees[i]
		if t.run%2 != 0 {
			if t.apart {
				back++
			} else {
				t.run, t.apart = t.run-1, true
				roots[i] = hashes[t.from+t.run]
			}
		}
		if t.from != at {
			copy(hashes[at:], hashes[t.from:t.from+t.run])
			t.from = at
		}
		at += t.run
	}
	count := at - trees[0].from + back
	for i := len(trees) - 1; back > 0; i-- { // back is how many come back to trees[:i+1]
		t := &trees[i]
		odd := t.run % 2
		copy(hashes[t.from+back-odd:], hashes[t.from:t.from+t.run])
		t.from += back - odd
		if odd != 0 {
			hashes[t.from+t.run] = roots[i]
			t.run, t.apart = t.run+1, false
			back--
		}
	}
	return count
}
