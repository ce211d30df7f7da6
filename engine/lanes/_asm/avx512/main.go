// Command avx512 writes the AVX-512 kernels of engine/lanes: BLAKE3 of 32 or 16 independent messages side by side, and
// what lists and orders the messages for them.
//
// A state word of 16 messages is one zmm register, so a state is 16 of the 32 registers. The 32-lane kernels run two
// such groups, their steps alternating: one group alone waits for its own results where vector instructions take two
// cycles. Message words are memory operands.
//
// Words have to be brought from rows (a message's block, 64 bytes in a row) into columns (word i of every lane). Vector
// shuffles for that would compete with the compression, which keeps all vector ports busy. So the transpose is done by
// plain 32-bit copies: they use no vector port and no vector register, and are woven into the compression of the block
// before, where the front end and the load and store ports have room. Digests go back to rows in the same way, woven
// into what follows them.
package main

import (
	"github.com/encseal/encseal/engine/lanes/_asm/generate"
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("!purego")
	constants()
	manyKernel("hashMany32AVX512", 2)
	manyKernel("hashMany16AVX512", 1)
	listKernel("listArenaAVX512")
	sortKernel("sortAVX512")
	pairsKernel("hashPairs32AVX512")
	generate.As("avx512")
}
