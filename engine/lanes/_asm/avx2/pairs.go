package main

import (
	"github.com/encseal/encseal/engine/lanes/_asm/blake3"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairsKernel emits the hashing of 64-byte messages that stand back to back, 8 a pass, one compression each.
//
// Digests of a pass are written while the next pass is compressed and the one after it is read. So out may be in:
// digests of pass p go to bytes [256p, 256p+256), and what is read at that time and later lies at 512·(p+2) and beyond.
func pairsKernel(name string) {
	TEXT(name, 0, "func(key *[8]uint32, flags uint32, in, out *[32]byte, passes int)")
	Pragma("noescape")
	Doc(
		name+" hashes 8·passes messages of 64 bytes from in on; the digests go to out and on. Out may be in.",
		"Passes is at least 1.",
	)
	k := newKernel(32 * lanes)
	nowhere := k.Area(32 * lanes)
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
	ADDQ(U32(blake3.BlockSize*lanes), in)
	k.Swap()
	Comment("out = where the pass before this one wants its digests; before the first pass, nowhere")
	out, following := GP64(), GP64()
	LEAQ(nowhere, out)
	Load(Param("out"), following)

	Label("pass")
	Comment("In is the next pass; the last pass reads its own messages again, for nothing")
	own := GP64()
	LEAQ(Mem{Base: in, Disp: -lanes * blake3.BlockSize}, own)
	CMPQ(passes, U8(1))
	CMOVQEQ(own, in)
	k.chainingKey()
	k.thirdRow()
	Comment("v[14] = 64; v[15] = flags of an only block")
	flags := Load(Param("flags"), GP32())
	ORL(U8(blake3.ChunkStart|blake3.ChunkEnd|blake3.Root), flags)
	VPBROADCASTD(blockSize, v[14])
	VMOVD(flags, v[15].AsX())
	VPBROADCASTD(v[15].AsX(), v[15])
	var deliveries []func()
	for lane := range lanes {
		deliveries = append(deliveries, func() { k.Deliver(lane, Mem{Base: out, Disp: 32 * lane}) })
	}
	fetches := k.Fetches(func(lane int) Mem { return Mem{Base: in, Disp: blake3.BlockSize * lane} })
	k.rounds(blake3.Strand{Pieces: fetches, Until: fetchUntil}, blake3.Strand{Pieces: deliveries, Until: 100})
	k.feedForward()
	Comment("done[0..7] = v[0..7]")
	for i := range 8 {
		VMOVDQA(v[i], k.Digest(0, i))
	}
	ADDQ(U32(blake3.BlockSize*lanes), in)
	MOVQ(following, out)
	ADDQ(U32(32*lanes), following)
	DECQ(passes)
	JNZ(LabelRef("pass"))

	k.DeliverAll(func(int, Register) Mem {
		to := GP64()
		MOVQ(out, to)
		ADDQ(U8(32), out)
		return Mem{Base: to}
	})
	VZEROUPPER()
	RET()
}
