//go:build amd64 && !purego

package ed25519x8

// Item names one signature of a batch: what to verify and where the verdict goes.
type Item struct {
	Key    *[32]byte
	Digest *[32]byte
	Sig    *[64]byte
	OK     *bool
}

// VerifyFixed gives the verdicts of 1 to MaxBatch items with one key, of which minus holds the multiples of −A.
func VerifyFixed(s *Scratch, minus *Table, items []Item) {
	groups := groupsOf(len(items))
	for g := range groups {
		s.challenge(items, g)
		recode6(&s.digits2[g], &s.k)
		setNeutralSums(&s.sums[g])
	}
	addFixed(&s.sums[0], &s.digits2[0], minus.windows(), uint64(groups))
	s.conclude(items, groups)
}

// VerifyEach gives the verdicts of 1 to MaxBatch items with any keys.
func VerifyEach(s *Scratch, items []Item) {
	groups := groupsOf(len(items))
	for g := range groups {
		s.challenge(items, g)
		recode4(&s.digits4, &s.k)
		s.decodeMinus(items, g)
		s.multiples(&s.sums[g])
		setNeutral(&s.sums[g])
		ladder(&s.sums[g], &s.digits4, &s.table, &s.entry)
		toSums(&s.sums[g], &s.t[0])
	}
	s.conclude(items, groups)
}

// challenge sets k to SHA-512(R ‖ A ‖ M) modulo ℓ for group g, digits[g] to those of S, and valid to whether S is below ℓ.
func (s *Scratch) challenge(items []Item, g int) {
	for l := range lanes {
		i := min(lanes*g+l, len(items)-1)
		q := &items[i]
		s.message.put(0, l, (*[32]byte)(q.Sig[:32]))
		s.message.put(4, l, q.Key)
		s.message.put(8, l, q.Digest)
		putWords(&s.scalars[g], l, (*[32]byte)(q.Sig[32:]))
		s.valid[i] = belowOrder(&s.scalars[g], l)
	}
	s.message.pad(96)
	hashBlock(&s.hash, s.message.words())
	reduce(&s.k, &s.hash)
	recode6(&s.digits[g], &s.scalars[g])
}

// belowOrder reports whether lane l of w is below ℓ.
func belowOrder(w *words, l int) bool {
	order := [4]uint64{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 1 << 60}
	for i := 3; i >= 0; i-- {
		if w[i][l] != order[i] {
			return w[i][l] < order[i]
		}
	}
	return false
}

// conclude adds [S]B to the points, encodes them, and compares the bytes with R.
func (s *Scratch) conclude(items []Item, groups int) {
	addFixed(&s.sums[0], &s.digits[0], Base().windows(), uint64(groups))
	s.encode(groups)
	for i := range items {
		e, r := &s.encoded[i/lanes], items[i].Sig[:32]
		l := i % lanes
		*items[i].OK = s.valid[i] &&
			e[0][l] == le64(r) && e[1][l] == le64(r[8:]) && e[2][l] == le64(r[16:]) && e[3][l] == le64(r[24:])
	}
}

// decodeMinus sets sums[g] to minus the points that the keys encode, and clears valid where a key encodes none. As
// crypto/ed25519 has it, y is taken modulo p, and x = 0 passes with either sign.
//
// x² = u/v with u = y² − 1 and v = dy² + 1. The candidate r = u·v³·(u·v⁷)^((p−5)/8) has v·r² = u, and is a root; or −u,
// and √−1 times r is one; or neither, and there is none (RFC 8032 §5.1.3).
func (s *Scratch) decodeMinus(items []Item, g int) {
	for l := range lanes {
		putWords(&s.a, l, items[min(lanes*g+l, len(items)-1)].Key)
	}
	p := &s.sums[g] // a point until the ladder is done
	x, y, z, t := &p[0], &p[1], &p[2], &p[3]
	u, v, v3 := &s.table[0][0], &s.table[0][1], &s.table[0][2]
	unpack(y, &s.a)
	square(t, y, 1)
	sub(u, t, oneElement)
	mul(v, t, d)
	add(v, v, oneElement)
	square(v3, v, 1)
	mul(v3, v3, v)
	square(t, v3, 1)
	mul(t, t, v)
	mul(t, t, u)
	power(x, t, (*[2]element)(s.t[:]))
	mul(x, x, v3)
	mul(x, x, u)
	square(t, x, 1)
	mul(t, t, v)
	mul(v3, x, sqrtM1)
	sub(v, zeroElement, u)
	s.chooseRoot(items, g, x, v3, t, u, v)
	sub(v, zeroElement, x)
	pack(&s.x, x)
	for l := range lanes {
		// The root of minus the point has the other parity than the key's sign bit.
		if s.x[0][l]&1 == s.a[3][l]>>63 {
			setLaneFrom(x, v, l)
		}
	}
	*z = *oneElement
	mul(t, x, y)
}

// chooseRoot puts other into x where vrr is minusU, and clears valid where it is neither u nor that.
func (s *Scratch) chooseRoot(items []Item, g int, x, other, vrr, u, minusU *element) {
	pack(&s.x, vrr)
	pack(&s.k, u)
	pack(&s.encoded[g], minusU)
	for l := range lanes {
		i := min(lanes*g+l, len(items)-1)
		switch {
		case sameLane(&s.x, &s.k, l):
		case sameLane(&s.x, &s.encoded[g], l):
			setLaneFrom(x, other, l)
		default:
			s.valid[i] = false
		}
	}
}

func sameLane(a, b *words, l int) bool {
	return a[0][l] == b[0][l] && a[1][l] == b[1][l] && a[2][l] == b[2][l] && a[3][l] == b[3][l]
}

func setLaneFrom(dst, src *element, l int) {
	for i := range dst {
		dst[i][l] = src[i][l]
	}
}

// multiples sets table[j] to (j+1)·p. It uses p up.
func (s *Scratch) multiples(p *point) {
	toCached(&s.table[0], p)
	for j := 1; j < len(s.table); j++ {
		addCached(p, &s.table[0])
		toCached(&s.table[j], p)
	}
}
