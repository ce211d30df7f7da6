package journal

import "unsafe"

// AlignedBuffer returns n zero bytes that start at a multiple of 4,096 in memory.
func AlignedBuffer(n int) []byte {
	b := make([]byte, n+block-1)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (block - 1))
	return b[skip : skip+n : skip+n]
}
