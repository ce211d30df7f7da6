//go:build !purego

package lanes

import "unsafe"

const (
	blockSize = 64
	maxBlocks = 16
	// chunkSize is the longest message that a kernel takes; a longer one is a tree of chunks.
	chunkSize = maxBlocks * blockSize
)

// fewest is how many messages are worth a pass. A pass takes as long for one message as for all its lanes: for two
// receipts already less than one after the other, for one a little more.
const fewest = 2

// window is a list of messages as a kernel reads it: message i has lens[i] bytes, at most chunkSize, from msgs[i] on,
// and its digest goes to outs[i]. It borrows what the caller lent.
type window struct {
	msgs []*byte
	lens []uint32
	outs []*[Size]byte
}

// windowSize is how many messages are put in order at once: enough that passes with lanes of unequal lengths are rare,
// few enough that the lists stay in the L1 cache.
const windowSize = 512

// A windows is two lists, one to be put in order into the other. It lives on the stack of one call. The stack is
// cleared for it, which is what the smaller ones are for. They are multiples of every pass, and sortAVX512 wants 16
// more places than that.
type (
	windows512 struct {
		msgs [2][windowSize + 16]*byte
		lens [2][windowSize + 16]uint32
		outs [2][windowSize + 16]*[Size]byte
	}
	windows128 struct {
		msgs [2][128 + 16]*byte
		lens [2][128 + 16]uint32
		outs [2][128 + 16]*[Size]byte
	}
	windows32 struct {
		msgs [2][32 + 16]*byte
		lens [2][32 + 16]uint32
		outs [2][32 + 16]*[Size]byte
	}
)

func (w *windows512) at(i int) window { return window{w.msgs[i][:], w.lens[i][:], w.outs[i][:]} }
func (w *windows128) at(i int) window { return window{w.msgs[i][:], w.lens[i][:], w.outs[i][:]} }
func (w *windows32) at(i int) window  { return window{w.msgs[i][:], w.lens[i][:], w.outs[i][:]} }

// empty is where empty messages point: a kernel wants addresses that are mapped, and the garbage collector none beyond
// an arena.
var empty byte

// set makes a message number i.
func (w *window) set(i int, msg []byte, out *[Size]byte) {
	w.msgs[i], w.lens[i], w.outs[i] = &empty, uint32(len(msg)), out
	if len(msg) > 0 {
		w.msgs[i] = &msg[0]
	}
}

// from returns the part of w that begins with message i.
func (w *window) from(i int) window { return window{w.msgs[i:], w.lens[i:], w.outs[i:]} }

// message returns message i.
func (w *window) message(i int) []byte { return unsafe.Slice(w.msgs[i], w.lens[i]) }

// listSlices lists msgs, at most windowSize of them, and returns how many it has listed: longer ones than chunkSize it
// hashes at once.
func (w *window) listSlices(k *Key, msgs [][]byte, out [][Size]byte) int {
	n := 0
	for i, msg := range msgs {
		if len(msg) > chunkSize {
			out[i] = k.Sum(msg)
			continue
		}
		w.set(n, msg, &out[i])
		n++
	}
	return n
}

// listArena is listSlices for messages in an arena, the first of which begins at start.
func (w *window) listArena(k *Key, arena []byte, start int, ends []int, out [][Size]byte) int {
	n := 0
	for i, end := range ends {
		msg := arena[start:end]
		start = end
		if len(msg) > chunkSize {
			out[i] = k.Sum(msg)
			continue
		}
		w.set(n, msg, &out[i])
		n++
	}
	return n
}

// listPairs lists pairs of digests, at most 31. Out may be the first half of in: all pairs have one block, so none
// changes its place in the order, and a kernel takes passes in ascending order and has read a pass whole when it writes
// a digest of it. Digest i falls on pair ⌊i/2⌋, which is in its own pass or in one before. With 18 to 31 pairs in two
// passes of 16 that means: the first pass's digests go to bytes [0, 512) of in, and what the second reads begins at
// byte 1,024. A pair that is padding's original is read with its pass; one that is left for the portable code is the
// last, n-1, and digests 0 to n-2 lie before it.
func (w *window) listPairs(in, out [][Size]byte) int {
	for i := range out {
		pair := unsafe.Slice((*byte)(unsafe.Pointer(&in[2*i : 2*i+2][0])), 2*Size)
		w.set(i, pair, &out[i])
	}
	return len(out)
}

// lastBlock returns the number of the last block of a message of n bytes, n at most chunkSize. An empty message has a
// block, number 0.
func lastBlock(n uint32) uint32 { return (max(n, 1) - 1) / blockSize % maxBlocks }

// sort sets to to the first n messages of w in order, those of the most blocks first, so that the lanes of a pass end
// at the same block or nearly so. It reports whether it has done so: not where all have equally many.
func (w *window) sort(n int, to *window) bool {
	var places [maxBlocks]int
	for _, length := range w.lens[:n] {
		places[lastBlock(length)]++
	}
	if places[lastBlock(w.lens[0])] == n {
		return false
	}
	next := 0
	for last := maxBlocks - 1; last >= 0; last-- {
		places[last], next = next, next+places[last]
	}
	for i, length := range w.lens[:n] {
		last := lastBlock(length)
		at := places[last]
		places[last]++
		to.msgs[at], to.lens[at], to.outs[at] = w.msgs[i], length, w.outs[i]
	}
	return true
}

// pad repeats message n-1 until there are end of them; its digest is then written as often.
func (w *window) pad(n, end int) {
	for i := n; i < end; i++ {
		w.msgs[i], w.lens[i], w.outs[i] = w.msgs[n-1], w.lens[n-1], w.outs[n-1]
	}
}

// hashGeneric hashes messages [first, end) one after the other.
func (w *window) hashGeneric(k *Key, first, end int) {
	for i := first; i < end; i++ {
		*w.outs[i] = k.Sum(w.message(i))
	}
}
