// Package ed25519x8 computes Ed25519 signatures and verdicts in the eight 64-bit lanes of AVX-512 registers, one signature
// in each lane. It is the arithmetic behind package sign, in a package of its own because it is exact about other things:
// bounds of limbs, and which memory held a secret. It knows no policy: no backends, no caches, no checks after signing.
//
// Where the CPU or the build has no use for it, Available is false and nothing else is here.
//
// # Layers
//
//	kernels_amd64.s  written by ../../_asm: field elements, points, scalars, SHA-512
//	field.go         inversion, roots, bytes
//	point.go         tables of multiples, encoding with one inversion for a batch
//	sign.go          RFC 8032 §5.1.6
//	verify.go        RFC 8032 §5.1.7 without the cofactor
//
// # Secrets
//
// In Sign the nonces, their digits, every coordinate of r·B before the division by Z, the prefix and the key's scalar are
// secret. Kernel by kernel, why neither time nor addresses tell of them:
//
//	hashBlock, reduce, mulAdd,   straight lines, or a loop of a fixed count; loads and stores at fixed offsets
//	recode6
//	addFixed                     loops over windows and over points, whose counts are public; of each window every entry
//	                             is loaded, in order, and vpermt2q picks among registers; signs, zeros and halves of a
//	                             window are mask registers, which blend and do not branch
//	mul, square, add, sub, pack  as hashBlock; square loops as often as its caller says, a constant
//
// The instructions on secrets are vpmadd52, additions, shifts, logic and permutations of 64-bit lanes, none of which is
// known to vary in time with its operands; bench/dudect measures it. The Go code in between copies words by
// lane number, and branches on counts alone. ladder and whatever decodes a point see public keys only.
//
// Kernels leave no value in vector or mask registers, so that the runtime finds none of theirs to save when it interrupts
// a goroutine between two of them. What a signal finds within one is saved on the signal stack, and what Go copies goes
// through registers as everywhere in Go: both are out of our hands. Intermediate values lie in a Scratch, on the heap, and
// Sign wipes it.
//
// A kernel is not interrupted for the garbage collector. The longest, addFixed for 16 points, takes some 0.12 ms.
package ed25519x8
