package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// point is X, Y, Z, T in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z. All four are reduced, in memory.
type point struct{ X, Y, Z, T element }

const pointSize = 4 * elementSize

func pointAt(base reg.Register) point {
	return point{at(base, 0), at(base, elementSize), at(base, 2*elementSize), at(base, 3*elementSize)}
}

// Both additions are that of Hisil, Wong, Carter and Dawson for a = −1, which is complete:
//
//	A = (Y−X)·(y−x), B = (Y+X)·(y+x), C = T·2dt, D = Z·2z, E = B − A, F = D − C, G = D + C, H = B + A
//	X = E·F, Y = G·H, Z = F·G, T = E·H

// add adds q to p, in place.
func (p point) add(q cached) {
	Comment("A = (Y - X) * (y - x)")
	a := product(carry(difference(p.Y, p.X, reducedShift)), load(q.minus))
	Comment("B = (Y + X) * (y + x)")
	b := product(carry(sum(p.Y, p.X)), load(q.plus))
	Comment("E = B - A")
	e := carry(difference(b, a, rawShift))
	Comment("H = B + A")
	h := carry(sum(b, a))
	Comment("C = T * 2dt")
	c := product(p.T, load(q.twoDT))
	Comment("D = Z * 2z")
	d := product(p.Z, q.twoZ) // too many registers are in use to load this too
	Comment("F = D - C")
	f := carry(difference(d, c, rawShift))
	Comment("G = D + C")
	g := carry(sum(d, c))
	p.finish(e, f, g, h, true)
}

// finish stores X, Y, Z and, if wanted, T.
func (p point) finish(e, f, g, h element, withT bool) {
	Comment("X = E * F")
	store(mul(e, f), p.X)
	Comment("Y = G * H")
	store(mul(g, h), p.Y)
	Comment("Z = F * G")
	store(mul(f, g), p.Z)
	if withT {
		Comment("T = E * H")
		store(mul(e, h), p.T)
	}
}

// sums is a point as Y+X, Y−X, Z and T, reduced, in memory: what additions in a row want of it.
type sums struct{ plus, minus, Z, T element }

func sumsAt(base reg.Register) sums {
	p := pointAt(base)
	return sums{p.X, p.Y, p.Z, p.T}
}

// add adds the entry of d in a window of a fixed table to p, in place.
func (p sums) add(d digit, window reg.Register) {
	Comment("C = T * 2dxy")
	c := product(p.T, d.selectTwoDXY(window))
	Comment("A = (Y - X) * (y - x)")
	plus, minus := d.selectSums(window)
	a := product(p.minus, minus)
	Comment("B = (Y + X) * (y + x)")
	b := product(p.plus, plus)
	Comment("E = B - A")
	e := carry(difference(b, a, rawShift))
	Comment("H = B + A")
	h := carry(sum(b, a))
	Comment("F = 2Z - C")
	z := sum(p.Z, p.Z)
	f := carry(difference(z, c, rawShift))
	Comment("G = 2Z + C")
	g := carry(sum(z, c))
	Comment("Z = F * G")
	store(mul(f, g), p.Z)
	Comment("T = E * H")
	store(mul(e, h), p.T)
	Comment("X = E * F, Y = G * H")
	x := product(e, f)
	y := product(g, h)
	Comment("Y + X, Y - X")
	store(carry(sum(y, x)), p.plus)
	store(carry(difference(y, x, rawShift)), p.minus)
}

// cached is a point as Y+X, Y−X, 2Z and 2dT, factors, in memory.
type cached struct{ plus, minus, twoZ, twoDT element }

func cachedAt(base reg.Register) cached {
	p := pointAt(base)
	return cached{p.X, p.Y, p.Z, p.T}
}

// double doubles p in place; withT says whether T is wanted, which another doubling does not need.
//
//	A = X², B = Y², C = Z², H = A + B, G = A − B, E = H − (X+Y)², F = 2C + G
//
// All four are the negatives of the usual formulas', whose products are the same.
func (p point) double(withT bool) {
	Comment("A = X^2, B = Y^2, H = A + B")
	a := square(p.X)
	b := square(p.Y)
	h := carry(sum(a, b))
	Comment("G = A - B")
	g := carry(difference(a, b, rawShift))
	Comment("E = H - (X + Y)^2")
	s := square(carry(sum(p.X, p.Y)))
	e := carry(difference(h, s, rawShift))
	Comment("F = 2Z^2 + G")
	c := square(p.Z)
	f := carry(sum(sum(c, c), g))
	p.finish(e, f, g, h, withT)
}

// Every entry of a fixed table lies limb by limb: 32 words, one for each multiple 1 to 32, of limb 0 of y+x, and so on
// through y+x, y−x and 2dxy.
const (
	windows     = 43
	fixedLimb   = 32 * 8
	fixedWindow = 15 * fixedLimb
)

// digit holds what is derived from a signed digit in each lane.
type digit struct {
	size     reg.VecVirtual    // |d|
	negative reg.OpmaskVirtual // d < 0
	zero     reg.OpmaskVirtual // d = 0
}

func loadDigit(from Mem) digit {
	Comment("|d|, d < 0, d = 0")
	d := digit{ZMM(), K(), K()}
	VPMOVSXBQ(from, d.size)
	VPMOVQ2M(d.size, d.negative)
	VPABSQ(d.size, d.size)
	VPTESTNMQ(d.size, d.size, d.zero)
	return d
}

// swap exchanges y+x and y−x where d is below 0: those of the negative.
func (d digit) swap(plus, minus element) {
	for i := range plus {
		t := ZMM()
		VMOVDQA64(plus[i], t)
		VMOVDQA64(minus[i], d.negative, plus[i])
		VMOVDQA64(t, d.negative, minus[i])
	}
}

// negate makes e 2p − e where d is below 0. The limbs of e are at most those of 2p, 2^52 − 38 and 2^52 − 2: e is a factor.
func (d digit) negate(e element) {
	for i, twoP := range multiples[1] {
		t := ZMM()
		VPBROADCASTQ(twoP, t)
		VPSUBQ(e[i], t, d.negative, e[i])
	}
}

// selectSums reads y+x and y−x of the entry of d, −32 to 32, from a window of a fixed table; they are 1 for 0.
func (d digit) selectSums(window reg.Register) (plus, minus element) {
	plus = d.selectFixed(window, 0)
	minus = d.selectFixed(window, 5)
	VPORQ_BCST(one, plus[0], d.zero, plus[0])
	VPORQ_BCST(one, minus[0], d.zero, minus[0])
	d.swap(plus, minus)
	return plus, minus
}

// selectTwoDXY reads 2dxy of the same entry; it is 0 for 0.
func (d digit) selectTwoDXY(window reg.Register) element {
	e := d.selectFixed(window, 10)
	d.negate(e)
	return e
}

// selectFixed reads limbs [first, first+5) of the entry of |d|, 0 for 0. All lanes read all 32 multiples, at the same
// addresses: vpermt2q picks within registers, 16 multiples at a time, by the lower four bits of |d| − 1.
func (d digit) selectFixed(window reg.Register, first int) element {
	index, low, high := ZMM(), K(), K()
	VPSUBQ_BCST(one, d.size, index)             // 2^64 − 1 for 0
	VPCMPUQ_BCST(Imm(1), sixteen, index, low)   // 1 ≤ |d| ≤ 16
	VPCMPUQ_BCST(Imm(6), sixteen, d.size, high) // 16 < |d|
	var e element
	for i := range e {
		part := func(n int) Mem {
			return Mem{Base: window, Disp: (first+i)*fixedLimb + 64*n}
		}
		r, r2 := ZMM(), ZMM()
		VMOVDQU64(part(0), r)
		VPERMT2Q_Z(part(1), index, low, r)
		VMOVDQU64(part(2), r2)
		VPERMT2Q_Z(part(3), index, high, r2)
		VPORQ(r2, r, r)
		e[i] = r
	}
	return e
}

var sixteen, two Mem

func pointKernels() {
	sixteen = word("sixteen", 16)
	two = word("two", 2)
	fixedKernel()
	ladderKernel()

	kernel("addCached", "func(p *[4][5][8]uint64, q *[4][5][8]uint64)",
		"addCached adds to p the point with Y+X, Y−X, 2Z, 2dT in q, all factors.")
	p, q := pointAt(Load(Param("p"), GP64())), cachedAt(Load(Param("q"), GP64()))
	p.add(q)
	wipe()

	kernel("double", "func(p *[4][5][8]uint64)", "double doubles p.")
	pointAt(Load(Param("p"), GP64())).double(true)
	wipe()
}

func fixedKernel() {
	kernel("addFixed", "func(points *[4][5][8]uint64, digits *[43][8]int8, table *[43][15][32]uint64, count uint64)",
		"addFixed adds to each of count ≥ 1 points, given as Y+X, Y−X, Z and T, the sum over w of digits[w] times 64^w of",
		"the table's point, for the count arrays of digits that lie one after the other; a digit is −32 to 32. All points",
		"take a window before the next is read.")
	points := Load(Param("points"), GP64())
	digits := Load(Param("digits"), GP64())
	window := Load(Param("table"), GP64())
	w := GP64()
	MOVQ(U64(windows), w)

	Label("fixedWindow")
	base, from, left := GP64(), GP64(), GP64()
	MOVQ(points, base)
	MOVQ(digits, from)
	Load(Param("count"), left)
	Label("fixedPoint")
	sumsAt(base).add(loadDigit(Mem{Base: from}), window)
	ADDQ(U32(pointSize), base)
	ADDQ(U32(windows*8), from)
	SUBQ(Imm(1), left)
	JNZ(LabelRef("fixedPoint"))

	ADDQ(Imm(8), digits)
	ADDQ(U32(fixedWindow), window)
	SUBQ(Imm(1), w)
	JNZ(LabelRef("fixedWindow"))
	wipe()
}

// ladderKernel is the multiplication of eight points that have no table in common.
func ladderKernel() {
	kernel("ladder", "func(p *[4][5][8]uint64, digits *[64][8]int8, table *[8][4][5][8]uint64, scratch *[4][5][8]uint64)",
		"ladder sets p to the sum over w of digits[w]·16^w·Q, where table[j] is (j+1)·Q as Y+X, Y−X, 2Z, 2dT, factors. p",
		"is the neutral element before, a digit −8 to 8. It leaves the last entry in scratch.")
	p := Load(Param("p"), GP64())
	digits := Load(Param("digits"), GP64())
	table := Load(Param("table"), GP64())
	scratch := Load(Param("scratch"), GP64())
	w := GP64()
	ADDQ(U32(63*8), digits)
	MOVQ(U64(64), w)

	Label("ladderWindow")
	for i := range 4 {
		pointAt(p).double(i == 3)
	}
	d := loadDigit(Mem{Base: digits})
	q := selectCached(d, table)
	d.swap(q[0], q[1])
	d.negate(q[3])
	for i := range q {
		store(q[i], at(scratch, i*elementSize))
	}
	pointAt(p).add(cachedAt(scratch))
	SUBQ(Imm(8), digits)
	SUBQ(Imm(1), w)
	JNZ(LabelRef("ladderWindow"))
	wipe()
}

// selectCached reads the entry of d, −8 to 8, of each lane's own table; 0 gives the neutral element, 1, 1, 2 and 0. All
// entries are read.
func selectCached(d digit, table reg.Register) (q [4]element) {
	for c := range q {
		for i := range q[c] {
			r := zero()
			if i == 0 && c < 2 {
				VPBROADCASTQ(one, r)
			}
			if i == 0 && c == 2 {
				VPBROADCASTQ(two, r)
			}
			q[c][i] = r
		}
	}
	number := zero()
	for j := range 8 {
		here := K()
		VPADDQ_BCST(one, number, number)
		VPCMPEQQ(number, d.size, here)
		for c := range q {
			for i := range q[c] {
				VMOVDQU64(Mem{Base: table, Disp: j*pointSize + c*elementSize + 64*i}, here, q[c][i])
			}
		}
	}
	return q
}
