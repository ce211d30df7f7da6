package receipt

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// A Parser reads receipts from JSON. Its zero value is ready; it keeps its
// memory from one line to the next, is not safe for concurrent use and must not
// be copied once it has been used.
type Parser struct {
	dec     jsontext.Decoder
	in      bytes.Buffer // the line, for dec, which reads a bytes.Buffer in place and never writes
	scratch []byte       // text of the line that had escapes
	encoded []byte       // only for receipts whose size is in doubt
	out     *Receipt     // during Parse

	seen member // fields of the receipt that have come
}

// member is a set of fields, to find duplicate and missing ones.
type member uint32

const (
	seenV member = 1 << iota
	seenApp
	seenContainer
	seenOp
	seenTS
	seenResource
	seenUsage
	seenLabels
	seenPrevHash
	seenHash
	seenSig
	seenCPU
	seenMemory
	seenStorage
	seenEgress
	seenCount

	seenRequired = seenV | seenApp | seenContainer | seenOp | seenTS | seenResource | seenPrevHash | seenHash | seenSig |
		seenCPU | seenMemory | seenStorage | seenEgress
)

// Parse reads one receipt from line, which is JSON and nothing else, and need
// not end in LF. It enforces every rule of the format, the size of the
// encoding included. The error is a [FieldError], and r is then empty.
//
// The strings of r share memory with line or with p: they are good until the
// next Parse and until line changes. r's labels reuse their capacity.
func (p *Parser) Parse(line []byte, r *Receipt) error {
	r.reset()
	if len(line) > MaxLine {
		return refuse("", "line over 1 MiB")
	}
	if bytes.HasPrefix(line, []byte("\xef\xbb\xbf")) {
		return refuse("", "not JSON: byte order mark")
	}
	p.in = *bytes.NewBuffer(line)
	p.dec.Reset(&p.in, jsontext.AllowDuplicateNames(true)) // duplicates are found by seen and by sorting
	p.scratch = p.scratch[:0]
	p.seen = 0
	p.out = r
	err := p.receipt()
	p.out = nil
	if err != nil {
		r.reset()
	}
	return err
}

func (p *Parser) receipt() error {
	if err := p.object("", "not an object", (*Parser).receiptMember); err != nil {
		return err
	}
	if !blank(p.dec.UnreadBuffer()) {
		return refuse("", "data after the object")
	}
	if err := p.checkMissing(); err != nil {
		return err
	}
	return p.checkSize()
}

func (p *Parser) receiptMember(name []byte) error {
	r := p.out
	var err error
	switch string(name) {
	case "v":
		return p.version()
	case "app":
		r.App, err = p.short(fieldApp, seenApp)
	case "container":
		r.Container, err = p.short(fieldContainer, seenContainer)
	case "op":
		r.Op, err = p.short(fieldOp, seenOp)
	case "ts":
		return p.ts()
	case "resource":
		return p.resource(fieldResource, seenResource)
	case "usage":
		return p.resource(fieldUsage, seenUsage)
	case "labels":
		return p.labels()
	case "prev_hash":
		return p.hash(fieldPrevHash, seenPrevHash, &r.PrevHash)
	case "hash":
		return p.hash(fieldHash, seenHash, &r.Hash)
	case "sig":
		return p.sig()
	default:
		return refuse(shown(alias(name)), "unknown")
	}
	return err
}

func (p *Parser) resourceMember(name []byte) error {
	u := &p.out.Resource
	var err error
	switch string(name) {
	case "cpu_ms":
		u.CPUms, err = p.integer(fieldCPU, seenCPU)
	case "memory_mb_s":
		u.MemoryMBs, err = p.integer(fieldMemory, seenMemory)
	case "storage_gb_day":
		u.StorageGBDay, err = p.float(fieldStorage, seenStorage)
	case "egress_mb":
		u.EgressMB, err = p.float(fieldEgress, seenEgress)
	case "receipts_count":
		u.HasReceiptsCount = true
		u.ReceiptsCount, err = p.integer(fieldCount, seenCount)
	default:
		return refuse(fieldResource+"."+shown(alias(name)), "unknown")
	}
	return err
}

func (p *Parser) labelMember(name []byte) error {
	r := p.out
	key := alias(name)
	if len(r.Labels) == MaxLabels {
		return refuse(fieldLabels, reasonLabels)
	}
	if p.ahead() != '"' {
		if kind := p.dec.PeekKind(); kind != jsontext.KindString && kindName(kind) != "" {
			return refuse(fieldLabels, "value of "+shown(key)+" is not text but "+kindName(kind))
		}
	}
	raw, err := p.raw(fieldLabels)
	if err != nil {
		return err
	}
	r.Labels = append(r.Labels, Label{Key: key, Value: alias(p.unquote(raw))})
	return nil
}

func (p *Parser) version() error {
	v, err := p.integer(fieldV, seenV)
	if err != nil || v == 1 {
		return err
	}
	if kind := p.dec.PeekKind(); kind == jsontext.KindInvalid {
		return p.unreadable("") // 01 is no version but no JSON
	}
	return refuse(fieldV, "not 1")
}

func (p *Parser) ts() error {
	raw, err := p.rawOnce(fieldTS, seenTS)
	if err != nil {
		return err
	}
	if ts := inside(raw); parseTS(ts, nil) == "" {
		p.out.TS = ts // it has no escapes, nor would unescaping give another time
		return nil
	}
	ts := alias(p.unquote(raw))
	if reason := parseTS(ts, nil); reason != "" {
		return refuse(fieldTS, reason)
	}
	p.out.TS = ts
	return nil
}

func (p *Parser) resource(name string, this member) error {
	if err := p.mark(name, this); err != nil {
		return err
	}
	if p.seen&seenResource != 0 && p.seen&seenUsage != 0 {
		return refuse(fieldResource, "given twice, as resource and as usage")
	}
	return p.object(fieldResource, "not an object", (*Parser).resourceMember)
}

func (p *Parser) labels() error {
	if err := p.mark(fieldLabels, seenLabels); err != nil {
		return err
	}
	if err := p.object(fieldLabels, "not an object", (*Parser).labelMember); err != nil {
		return err
	}
	l := p.out.Labels
	if sorted(l) {
		return nil
	}
	SortLabels(l)
	for i := 1; i < len(l); i++ {
		if l[i-1].Key == l[i].Key {
			return refuse(fieldLabels, reasonDuplicate+" key "+shown(l[i].Key))
		}
	}
	return nil
}

func (p *Parser) hash(field string, this member, h *Hash) error {
	raw, err := p.rawOnce(field, this)
	if err != nil {
		return err
	}
	if h.parseDigest(inside(raw)) {
		return nil
	}
	var reason string
	if *h, reason = parseHash(alias(p.unquote(raw))); reason != "" {
		return refuse(field, reason)
	}
	return nil
}

func (p *Parser) sig() error {
	raw, err := p.rawOnce(fieldSig, seenSig)
	if err != nil {
		return err
	}
	s := &p.out.Sig
	if s.parseBytes(inside(raw)) {
		return nil
	}
	var reason string
	if *s, reason = parseSig(alias(p.unquote(raw))); reason != "" {
		return refuse(fieldSig, reason)
	}
	return nil
}

// short reads app, container or op.
func (p *Parser) short(field string, this member) (string, error) {
	s, err := p.once(field, this)
	if err != nil {
		return "", err
	}
	if reason := checkText(s); reason != "" {
		return "", refuse(field, reason)
	}
	return s, nil
}

// checkMissing names the first field, in printed order, that has not come.
func (p *Parser) checkMissing() error {
	if p.seen&seenUsage != 0 {
		p.seen |= seenResource
	}
	if p.seen&seenRequired == seenRequired {
		return nil
	}
	for _, f := range requiredFields {
		if p.seen&f.member == 0 {
			return refuse(f.name, reasonMissing)
		}
	}
	return nil
}

var requiredFields = [...]struct {
	member member
	name   string
}{
	{seenV, fieldV}, {seenApp, fieldApp}, {seenContainer, fieldContainer}, {seenOp, fieldOp}, {seenTS, fieldTS},
	{seenResource, fieldResource}, {seenCPU, fieldCPU}, {seenMemory, fieldMemory}, {seenStorage, fieldStorage},
	{seenEgress, fieldEgress}, {seenPrevHash, fieldPrevHash}, {seenHash, fieldHash}, {seenSig, fieldSig},
}

// checkSize refuses a receipt whose encoding is too long. All fields but the
// labels come to less than 2 KiB, and a label to its text and two heads of at
// most 5 bytes; only where that bound does not do is the receipt encoded.
func (p *Parser) checkSize() error {
	bound := 2 << 10
	for i := range p.out.Labels {
		bound += 10 + len(p.out.Labels[i].Key) + len(p.out.Labels[i].Value)
	}
	if bound <= MaxEncoding {
		return nil
	}
	var err error
	p.encoded, err = p.out.AppendCanonical(p.encoded[:0])
	return err
}
