package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

// element is a field element modulo p = 2^255 − 19 in each lane: the sum of limb[i]·2^(51·i). The limbs are registers or
// places in memory. Two kinds of bounds are used:
//
//	reduced  limbs below 2^51 + 2^17: what carry leaves
//	raw      limbs below 2^61: what a product is before its carry
//
// A factor has limbs below 2^52, as vpmadd52 ignores the bits above. So reduced elements are factors, their sums and
// differences are not before a carry.
type element [5]Op

const elementSize = 5 * 64

// at returns the element at an offset from base, in bytes.
func at(base reg.Register, offset int) element {
	var e element
	for i := range e {
		e[i] = Mem{Base: base, Disp: offset + 64*i}
	}
	return e
}

// load returns e in registers: e itself where it is.
func load(e element) element {
	for i := range e {
		if IsRegister(e[i]) {
			continue
		}
		r := ZMM()
		VMOVDQU64(e[i], r)
		e[i] = r
	}
	return e
}

func store(e, to element) {
	for i := range e {
		VMOVDQU64(e[i], to[i])
	}
}

func word(name string, value uint64) Mem { return ConstData(name, U64(value)) }

var (
	mask51   Mem // 2^51 − 1
	nineteen Mem
	one      Mem
)

// multipleOfP returns the limbs of 2^shift·p, as limb 0 and as limbs 1 to 4 are: 2^(51+shift) less a little.
func multipleOfP(shift int) [5]Mem {
	name := "p_" + string(rune('a'+shift))
	low := word(name+"_low", (1<<51-19)<<shift)
	high := word(name+"_high", (1<<51-1)<<shift)
	return [5]Mem{low, high, high, high, high}
}

var multiples = map[int][5]Mem{}

func fieldConstants() {
	mask51 = word("mask51", 1<<51-1)
	nineteen = word("nineteen", 19)
	one = word("one", 1)
	for _, shift := range []int{1, 2, 11} {
		multiples[shift] = multipleOfP(shift)
	}
}

func zero() reg.VecVirtual {
	z := ZMM()
	clearRegister(x86.VPXORQ(z, z, z))
	return z
}

// product returns a·b, raw; a and b are factors. With b in registers it is faster by a fifth: from memory, each of its limbs
// is read ten times.
//
// With a·b = lo + 2^52·hi per pair of limbs, and 2^52 = 2·2^51: c[k] = Σ lo(a[i]·b[k−i]) + 2·Σ hi(a[i]·b[k−1−i]). Below
// are at most five terms of each, so c[k] < 5·2^52 + 2·5·2^52 < 2^56; 2^255 = 19 folds c[k+5] onto c[k]: below 20·2^56
// < 2^61.
func product(a, b element) element {
	a = load(a)
	var c [10]reg.VecVirtual
	for k := range c {
		c[k] = zero()
	}
	for i := range a {
		for j := range b {
			VPMADD52HUQ(b[j], a[i], c[i+j+1])
		}
	}
	for _, r := range c[1:] {
		VPADDQ(r, r, r)
	}
	for i := range a {
		for j := range b {
			VPMADD52LUQ(b[j], a[i], c[i+j])
		}
	}
	return fold(c)
}

// square returns a², raw: product with the terms a[i]·a[j], i ≠ j, computed once and doubled.
func square(a element) element {
	a = load(a)
	var c [10]reg.VecVirtual
	for k := range c {
		c[k] = zero()
	}
	for i := range a {
		for j := i + 1; j < len(a); j++ {
			VPMADD52HUQ(a[j], a[i], c[i+j+1])
		}
	}
	for _, r := range c[2:9] {
		VPADDQ(r, r, r)
	}
	for i := range a {
		VPMADD52HUQ(a[i], a[i], c[2*i+1])
	}
	// The next doubling is both that of hi and that of the mixed terms of lo.
	for i := range a {
		for j := i + 1; j < len(a); j++ {
			VPMADD52LUQ(a[j], a[i], c[i+j])
		}
	}
	for _, r := range c[1:] {
		VPADDQ(r, r, r)
	}
	for i := range a {
		VPMADD52LUQ(a[i], a[i], c[2*i])
	}
	return fold(c)
}

// squareAlone is square for a chain of squarings, where each waits for the one before: with two sums for each limb it
// takes more additions and registers, and less time from a to the result.
//
//	c[k] = lo of i = j  +  2·(lo of i < j  +  hi of i = j  +  2·hi of i < j)
func squareAlone(a element) element {
	a = load(a)
	var inner, mixed accumulators
	for i := range a {
		VPMADD52HUQ(a[i], a[i], inner.at(2*i+1))
		for j := i + 1; j < len(a); j++ {
			VPMADD52HUQ(a[j], a[i], mixed.at(i+j+1))
			VPMADD52LUQ(a[j], a[i], inner.at(i+j))
		}
	}
	c := [10]reg.VecVirtual{zero()}
	for k := 1; k < len(c); k++ {
		c[k] = doublePlus(nil, doublePlus(inner[k], mixed[k]))
	}
	for i := range a {
		VPMADD52LUQ(a[i], a[i], c[2*i])
	}
	return fold(c)
}

// doublePlus returns a + 2·b in the place of b. A nil is 0.
func doublePlus(a, b reg.VecVirtual) reg.VecVirtual {
	if b == nil {
		return a
	}
	VPADDQ(b, b, b)
	if a != nil {
		VPADDQ(a, b, b)
	}
	return b
}

// accumulators are registers that start as zero where they are first asked for, and nil elsewhere.
type accumulators [10]reg.VecVirtual

func (c *accumulators) at(k int) reg.VecVirtual {
	if c[k] == nil {
		c[k] = zero()
	}
	return c[k]
}

// fold returns c[k] + 19·c[k+5], as 2^255 = 19 modulo p. Two additions and a shift for 19 = 1 + 2 + 16 are faster than
// vpmullq, which is three multiplications inside.
func fold(c [10]reg.VecVirtual) element {
	var e element
	for k := range e {
		high, sixteenfold := c[k+5], ZMM()
		VPSLLQ(Imm(4), high, sixteenfold)
		VPADDQ(high, c[k], c[k])
		VPADDQ(high, high, high)
		VPADDQ(high, sixteenfold, sixteenfold)
		VPADDQ(sixteenfold, c[k], c[k])
		e[k] = c[k]
	}
	return e
}

// carry moves what is above bit 51 of each limb of e, all below 2^63, one limb up, in place. Limb 0 ends below
// 2^51 + 19·2^12, the others below 2^51 + 2^12: e is reduced.
func carry(e element) element {
	var up [5]reg.VecVirtual
	Comment("carry")
	for i := range e {
		up[i] = ZMM()
		VPSRLQ(Imm(51), e[i], up[i])
	}
	for i := range e {
		VPANDQ_BCST(mask51, e[i], e[i])
	}
	VPMADD52LUQ_BCST(nineteen, up[4], e[0])
	for i := range up[:4] {
		VPADDQ(up[i], e[i+1], e[i+1])
	}
	return e
}

// sum returns a + b without a carry.
func sum(a, b element) element {
	var e element
	for i := range e {
		r := ZMM()
		if !IsRegister(a[i]) {
			VMOVDQU64(a[i], r)
			VPADDQ(b[i], r, r)
		} else {
			VPADDQ(b[i], a[i], r)
		}
		e[i] = r
	}
	return e
}

// difference returns a + 2^shift·p − b without a carry. No limb goes below 0 if b's are below 2^(50+shift).
func difference(a, b element, shift int) element {
	a = load(a)
	bias := multiples[shift]
	var e element
	for i := range e {
		r := ZMM()
		VPADDQ_BCST(bias[i], a[i], r)
		VPSUBQ(b[i], r, r)
		e[i] = r
	}
	return e
}

const (
	reducedShift = 2  // bias of a difference where the subtrahend is reduced, or twice that
	rawShift     = 11 // the same, where it is raw
)

func mul(a, b element) element { return carry(product(a, b)) }

// freeze makes e, reduced, canonical: below p, limbs below 2^51. In place.
func freeze(e element) {
	Comment("canonical")
	// Two carries one limb after the other leave e below 2^255 + 19·2: the first ends with limb 4 below 2^51, limb 0
	// below 2^51 + 19·2; the second moves at most 1 all the way.
	for range 2 {
		ripple(e)
		up := ZMM()
		VPSRLQ(Imm(51), e[4], up)
		VPANDQ_BCST(mask51, e[4], e[4])
		VPMADD52LUQ_BCST(nineteen, up, e[0])
	}
	// q = 1 where e ≥ p, that is where e + 19 ≥ 2^255. Then e − p = e + 19 − 2^255.
	q := ZMM()
	VPADDQ_BCST(nineteen, e[0], q)
	VPSRLQ(Imm(51), q, q)
	for i := range e[1:] {
		VPADDQ(e[i+1], q, q)
		VPSRLQ(Imm(51), q, q)
	}
	VPMADD52LUQ_BCST(nineteen, q, e[0])
	ripple(e)
	VPANDQ_BCST(mask51, e[4], e[4])
}

// ripple carries limbs 0 to 3 into the next, one after the other.
func ripple(e element) {
	for i := range e[:4] {
		up := ZMM()
		VPSRLQ(Imm(51), e[i], up)
		VPANDQ_BCST(mask51, e[i], e[i])
		VPADDQ(up, e[i+1], e[i+1])
	}
}

func fieldKernels() {
	fieldConstants()

	kernel("mul", "func(dst, a, b *[5][8]uint64)", "mul sets dst to a·b, reduced. a and b are factors.")
	dst := Load(Param("dst"), GP64())
	a, b := Load(Param("a"), GP64()), Load(Param("b"), GP64())
	store(mul(at(a, 0), load(at(b, 0))), at(dst, 0))
	wipe()

	kernel("square", "func(dst, a *[5][8]uint64, count uint64)",
		"square sets dst to a to the power 2^count, reduced. a is a factor, count at least 1.")
	dst, a = Load(Param("dst"), GP64()), Load(Param("a"), GP64())
	count := Load(Param("count"), GP64())
	x := load(at(a, 0))
	Label("squareLoop")
	y := carry(squareAlone(x))
	for i := range x {
		VMOVDQA64(y[i], x[i])
	}
	SUBQ(Imm(1), count)
	JNZ(LabelRef("squareLoop"))
	store(x, at(dst, 0))
	wipe()

	kernel("add", "func(dst, a, b *[5][8]uint64)", "add sets dst to a + b, reduced. a and b have limbs below 2^62.")
	dst = Load(Param("dst"), GP64())
	a, b = Load(Param("a"), GP64()), Load(Param("b"), GP64())
	store(carry(sum(at(a, 0), at(b, 0))), at(dst, 0))
	wipe()

	kernel("sub", "func(dst, a, b *[5][8]uint64)", "sub sets dst to a − b, reduced. a is below 2^62, b reduced.")
	dst = Load(Param("dst"), GP64())
	a, b = Load(Param("a"), GP64()), Load(Param("b"), GP64())
	store(carry(difference(at(a, 0), at(b, 0), reducedShift)), at(dst, 0))
	wipe()

	kernel("pack", "func(dst *[4][8]uint64, a *[5][8]uint64)",
		"pack sets dst to the one value below p that a stands for, as four words of 64 bits. a is reduced.")
	dst, a = Load(Param("dst"), GP64()), Load(Param("a"), GP64())
	e := load(at(a, 0))
	freeze(e)
	// word i = bits 64·i and up: limb i from bit 13·i, and limb i+1 above it.
	for i := range 4 {
		low, high := ZMM(), ZMM()
		VPSRLQ(Imm(uint64(13*i)), e[i], low)
		VPSLLQ(Imm(uint64(51-13*i)), e[i+1], high)
		VPORQ(low, high, high)
		VMOVDQU64(high, Mem{Base: dst, Disp: 64 * i})
	}
	wipe()
}
