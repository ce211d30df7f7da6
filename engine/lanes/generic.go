package lanes

// The portable backend: one message after the other. It is the specification of the others.

func hashSlicesGeneric(k *Key, msgs [][]byte, out [][Size]byte) {
	for i, msg := range msgs {
		out[i] = k.Sum(msg)
	}
}

func hashArenasGeneric(k *Key, arenas []Arena, out [][Size]byte) {
	for i := range arenas {
		a := &arenas[i]
		start := a.Start
		for j, end := range a.Ends {
			out[j] = k.Sum(a.Bytes[start:end])
			start = end
		}
		out = out[len(a.Ends):]
	}
}

func hashPairsGeneric(k *Key, in [][Size]byte, out [][Size]byte) {
	for i := range out {
		var pair [2 * Size]byte
		copy(pair[:Size], in[2*i][:])
		copy(pair[Size:], in[2*i+1][:])
		out[i] = k.Sum(pair[:])
	}
}
