package main

import (
	"fmt"

	"github.com/encseal/encseal/engine/lanes/_asm/blake3"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// many is the kernel for messages of 0 to 1,024 bytes. It does what the AVX-512 kernel for them does, with masks as
// vectors.
type many struct {
	*kernel
	last, tail Mem // per lane: number of the last block, bytes in it; of the pass that is being fetched
	whole      Mem // per lane: how many blocks are 64 bytes
	ends       Mem // per lane: all ones where the block that is compressed is the last
	slots      Mem // per lane: 128 bytes, used as in the AVX-512 kernel
	halves     Mem // per lane: address of its slot's upper half
	tailPtrs   Mem // per lane: address of its last block in its slot
	source     Mem // per lane: address of the block to fetch
	lens, outs Mem // a pointer each: lengths of the pass that is fetched, where that being compressed wants its digests
	ahead      Mem // a pointer: messages to prefetch
	offset     Mem // a quadword: from where in each

	msgs   GPVirtual // messages of the pass that is fetched
	passes GPVirtual // not yet fetched to the end
	blocks GPVirtual // of the pass that is fetched: those of its first lane, which has the most
	block  GPVirtual // number of the one that is compressed; -1 when it is the last and another pass follows
	due    GPVirtual // where digests in done are to go; 0 when there are none
}

func manyKernel(name string) {
	TEXT(name, 0, "func(key *[8]uint32, flags uint32, msgs **byte, lens *uint32, outs **[32]byte, passes int)")
	Pragma("noescape")
	Doc(
		name+" hashes 8·passes messages of at most 1,024 bytes: message i has lens[i] bytes from msgs[i]",
		"on, its digest goes to outs[i]. Passes is at least 1. The first message of a pass has no fewer blocks than the",
		"others of it.",
	)
	k := &many{kernel: newKernel(4*vec + lanes*(128+8+8+8) + 8 + 4*8)}
	k.last, k.tail, k.whole, k.ends = k.Area(vec), k.Area(vec), k.Area(vec), k.Area(vec)
	k.halves, k.tailPtrs, k.source = k.Area(8*lanes), k.Area(8*lanes), k.Area(8*lanes)
	k.slots = k.Area(128 * lanes)
	k.lens, k.outs, k.ahead, k.offset = k.Area(8), k.Area(8), k.Area(8), k.Area(8)
	k.msgs, k.passes, k.blocks, k.block, k.due = GP64(), GP64(), GP64(), GP64(), GP64()

	Load(Param("msgs"), k.msgs)
	Load(Param("passes"), k.passes)
	k.keepParam("lens", k.lens)
	k.keepParam("outs", k.outs)
	k.clearSlots()
	k.preparePass("first")
	k.FetchAll(func(_ int, lane Register) Mem {
		from := GP64()
		MOVQ(k.source.Idx(lane, 8), from)
		return Mem{Base: from}
	})
	k.Swap()
	XORQ(k.due, k.due)

	Label("pass")
	XORQ(k.block, k.block)
	k.chainingKey()

	Label("block")
	k.lengthsAndFlags()
	prefetches := k.prefetches()
	Comment("Fetch the next block of this pass, or the first one of the next pass")
	number := GP64()
	LEAQ(Mem{Base: k.block, Disp: 1}, number)
	CMPQ(number, k.blocks)
	JNE(LabelRef("within"))
	CMPQ(k.passes, U8(1))
	JE(LabelRef("within"))
	DECQ(k.passes)
	ADDQ(U32(8*lanes), k.msgs)
	ADDQ(U32(4*lanes), k.lens)
	k.preparePass("next")
	MOVQ(I32(-1), k.block)
	JMP(LabelRef("compress"))
	Label("within")
	k.fetchFrom(number)

	Label("compress")
	k.thirdRow()
	k.rounds(
		blake3.Strand{Pieces: k.Fetches(k.sourceOf), Until: fetchUntil},
		blake3.Strand{Pieces: append(k.deliveries(), prefetches...), Until: 100},
	)
	XORQ(k.due, k.due)
	k.feedForward()
	Comment("done[0..7] = v[0..7] where this was the last block")
	VMOVDQA(k.ends, v[8])
	for i := range 8 {
		VPMASKMOVD(v[i], v[8], k.Digest(0, i))
	}
	INCQ(k.block)
	JZ(LabelRef("through"))
	CMPQ(k.block, k.blocks)
	JNE(LabelRef("block"))

	Label("through")
	MOVQ(k.outs, k.due)
	ADDQ(U32(8*lanes), k.outs)
	TESTQ(k.block, k.block)
	JZ(LabelRef("pass"))

	k.DeliverAll(func(_ int, lane Register) Mem {
		to := GP64()
		MOVQ(Mem{Base: k.due, Index: lane, Scale: 8}, to)
		return Mem{Base: to}
	})
	VZEROUPPER()
	RET()
}

// keepParam puts a parameter into a cell of the frame.
func (k *many) keepParam(name string, cell Mem) {
	x := Load(Param(name), GP64())
	MOVQ(x, cell)
}

// broadcast emits to = x in every doubleword.
func broadcast(x GPVirtual, to VecPhysical) {
	VMOVD(x.As32(), to.AsX())
	VPBROADCASTD(to.AsX(), to)
}

// clearSlots fills halves, has tailPtrs point to memory that may be read, and sets the upper halves of the slots to
// zero.
func (k *many) clearSlots() {
	Comment("halves[i] = tailPtrs[i] = address of slots[i] + 64; slots[i][64:] = 0")
	first := GP64()
	ptrs, step, zero := v[8], v[9], v[10]
	LEAQ(k.slots.Offset(64), first)
	VMOVQ(first, ptrs.AsX())
	VPBROADCASTQ(ptrs.AsX(), ptrs)
	VPADDQ(slotStep, ptrs, ptrs)
	VPBROADCASTQ(fourSlots, step)
	for h := range 2 {
		VMOVDQA(ptrs, k.halves.Offset(vec*h))
		VMOVDQA(ptrs, k.tailPtrs.Offset(vec*h))
		VPADDQ(step, ptrs, ptrs)
	}
	VPXOR(zero, zero, zero)
	for lane := range lanes {
		VMOVDQA(zero, k.slots.Offset(128*lane+64))
		VMOVDQA(zero, k.slots.Offset(128*lane+96))
	}
}

// preparePass takes in the pass at msgs and lens, and sets source to its first blocks. It leaves v[0..7], v[14] and
// v[15] alone.
func (k *many) preparePass(name string) {
	Comment("last = max(len-1, 0) / 64; tail = len - 64·last; whole = len / 64; partial = whole == last")
	lens := GP64()
	MOVQ(k.lens, lens)
	length, last, tail, whole, zero, unit := v[8], v[9], v[10], v[11], v[12], v[13]
	VMOVDQU(Mem{Base: lens}, length)
	VPXOR(zero, zero, zero)
	VPBROADCASTD(one, unit)
	VPSUBD(unit, length, last)
	VPMAXSD(zero, last, last)
	VPSRLD(U8(6), last, last)
	VPSLLD(U8(6), last, tail)
	VPSUBD(tail, length, tail)
	VPSRLD(U8(6), length, whole)
	VMOVDQA(last, k.last)
	VMOVDQA(tail, k.tail)
	VMOVDQA(whole, k.whole)
	partial := GP32()
	VPCMPEQD(whole, last, whole)
	VMOVMSKPS(whole, partial)
	Comment("blocks = last[0] + 1")
	MOVL(k.last, k.blocks.As32())
	INCQ(k.blocks)
	TESTL(partial, partial)
	JZ(LabelRef(name + "Fetch"))
	k.fillSlots(name, partial, lens)
	Label(name + "Fetch")
	number := GP64()
	XORQ(number, number)
	k.fetchFrom(number)
}

// fillSlots puts the last block of every partial lane into its slot.
func (k *many) fillSlots(name string, partial, lens Register) {
	Comment("tailPtrs = halves - tail")
	for h := range 2 {
		tails, ptrs := v[8], v[9]
		VPMOVZXDQ(k.tail.Offset(vec/2*h), tails)
		VMOVDQA(k.halves.Offset(vec*h), ptrs)
		VPSUBQ(tails, ptrs, ptrs)
		VMOVDQA(ptrs, k.tailPtrs.Offset(vec*h))
	}
	lane, length, begin, half := GP64(), GP64(), GP64(), GP64()
	Label(name + "Slot")
	TZCNTL(partial, lane.As32())
	MOVL(Mem{Base: lens, Index: lane, Scale: 4}, length.As32())
	MOVQ(Mem{Base: k.msgs, Index: lane, Scale: 8}, begin)
	MOVQ(k.halves.Idx(lane, 8), half)
	CMPQ(length, U8(64))
	JB(LabelRef(name + "Short"))

	Comment("slot[:64] = last 64 bytes of the message")
	low, high := v[8], v[9]
	VMOVDQU(Mem{Base: begin, Index: length, Scale: 1, Disp: -64}, low)
	VMOVDQU(Mem{Base: begin, Index: length, Scale: 1, Disp: -32}, high)
	VMOVDQU(low, Mem{Base: half, Disp: -64})
	VMOVDQU(high, Mem{Base: half, Disp: -32})
	JMP(LabelRef(name + "Filled"))

	// A short message is its first and its last 2^i bytes, where its length is from 2^i to 2^(i+1); they overlap.
	Label(name + "Short")
	to := GP64()
	MOVQ(half, to)
	SUBQ(length, to)
	first, last := GP64(), GP64()
	copyEnds := func(size int, load, store func(x, m Op), a, b Op) {
		next := fmt.Sprintf("%sBelow%d", name, size)
		CMPQ(length, U8(size))
		JB(LabelRef(next))
		Commentf("slot[64-len:64] = message; its first and its last %d bytes cover it", size)
		load(Mem{Base: begin}, a)
		load(Mem{Base: begin, Index: length, Scale: 1, Disp: -size}, b)
		store(a, Mem{Base: to})
		store(b, Mem{Base: half, Disp: -size})
		JMP(LabelRef(name + "Filled"))
		Label(next)
	}
	copyEnds(32, VMOVDQU, VMOVDQU, low, high)
	copyEnds(16, VMOVDQU, VMOVDQU, low.AsX(), high.AsX())
	copyEnds(8, MOVQ, MOVQ, first, last)
	copyEnds(4, MOVL, MOVL, first.As32(), last.As32())
	copyEnds(2, MOVWLZX, func(x, m Op) { MOVW(x.(GP).As16(), m) }, first.As32(), last.As32())
	copyEnds(1, MOVBLZX, func(x, m Op) { MOVB(x.(GP).As8(), m) }, first.As32(), last.As32())

	Label(name + "Filled")
	BLSRL(partial, partial)
	JNZ(LabelRef(name + "Slot"))
}

// fetchFrom sets source to block n of every lane: within the message where it is whole, else in the lane's slot.
func (k *many) fetchFrom(n GPVirtual) {
	Comment("source = n < whole ? msgs + 64·n : tailPtrs")
	number, offset := v[8], v[9]
	broadcast(n, number)
	bytes := GP64()
	MOVQ(n, bytes)
	SHLQ(U8(6), bytes)
	VMOVQ(bytes, offset.AsX())
	VPBROADCASTQ(offset.AsX(), offset)
	within, ptrs, mask := v[10], v[11], v[12]
	VMOVDQA(k.whole, within)
	VPCMPGTD(number, within, within)
	for h := range 2 {
		VPADDQ(Mem{Base: k.msgs, Disp: vec * h}, offset, ptrs)
		if h == 1 {
			VEXTRACTI128(U8(1), within, within.AsX())
		}
		VPMOVSXDQ(within.AsX(), mask)
		VMOVDQA(k.tailPtrs.Offset(vec*h), v[13])
		VPBLENDVB(mask, ptrs, v[13], ptrs)
		VMOVDQA(ptrs, k.source.Offset(vec*h))
	}
}

// sourceOf emits the load of a lane's source.
func (k *many) sourceOf(lane int) Mem {
	from := GP64()
	MOVQ(k.source.Offset(8*lane), from)
	return Mem{Base: from}
}

// lengthsAndFlags emits ends, v[14] and v[15].
func (k *many) lengthsAndFlags() {
	Comment("ends = last == block")
	ends, flagsOfLast := v[8], v[9]
	broadcast(k.block, ends)
	VPCMPEQD(k.last, ends, ends)
	VMOVDQA(ends, k.ends)
	Comment("v[14] = ends ? tail : 64")
	VPBROADCASTD(blockSize, v[14])
	VPBLENDVB(ends, k.tail, v[14], v[14])
	Comment("v[15] = flags | (block == 0 ? ChunkStart : 0) | (ends ? ChunkEnd | Root : 0)")
	flags := GP64()
	XORQ(flags, flags)
	TESTQ(k.block, k.block)
	SETEQ(flags.As8())
	mode := Load(Param("flags"), GP32())
	ORL(mode, flags.As32())
	broadcast(flags, v[15])
	VPBROADCASTD(lastFlags, flagsOfLast)
	VPAND(flagsOfLast, ends, ends)
	VPOR(ends, v[15], v[15])
}

// deliveries returns what brings the digests of the pass before to where they are due.
func (k *many) deliveries() []func() {
	return []func(){func() {
		TESTQ(k.due, k.due)
		JZ(LabelRef("notDue"))
		for lane := range lanes {
			to := GP64()
			MOVQ(Mem{Base: k.due, Disp: 8 * lane}, to)
			k.Deliver(lane, Mem{Base: to})
		}
		Label("notDue")
	}}
}

// prefetches returns what asks for this block of the messages four passes on, before they are read; near the end, of
// its own. What the prefetches need is emitted at once.
func (k *many) prefetches() []func() {
	Comment("ahead = messages of the fourth pass after this one, if there is one; offset = 64·block")
	const passes = 4
	ahead, offset := GP64(), GP64()
	MOVQ(k.block, offset)
	SHLQ(U8(6), offset)
	MOVQ(offset, k.offset)
	LEAQ(Mem{Base: k.msgs, Disp: 8 * lanes * passes}, ahead)
	CMPQ(k.passes, U8(passes))
	CMOVQLE(k.msgs, ahead)
	MOVQ(ahead, k.ahead)
	var pieces []func()
	for lane := range lanes {
		pieces = append(pieces, func() {
			Commentf("Prefetch for lane %d", lane)
			from := GP64()
			MOVQ(k.ahead, from)
			MOVQ(Mem{Base: from, Disp: 8 * lane}, from)
			ADDQ(k.offset, from)
			PREFETCHT0(Mem{Base: from})
		})
	}
	return pieces
}
