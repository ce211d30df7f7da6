package main

import (
	"github.com/encseal/encseal/engine/lanes/_asm/blake3"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// listKernel emits what turns an arena into a list of messages, eight at a time.
func listKernel(name string) {
	TEXT(name, NOSPLIT, "func(arena *byte, start int, ends *int, n int, out *[32]byte, none *byte, msgs **byte, lens *uint32, outs **[32]byte) (long uint32)")
	Pragma("noescape")
	Doc(
		name+" lists n messages, at least 1: msgs[i] = arena + ends[i-1], lens[i] = ends[i] - ends[i-1],",
		"outs[i] = &out[i], where ends[-1] is start; an empty message is at none. Long is 0 if none has more than",
		"1,024 bytes.",
	)
	arena, empty, ends, starts, length, out, step, zero, limit := Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8
	base, from, n, msgs, lens, outs := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	Load(Param("arena"), base)
	VPBROADCASTQ(base, arena)
	Load(Param("none"), base)
	VPBROADCASTQ(base, empty)
	Load(Param("start"), base)
	VPBROADCASTQ(base, ends)
	Load(Param("out"), base)
	VPBROADCASTQ(base, out)
	Comment("out = &out[0..7]; step = the size of 8 digests")
	VPADDQ(digestStep, out, out)
	MOVQ(U32(8*32), base)
	VPBROADCASTQ(base, step)
	MOVQ(U32(maxLength), base)
	VPBROADCASTQ(base, limit)
	VPXORD(zero, zero, zero)
	Load(Param("ends"), from)
	Load(Param("n"), n)
	Load(Param("msgs"), msgs)
	Load(Param("lens"), lens)
	Load(Param("outs"), outs)
	long, here, some, none := GP32(), K1, K2, K3
	XORL(long, long)
	mask := GP32()
	MOVL(U32(0xff), mask)

	Label("eight")
	Comment("here = the messages that are left, eight at most")
	CMPQ(n, U8(8))
	JGE(LabelRef("all"))
	BZHIL(n.As32(), mask, mask)
	Label("all")
	KMOVW(mask, here)
	Comment("starts = ends of the messages before; length = ends - starts")
	VMOVDQA64(ends, starts)
	VMOVDQU64_Z(Mem{Base: from}, here, ends)
	VALIGNQ(U8(7), starts, ends, starts)
	VPSUBQ(starts, ends, length)
	Comment("long |= length > 1024")
	VPCMPGTQ(limit, length, here, some)
	bits := GP32()
	KMOVW(some, bits)
	ORL(bits, long)
	Comment("msgs = length == 0 ? none : arena + starts")
	VPCMPEQQ(zero, length, here, none)
	VPADDQ(arena, starts, starts)
	VMOVDQA64(empty, none, starts)
	VMOVDQU64(starts, here, Mem{Base: msgs})
	VPMOVQD(length, here, Mem{Base: lens})
	VMOVDQU64(out, here, Mem{Base: outs})
	VPADDQ(step, out, out)
	ADDQ(U8(64), from)
	ADDQ(U8(64), msgs)
	ADDQ(U8(32), lens)
	ADDQ(U8(64), outs)
	SUBQ(U8(8), n)
	JG(LabelRef("eight"))
	Store(long, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// sortKernel emits the ordering of a list by the number of blocks, 16 messages at a time.
func sortKernel(name string) {
	TEXT(name, NOSPLIT, "func(n int, msgs **byte, lens *uint32, outs **[32]byte, toMsgs **byte, toLens *uint32, toOuts **[32]byte) (kinds uint32)")
	Pragma("noescape")
	Doc(
		name+" puts n messages, at least 1 and none above 1,024 bytes, in order: those of the most blocks first.",
		"Bit i of kinds says that there are messages of i+1 blocks. If that is one bit, the list is in order as it is, and",
		"nothing is written. All lists have room for n, rounded up to 16, and the new ones for 16 more.",
	)
	n, msgs, lens, outs := GP64(), GP64(), GP64(), GP64()
	toMsgs, toLens, toOuts := GP64(), GP64(), GP64()
	Load(Param("n"), n)
	Load(Param("msgs"), msgs)
	Load(Param("lens"), lens)
	Load(Param("outs"), outs)
	unit, zero, kindsOf, last := Z0, Z1, Z2, Z3
	VPBROADCASTD(one, unit)
	VPXORD(zero, zero, zero)
	VPXORD(kindsOf, kindsOf, kindsOf)

	// here16 emits here = those of messages [at, at+16) that are below n.
	here := K1
	here16 := func(at Register, name string) {
		left, mask := GP64(), GP32()
		MOVQ(n, left)
		SUBQ(at, left)
		MOVL(U32(0xffff), mask)
		CMPQ(left, U8(16))
		JGE(LabelRef(name))
		BZHIL(left.As32(), mask, mask)
		Label(name)
		KMOVW(mask, here)
	}
	// lastOf emits last = max(len-1, 0) / 64, the number of the last block.
	lastOf := func(at Register) {
		Comment("last = max(len-1, 0) / 64")
		VMOVDQU32(Mem{Base: lens, Index: at, Scale: 4}, last)
		VPSUBD(unit, last, last)
		VPMAXSD(zero, last, last)
		VPSRLD(U8(6), last, last)
	}

	at := GP64()
	XORQ(at, at)
	Label("look")
	here16(at, "lookAll")
	lastOf(at)
	Comment("kinds |= 1 << last")
	VPSLLVD(last, unit, last)
	VPORD(last, kindsOf, here, kindsOf)
	ADDQ(U8(16), at)
	CMPQ(at, n)
	JL(LabelRef("look"))
	Comment("kinds = all lanes of kinds together")
	half := Z4
	VEXTRACTI64X4(U8(1), kindsOf, half.AsY())
	VPORD(half, kindsOf, kindsOf)
	VEXTRACTI128(U8(1), kindsOf.AsY(), half.AsX())
	VPOR(half.AsX(), kindsOf.AsX(), kindsOf.AsX())
	VPSHUFD(U8(0x4e), kindsOf.AsX(), half.AsX())
	VPOR(half.AsX(), kindsOf.AsX(), kindsOf.AsX())
	VPSHUFD(U8(0xb1), kindsOf.AsX(), half.AsX())
	VPOR(half.AsX(), kindsOf.AsX(), kindsOf.AsX())
	kinds := GP32()
	VMOVD(kindsOf.AsX(), kinds)
	Store(kinds, ReturnIndex(0))
	rest := GP32()
	BLSRL(kinds, rest)
	JZ(LabelRef("done"))

	Load(Param("toMsgs"), toMsgs)
	Load(Param("toLens"), toLens)
	Load(Param("toOuts"), toOuts)
	kind, number, ofKind, high := GP32(), Z5, K2, K3
	Label("kind")
	Comment("kind = highest of kinds, which loses it")
	BSRL(kinds, kind)
	BTRL(kind, kinds)
	VPBROADCASTD(kind, number)
	XORQ(at, at)
	Label("sixteen")
	here16(at, "sixteenAll")
	lastOf(at)
	VPCMPEQD(number, last, here, ofKind)
	found := GP32()
	KMOVW(ofKind, found)
	TESTL(found, found)
	JZ(LabelRef("none"))
	Comment("Append those of the kind; zeros behind them will be overwritten or lie behind all")
	count := GP64()
	list := Z6
	VMOVDQU32(Mem{Base: lens, Index: at, Scale: 4}, list)
	VPCOMPRESSD_Z(list, ofKind, list)
	VMOVDQU32(list, Mem{Base: toLens})
	KSHIFTRW(U8(8), ofKind, high)
	for h, mask := range []Register{ofKind, high} {
		for _, l := range []struct{ from, to GPVirtual }{{msgs, toMsgs}, {outs, toOuts}} {
			VMOVDQU64(Mem{Base: l.from, Index: at, Scale: 8, Disp: vec * h}, list)
			VPCOMPRESSQ_Z(list, mask, list)
			VMOVDQU64(list, Mem{Base: l.to})
		}
		if h == 0 {
			MOVBLZX(found.As8(), count.As32())
		} else {
			MOVL(found, count.As32())
			SHRL(U8(8), count.As32())
		}
		POPCNTL(count.As32(), count.As32())
		LEAQ(Mem{Base: toMsgs, Index: count, Scale: 8}, toMsgs)
		LEAQ(Mem{Base: toOuts, Index: count, Scale: 8}, toOuts)
		LEAQ(Mem{Base: toLens, Index: count, Scale: 4}, toLens)
	}
	Label("none")
	ADDQ(U8(16), at)
	CMPQ(at, n)
	JL(LabelRef("sixteen"))
	TESTL(kinds, kinds)
	JNZ(LabelRef("kind"))
	Label("done")
	VZEROUPPER()
	RET()
}

// maxLength is that of a message that a kernel takes, in bytes.
const maxLength = 16 * blake3.BlockSize
