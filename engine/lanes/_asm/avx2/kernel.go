package main

import (
	"github.com/encseal/encseal/engine/lanes/_asm/blake3"
	"github.com/encseal/encseal/engine/lanes/_asm/scratch"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	vec   = 32 // bytes of a register
	lanes = 8  // of a register
)

// v is the state.
var v = [16]VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}

// spilled is the state word that is in memory during shifts.
const spilled = 8

// kernel has the parts that kernels for messages and for pairs share.
type kernel struct {
	*scratch.Scratch
	spill Mem // v[spilled], when it is not in its register
}

func newKernel(size int) *kernel {
	k := &kernel{Scratch: scratch.New(1, vec, size+vec)}
	k.spill = k.Area(vec)
	return k
}

// rounds emits the seven rounds, with strands woven into them, and ends with v[spilled] in memory.
func (k *kernel) rounds(strands ...blake3.Strand) {
	inMemory := false
	emit := func(s blake3.Step) {
		if s.Op == blake3.RotateB {
			Commentf("spill = v[%d]", spilled)
			VMOVDQA(v[spilled], k.spill)
			inMemory = true
		}
		Comment(s.Equation())
		for q, words := range s.Quads {
			a, b, c, d := v[words[0]], v[words[1]], v[words[2]], v[words[3]]
			switch s.Op {
			case blake3.AddMessage:
				VPADDD(k.Word(k.Now, 0, s.Words[q]), a, a)
			case blake3.AddB:
				VPADDD(b, a, a)
			case blake3.XorA:
				VPXOR(a, d, d)
			case blake3.RotateD:
				VPSHUFB(rotations[s.Bits], d, d)
			case blake3.AddD:
				if words[2] == spilled && inMemory {
					VPADDD(k.spill, d, c)
					inMemory = false
				} else {
					VPADDD(d, c, c)
				}
			case blake3.XorC:
				VPXOR(c, b, b)
			case blake3.RotateB:
				VPSRLD(U8(s.Bits), b, v[spilled])
				VPSLLD(U8(32-s.Bits), b, b)
				VPOR(v[spilled], b, b)
			}
		}
	}
	blake3.Weave(blake3.Steps(), emit, strands...)
	k.Swap()
}

// fetchUntil is the percentage of a compression in which the next block is fetched. A vector load waits where its bytes
// come from several stores that are still on their way to the cache, hence the pause.
const fetchUntil = 95

// thirdRow emits v[8..11] = IV[0..3] and v[12..13] = 0, the counter.
func (k *kernel) thirdRow() {
	Comment("v[8], v[9], v[10], v[11] = IV[0], IV[1], IV[2], IV[3]; v[12], v[13] = 0")
	for i := range 4 {
		VPBROADCASTD(iv.Offset(4*i), v[8+i])
	}
	VPXOR(v[12], v[12], v[12])
	VPXOR(v[13], v[13], v[13])
}

// chainingKey emits v[0..7] = key.
func (k *kernel) chainingKey() {
	key := Load(Param("key"), GP64())
	Comment("v[0..7] = key[0..7]")
	for i := range 8 {
		VPBROADCASTD(Mem{Base: key, Disp: 4 * i}, v[i])
	}
}

// feedForward emits v[0..7] ^= v[8..15].
func (k *kernel) feedForward() {
	Comment("v[0..7] ^= v[8..15]")
	for i := range 8 {
		if i+8 == spilled {
			VPXOR(k.spill, v[i], v[i])
		} else {
			VPXOR(v[i+8], v[i], v[i])
		}
	}
}

var (
	rotations map[int]Mem // byte shuffles that rotate doublewords to the right by 16 and 8
	iv        Mem
	one       Mem // 1, a doubleword
	blockSize Mem // 64, a doubleword
	lastFlags Mem // flags of a message's last block, a doubleword
	slotStep  Mem // offsets of 4 slots, quadwords
	fourSlots Mem // size of 4 slots, a quadword
)

func constants() {
	doublewords := func(name string, values ...uint32) Mem {
		m := GLOBL(name, RODATA|NOPTR)
		for i, v := range values {
			DATA(4*i, U32(v))
		}
		return m
	}
	rotations = map[int]Mem{}
	for _, r := range []struct {
		bits int
		name string
	}{{16, "avx2Rotate16"}, {8, "avx2Rotate8"}} {
		m := GLOBL(r.name, RODATA|NOPTR)
		for i := range vec {
			word, byte := i%16/4, i%4
			DATA(i, U8(4*word+(byte+r.bits/8)%4))
		}
		rotations[r.bits] = m
	}
	iv = doublewords("avx2IV", blake3.IV[:4]...)
	one = doublewords("avx2One", 1)
	blockSize = doublewords("avx2BlockSize", blake3.BlockSize)
	lastFlags = doublewords("avx2LastFlags", blake3.ChunkEnd|blake3.Root)
	slotStep = GLOBL("avx2SlotStep", RODATA|NOPTR)
	for i := range 4 {
		DATA(8*i, U64(128*i))
	}
	fourSlots = doublewords("avx2FourSlots", 4*128, 0)
}
