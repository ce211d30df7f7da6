package receipt

import "encoding/hex"

const (
	hashPrefix  = "blake3:"
	sigPrefix   = "ed25519:"
	genesisText = "blake3:genesis"

	digestSize = 32
	sigSize    = 64
)

// A Hash is the value of prev_hash or hash: a BLAKE3-256 digest, or any other
// text of 8 to 255 bytes that begins with "blake3:". Only [Digest], [Genesis]
// and [ParseHash] make one, so that a text in digest form is always held as a
// digest and == tells whether two say the same. The zero Hash is a missing one;
// encoders refuse it.
type Hash struct {
	digest [digestSize]byte // when is is set, else zero
	text   string           // the whole text when is is not set, else empty
	is     bool
}

// Genesis returns blake3:genesis, the prev_hash of a producer's first receipt
// for an app.
func Genesis() Hash { return Hash{text: genesisText} }

// Digest returns the Hash of digest d.
func Digest(d [32]byte) Hash { return Hash{digest: d, is: true} }

// ParseHash reads the text of a hash, "blake3:" and 1 to 248 bytes of UTF-8.
// Text in digest form, 64 lower-case hexadecimal digits, becomes a digest; any
// other is kept and shares memory with text. The error is a [FieldError] for
// the field hash.
func ParseHash(text string) (Hash, error) {
	h, reason := parseHash(text)
	if reason != "" {
		return Hash{}, refuse(fieldHash, reason)
	}
	return h, nil
}

func parseHash(text string) (h Hash, reason string) {
	if h.parseDigest(text) {
		return h, ""
	}
	if text == genesisText {
		return Genesis(), ""
	}
	if reason := checkPrefixed(text, hashPrefix); reason != "" {
		return Hash{}, reason
	}
	return Hash{text: text}, ""
}

// parseDigest sets h, a zero Hash, to the digest that text is, and reports
// whether it is one.
func (h *Hash) parseDigest(text string) bool {
	h.is = len(text) == len(hashPrefix)+2*digestSize && text[:len(hashPrefix)] == hashPrefix &&
		decodeHex(h.digest[:], text[len(hashPrefix):])
	return h.is
}

// Digest returns the digest, and whether h is one.
func (h Hash) Digest() ([32]byte, bool) { return h.digest, h.is }

// IsZero reports whether h is missing.
func (h Hash) IsZero() bool { return !h.is && h.text == "" }

// String returns the text as JSON carries it; it is empty for a missing one.
func (h Hash) String() string {
	if !h.is {
		return h.text
	}
	var buf [len(hashPrefix) + 2*digestSize]byte
	return string(h.AppendText(buf[:0]))
}

// AppendText appends what String returns.
func (h Hash) AppendText(dst []byte) []byte {
	if !h.is {
		return append(dst, h.text...)
	}
	return hex.AppendEncode(append(dst, hashPrefix...), h.digest[:])
}

// A Sig is the value of sig: an Ed25519 signature, or any other text of 9 to
// 255 bytes that begins with "ed25519:". Only [Signature] and [ParseSig] make
// one, so that == tells whether two say the same. The zero Sig is a missing
// one; encoders refuse it.
type Sig struct {
	bytes [sigSize]byte // when is is set, else zero
	text  string        // the whole text when is is not set, else empty
	is    bool
}

// Signature returns the Sig of the 64 bytes b.
func Signature(b [64]byte) Sig { return Sig{bytes: b, is: true} }

// ParseSig reads the text of a signature, "ed25519:" and 1 to 247 bytes of
// UTF-8. Text in signature form, 128 lower-case hexadecimal digits, becomes a
// signature; any other is kept and shares memory with text. The error is a
// [FieldError] for the field sig.
func ParseSig(text string) (Sig, error) {
	s, reason := parseSig(text)
	if reason != "" {
		return Sig{}, refuse(fieldSig, reason)
	}
	return s, nil
}

func parseSig(text string) (s Sig, reason string) {
	if s.parseBytes(text) {
		return s, ""
	}
	if reason := checkPrefixed(text, sigPrefix); reason != "" {
		return Sig{}, reason
	}
	return Sig{text: text}, ""
}

// parseBytes sets s, a zero Sig, to the signature that text is, and reports
// whether it is one.
func (s *Sig) parseBytes(text string) bool {
	s.is = len(text) == len(sigPrefix)+2*sigSize && text[:len(sigPrefix)] == sigPrefix &&
		decodeHex(s.bytes[:], text[len(sigPrefix):])
	return s.is
}

// Bytes returns the signature, and whether s is one.
func (s Sig) Bytes() ([64]byte, bool) { return s.bytes, s.is }

// IsZero reports whether s is missing.
func (s Sig) IsZero() bool { return !s.is && s.text == "" }

// String returns the text as JSON carries it; it is empty for a missing one.
func (s Sig) String() string {
	if !s.is {
		return s.text
	}
	var buf [len(sigPrefix) + 2*sigSize]byte
	return string(s.AppendText(buf[:0]))
}

// AppendText appends what String returns.
func (s Sig) AppendText(dst []byte) []byte {
	if !s.is {
		return append(dst, s.text...)
	}
	return hex.AppendEncode(append(dst, sigPrefix...), s.bytes[:])
}

// checkPrefixed returns why text cannot be a hash or a signature that is kept
// as text.
func checkPrefixed(text, prefix string) (reason string) {
	switch {
	case len(text) < len(prefix) || text[:len(prefix)] != prefix:
		return "does not begin with " + prefix
	case len(text) == len(prefix):
		return "nothing after " + prefix
	case len(text) > maxText:
		return reasonTooLong
	case !validUTF8(text):
		return reasonUTF8
	}
	return ""
}

// decodeHex decodes the 2·len(dst) lower-case hexadecimal digits of src and
// reports whether they all are; dst is zero where they are not. Its length is a
// multiple of four.
func decodeHex(dst []byte, src string) bool {
	var bad uint16
	out := dst
	for len(out) >= 4 && len(src) >= 8 {
		a := hexValue[src[0]]<<4 | hexValue[src[1]]
		b := hexValue[src[2]]<<4 | hexValue[src[3]]
		c := hexValue[src[4]]<<4 | hexValue[src[5]]
		d := hexValue[src[6]]<<4 | hexValue[src[7]]
		bad |= a | b | c | d
		out[0], out[1], out[2], out[3] = byte(a), byte(b), byte(c), byte(d)
		out, src = out[4:], src[8:]
	}
	if bad > 255 {
		clear(dst)
		return false
	}
	return true
}

// hexValue is the value of a lower-case hexadecimal digit, 256 for other bytes.
var hexValue = [256]uint16{
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 10, 11, 12, 13, 14, 15, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
	256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256,
}
