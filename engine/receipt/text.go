package receipt

import (
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

// highBits are the bits of a word that are set where a byte is not ASCII.
const highBits = 0x8080808080808080

// ascii reports whether s is ASCII. It reads whole words, the last of them
// overlapping the one before.
func ascii(s string) bool {
	var seen uint64
	switch {
	case len(s) >= 8:
		for rest := s; len(rest) >= 8; rest = rest[8:] {
			seen |= word(rest)
		}
		seen |= word(s[len(s)-8:])
	case len(s) >= 4:
		seen = uint64(halfWord(s) | halfWord(s[len(s)-4:]))
	default:
		for i := range len(s) {
			seen |= uint64(s[i])
		}
	}
	return seen&highBits == 0
}

// appendUTF8 appends the CBOR text string of s and reports whether s is UTF-8.
func appendUTF8(dst []byte, s string) ([]byte, bool) { return appendText(dst, s), validUTF8(s) }

// word and halfWord return the first eight and four bytes of s, the first of them
// lowest.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func halfWord(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// alias returns b as a string without copying; it changes when b does.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
