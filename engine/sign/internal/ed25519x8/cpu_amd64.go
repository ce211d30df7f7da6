//go:build amd64 && !purego

package ed25519x8

import "github.com/klauspost/cpuid/v2"

// Available reports whether the CPU, and the system's saving of registers, have all that the kernels use: VZEROALL is
// AVX; vpmadd52 is IFMA; vpmovq2m is DQ; vpshufb on 512 bits and kxorq are BW; the rest is F.
func Available() bool {
	return cpuid.CPU.Supports(cpuid.AVX, cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512BW, cpuid.AVX512IFMA)
}
