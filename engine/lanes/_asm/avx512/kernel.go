package main

import (
	"github.com/encseal/encseal/engine/lanes/_asm/blake3"
	"github.com/encseal/encseal/engine/lanes/_asm/scratch"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const (
	vec   = 64 // bytes of a register
	lanes = 16 // of a register
)

var z = [32]VecPhysical{
	Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
}

// kernel has the parts that kernels for messages and for pairs share.
type kernel struct{ *scratch.Scratch }

func newKernel(groups, size int) *kernel { return &kernel{scratch.New(groups, vec, size)} }

// state is word i of group g.
func state(g, i int) VecPhysical { return z[16*g+i] }

// rounds emits the seven rounds over all groups, with strands woven into them.
func (k *kernel) rounds(strands ...blake3.Strand) {
	emit := func(s blake3.Step) {
		Comment(s.Equation())
		for g := range k.Groups {
			for q, words := range s.Quads {
				a, b, c, d := state(g, words[0]), state(g, words[1]), state(g, words[2]), state(g, words[3])
				switch s.Op {
				case blake3.AddMessage:
					VPADDD(k.Word(k.Now, g, s.Words[q]), a, a)
				case blake3.AddB:
					VPADDD(b, a, a)
				case blake3.XorA:
					VPXORD(a, d, d)
				case blake3.RotateD:
					VPRORD(U8(s.Bits), d, d)
				case blake3.AddD:
					VPADDD(d, c, c)
				case blake3.XorC:
					VPXORD(c, b, b)
				case blake3.RotateB:
					VPRORD(U8(s.Bits), b, b)
				}
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
	for g := range k.Groups {
		for i := range 4 {
			VPBROADCASTD(iv.Offset(4*i), state(g, 8+i))
		}
		VPXORD(state(g, 12), state(g, 12), state(g, 12))
		VPXORD(state(g, 13), state(g, 13), state(g, 13))
	}
}

// chainingKey emits v[0..7] = key.
func (k *kernel) chainingKey() {
	key := Load(Param("key"), GP64())
	Comment("v[0..7] = key[0..7]")
	for i := range 8 {
		for g := range k.Groups {
			VPBROADCASTD(Mem{Base: key, Disp: 4 * i}, state(g, i))
		}
	}
}

var (
	iv         Mem
	one        Mem // 1, a doubleword
	blockSize  Mem // 64, a doubleword
	lastFlags  Mem // flags of a message's last block, a doubleword
	slotStep   Mem // offsets of 8 slots, quadwords
	digestStep Mem // offsets of 8 digests, quadwords
)

func constants() {
	doublewords := func(name string, values ...uint32) Mem {
		m := GLOBL(name, RODATA|NOPTR)
		for i, v := range values {
			DATA(4*i, U32(v))
		}
		return m
	}
	iv = doublewords("avx512IV", blake3.IV[:4]...)
	one = doublewords("avx512One", 1)
	blockSize = doublewords("avx512BlockSize", blake3.BlockSize)
	lastFlags = doublewords("avx512LastFlags", blake3.ChunkEnd|blake3.Root)
	steps := func(name string, size int) Mem {
		m := GLOBL(name, RODATA|NOPTR)
		for i := range 8 {
			DATA(8*i, U64(size*i))
		}
		return m
	}
	slotStep = steps("avx512SlotStep", 128)
	digestStep = steps("avx512DigestStep", 32)
}
