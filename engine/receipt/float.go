package receipt

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// Initial bytes of the three CBOR floats (RFC 8949 §3.3).
const (
	cborFloat16 = 0xf9
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb
)

// checkFloat returns why f cannot be an amount: negative zero, below 0,
// infinite or NaN.
func checkFloat(f float64) (reason string) {
	const infinity = 0x7ff << 52
	bits := math.Float64bits(f)
	switch {
	case bits < infinity:
		return ""
	case bits == 1<<63:
		return "negative zero"
	case f < 0:
		return "below 0"
	}
	return "not finite"
}

// appendFloat appends the shortest CBOR float that keeps the value of f, which
// is finite and has no sign.
func appendFloat(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, cborFloat16, 0, 0)
	}
	if single := float32(f); float64(single) != f {
		return binary.BigEndian.AppendUint64(append(dst, cborFloat64), math.Float64bits(f))
	} else if half, ok := float16bits(single); ok {
		return append(dst, cborFloat16, byte(half>>8), byte(half))
	} else {
		return binary.BigEndian.AppendUint32(append(dst, cborFloat32), math.Float32bits(single))
	}
}

// float16bits returns f as binary16, and whether that keeps its value; f is
// finite and above 0. A normal binary16 is 1.m × 2^e with ten bits in m and
// −14 ≤ e ≤ 15, a subnormal one m × 2^−24. Every binary32 that is subnormal is
// too small to be one.
func float16bits(f float32) (half uint16, ok bool) {
	bits := math.Float32bits(f)
	exponent := int(bits>>23) - 127
	mantissa := bits & (1<<23 - 1)
	switch {
	case exponent >= -14 && exponent <= 15 && mantissa&(1<<13-1) == 0:
		return uint16(exponent+15)<<10 | uint16(mantissa>>13), true
	case exponent >= -24 && exponent < -14:
		mantissa |= 1 << 23
		drop := uint(-1 - exponent)
		return uint16(mantissa >> drop), mantissa&(1<<drop-1) == 0
	}
	return 0, false
}

// decodeFloat reads the CBOR float at the start of src and returns its length.
// The length is 0 where src does not begin with the shortest float of a finite
// value that has no sign; the reason says why.
func decodeFloat(src []byte) (f float64, n int, reason string) {
	if len(src) == 0 {
		return 0, 0, reasonCut
	}
	switch src[0] {
	case cborFloat16:
		n = 3
	case cborFloat32:
		n = 5
	case cborFloat64:
		n = 9
	default:
		return 0, 0, "not a float"
	}
	if len(src) < n {
		return 0, 0, reasonCut
	}
	switch n {
	case 3:
		f = float16value(binary.BigEndian.Uint16(src[1:]))
	case 5:
		f = float64(math.Float32frombits(binary.BigEndian.Uint32(src[1:])))
	default:
		f = math.Float64frombits(binary.BigEndian.Uint64(src[1:]))
	}
	if reason := checkFloat(f); reason != "" {
		return 0, 0, reason
	}
	var shortest [9]byte
	if !bytes.Equal(appendFloat(shortest[:0], f), src[:n]) {
		return 0, 0, "not the shortest float"
	}
	return f, n, ""
}

// float16value returns the value of a binary16.
func float16value(half uint16) float64 {
	exponent := int(half>>10) & 31
	mantissa := float64(half & (1<<10 - 1))
	var f float64
	switch {
	case exponent == 31 && mantissa == 0:
		f = math.Inf(1)
	case exponent == 31:
		f = math.NaN()
	case exponent == 0:
		f = math.Ldexp(mantissa, -24)
	default:
		f = math.Ldexp(mantissa+1024, exponent-25)
	}
	if half>>15 != 0 {
		return -f
	}
	return f
}

// printFloat appends f as the fewest digits that read back the same: plain with
// at least one digit after the point for 0 and from 1e-5 to below 1e16, else
// with an exponent that has neither plus sign nor leading zero. f is finite and
// has no sign.
func printFloat(dst []byte, f float64) []byte {
	if f == 0 || f >= 1e-5 && f < 1e16 {
		at := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		if bytes.IndexByte(dst[at:], '.') < 0 {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	digits := at + bytes.IndexByte(dst[at:], 'e') + 1
	keep := digits
	if dst[digits] == '-' {
		keep++
	}
	for digits++; dst[digits] == '0'; digits++ {
	}
	return append(dst[:keep], dst[digits:]...)
}
