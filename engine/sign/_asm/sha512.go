package main

import (
	"fmt"
	"math/big"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byteOrder returns the index of vpshufb that turns round the bytes of each word.
func byteOrder() Mem {
	if bytesTurned.Base == nil {
		bytesTurned = GLOBL("bytesTurned", RODATA|NOPTR)
		for i := range 64 {
			DATA(i, U8(i&8|(7-i&7)))
		}
	}
	return bytesTurned
}

var bytesTurned Mem

// fraction returns the first 64 bits of the fractional part of the square or cube root of n: FIPS 180-4 §4.2.3, §5.3.5.
func fraction(n int64, root int64) uint64 {
	// The root of n·2^(64·root) is that of n, times 2^64.
	wide := new(big.Int).Lsh(big.NewInt(n), uint(64*root))
	low, high := big.NewInt(0), new(big.Int).Lsh(big.NewInt(n), 64)
	for new(big.Int).Sub(high, low).Cmp(big.NewInt(1)) > 0 {
		mid := new(big.Int).Add(low, high)
		mid.Rsh(mid, 1)
		if new(big.Int).Exp(mid, big.NewInt(root), nil).Cmp(wide) <= 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return low.And(low, new(big.Int).SetUint64(1<<64-1)).Uint64()
}

func primes(count int) []int64 {
	var all []int64
	for n := int64(2); len(all) < count; n++ {
		if big.NewInt(n).ProbablyPrime(20) {
			all = append(all, n)
		}
	}
	return all
}

// rotations returns the exclusive or of x turned right by a and b, and turned or, with shift, shifted right by c.
func rotations(x reg.VecVirtual, a, b, c int, shift bool) reg.VecVirtual {
	r, t, u := ZMM(), ZMM(), ZMM()
	VPRORQ(Imm(uint64(a)), x, r)
	VPRORQ(Imm(uint64(b)), x, t)
	if shift {
		VPSRLQ(Imm(uint64(c)), x, u)
	} else {
		VPRORQ(Imm(uint64(c)), x, u)
	}
	VPTERNLOGQ(Imm(0x96), t, u, r)
	return r
}

func sha512Kernel() {
	p := primes(80)
	constants := GLOBL("sha512Constants", RODATA|NOPTR)
	for t := range 80 {
		DATA(8*t, U64(fraction(p[t], 3)))
	}
	var initial []Mem
	for i := range 8 {
		initial = append(initial, word(fmt.Sprintf("sha512_%d", i), fraction(p[i], 2)))
	}

	kernel("hashBlock", "func(hash *[8][8]uint64, block *[16][8]uint64)",
		"hashBlock hashes one block of SHA-512, padding included, in each lane. A word is what SHA-512 makes of eight bytes of the",
		"message, the first the most significant.")
	hash, block := Load(Param("hash"), GP64()), Load(Param("block"), GP64())
	w := loadWords(block, 16)
	var state [8]reg.VecVirtual
	for i := range state {
		state[i] = ZMM()
		VPBROADCASTQ(initial[i], state[i])
	}
	k, left := GP64(), GP64()
	LEAQ(constants, k)
	MOVQ(U64(4), left)

	// Sixteen rounds put all eight variables back where they were.
	Label("sha512Rounds")
	sixteenRounds(state, w, k, true)
	ADDQ(U32(128), k)
	SUBQ(Imm(1), left)
	JNZ(LabelRef("sha512Rounds"))
	sixteenRounds(state, w, k, false)

	for i := range state {
		VPADDQ_BCST(initial[i], state[i], state[i])
		VMOVDQU64(state[i], Mem{Base: hash, Disp: 64 * i})
	}
	wipe()
}

// sixteenRounds is FIPS 180-4 §6.4.2 step 3 for t to t+15, in place, with W[t+16] made in the place of W[t] where more
// rounds follow.
func sixteenRounds(state [8]reg.VecVirtual, w []reg.VecVirtual, constants reg.Register, schedule bool) {
	for t := range 16 {
		at := func(i int) reg.VecVirtual { return state[(i+16-t)%8] }
		a, b, c, d := at(0), at(1), at(2), at(3)
		e, f, g, h := at(4), at(5), at(6), at(7)
		// In the place of h.
		Comment("T1 = h + K + W + Ch(e, f, g) + S1(e), d += T1")
		VPADDQ_BCST(Mem{Base: constants, Disp: 8 * t}, h, h)
		VPADDQ(w[t], h, h)
		ch := ZMM()
		VMOVDQA64(e, ch)
		VPTERNLOGQ(Imm(0xca), g, f, ch)
		VPADDQ(ch, h, h)
		VPADDQ(rotations(e, 14, 18, 41, false), h, h)
		VPADDQ(h, d, d)
		Comment("h = T1 + Maj(a, b, c) + S0(a)")
		maj := ZMM()
		VMOVDQA64(a, maj)
		VPTERNLOGQ(Imm(0xe8), c, b, maj)
		VPADDQ(maj, h, h)
		VPADDQ(rotations(a, 28, 34, 39, false), h, h)
		if schedule {
			Comment("W[t+16] = W[t] + W[t+9] + s0(W[t+1]) + s1(W[t+14])")
			VPADDQ(w[(t+9)%16], w[t], w[t])
			VPADDQ(rotations(w[(t+1)%16], 1, 8, 7, true), w[t], w[t])
			VPADDQ(rotations(w[(t+14)%16], 19, 61, 6, true), w[t], w[t])
		}
	}
}
