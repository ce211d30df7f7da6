package merkle

import "math/bits"

// Accumulator computes the root of leaves that pass by one at a time, in constant memory (2 KiB, a hash for each bit of the
// count). Its zero value is ready. It may be copied, to keep a state. Not for use by two goroutines at once.
//
// The binary digits of the count n cut the leaves, from the left, into runs of falling powers of two; peaks holds the root
// of each. Those are the subtrees on the left of the RFC's splits: unless n is a power of two and its one run the whole tree,
// the largest power of two smaller than n is n's top digit, and the remaining leaves have the remaining digits. So
// the root is node(largest, node(next, … node(last but one, last))), folded from the right. A new leaf is a run of one; as in adding
// one to n, it merges with every run of its own size, from the right, as long as there is one: two neighbours of 2^k make
// one of 2^(k+1), which starts at a multiple of its size and is a perfect tree again.
type Accumulator struct {
	count uint64
	peaks [64]Hash // peaks[k] means something where bit k of count is set: the root of that run of 2^k leaves
}

// Add takes the hash of the next leaf.
func (a *Accumulator) Add(h Hash) {
	k := 0
	for ; a.count>>k&1 != 0; k++ {
		h = HashNode(&a.peaks[k], &h)
	}
	a.peaks[k] = h
	a.count++
}

// Count returns the number of leaves added since the start or Reset.
func (a *Accumulator) Count() uint64 { return a.count }

// Root returns the root of the leaves so far; of none, [EmptyRoot]. More may be added afterwards.
func (a *Accumulator) Root() Hash {
	if a.count == 0 {
		return EmptyRoot()
	}
	k := bits.TrailingZeros64(a.count)
	root := a.peaks[k]
	for k++; k < bits.Len64(a.count); k++ {
		if a.count>>k&1 != 0 {
			root = HashNode(&a.peaks[k], &root)
		}
	}
	return root
}

// Reset forgets all leaves.
func (a *Accumulator) Reset() { a.count = 0 }
