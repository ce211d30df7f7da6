package receipt

import "encoding/binary"

// Reasons that only the decoder gives.
const (
	reasonCut      = "encoding cut short"
	reasonNotKey   = "key missing or out of order"
	reasonShortest = "not the shortest head"
)

// Decode reads src, which must be exactly one canonical encoding, into r. It
// accepts enc(r) byte for byte under the rules of the format, and nothing else:
// what it accepts, [Receipt.AppendCanonical] writes again. The error is a
// [FieldError], and r is then empty.
//
// The strings of r share src's memory, and r's labels reuse their capacity.
func Decode(src []byte, r *Receipt) error {
	rest, err := DecodeFirst(src, r)
	if err == nil && len(rest) > 0 {
		r.reset()
		return refuse("", "data after the encoding")
	}
	return err
}

// DecodeFirst reads the canonical encoding that src begins with, as [Decode]
// does, and returns what follows it. On error it returns src.
func DecodeFirst(src []byte, r *Receipt) (rest []byte, err error) {
	r.reset()
	d := decoder{rest: src[:min(len(src), MaxEncoding)]}
	d.receipt(r)
	if d.reason == "" {
		return src[min(len(src), MaxEncoding)-len(d.rest):], nil
	}
	r.reset()
	if d.reason == reasonCut && len(src) > MaxEncoding {
		return src, refuse("", reasonEncoding)
	}
	return src, refuse(d.field, d.reason)
}

// A decoder walks one encoding. Once it has a reason to refuse, it stands still
// and returns zeros.
type decoder struct {
	rest   []byte // not read yet
	field  string // the field being read
	reason string // why the encoding is refused, empty so far
}

func (d *decoder) fail(reason string) {
	if d.reason == "" {
		d.reason, d.rest = reason, nil
	}
}

func (d *decoder) receipt(r *Receipt) {
	labelled := false
	switch d.byte() {
	case cborMap | 9:
	case cborMap | 10:
		labelled = true
	default:
		d.fail("not a map of 9 or 10 pairs")
	}
	d.key(keyV, fieldV)
	if d.byte() != 1 {
		d.fail("not 1")
	}
	d.key(keyApp, fieldApp)
	r.App = d.short()
	d.key(keyContainer, fieldContainer)
	r.Container = d.short()
	d.key(keyOp, fieldOp)
	r.Op = d.short()
	d.key(keyTS, fieldTS)
	r.TS = d.raw()
	if d.reason == "" {
		if reason := parseTS(r.TS, nil); reason != "" {
			d.fail(reason)
		}
	}
	d.key(keyResource, fieldResource)
	d.resource(&r.Resource)
	if labelled {
		d.key(keyLabels, fieldLabels)
		r.Labels = d.labels(r.Labels)
	}
	d.key(keyPrevHash, fieldPrevHash)
	r.PrevHash = d.hash()
	d.key(keyHash, fieldHash)
	r.Hash = d.hash()
	d.key(keySig, fieldSig)
	r.Sig = d.sig()
}

func (d *decoder) resource(u *Resource) {
	switch d.byte() {
	case cborArray | 4:
	case cborArray | 5:
		u.HasReceiptsCount = true
	default:
		d.fail("not an array of 4 or 5 items")
	}
	d.at(fieldCPU)
	u.CPUms = d.head(cborUint, "not an unsigned integer")
	d.at(fieldMemory)
	u.MemoryMBs = d.head(cborUint, "not an unsigned integer")
	d.at(fieldStorage)
	u.StorageGBDay = d.float()
	d.at(fieldEgress)
	u.EgressMB = d.float()
	if u.HasReceiptsCount {
		d.at(fieldCount)
		u.ReceiptsCount = d.head(cborUint, "not an unsigned integer")
	}
}

func (d *decoder) labels(l []Label) []Label {
	n := d.head(cborMap, "not a map")
	switch {
	case d.reason != "":
	case n == 0:
		d.fail("an empty map")
	case n > MaxLabels:
		d.fail(reasonLabels)
	}
	for range n {
		label := Label{Key: d.text(), Value: d.text()}
		if d.reason != "" {
			break
		}
		if len(l) > 0 {
			if reason := checkOrder(l[len(l)-1].Key, label.Key); reason != "" {
				d.fail(reason)
				break
			}
		}
		l = append(l, label)
	}
	return l
}

func (d *decoder) hash() (h Hash) {
	if len(d.rest) > 0 && d.rest[0]&^31 == cborBytes {
		copy(h.digest[:], d.exactly(digestSize))
		h.is = true
		return h
	}
	text := d.raw()
	if d.reason != "" {
		return Hash{}
	}
	h, reason := parseHash(text)
	if reason == "" && h.is {
		reason = "a digest as text"
	}
	if reason != "" {
		d.fail(reason)
	}
	return h
}

func (d *decoder) sig() (s Sig) {
	if len(d.rest) > 0 && d.rest[0]&^31 == cborBytes {
		copy(s.bytes[:], d.exactly(sigSize))
		s.is = true
		return s
	}
	text := d.raw()
	if d.reason != "" {
		return Sig{}
	}
	s, reason := parseSig(text)
	if reason == "" && s.is {
		reason = "a signature as text"
	}
	if reason != "" {
		d.fail(reason)
	}
	return s
}

// exactly reads a byte string of n bytes, n being 32 or 64.
func (d *decoder) exactly(n int) []byte {
	got := d.head(cborBytes, "not a byte string")
	if d.reason == "" && got != uint64(n) {
		d.fail("not 32 bytes")
		if n == sigSize {
			d.reason = "not 64 bytes"
		}
	}
	return d.take(uint64(n))
}

// short reads the text of app, container or op.
func (d *decoder) short() string {
	s := d.raw()
	if d.reason == "" {
		if reason := checkText(s); reason != "" {
			d.fail(reason)
		}
	}
	return s
}

// raw reads a text string that may be no UTF-8.
func (d *decoder) raw() string {
	return alias(d.take(d.head(cborText, "not text")))
}

// text reads a text string of any length.
func (d *decoder) text() string {
	s := d.raw()
	if !validUTF8(s) {
		d.fail(reasonUTF8)
	}
	return s
}

func (d *decoder) float() float64 {
	if d.reason != "" {
		return 0
	}
	f, n, reason := decodeFloat(d.rest)
	if reason != "" {
		d.fail(reason)
		return 0
	}
	d.rest = d.rest[n:]
	return f
}

// key reads the key of the next pair, and field is what it names.
func (d *decoder) key(key byte, field string) {
	d.at(field)
	if d.byte() != key {
		d.fail(reasonNotKey)
	}
}

// at sets the field that the next reads are about.
func (d *decoder) at(field string) {
	if d.reason == "" {
		d.field = field
	}
}

// head reads a head of the given major type and returns its argument. It
// refuses another type, for the reason given, and a head that is not the
// shortest.
func (d *decoder) head(major byte, reason string) uint64 {
	if len(d.rest) > 0 && d.rest[0]&^31 != major {
		d.fail(reason)
	}
	const notHead = "neither a value nor a length" // 28 to 31, indefinite lengths among them
	var n, least uint64
	switch info := d.byte() & 31; info {
	default:
		return uint64(info)
	case 24:
		n, least = uint64(d.byte()), 24
	case 25:
		if b := d.take(2); b != nil {
			n = uint64(binary.BigEndian.Uint16(b))
		}
		least = 1 << 8
	case 26:
		if b := d.take(4); b != nil {
			n = uint64(binary.BigEndian.Uint32(b))
		}
		least = 1 << 16
	case 27:
		if b := d.take(8); b != nil {
			n = binary.BigEndian.Uint64(b)
		}
		least = 1 << 32
	case 28, 29, 30, 31:
		d.fail(notHead)
	}
	if n < least {
		d.fail(reasonShortest)
	}
	if d.reason != "" {
		return 0
	}
	return n
}

// byte reads one byte, 0 where there is none.
func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail(reasonCut)
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

// take reads n bytes. It returns nil where there are not as many.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail(reasonCut)
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}
