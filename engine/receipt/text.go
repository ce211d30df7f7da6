package receipt

import (
	"encoding/binary"
	"unicode/utf8"
	"unsafe"
)

// checkText returns why s cannot be an app, container or op: 1 to 255 bytes of
// UTF-8.
func checkText(s string) (reason string) {
	switch {
	case len(s) == 0:
		return reasonEmpty
	case len(s) > maxText:
		return reasonTooLong
	case !validUTF8(s):
		return reasonUTF8
	}
	return ""
}

// validUTF8 is utf8.ValidString, faster for the short ASCII texts that receipts
// are made of.
func validUTF8(s string) bool { return ascii(s) || utf8.ValidString(s) }

// ascii reports whether s is ASCII. It reads whole words, the last of them
// overlapping the one before.
func ascii(s string) bool {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	var seen uint64
	switch {
	case len(b) >= 8:
		for rest := b; len(rest) >= 8; rest = rest[8:] {
			seen |= binary.LittleEndian.Uint64(rest)
		}
		seen |= binary.LittleEndian.Uint64(b[len(b)-8:])
	case len(b) >= 4:
		seen = uint64(binary.LittleEndian.Uint32(b) | binary.LittleEndian.Uint32(b[len(b)-4:]))
	default:
		for _, c := range b {
			seen |= uint64(c)
		}
	}
	return seen&0x8080808080808080 == 0
}

// appendUTF8 appends the CBOR text string of s and reports whether s is UTF-8.
// Most texts of a receipt are ASCII of 4 to 16 bytes: where dst has the room,
// they are read as two words that overlap, judged, and written as such.
func appendUTF8(dst []byte, s string) ([]byte, bool) {
	n := len(s)
	if n < 4 || n > 16 || cap(dst)-len(dst) <= n {
		return appendText(dst, s), validUTF8(s)
	}
	src := unsafe.Slice(unsafe.StringData(s), n)
	at := len(dst) + 1
	dst = dst[:at+n]
	dst[at-1] = cborText | byte(n)
	text := dst[at : at+n]
	if n < 8 {
		first, last := binary.LittleEndian.Uint32(src), binary.LittleEndian.Uint32(src[n-4:])
		binary.LittleEndian.PutUint32(text, first)
		binary.LittleEndian.PutUint32(text[n-4:], last)
		return dst, (first|last)&0x80808080 == 0 || utf8.ValidString(s)
	}
	first, last := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[n-8:])
	binary.LittleEndian.PutUint64(text, first)
	binary.LittleEndian.PutUint64(text[n-8:], last)
	return dst, (first|last)&0x8080808080808080 == 0 || utf8.ValidString(s)
}

// alias returns b as a string without copying; it changes when b does.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
