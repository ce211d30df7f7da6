package receipt

import (
	"encoding/binary"
	"slices"
)

// CBOR major types (RFC 8949 §3.1), in place in the initial byte.
const (
	cborUint  = 0 << 5
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborArray = 4 << 5
	cborMap   = 5 << 5
)

// Keys of the map.
const (
	keyV = 1 + iota
	keyApp
	keyContainer
	keyOp
	keyTS
	keyResource
	keyLabels
	keyPrevHash
	keyHash
	keySig
)

// usualSize is room for most receipts, so that a dst without any grows once.
const usualSize = 512

// AppendCanonical appends enc(r), the canonical encoding, to dst. It enforces
// every rule of the format: on error, a [FieldError], it returns dst as it came
// (what lies between its length and its capacity may have changed). It
// allocates nothing where dst has the room.
func (r *Receipt) AppendCanonical(dst []byte) ([]byte, error) {
	if n := r.quickCanonical(roomIn(dst), nil); n > 0 {
		return dst[:len(dst)+n], nil
	}
	return r.appendCanonical(dst, nil)
}

// AppendCanonicalInstant is AppendCanonical and [Receipt.Instant] in one, which
// reads TS once. On error the instant is zero.
func (r *Receipt) AppendCanonicalInstant(dst []byte) ([]byte, Instant, error) {
	var at Instant
	if n := r.quickCanonical(roomIn(dst), &at); n > 0 {
		return dst[:len(dst)+n], at, nil
	}
	out, err := r.appendCanonical(dst, &at)
	if err != nil {
		at = Instant{}
	}
	return out, at, err
}

// roomIn returns what an encoding may take of dst's memory.
func roomIn(dst []byte) []byte { return dst[len(dst):min(cap(dst), len(dst)+MaxEncoding)] }

// appendCanonical is AppendCanonical in the plain way. It sets at, where that is
// not nil, to the instant of TS.
func (r *Receipt) appendCanonical(dst []byte, at *Instant) ([]byte, error) {
	const pairs = 9
	out, err := r.appendPairs(dst, pairs, at)
	if err != nil {
		return dst, err
	}
	out, reason := appendHash(append(out, keyHash), &r.Hash)
	if reason != "" {
		return dst, refuse(fieldHash, reason)
	}
	out, reason = appendSig(append(out, keySig), &r.Sig)
	if reason != "" {
		return dst, refuse(fieldSig, reason)
	}
	if len(out)-len(dst) > MaxEncoding {
		return dst, refuse("", reasonEncoding)
	}
	return out, nil
}

// AppendSigned appends enc(r) without the keys 9 and 10: the bytes that the
// receipt digest covers. Hash and Sig may be missing; all other rules are as in
// [Receipt.AppendCanonical], and so are errors and allocations.
func (r *Receipt) AppendSigned(dst []byte) ([]byte, error) {
	const pairs = 7
	if n := r.quickPairs(roomIn(dst), pairs, nil); n > 0 {
		return dst[:len(dst)+n], nil
	}
	return r.appendSigned(dst, pairs)
}

// appendSigned is AppendSigned in the plain way.
func (r *Receipt) appendSigned(dst []byte, pairs byte) ([]byte, error) {
	out, err := r.appendPairs(dst, pairs, nil)
	if err != nil {
		return dst, err
	}
	if len(out)-len(dst) > MaxEncoding {
		return dst, refuse("", reasonEncoding)
	}
	return out, nil
}

// appendPairs appends the head of a map of the given number of pairs, one more
// with labels, and the pairs for the keys 1 to 8. It sets at, where that is not
// nil, to the instant of TS.
func (r *Receipt) appendPairs(dst []byte, pairs byte, at *Instant) ([]byte, error) {
	start := len(dst)
	if len(r.Labels) > 0 {
		pairs++
	}
	if len(dst) == cap(dst) {
		dst = slices.Grow(dst, usualSize)
	}
	dst = append(dst, cborMap|pairs, keyV, 1)

	var reason string
	if dst, reason = appendShort(dst, keyApp, r.App); reason != "" {
		return nil, refuse(fieldApp, reason)
	}
	if dst, reason = appendShort(dst, keyContainer, r.Container); reason != "" {
		return nil, refuse(fieldContainer, reason)
	}
	if dst, reason = appendShort(dst, keyOp, r.Op); reason != "" {
		return nil, refuse(fieldOp, reason)
	}
	if reason = parseTS(r.TS, at); reason != "" {
		return nil, refuse(fieldTS, reason)
	}
	dst = appendText(append(dst, keyTS), r.TS)

	dst, err := r.Resource.appendArray(append(dst, keyResource))
	if err != nil {
		return nil, err
	}
	if len(r.Labels) > 0 {
		if dst, err = appendLabels(append(dst, keyLabels), r.Labels, MaxEncoding-(len(dst)-start)); err != nil {
			return nil, err
		}
	}
	if dst, reason = appendHash(append(dst, keyPrevHash), &r.PrevHash); reason != "" {
		return nil, refuse(fieldPrevHash, reason)
	}
	return dst, nil
}

// appendShort appends a key and a text of 1 to 255 bytes.
func appendShort(dst []byte, key byte, s string) ([]byte, string) {
	if len(s) == 0 || len(s) > maxText {
		return nil, checkText(s)
	}
	dst, ok := appendUTF8(append(dst, key), s)
	if !ok {
		return nil, reasonUTF8
	}
	return dst, ""
}

func (u *Resource) appendArray(dst []byte) ([]byte, error) {
	items := byte(4)
	if u.HasReceiptsCount {
		items = 5
	}
	dst = append(dst, cborArray|items)
	dst = appendHead(dst, cborUint, u.CPUms)
	dst = appendHead(dst, cborUint, u.MemoryMBs)
	if reason := checkFloat(u.StorageGBDay); reason != "" {
		return nil, refuse(fieldStorage, reason)
	}
	if reason := checkFloat(u.EgressMB); reason != "" {
		return nil, refuse(fieldEgress, reason)
	}
	dst = appendFloat(dst, u.StorageGBDay)
	dst = appendFloat(dst, u.EgressMB)
	if u.HasReceiptsCount {
		dst = appendHead(dst, cborUint, u.ReceiptsCount)
	}
	return dst, nil
}

// appendLabels appends a map of labels, of which there is at least one. It
// stops before it appends more than room bytes.
func appendLabels(dst []byte, labels []Label, room int) ([]byte, error) {
	if len(labels) > MaxLabels {
		return nil, refuse(fieldLabels, reasonLabels)
	}
	dst = appendHead(dst, cborMap, uint64(len(labels)))
	for i := range labels {
		l := &labels[i]
		if i > 0 {
			if reason := checkOrder(labels[i-1].Key, l.Key); reason != "" {
				return nil, refuse(fieldLabels, reason)
			}
		}
		if len(l.Key) > room || len(l.Value) > room-len(l.Key) {
			return nil, refuse("", reasonEncoding)
		}
		room -= len(l.Key) + len(l.Value)
		var ok bool
		if dst, ok = appendUTF8(dst, l.Key); !ok {
			return nil, refuse(fieldLabels, "key "+shown(l.Key)+": "+reasonUTF8)
		}
		if dst, ok = appendUTF8(dst, l.Value); !ok {
			return nil, refuse(fieldLabels, "value of "+shown(l.Key)+": "+reasonUTF8)
		}
	}
	return dst, nil
}

// appendHash appends 32 bytes or the text. Text is judged anew: it may share
// memory that has changed since it was parsed.
func appendHash(dst []byte, h *Hash) ([]byte, string) {
	switch {
	case h.is:
		return append(append(dst, cborBytes|24, digestSize), h.digest[:]...), ""
	case h.text == genesisText:
		return append(append(dst, cborText|byte(len(genesisText))), genesisText...), ""
	case h.text == "":
		return nil, reasonMissing
	}
	parsed, reason := parseHash(h.text)
	if reason != "" {
		return nil, reason
	}
	if parsed.is {
		return appendHash(dst, &parsed)
	}
	return appendText(dst, parsed.text), ""
}

// appendSig appends 64 bytes or the text, as appendHash does.
func appendSig(dst []byte, s *Sig) ([]byte, string) {
	switch {
	case s.is:
		return append(append(dst, cborBytes|24, sigSize), s.bytes[:]...), ""
	case s.text == "":
		return nil, reasonMissing
	}
	parsed, reason := parseSig(s.text)
	if reason != "" {
		return nil, reason
	}
	if parsed.is {
		return appendSig(dst, &parsed)
	}
	return appendText(dst, parsed.text), ""
}

// appendText appends a text string.
func appendText(dst []byte, s string) []byte {
	if len(s) < 24 {
		return append(append(dst, cborText|byte(len(s))), s...)
	}
	return append(appendHead(dst, cborText, uint64(len(s))), s...)
}

// appendHead appends the shortest CBOR head of a major type and its argument.
func appendHead(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return append(dst, major|25, byte(n>>8), byte(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}
