//go:build amd64 && !purego

package ed25519x8

import (
	"sync"

	"filippo.io/edwards25519"
)

const (
	windows = 43 // windows of 6 bits in a fixed table: 258 bits
	entries = 32 // multiples of a window's point; the negative ones are made from the others
)

type (
	// point is X, Y, Z, T in each lane, reduced: x = X/Z, y = Y/Z, xy = T/Z.
	point = [4]element

	// cached is a point as addCached wants it: Y+X, Y−X, 2Z, 2dT.
	cached = [4]element

	// sums is a point as addFixed wants it: Y+X, Y−X, Z, T.
	sums = [4]element

	// Table holds the multiples (j+1)·64^w·P of a point P, for j from 0 to 31: limb i of its y+x is at [w][i][j], of its
	// y−x at [w][5+i][j], of its 2dxy at [w][10+i][j], all reduced. A Table takes 165,120 bytes.
	Table [windows][15][entries]uint64
)

// windows returns t as the kernels take it.
func (t *Table) windows() *[windows][15][entries]uint64 { return (*[windows][15][entries]uint64)(t) }

// TableSize is the memory that a Table takes, in bytes.
const TableSize = windows * 15 * entries * 8

// tableScratch is what Fill needs, 310 KB.
type tableScratch struct {
	multiples [6][entries]point
	before    [6][entries]element
	cached    cached
	w         words
	inv, x, y element
	t         [4]element
}

var tablePool = sync.Pool{New: func() any { return new(tableScratch) }}

// Fill sets t to the multiples of p, a public point. The lanes are windows here, six times eight for 43.
func (t *Table) Fill(p *edwards25519.Point) {
	s := tablePool.Get().(*tableScratch)
	defer tablePool.Put(s)
	s.bases(p)
	for g := range s.multiples {
		m := &s.multiples[g]
		toCached(&s.cached, &m[0])
		for j := 1; j < entries; j++ {
			m[j] = m[j-1]
			addCached(&m[j], &s.cached)
		}
	}
	s.divide(t)
}

// bases sets multiples[g][0] to 64^(8g + l)·p in lane l.
func (s *tableScratch) bases(p *edwards25519.Point) {
	q := new(edwards25519.Point).Set(p)
	for w := range 8 * len(s.multiples) {
		x, y, z, t := q.ExtendedCoordinates()
		m := &s.multiples[w/lanes][0]
		setLane(&m[0], w%lanes, x.Bytes())
		setLane(&m[1], w%lanes, y.Bytes())
		setLane(&m[2], w%lanes, z.Bytes())
		setLane(&m[3], w%lanes, t.Bytes())
		for range 6 {
			q.Double(q)
		}
	}
}

// divide brings all multiples to Z = 1, with one inversion as encode does it, and writes them to t.
func (s *tableScratch) divide(t *Table) {
	s.inv = *oneElement
	for g := range s.multiples {
		for j := range entries {
			s.before[g][j] = s.inv
			mul(&s.inv, &s.inv, &s.multiples[g][j][2])
		}
	}
	invert(&s.inv, &s.inv, &s.t)
	for g := len(s.multiples) - 1; g >= 0; g-- {
		for j := entries - 1; j >= 0; j-- {
			p := &s.multiples[g][j]
			mul(&s.t[0], &s.inv, &s.before[g][j])
			mul(&s.inv, &s.inv, &p[2])
			mul(&s.x, &p[0], &s.t[0])
			mul(&s.y, &p[1], &s.t[0])
			add(&s.t[0], &s.y, &s.x)
			sub(&s.t[1], &s.y, &s.x)
			mul(&s.t[2], &s.x, &s.y)
			mul(&s.t[2], &s.t[2], twoD)
			for l := range min(lanes, windows-lanes*g) {
				for i := range 15 {
					t[lanes*g+l][i][j] = s.t[i/5][i%5][l]
				}
			}
		}
	}
}

// setLane sets lane l of e to 32 bytes, little-endian.
func setLane(e *element, l int, b []byte) {
	var w words
	for i := range w {
		w[i][0] = le64(b[8*i:])
	}
	var one element
	unpack(&one, &w)
	for i := range e {
		e[i][l] = one[i][0]
	}
}

// Base returns the table of the generator, made at the first call.
var Base = sync.OnceValue(func() *Table {
	t := new(Table)
	t.Fill(edwards25519.NewGeneratorPoint())
	return t
})

func toCached(c *cached, p *point) {
	add(&c[0], &p[1], &p[0])
	sub(&c[1], &p[1], &p[0])
	add(&c[2], &p[2], &p[2])
	mul(&c[3], &p[3], twoD)
}

func setNeutral(p *point) {
	p[0], p[1], p[2], p[3] = *zeroElement, *oneElement, *oneElement, *zeroElement
}

func setNeutralSums(p *sums) {
	p[0], p[1], p[2], p[3] = *oneElement, *oneElement, *oneElement, *zeroElement
}

// toSums turns a point into sums, in place.
func toSums(p *point, t *element) {
	add(t, &p[1], &p[0])
	sub(&p[1], &p[1], &p[0])
	p[0] = *t
}

// encode sets encoded[g] to the encodings of sums[g], for g below groups, and uses sums up. It inverts the product of all
// 2Z of a lane and takes the single inverses out of that (Montgomery): with before[g] = Z0·…·Z(g−1) and inv =
// 1/(Z0·…·Zg), 1/Zg = inv·before[g]. No Z is 0, by the completeness of the addition law. 2X and 2Y are what sums gives.
func (s *Scratch) encode(groups int) {
	for g := range groups {
		z := &s.sums[g][2]
		add(z, z, z)
		if g == 0 {
			s.inv = *z
			continue
		}
		s.before[g] = s.inv
		mul(&s.inv, &s.inv, z)
	}
	invert(&s.inv, &s.inv, &s.t)
	for g := groups - 1; g >= 0; g-- {
		p := &s.sums[g]
		z := &s.inv
		if g > 0 {
			z = &s.t[0]
			mul(z, &s.inv, &s.before[g])
			mul(&s.inv, &s.inv, &p[2])
		}
		sub(&s.t[1], &p[0], &p[1])
		add(&s.t[2], &p[0], &p[1])
		mul(&s.t[1], &s.t[1], z)
		mul(&s.t[2], &s.t[2], z)
		pack(&s.x, &s.t[1])
		pack(&s.encoded[g], &s.t[2])
		for l := range lanes {
			s.encoded[g][3][l] |= s.x[0][l] << 63
		}
	}
}
