package main

import (
	"fmt"
	"math/big"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Scalars are numbers in each lane. Between kernels they are four words of 64 bits; here they are limbs of 52 bits, the
// product of two of which vpmadd52 returns as two limbs. A limb may stand for a signed number until it is carried.

var mask52, mask44 Mem

// limbs52 returns n as constants of 52 bits each, the last with all that is left.
func limbs52(name string, n *big.Int, count int) []Mem {
	mask := new(big.Int).SetUint64(1<<52 - 1)
	n = new(big.Int).Set(n)
	var limbs []Mem
	for i := range count {
		limb := new(big.Int).And(n, mask)
		if i == count-1 {
			limb = n
		}
		limbs = append(limbs, word(fmt.Sprintf("%s_%d", name, i), limb.Uint64()))
		n = new(big.Int).Rsh(n, 52)
	}
	return limbs
}

// toLimbs splits words of 64 bits, little-endian, into limbs of 52.
func toLimbs(words []reg.VecVirtual) []reg.VecVirtual {
	var limbs []reg.VecVirtual
	for bit := 0; bit < 64*len(words); bit += 52 {
		q, shift := bit/64, bit%64
		r := ZMM()
		VPSRLQ(Imm(uint64(shift)), words[q], r)
		if shift > 12 && q+1 < len(words) {
			t := ZMM()
			VPSLLQ(Imm(uint64(64-shift)), words[q+1], t)
			VPORQ(t, r, r)
		}
		VPANDQ_BCST(mask52, r, r)
		limbs = append(limbs, r)
	}
	return limbs
}

// storeWords writes five carried limbs as four words.
func storeWords(v []reg.VecVirtual, dst reg.Register) {
	for i := range 4 {
		low, high := ZMM(), ZMM()
		VPSRLQ(Imm(uint64(12*i)), v[i], low)
		VPSLLQ(Imm(uint64(52-12*i)), v[i+1], high)
		VPORQ(low, high, high)
		VMOVDQU64(high, Mem{Base: dst, Disp: 64 * i})
	}
}

// carry52 carries each limb but the last into the next, one after the other. The shift keeps the sign.
func carry52(v []reg.VecVirtual) {
	for i := range v[:len(v)-1] {
		up := ZMM()
		VPSRAQ(Imm(52), v[i], up)
		VPANDQ_BCST(mask52, v[i], v[i])
		VPADDQ(up, v[i+1], v[i+1])
	}
}

// multiply adds a·b to acc, which has a limb for each of len(a)+len(b). The limbs of a are carried.
func multiply(acc, a []reg.VecVirtual, b []Mem) {
	for i := range a {
		for j := range b {
			VPMADD52LUQ_BCST(b[j], a[i], acc[i+j])
			VPMADD52HUQ_BCST(b[j], a[i], acc[i+j+1])
		}
	}
}

func zeros(n int) []reg.VecVirtual {
	all := make([]reg.VecVirtual, n)
	for i := range all {
		all[i] = zero()
	}
	return all
}

// reduceLimbs returns n modulo ℓ in five carried limbs, for n of ten carried limbs below 2^512.
//
// With ℓ = 2^252 + c: 2^260 = −256·c modulo ℓ, where 256·c has 133 bits. Twice folded,
//
//	n = lo + 2^260·hi          lo < 2^260, hi < 2^252
//	hi·256c = lo' + 2^260·hi'  lo' < 2^260, hi' < 2^125
//	n = lo − lo' + hi'·256c    modulo ℓ, with hi'·256c < 2^258
//
// so n + 256·ℓ lies above 0 and below 2^262. Its bits from 252 on are t < 2^10, and rest + t·2^252 = rest − t·c lies
// above −2^135 and below 2^252: where it is negative, one ℓ more makes it canonical.
func reduceLimbs(n []reg.VecVirtual) []reg.VecVirtual {
	Comment("p = hi * 256c")
	p := zeros(8)
	multiply(p, n[5:], bigC)
	carry52(p)
	Comment("q = hi' * 256c")
	q := zeros(6)
	multiply(q, p[5:], bigC)
	Comment("v = lo - lo' + q + 256l")
	v := n[:5]
	for i := range v {
		VPSUBQ(p[i], v[i], v[i])
		VPADDQ(q[i], v[i], v[i])
		VPADDQ_BCST(bigL[i], v[i], v[i])
	}
	carry52(v)

	Comment("v = v mod 2^252 - (v >> 252) * c")
	t := ZMM()
	VPSRLQ(Imm(44), v[4], t)
	VPANDQ_BCST(mask44, v[4], v[4])
	tc := zeros(4)
	multiply(tc, []reg.VecVirtual{t}, smallC)
	for i := range tc {
		VPSUBQ(tc[i], v[i], v[i])
	}
	carry52(v)

	Comment("v + l where v < 0")
	negative := K()
	VPMOVQ2M(v[4], negative)
	for i := range v {
		VPADDQ_BCST(order[i], v[i], negative, v[i])
	}
	carry52(v)
	return v
}

var bigC, bigL, smallC, order []Mem

func scalarConstants() {
	mask52 = word("mask52", 1<<52-1)
	mask44 = word("mask44", 1<<44-1)
	c, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	l := new(big.Int).Lsh(big.NewInt(1), 252)
	l.Add(l, c)
	smallC = limbs52("c", c, 3)
	order = limbs52("order", l, 5)
	bigC = limbs52("c256", new(big.Int).Lsh(c, 8), 3)
	bigL = limbs52("order256", new(big.Int).Lsh(l, 8), 5)
}

// loadWords reads count words of eight lanes.
func loadWords(from reg.Register, count int) []reg.VecVirtual {
	words := make([]reg.VecVirtual, count)
	for i := range words {
		words[i] = ZMM()
		VMOVDQU64(Mem{Base: from, Disp: 64 * i}, words[i])
	}
	return words
}

func scalarKernels() {
	scalarConstants()

	kernel("reduce", "func(dst *[4][8]uint64, wide *[8][8]uint64)",
		"reduce sets dst to the hash wide modulo ℓ. wide holds the words as SHA-512 computes them, whose bytes, the most",
		"significant of each word first, are one little-endian number.")
	dst, from := Load(Param("dst"), GP64()), Load(Param("wide"), GP64())
	words := loadWords(from, 8)
	order := ZMM()
	VMOVDQU64(byteOrder(), order)
	for _, w := range words {
		VPSHUFB(order, w, w)
	}
	storeWords(reduceLimbs(toLimbs(words)), dst)
	wipe()

	kernel("mulAdd", "func(dst, a, b, c *[4][8]uint64)", "mulAdd sets dst to a·b + c modulo ℓ. All three are below 2^255.")
	dst = Load(Param("dst"), GP64())
	a := toLimbs(loadWords(Load(Param("a"), GP64()), 4))
	b := toLimbs(loadWords(Load(Param("b"), GP64()), 4))
	acc := append(toLimbs(loadWords(Load(Param("c"), GP64()), 4)), zeros(5)...)
	Comment("c + a * b")
	for i := range a {
		for j := range b {
			VPMADD52LUQ(b[j], a[i], acc[i+j])
			VPMADD52HUQ(b[j], a[i], acc[i+j+1])
		}
	}
	carry52(acc)
	storeWords(reduceLimbs(acc), dst)
	wipe()

	recodeKernel("recode6", 6, windows, "any 256 bits")
	recodeKernel("recode4", 4, 64, "below 2^255")
}

// recodeKernel writes a scalar as digits of the radix 2^bits, from −2^(bits−1)+1 to 2^(bits−1). The last has no carry to
// give: its bits are fewer, or below half.
func recodeKernel(name string, bits, count int, bound string) {
	kernel(name, fmt.Sprintf("func(digits *[%d][8]int8, s *[4][8]uint64)", count),
		fmt.Sprintf("%s writes s, %s, as the sum over w of digits[w]·%d^w. A digit is %d to %d.",
			name, bound, 1<<bits, 1-1<<(bits-1), 1<<(bits-1)))
	digits, from := Load(Param("digits"), GP64()), Load(Param("s"), GP64())
	s := loadWords(from, 4)
	mask, half := ZMM(), ZMM()
	VPBROADCASTQ(word(name+"_mask", 1<<bits-1), mask)
	VPBROADCASTQ(word(name+"_half", 1<<(bits-1)-1), half)
	carried := zero()
	for w := range count {
		q, shift := bits*w/64, bits*w%64
		Comment(fmt.Sprintf("digit %d", w))
		x, t := ZMM(), ZMM()
		VPSRLQ(Imm(uint64(shift)), s[q], x)
		if shift+bits > 64 && q < 3 {
			VPSLLQ(Imm(uint64(64-shift)), s[q+1], t)
			VPORQ(t, x, x)
		}
		VPANDQ(mask, x, x)
		VPADDQ(carried, x, x)
		// carried = 1 where x > 2^(bits−1); the digit is x − carried·2^bits.
		VPADDQ(half, x, t)
		VPSRLQ(Imm(uint64(bits)), t, carried)
		VPSLLQ(Imm(uint64(bits)), carried, t)
		VPSUBQ(t, x, x)
		VPMOVQB(x, Mem{Base: digits, Disp: 8 * w})
	}
	wipe()
}
