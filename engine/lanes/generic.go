package lanes

// The portable backend: one message after the other. It is the specification of the others.

func hashSlicesGeneric(k *Key, msgs [][]byte, out [][Size]byte) {
	for i, msg := range msgs {
		out[i] = k.Sum(msg)
	}
}

func hashArenaGeneric(k *Key, arena []byte, start int, ends []int, out [][Size]byte) {
	for i, end := range ends {
		out[i] = k.Sum(arena[start:end])
		start = end
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
