//go:build !purego

package lanes

func hashSlicesAVX2(k *Key, msgs [][]byte, out [][Size]byte) {
	switch n := len(out); {
	case n <= 32:
		var w windows32
		hashSlicesInAVX2(w.at(0), w.at(1), k, msgs, out)
	case n <= 128:
		var w windows128
		hashSlicesInAVX2(w.at(0), w.at(1), k, msgs, out)
	default:
		var w windows512
		hashSlicesInAVX2(w.at(0), w.at(1), k, msgs, out)
	}
}

func hashSlicesInAVX2(w, ordered window, k *Key, msgs [][]byte, out [][Size]byte) {
	for len(msgs) > 0 {
		n := min(len(msgs), windowSize)
		w.hashAVX2(&ordered, k, w.listSlices(k, msgs[:n], out[:n]))
		msgs, out = msgs[n:], out[n:]
	}
}

// hashArenasAVX2 relies on CheckEnds.
func hashArenasAVX2(k *Key, arenas []Arena, out [][Size]byte) {
	switch n := len(out); {
	case n <= 32:
		var w windows32
		hashArenasInAVX2(w.at(0), w.at(1), k, arenas, out)
	case n <= 128:
		var w windows128
		hashArenasInAVX2(w.at(0), w.at(1), k, arenas, out)
	default:
		var w windows512
		hashArenasInAVX2(w.at(0), w.at(1), k, arenas, out)
	}
}

func hashArenasInAVX2(w, ordered window, k *Key, arenas []Arena, out [][Size]byte) {
	listed := 0
	for i := range arenas {
		a := &arenas[i]
		start, ends := a.Start, a.Ends
		for len(ends) > 0 {
			n := min(len(ends), windowSize-listed)
			left := w.from(listed)
			listed += left.listArena(k, a.Bytes, start, ends[:n], out[:n])
			start = ends[n-1]
			ends, out = ends[n:], out[n:]
			if listed == windowSize {
				w.hashAVX2(&ordered, k, listed)
				listed = 0
			}
		}
	}
	w.hashAVX2(&ordered, k, listed)
}

// hashPairsAVX2 goes on from call to call as hashPairsAVX512 does.
func hashPairsAVX2(k *Key, in [][Size]byte, out [][Size]byte) {
	const lanes = 8
	words := k.Words()
	for len(out) >= lanes {
		passes := min(len(out), maxPairs) / lanes
		hashPairs8AVX2(&words, k.Flags(), &in[0], &out[0], passes)
		in, out = in[2*lanes*passes:], out[lanes*passes:]
	}
	if len(out) > 0 {
		var room windows32
		w, ordered := room.at(0), room.at(1)
		w.hashAVX2(&ordered, k, w.listPairs(in, out))
	}
}

// hashAVX2 hashes the first n messages, by way of ordered, in passes of 8.
func (w *window) hashAVX2(ordered *window, k *Key, n int) {
	if n < fewest {
		w.hashGeneric(k, 0, n)
		return
	}
	if w.sort(n, ordered) {
		w = ordered
	}
	words := k.Words()
	first, rest := n&^7, n%8
	if rest >= fewest {
		w.pad(n, first+8)
		first, rest = first+8, 0
	}
	if first > 0 {
		hashMany8AVX2(&words, k.Flags(), &w.msgs[0], &w.lens[0], &w.outs[0], first/8)
	}
	w.hashGeneric(k, first, first+rest)
}
