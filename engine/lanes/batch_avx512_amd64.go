//go:build !purego

package lanes

import "unsafe"

func hashSlicesAVX512(k *Key, msgs [][]byte, out [][Size]byte) {
	switch n := len(out); {
	case n <= 32:
		var w windows32
		hashSlicesInAVX512(w.at(0), w.at(1), k, msgs, out)
	case n <= 128:
		var w windows128
		hashSlicesInAVX512(w.at(0), w.at(1), k, msgs, out)
	default:
		var w windows512
		hashSlicesInAVX512(w.at(0), w.at(1), k, msgs, out)
	}
}

func hashSlicesInAVX512(w, ordered window, k *Key, msgs [][]byte, out [][Size]byte) {
	for len(msgs) > 0 {
		n := min(len(msgs), windowSize)
		w.hashAVX512(&ordered, k, w.listSlices(k, msgs[:n], out[:n]))
		msgs, out = msgs[n:], out[n:]
	}
}

// hashArenasAVX512 relies on CheckEnds.
func hashArenasAVX512(k *Key, arenas []Arena, out [][Size]byte) {
	switch n := len(out); {
	case n <= 32:
		var w windows32
		hashArenasInAVX512(w.at(0), w.at(1), k, arenas, out)
	case n <= 128:
		var w windows128
		hashArenasInAVX512(w.at(0), w.at(1), k, arenas, out)
	default:
		var w windows512
		hashArenasInAVX512(w.at(0), w.at(1), k, arenas, out)
	}
}

func hashArenasInAVX512(w, ordered window, k *Key, arenas []Arena, out [][Size]byte) {
	listed := 0
	for i := range arenas {
		a := &arenas[i]
		start, ends := a.Start, a.Ends
		for len(ends) > 0 {
			n := min(len(ends), windowSize-listed)
			left := w.from(listed)
			listed += left.listArenaAVX512(k, a.Bytes, start, ends[:n], out[:n])
			start = ends[n-1]
			ends, out = ends[n:], out[n:]
			if listed == windowSize {
				w.hashAVX512(&ordered, k, listed)
				listed = 0
			}
		}
	}
	w.hashAVX512(&ordered, k, listed)
}

// listArenaAVX512 is listArena.
func (w *window) listArenaAVX512(k *Key, arena []byte, start int, ends []int, out [][Size]byte) int {
	n := len(ends)
	if listArenaAVX512(unsafe.SliceData(arena), start, &ends[0], n, &out[0], &empty, &w.msgs[0], &w.lens[0], &w.outs[0]) != 0 {
		return w.listArena(k, arena, start, ends, out)
	}
	return n
}

// maxPairs bounds the pairs of one call of a kernel: generated code is not preempted, and whoever stops the world waits
// for it: for so many some 50 µs with AVX-512 and 90 with AVX2 (BenchmarkHashPairs on an Intel Xeon, model 207).
const maxPairs = 1 << 12

// hashPairsAVX512 goes on in ascending order from one call of the kernel to the next, so that out may be the first half
// of in throughout: a call's digests end before its own inputs do, and the next call's inputs lie behind them.
func hashPairsAVX512(k *Key, in [][Size]byte, out [][Size]byte) {
	const lanes = 32
	words := k.Words()
	for len(out) >= lanes {
		passes := min(len(out), maxPairs) / lanes
		hashPairs32AVX512(&words, k.Flags(), &in[0], &out[0], passes)
		in, out = in[2*lanes*passes:], out[lanes*passes:]
	}
	if len(out) > 0 {
		var room windows32
		w, ordered := room.at(0), room.at(1)
		w.hashAVX512(&ordered, k, w.listPairs(in, out))
	}
}

// hashAVX512 hashes the first n messages, by way of ordered.
//
// Passes of 32 are faster for each lane than passes of 16 where a vector instruction takes two cycles, for one group of
// 16 then waits for itself: 4.00 ns a compression of one lane against 6.36 in the prototypes on AMD Zen 5. On Intel it
// takes one cycle and neither waits: there passes of 16 win, because fewer lanes are idle, but for a large batch
// without any (BenchmarkHashArena has both: size=mixed and size=300B).
func (w *window) hashAVX512(ordered *window, k *Key, n int) {
	if n < fewest {
		w.hashGeneric(k, 0, n)
		return
	}
	kinds := sortAVX512(n, &w.msgs[0], &w.lens[0], &w.outs[0], &ordered.msgs[0], &ordered.lens[0], &ordered.outs[0])
	mixed := kinds&(kinds-1) != 0
	if mixed {
		w = ordered
	}
	if isIntel && (mixed || n < 256) {
		w.passesOf16(k, n)
	} else {
		w.passesOf32(k, n)
	}
}

// passesOf32 hashes n messages in order: in passes of 32, and what is left in one of 16 if that is enough.
func (w *window) passesOf32(k *Key, n int) {
	first, rest := n&^31, n%32
	if rest > 16 {
		w.pad(n, first+32)
		first, rest = first+32, 0
	}
	if first > 0 {
		words := k.Words()
		hashMany32AVX512(&words, k.Flags(), &w.msgs[0], &w.lens[0], &w.outs[0], first/32)
	}
	if rest > 0 {
		left := w.from(first)
		left.passesOf16(k, rest)
	}
}

// passesOf16 hashes n messages in order, in passes of 16.
func (w *window) passesOf16(k *Key, n int) {
	first, rest := n&^15, n%16
	if rest >= fewest {
		w.pad(n, first+16)
		first, rest = first+16, 0
	}
	if first > 0 {
		words := k.Words()
		hashMany16AVX512(&words, k.Flags(), &w.msgs[0], &w.lens[0], &w.outs[0], first/16)
	}
	w.hashGeneric(k, first, first+rest)
}
