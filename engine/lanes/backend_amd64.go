//go:build !purego

package lanes

import "github.com/klauspost/cpuid/v2"

// What the generated code of each backend uses: BMI1 is BLSR and TZCNT, BMI2 is BZHI, BW is masks of 64 bytes.
var (
	hasAVX512 = cpuid.CPU.Supports(cpuid.AVX, cpuid.AVX2, cpuid.AVX512F, cpuid.AVX512BW, cpuid.BMI1, cpuid.BMI2, cpuid.POPCNT, cpuid.CMOV)
	hasAVX2   = cpuid.CPU.Supports(cpuid.AVX, cpuid.AVX2, cpuid.BMI1, cpuid.CMOV)
)

// isIntel says that a 512-bit instruction's result is there after one cycle, and not after two.
var isIntel = cpuid.CPU.VendorID == cpuid.Intel
