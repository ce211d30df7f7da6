// Command _asm writes the AVX-512 kernels of engine/sign/internal/ed25519x8 and their Go declarations. go generate in that
// package runs it.
//
// A kernel computes in eight lanes: lane l of every vector belongs to signature l. Conventions that hold throughout:
//
//   - no branch, no address and no index depends on the contents of a lane; loops count what the caller passed as count;
//   - nothing is kept on the stack: what does not fit into registers goes to memory that the caller passes;
//   - on return the vector and mask registers are zero.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
	"github.com/mmcloughlin/avo/x86"
)

func main() {
	ConstraintExpr("amd64,!purego")
	fieldKernels()
	pointKernels()
	scalarKernels()
	sha512Kernel()
	registersKernel()
	Generate()
}

// kernel begins a function. Pointers do not escape, and there is no frame.
func kernel(name, signature string, doc ...string) {
	TEXT(name, NOSPLIT|NOFRAME, signature)
	Pragma("noescape")
	Doc(doc...)
}

// wipe zeroes the vector and mask registers and returns: what a kernel computed is not there when Go code, which the
// runtime may interrupt and save with its registers, runs again.
func wipe() {
	VZEROALL() // Z0 to Z15
	for i := 16; i < 32; i++ {
		z := vectorRegister(i)
		clearRegister(x86.VPXORQ(z, z, z))
	}
	for i := 1; i < 8; i++ {
		k := maskRegister(i)
		clearRegister(x86.KXORQ(k, k, k))
	}
	RET()
}

func vectorRegister(i int) reg.Register { return reg.Vector.Lookup(reg.Index(i), reg.S512) }

func maskRegister(i int) reg.Register { return reg.Opmask.Lookup(reg.Index(i), reg.S64) }

// clearRegister emits the exclusive or of a register with itself. avo has to be told that it does not read the register,
// which would be in use from the function's start otherwise.
func clearRegister(i *ir.Instruction, err error) {
	if err != nil {
		panic(err)
	}
	i.CancellingInputs = true
	Instruction(i)
}

// registersKernel lets a test see that wipe did its work.
func registersKernel() {
	kernel("registers", "func(vectors *[32][8]uint64, masks *[7]uint64)",
		"registers writes out the vector registers and the masks K1 to K7, for a test of what kernels leave there.")
	vectors, masks := reg.RAX, reg.RBX
	Load(Param("vectors"), vectors)
	Load(Param("masks"), masks)
	for i := range 32 {
		VMOVDQU64(vectorRegister(i), operand.Mem{Base: vectors, Disp: 64 * i})
	}
	for i := range 7 {
		KMOVQ(maskRegister(i+1), operand.Mem{Base: masks, Disp: 8 * i})
	}
	RET()
}
