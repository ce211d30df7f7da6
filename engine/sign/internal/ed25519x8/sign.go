//go:build amd64 && !purego

package ed25519x8

import "encoding/binary"

// Sign signs digests[i] with keys[i], or with a single key, into sigs[i]. There are 1 to MaxBatch of them. digests must not
// change during the call: they are hashed twice.
func Sign(s *Scratch, keys []*Key, digests [][32]byte, sigs [][64]byte) {
	n := len(digests)
	groups := groupsOf(n)
	s.nonce.pad(64)
	s.message.pad(96)
	for g := range groups {
		s.putKeys(keys, g, n)
		for l := range lanes {
			s.nonce.put(4, l, &digests[min(lanes*g+l, n-1)])
		}
		hashBlock(&s.hash, s.nonce.words())
		reduce(&s.scalars[g], &s.hash)
		recode6(&s.digits[g], &s.scalars[g])
		setNeutralSums(&s.sums[g])
	}
	addFixed(&s.sums[0], &s.digits[0], Base().windows(), uint64(groups))
	s.encode(groups)
	for g := range groups {
		s.putKeys(keys, g, n)
		s.message.putWords(&s.encoded[g])
		for l := range lanes {
			s.message.put(8, l, &digests[min(lanes*g+l, n-1)])
		}
		hashBlock(&s.hash, s.message.words())
		reduce(&s.k, &s.hash)
		mulAdd(&s.scalars[g], &s.k, &s.a, &s.scalars[g])
		for l := range min(lanes, n-lanes*g) {
			sig := &sigs[lanes*g+l]
			putLane((*[32]byte)(sig[:32]), &s.encoded[g], l)
			putLane((*[32]byte)(sig[32:]), &s.scalars[g], l)
		}
	}
	s.wipe(groups)
}

// putKeys puts the keys of group g where the hashes and mulAdd read them. A single key stays there.
func (s *Scratch) putKeys(keys []*Key, g, n int) {
	if len(keys) == 1 && g > 0 {
		return
	}
	for l := range lanes {
		key := keyAt(keys, min(lanes*g+l, n-1))
		s.nonce.put(0, l, &key.Prefix)
		s.message.put(4, l, &key.Public)
		putWords(&s.a, l, &key.Scalar)
	}
}

func keyAt(keys []*Key, i int) *Key {
	if len(keys) == 1 {
		return keys[0]
	}
	return keys[i]
}

// putWords writes 32 bytes, little-endian, to lane l.
func putWords(w *words, l int, b *[32]byte) {
	l %= lanes
	w[0][l] = le64(b[0:])
	w[1][l] = le64(b[8:])
	w[2][l] = le64(b[16:])
	w[3][l] = le64(b[24:])
}

// putLane writes lane l as 32 bytes, little-endian.
func putLane(b *[32]byte, w *words, l int) {
	l %= lanes
	binary.LittleEndian.PutUint64(b[0:], w[0][l])
	binary.LittleEndian.PutUint64(b[8:], w[1][l])
	binary.LittleEndian.PutUint64(b[16:], w[2][l])
	binary.LittleEndian.PutUint64(b[24:], w[3][l])
}
