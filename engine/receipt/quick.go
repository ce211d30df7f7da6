package receipt

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// The quick encoder writes what the encoder of encode.go writes, by index into
// memory that is known to do instead of by append. It knows no reasons: where it
// meets anything but the usual receipt (a broken rule, too little room, a hash
// or signature that is other text than genesis) it gives up, and the plain
// encoder, which is the specification, starts anew and has the last word.
//
// Its functions write to b[n:] and return where they end, or 0 where they give
// up; b may have changed then.

const (
	quickShort = 24                           // the longest text string with a head of one byte
	quickArray = 2 + 5*9                      // the pair of five numbers
	quickPrev  = 3 + digestSize               // the pair of a digest, or of genesis
	quickSeal  = 3 + digestSize + 3 + sigSize // the pairs of hash and sig

	// quickReserve is the room that a text asks for: its own where it is short,
	// and all that may come behind it up to the next text or the end, with a key
	// before that text and the key and head of the labels.
	quickReserve = quickShort + 1 + quickArray + 1 + 3 + quickPrev + quickSeal
)

// quickCanonical writes enc(r) to the start of b and returns its length. It sets
// at, where that is not nil, to the instant of ts.
func (r *Receipt) quickCanonical(b []byte, at *Instant) int {
	if !r.Hash.is || !r.Sig.is {
		return 0
	}
	n := r.quickPairs(b, 9, at)
	if n == 0 {
		return 0
	}
	w := (*[quickSeal]byte)(b[n:])
	w[0], w[1], w[2] = keyHash, cborBytes|24, digestSize
	*(*[digestSize]byte)(w[3:]) = r.Hash.digest
	w[quickPrev], w[quickPrev+1], w[quickPrev+2] = keySig, cborBytes|24, sigSize
	*(*[sigSize]byte)(w[quickPrev+3:]) = r.Sig.bytes
	return n + quickSeal
}

// quickPairs writes the head of a map of the given number of pairs, one more
// with labels, and the pairs for the keys 1 to 8, and leaves room for 9 and 10.
func (r *Receipt) quickPairs(b []byte, pairs byte, at *Instant) int {
	if len(b) < quickReserve || !mayBeText(r.App) || !mayBeText(r.Container) || !mayBeText(r.Op) || parseTS(r.TS, at) != "" {
		return 0
	}
	if len(r.Labels) > 0 {
		pairs++
	}
	b[0], b[1], b[2], b[3] = cborMap|pairs, keyV, 1, keyApp
	n := quickText(b, 4, r.App)
	if n == 0 {
		return 0
	}
	b[n] = keyContainer
	if n = quickText(b, n+1, r.Container); n == 0 {
		return 0
	}
	b[n] = keyOp
	if n = quickText(b, n+1, r.Op); n == 0 {
		return 0
	}
	b[n] = keyTS
	if n = quickText(b, n+1, r.TS); n == 0 {
		return 0
	}
	if n = r.Resource.quick(b, n); n == 0 {
		return 0
	}
	if len(r.Labels) > 0 {
		if n = quickLabels(b, n, r.Labels); n == 0 {
			return 0
		}
	}
	if h := &r.PrevHash; h.is {
		w := (*[quickPrev]byte)(b[n:])
		w[0], w[1], w[2] = keyPrevHash, cborBytes|24, digestSize
		*(*[digestSize]byte)(w[3:]) = h.digest
		return n + quickPrev
	} else if h.text != genesisText {
		return 0
	}
	w := (*[len(genesisPair)]byte)(b[n:])
	copy(w[:], genesisPair)
	return n + len(genesisPair)
}

// genesisPair is the pair of a producer's first receipt.
const genesisPair = "\x08\x6e" + genesisText

// mayBeText reports whether s has the length of an app, container or op.
func mayBeText(s string) bool { return uint(len(s)-1) < maxText }

// quickText writes a text string. It gives up where s is no UTF-8 and where
// there is less than quickReserve: behind a text, what comes next has its room.
// Most texts of a receipt are ASCII of at most 16 bytes: they are read as words
// that overlap, judged, and written as such.
func quickText(b []byte, n int, s string) int {
	if len(s) >= quickShort {
		return quickLongText(b, n, s)
	}
	if n < 0 || n > len(b)-quickReserve {
		return 0
	}
	w := (*[quickShort]byte)(b[n:])
	w[0] = cborText | byte(len(s))
	var seen uint64
	switch {
	case len(s) >= 8:
		first, last := word(s), word(s[len(s)-8:])
		binary.LittleEndian.PutUint64(w[1:], first)
		if len(s) > 16 {
			middle := word(s[8:16])
			binary.LittleEndian.PutUint64(w[9:], middle)
			first |= middle
		}
		binary.LittleEndian.PutUint64(w[len(s)-7:], last)
		seen = first | last
	case len(s) >= 4:
		first, last := halfWord(s), halfWord(s[len(s)-4:])
		binary.LittleEndian.PutUint32(w[1:], first)
		binary.LittleEndian.PutUint32(w[len(s)-3:], last)
		seen = uint64(first | last)
	case len(s) >= 2:
		first, second, last := s[0], s[1], s[len(s)-1]
		w[1], w[2], w[len(s)] = first, second, last
		seen = uint64(first | second | last)
	case len(s) == 1:
		w[1] = s[0]
		seen = uint64(s[0])
	}
	if seen&highBits != 0 && !utf8.ValidString(s) {
		return 0
	}
	return n + 1 + len(s)
}

func quickLongText(b []byte, n int, s string) int {
	if len(s) > len(b)-quickReserve-n || !validUTF8(s) {
		return 0
	}
	n = quickHead((*[9]byte)(b[n:]), n, cborText, uint64(len(s)))
	return n + copy(b[n:], s)
}

// quick writes the key and the array.
func (u *Resource) quick(b []byte, n int) int {
	if checkFloat(u.StorageGBDay) != "" || checkFloat(u.EgressMB) != "" {
		return 0
	}
	w := (*[quickArray]byte)(b[n:])
	w[0], w[1] = keyResource, cborArray|4
	if u.HasReceiptsCount {
		w[1] = cborArray | 5
	}
	m := quickHead((*[9]byte)(w[2:]), 2, cborUint, u.CPUms)
	m = quickHead((*[9]byte)(w[m:]), m, cborUint, u.MemoryMBs)
	m = quickFloat((*[9]byte)(w[m:]), m, u.StorageGBDay)
	m = quickFloat((*[9]byte)(w[m:]), m, u.EgressMB)
	if u.HasReceiptsCount {
		m = quickHead((*[9]byte)(w[m:]), m, cborUint, u.ReceiptsCount)
	}
	return n + m
}

// quickHead writes a head and returns n and its length.
func quickHead(w *[9]byte, n int, major byte, value uint64) int {
	switch {
	case value < 24:
		w[0] = major | byte(value)
		return n + 1
	case value < 1<<8:
		w[0], w[1] = major|24, byte(value)
		return n + 2
	case value < 1<<16:
		w[0] = major | 25
		binary.BigEndian.PutUint16(w[1:], uint16(value))
		return n + 3
	case value < 1<<32:
		w[0] = major | 26
		binary.BigEndian.PutUint32(w[1:], uint32(value))
		return n + 5
	}
	w[0] = major | 27
	binary.BigEndian.PutUint64(w[1:], value)
	return n + 9
}

// quickFloat writes a float that checkFloat has passed. Where any of the low 29
// bits is set, no binary32 keeps the value, and where all of the low 42 are not
// and the exponent is a normal binary16's, that does.
func quickFloat(w *[9]byte, n int, f float64) int {
	b := math.Float64bits(f)
	switch exponent := b>>52 - (1023 - 15); {
	case b<<(64-29) != 0:
		w[0] = cborFloat64
		binary.BigEndian.PutUint64(w[1:], b)
		return n + 9
	case b<<(64-42) == 0 && exponent-1 < 30:
		w[0] = cborFloat16
		binary.BigEndian.PutUint16(w[1:], uint16(exponent<<10|b>>42&(1<<10-1)))
		return n + 3
	}
	return n + len(appendFloat(w[:0], f))
}

// quickLabels writes the key and the map of labels, of which there is at least
// one.
func quickLabels(b []byte, n int, labels []Label) int {
	if len(labels) > MaxLabels {
		return 0
	}
	b[n] = keyLabels
	n = quickHead((*[9]byte)(b[n+1:]), n+1, cborMap, uint64(len(labels)))
	before := ""
	for i := range labels {
		l := &labels[i]
		if len(l.Key) <= len(before) && (len(l.Key) < len(before) || i > 0 && l.Key <= before) {
			return 0
		}
		before = l.Key
		if n = quickText(b, n, l.Key); n == 0 {
			return 0
		}
		if n = quickText(b, n, l.Value); n == 0 {
			return 0
		}
	}
	return n
}
