package main

import (
	"github.com/encseal/encseal/engine/lanes/_asm/blake3"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairsKernel emits the hashing of 64-byte messages that stand back to back, 32 a pass, one compression each.
//
// Digests of a pass are written while the next pass is compressed and the one after it is read. So out may be in:
// digests of pass p go to bytes [1024p, 1024p+1024), and what is read at that time and later lies at 2048·(p+2) and
// beyond.
func pairsKernel(name string) {
	TEXT(name, 0, "func(key *[8]uint32, flags uint32, in, out *[32]byte, passes int)")
	Pragma("noescape")
	Doc(
		name+" hashes 32·passes messages of 64 bytes from in on; the digests go to out and on. Out may be in.",
		"Passes is at least 1.",
	)
	k := newKernel(2, 32*2*lanes)
	nowhere := k.Area(32 * k.All())
	in, passes := Load(Param("in"), GP64()), Load(Param("passes"), GP64())

	Comment("next = the first pass")
	first := GP64()
	MOVQ(in, first)
	k.FetchAll(func(int, Register) Mem {
		block := GP64()
		MOVQ(first, block)
		ADDQ(U8(blake3.BlockSize), first)
		return Mem{Base: block}
	})
	ADDQ(U32(blake3.BlockSize*k.All()), in)
	k.Swap()
	Comment("out = where the pass before this one wants its digests; before the first pass, nowhere")
	out, following := GP64(), GP64()
	LEAQ(nowhere, out)
	Load(Param("out"), following)

	Label("pass")
	Comment("in is the next pass; the last pass reads its own messages again, for nothing")
	own := GP64()
	LEAQ(Mem{Base: in, Disp: -k.All() * blake3.BlockSize}, own)
	CMPQ(passes, U8(1))
	CMOVQEQ(own, in)
	k.chainingKey()
	k.thirdRow()
	Comment("v[14] = 64; v[15] = flags of an only block")
	flags := Load(Param("flags"), GP32())
	ORL(U8(blake3.ChunkStart|blake3.ChunkEnd|blake3.Root), flags)
	for g := range k.Groups {
		VPBROADCASTD(blockSize, state(g, 14))
		VPBROADCASTD(flags, state(g, 15))
	}
	deliver := func(lane int) {
		Commentf("Digest of lane %d", lane)
		for j := range 4 {
			x := GP64()
			MOVQ(k.joined(lane, j), x)
			MOVQ(x, Mem{Base: out, Disp: 32*lane + 8*j})
		}
	}
	var deliveries []func()
	for lane := range k.All() {
		deliveries = append(deliveries, func() { deliver(lane) })
	}
	fetches := k.Fetches(func(lane int) Mem { return Mem{Base: in, Disp: blake3.BlockSize * lane} })
	k.rounds(blake3.Strand{Pieces: fetches, Until: fetchUntil}, blake3.Strand{Pieces: deliveries, Until: 100})
	for j := range 4 {
		Commentf("h[%d] = v[%d] ^ v[%d]; h[%d] = v[%d] ^ v[%d]; done = h[%d] ‖ h[%d] of lanes 0, 1 of four, then of lanes 2, 3",
			2*j, 2*j, 2*j+8, 2*j+1, 2*j+1, 2*j+9, 2*j, 2*j+1)
		for g := range k.Groups {
			even, odd, low, high := state(g, 2*j), state(g, 2*j+1), state(g, 2*j+8), state(g, 2*j+9)
			VPXORD(low, even, even)
			VPXORD(high, odd, odd)
			VPUNPCKLDQ(odd, even, low)
			VPUNPCKHDQ(odd, even, high)
			VMOVDQA32(low, k.Digest(g, 2*j))
			VMOVDQA32(high, k.Digest(g, 2*j+1))
		}
	}
	ADDQ(U32(blake3.BlockSize*k.All()), in)
	MOVQ(following, out)
	ADDQ(U32(32*k.All()), following)
	DECQ(passes)
	JNZ(LabelRef("pass"))

	for lane := range k.All() {
		deliver(lane)
	}
	VZEROUPPER()
	RET()
}

// joined is the place of words 2j and 2j+1 of a lane's digest, side by side. Here, where every compression makes
// digests, two words are joined by a shuffle first, which halves the copies.
func (k *kernel) joined(lane, j int) Mem {
	g, four, e := lane/lanes, lane%lanes/4, lane%4
	return k.Digest(g, 2*j+e/2).Offset(16*four + 8*(e%2))
}
