package main

import (
	"fmt"

	"github.com/encseal/encseal/engine/lanes/_asm/blake3"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// many is the kernel for messages of 0 to 1,024 bytes, 16 lanes a group.
//
// Lanes of a pass may end at different blocks. A lane that has ended goes on with blocks of no meaning; its digest was
// stored, by mask, when its last block was through.
//
// A last block that is not whole is put into the lane's slot before it is fetched, so that nothing beyond the message
// is read. The upper half of a slot is always zero. The last 64 bytes of the message go into the lower half, and the
// block begins at 64 - tail:
//
//	slot      [0, 64)                        [64, 128)
//	          what precedes | last block     zeros
//	                        ^ fetched from here, 64 bytes
//
// A message that is shorter than 64 bytes is read by a masked load.
//
// While the last block of a pass is compressed, the first block of the next pass is fetched; the digests of a pass are
// delivered while the first block of the next one is compressed.
type many struct {
	*kernel
	last, tail Mem // per lane: number of the last block, bytes in it; of the pass that is being fetched
	whole      Mem // per lane: how many blocks are 64 bytes
	slots      Mem // per lane: 128 bytes
	halves     Mem // per lane: address of its slot's upper half
	tailPtrs   Mem // per lane: address of its last block in its slot
	endPtrs    Mem // per lane: address behind the message
	source     Mem // per lane: address of the block to fetch
	lens, outs Mem // a pointer each: lengths of the pass that is fetched, where that being compressed wants its digests

	msgs   GPVirtual // messages of the pass that is fetched
	passes GPVirtual // not yet fetched to the end
	blocks GPVirtual // of the pass that is fetched: those of its first lane, which has the most
	block  GPVirtual // number of the one that is compressed; -1 when it is the last and another pass follows
	due    GPVirtual // where digests in done are to go; 0 when there are none
}

func manyKernel(name string, groups int) {
	TEXT(name, 0, "func(key *[8]uint32, flags uint32, msgs **byte, lens *uint32, outs **[32]byte, passes int)")
	Pragma("noescape")
	all := groups * lanes
	Doc(
		fmt.Sprintf("%s hashes %d·passes messages of at most 1,024 bytes: message i has lens[i] bytes", name, all),
		"from msgs[i] on, its digest goes to outs[i]. Passes is at least 1. The first message of a pass has no fewer blocks",
		"than the others of it.",
	)
	k := &many{kernel: newKernel(groups, all*(128+4+4+4+8+8+8+8)+16)}
	k.slots = k.Area(128 * all)
	k.last, k.tail, k.whole = k.Area(4*all), k.Area(4*all), k.Area(4*all)
	k.halves, k.tailPtrs, k.endPtrs, k.source = k.Area(8*all), k.Area(8*all), k.Area(8*all), k.Area(8*all)
	k.lens, k.outs = k.Area(8), k.Area(8)
	k.msgs, k.passes, k.blocks, k.block, k.due = GP64(), GP64(), GP64(), GP64(), GP64()

	Load(Param("msgs"), k.msgs)
	Load(Param("passes"), k.passes)
	k.keepParam("lens", k.lens)
	k.keepParam("outs", k.outs)
	k.clearSlots()
	k.preparePass("first")
	k.FetchAll(func(g int, lane Register) Mem {
		from := GP64()
		MOVQ(k.source.Offset(8*lanes*g).Idx(lane, 8), from)
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
	ADDQ(U32(8*all), k.msgs)
	ADDQ(U32(4*all), k.lens)
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
	for i := range 8 {
		Commentf("v[%d] ^= v[%d]; done[%d] = v[%d] where this was the last block", i, i+8, i, i)
		for g := range groups {
			VPXORD(state(g, i+8), state(g, i), state(g, i))
			VMOVDQA32(state(g, i), ends[g], k.Digest(g, i))
		}
	}
	INCQ(k.block)
	JZ(LabelRef("through"))
	CMPQ(k.block, k.blocks)
	JNE(LabelRef("block"))

	Label("through")
	MOVQ(k.outs, k.due)
	ADDQ(U32(8*all), k.outs)
	TESTQ(k.block, k.block)
	JZ(LabelRef("pass"))

	k.DeliverAll(func(g int, lane Register) Mem {
		to := GP64()
		MOVQ(Mem{Base: k.due, Index: lane, Scale: 8, Disp: 8 * lanes * g}, to)
		return Mem{Base: to}
	})
	VZEROUPPER()
	RET()
}

var (
	// ends are the lanes of each group whose last block is the one that is compressed.
	ends = []Register{K1, K2}
	// partial are the lanes of each group whose last block is not whole, an empty one being none.
	partial = []Register{K3, K4}
	// short are the lanes of each group whose message has fewer than 64 bytes.
	short = []Register{K5, K6}
)

// keepParam puts a parameter into a cell of the frame.
func (k *many) keepParam(name string, cell Mem) {
	x := Load(Param(name), GP64())
	MOVQ(x, cell)
}

// clearSlots fills halves, has tailPtrs point to memory that may be read, and sets the upper halves of the slots to
// zero.
func (k *many) clearSlots() {
	Comment("halves[i] = tailPtrs[i] = address of slots[i] + 64; slots[i][64:] = 0")
	first, bytes := GP64(), GP64()
	ptrs, step, zero := state(0, 8), state(0, 9), state(0, 10)
	LEAQ(k.slots.Offset(64), first)
	VPBROADCASTQ(first, ptrs)
	VPADDQ(slotStep, ptrs, ptrs)
	MOVQ(U32(8*128), bytes)
	VPBROADCASTQ(bytes, step)
	for i := range 2 * k.Groups {
		VMOVDQA64(ptrs, k.halves.Offset(vec*i))
		VMOVDQA64(ptrs, k.tailPtrs.Offset(vec*i))
		VPADDQ(step, ptrs, ptrs)
	}
	VPXORD(zero, zero, zero)
	for lane := range k.All() {
		VMOVDQA64(zero, k.slots.Offset(128*lane+64))
	}
}

// preparePass takes in the pass at msgs and lens, and sets source to its first blocks. It leaves v[0..7], v[14] and
// v[15] alone.
func (k *many) preparePass(name string) {
	lens := GP64()
	MOVQ(k.lens, lens)
	for g := range k.Groups {
		length, last, tail, whole, zero := state(g, 8), state(g, 9), state(g, 10), state(g, 11), state(g, 12)
		Comment("last = max(len-1, 0) / 64; tail = len - 64·last; whole = len / 64; partial = whole == last; short = whole == 0")
		VMOVDQU32(Mem{Base: lens, Disp: vec * g}, length)
		VPXORD(zero, zero, zero)
		VPSUBD_BCST(one, length, last)
		VPMAXSD(zero, last, last)
		VPSRLD(U8(6), last, last)
		VPSLLD(U8(6), last, tail)
		VPSUBD(tail, length, tail)
		VPSRLD(U8(6), length, whole)
		VMOVDQA32(last, k.last.Offset(vec*g))
		VMOVDQA32(tail, k.tail.Offset(vec*g))
		VMOVDQA32(whole, k.whole.Offset(vec*g))
		VPCMPEQD(whole, last, partial[g])
		VPTESTNMD(whole, whole, short[g])
	}
	Comment("blocks = last[0] + 1")
	MOVL(k.last, k.blocks.As32())
	INCQ(k.blocks)
	anyOf(partial, k.Groups)
	JZ(LabelRef(name + "Fetch"))
	k.fillSlots(name)
	Label(name + "Fetch")
	zero := GP64()
	XORQ(zero, zero)
	k.fetchFrom(zero)
}

// anyOf clears the zero flag where a mask has a bit.
func anyOf(masks []Register, groups int) {
	KORTESTW(masks[0], masks[groups-1])
}

// fillSlots puts every lane's last block into its slot.
func (k *many) fillSlots(name string) {
	lens := GP64()
	MOVQ(k.lens, lens)
	for i := range 2 * k.Groups {
		tails, ends := state(0, 8), state(0, 9)
		Commentf("tailPtrs = halves - tail; endPtrs = msgs + len; lanes %d to %d", 8*i, 8*i+7)
		VPMOVZXDQ(k.tail.Offset(vec/2*i), ends)
		VMOVDQA64(k.halves.Offset(vec*i), tails)
		VPSUBQ(ends, tails, tails)
		VMOVDQA64(tails, k.tailPtrs.Offset(vec*i))
		VPMOVZXDQ(Mem{Base: lens, Disp: vec / 2 * i}, ends)
		VPADDQ(Mem{Base: k.msgs, Disp: vec * i}, ends, ends)
		VMOVDQA64(ends, k.endPtrs.Offset(vec*i))
	}
	anyOf(short, k.Groups)
	JNZ(LabelRef(name + "Short"))
	for lane := range k.All() {
		Commentf("slots[%d][:64] = last 64 bytes of lane %d", lane, lane)
		end, data := GP64(), state(0, 8+lane%2) // two registers in turn
		MOVQ(k.endPtrs.Offset(8*lane), end)
		VMOVDQU64(Mem{Base: end, Disp: -64}, data)
		VMOVDQA64(data, k.slots.Offset(128*lane))
	}
	JMP(LabelRef(name + "Fetch"))

	Label(name + "Short")
	lane, from, to, tail, mask, data := GP64(), GP64(), GP64(), GP64(), GP64(), state(0, 8)
	XORQ(lane, lane)
	Label(name + "Masked")
	Comment("Last block of a lane = tail bytes from its end - tail on, then zeros")
	MOVL(k.tail.Idx(lane, 4), tail.As32())
	MOVQ(k.endPtrs.Idx(lane, 8), from)
	SUBQ(tail, from)
	MOVQ(I32(-1), mask)
	BZHIQ(tail, mask, mask)
	KMOVQ(mask, K3)
	VMOVDQU8_Z(Mem{Base: from}, K3, data)
	MOVQ(k.tailPtrs.Idx(lane, 8), to)
	VMOVDQU64(data, Mem{Base: to})
	INCQ(lane)
	CMPQ(lane, U8(k.All()))
	JNE(LabelRef(name + "Masked"))
}

// fetchFrom sets source to block n of every lane: within the message where it is whole, else in the lane's slot.
func (k *many) fetchFrom(n GPVirtual) {
	Comment("source = n < whole ? msgs + 64·n : tailPtrs")
	number, offset := state(0, 8), state(0, 9)
	bytes := GP64()
	VPBROADCASTD(n.As32(), number)
	MOVQ(n, bytes)
	SHLQ(U8(6), bytes)
	VPBROADCASTQ(bytes, offset)
	const less = 1
	for g := range k.Groups {
		VPCMPD(U8(less), k.whole.Offset(vec*g), number, K3)
		for h := range 2 {
			ptrs, at := state(0, 10+h), (2*g+h)*vec
			VMOVDQA64(k.tailPtrs.Offset(at), ptrs)
			VPADDQ(Mem{Base: k.msgs, Disp: at}, offset, K3, ptrs)
			VMOVDQA64(ptrs, k.source.Offset(at))
			if h == 0 {
				KSHIFTRW(U8(8), K3, K3)
			}
		}
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
	number := state(0, 8)
	VPBROADCASTD(k.block.As32(), number)
	for g := range k.Groups {
		VPCMPEQD(k.last.Offset(vec*g), number, ends[g])
	}
	Comment("v[14] = ends ? tail : 64")
	for g := range k.Groups {
		VPBROADCASTD(blockSize, state(g, 14))
		VMOVDQA32(k.tail.Offset(vec*g), ends[g], state(g, 14))
	}
	Comment("v[15] = flags | (block == 0 ? ChunkStart : 0) | (ends ? ChunkEnd | Root : 0)")
	flags := GP32()
	XORL(flags, flags)
	TESTQ(k.block, k.block)
	SETEQ(flags.As8())
	mode := Load(Param("flags"), GP32())
	ORL(mode, flags)
	for g := range k.Groups {
		VPBROADCASTD(flags, state(g, 15))
		VPORD_BCST(lastFlags, state(g, 15), ends[g], state(g, 15))
	}
}

// deliveries returns what brings the digests of the pass before to where they are due, four lanes a piece.
func (k *many) deliveries() []func() {
	var pieces []func()
	for first := 0; first < k.All(); first += 4 {
		pieces = append(pieces, func() {
			skip := fmt.Sprintf("notDue%d", first)
			TESTQ(k.due, k.due)
			JZ(LabelRef(skip))
			for lane := first; lane < first+4; lane++ {
				to := GP64()
				MOVQ(Mem{Base: k.due, Disp: 8 * lane}, to)
				k.Deliver(lane, Mem{Base: to})
			}
			Label(skip)
		})
	}
	return pieces
}

// prefetches returns what asks for this block of the next pass's messages, a pass before it is read; in the last pass,
// of its own. What the prefetches need is emitted at once.
func (k *many) prefetches() []func() {
	Comment("ahead = messages of the next pass, if there is one; offset = 64·block")
	ahead, offset := GP64(), GP64()
	MOVQ(k.block, offset)
	SHLQ(U8(6), offset)
	LEAQ(Mem{Base: k.msgs, Disp: 8 * k.All()}, ahead)
	CMPQ(k.passes, U8(1))
	CMOVQEQ(k.msgs, ahead)
	var pieces []func()
	for lane := range k.All() {
		pieces = append(pieces, func() {
			Commentf("Prefetch for lane %d of the next pass", lane)
			from := GP64()
			MOVQ(Mem{Base: ahead, Disp: 8 * lane}, from)
			PREFETCHT0(Mem{Base: from, Index: offset, Scale: 1})
		})
	}
	return pieces
}
