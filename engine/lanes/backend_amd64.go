//go:build !purego

package lanes

import "github.com/klauspost/cpuid/v2"

// What the generated code of each backend uses: BMI1 is BLSR and TZCNT, BMI2 is BZHI, BW is masks of 64 bytes.
var (
	hasAVX512 = cpuid.CPU.Supports(cpuid.AVX, cpuid.AVX2, cpuid.AVX512F, cpuid.AVX512BW, cpuid.BMI1, cpuid.BMI2,
		cpuid.POPCNT, cpuid.CMOV)
	hasAVX2 = cpuid.CPU.Supports(cpuid.AVX, cpuid.AVX2, cpuid.BMI1, cpuid.CMOV)
)

// isIntel says that a 512-bit instruction's result is there after one cycle, and not after two. Measured on an Intel
// Xeon of family 6, model 207; that AMD takes two is known of Zen 5, where the prototypes of these kernels ran. All
// others are taken to be like the one of their vendor: a wrong guess costs time alone.
var isIntel = cpuid.CPU.VendorID == cpuid.Intel
