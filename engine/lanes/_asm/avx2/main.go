// Command avx2 writes the AVX2 kernels of engine/lanes: BLAKE3 of 8 independent messages side by side.
//
// A state word of 8 messages is one ymm register, so that a state is all 16 of them. Message words are memory operands;
// the words get from rows to columns as in the AVX-512 kernels, by 32-bit copies woven into the compression of the
// block before.
//
// AVX2 has no rotation. By 16 and 8 it is a byte shuffle; by 12 and 7 two shifts, which need a register: v[8] goes to
// memory for that time. It is next used as the second operand of an addition, which takes it from there at no cost.
package main

import (
	"github.com/encseal/encseal/engine/lanes/_asm/generate"
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("!purego")
	constants()
	manyKernel("hashMany8AVX2")
	pairsKernel("hashPairs8AVX2")
	generate.As("avx2")
}
