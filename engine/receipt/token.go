package receipt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// object reads an object, which stands for field, and hands each name, of which
// it has read the raw value, to read: that consumes the value.
func (p *Parser) object(field, want string, read func(p *Parser, name []byte) error) error {
	if err := p.expect(field, jsontext.KindBeginObject, want); err != nil {
		return err
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.notJSON(field, err)
	}
	for {
		kind := jsontext.Kind(p.ahead())
		if kind != jsontext.KindString && kind != jsontext.KindEndObject {
			kind = p.dec.PeekKind()
		}
		switch kind {
		case jsontext.KindEndObject:
			if _, err := p.dec.ReadToken(); err != nil {
				return p.notJSON(field, err)
			}
			return nil
		case jsontext.KindString:
			name, err := p.dec.ReadValue()
			if err != nil {
				return p.notJSON(field, err)
			}
			if err := read(p, p.unquote(name)); err != nil {
				return err
			}
		default:
			return p.unreadable(field)
		}
	}
}

// ahead returns the byte that the next value begins with, behind its colon or
// comma, where no white space stands before it; else some other byte. It saves
// most calls of PeekKind: whether such a value may come there is judged when it
// is read.
func (p *Parser) ahead() byte {
	rest := p.dec.UnreadBuffer()
	if len(rest) == 0 {
		return 0
	}
	if c := rest[0]; c != ':' && c != ',' || len(rest) == 1 {
		return c
	}
	return rest[1]
}

// once reads the text of a field that may come once.
func (p *Parser) once(field string, this member) (string, error) {
	raw, err := p.rawOnce(field, this)
	if err != nil {
		return "", err
	}
	return alias(p.unquote(raw)), nil
}

// rawOnce reads the string, with quotes and escapes, of a field that may come
// once.
func (p *Parser) rawOnce(field string, this member) (jsontext.Value, error) {
	if err := p.mark(field, this); err != nil {
		return nil, err
	}
	return p.raw(field)
}

// mark notes that a field has come.
func (p *Parser) mark(field string, this member) error {
	if p.seen&this != 0 {
		return refuse(field, reasonDuplicate)
	}
	p.seen |= this
	return nil
}

// raw reads a string value.
func (p *Parser) raw(field string) (jsontext.Value, error) {
	if err := p.expect(field, jsontext.KindString, "not text"); err != nil {
		return nil, err
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.notJSON(field, err)
	}
	return raw, nil
}

// inside returns what stands between the quotes, as it stands there.
func inside(raw jsontext.Value) string { return alias(raw[1 : len(raw)-1]) }

// unquote returns the text of a valid JSON string: in place where it has no
// escapes, else in scratch. Where scratch grows, text before it keeps the old
// memory.
func (p *Parser) unquote(raw jsontext.Value) []byte {
	if !escaped(raw) {
		return raw[1 : len(raw)-1]
	}
	at := len(p.scratch)
	p.scratch, _ = jsontext.AppendUnquote(p.scratch, raw) // raw is valid: dec has judged it
	return p.scratch[at:len(p.scratch):len(p.scratch)]
}

// escaped reports whether there is a backslash in raw. Most strings are too
// short for bytes.IndexByte to be worth a call: they are read as words, the last
// overlapping the one before.
func escaped(raw []byte) bool {
	const long = 32
	if len(raw) >= long {
		return bytes.IndexByte(raw, '\\') >= 0
	}
	if len(raw) < 8 {
		for _, c := range raw {
			if c == '\\' {
				return true
			}
		}
		return false
	}
	// A byte of such a word is zero where it was a backslash. Taking 1 from each
	// sets the high bit of the zeros; others that it sets had it, or stand above a
	// zero.
	const ones, backslashes = highBits >> 7, highBits >> 7 * '\\'
	last := binary.LittleEndian.Uint64(raw[len(raw)-8:]) ^ backslashes
	found := (last - ones) &^ last
	for ; len(raw) > 8; raw = raw[8:] {
		word := binary.LittleEndian.Uint64(raw) ^ backslashes
		found |= (word - ones) &^ word
	}
	return found&highBits != 0
}

// expect checks the kind of the next value. A value of another kind is refused
// unread, however deep it goes.
func (p *Parser) expect(field string, kind jsontext.Kind, want string) error {
	if c := p.ahead(); c == byte(kind) || kind == jsontext.KindNumber && c-'0' <= 9 {
		return nil
	}
	got := p.dec.PeekKind()
	if got == kind {
		return nil
	}
	if name := kindName(got); name != "" {
		return refuse(field, want+" but "+name)
	}
	return p.unreadable(field)
}

// kindName names a kind of value; it is empty for what begins none.
func kindName(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindFalse, jsontext.KindTrue:
		return "true or false"
	case jsontext.KindString:
		return "text"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	}
	return ""
}

// unreadable returns the tokenizer's error for a next token that cannot be.
func (p *Parser) unreadable(field string) error {
	_, err := p.dec.ReadToken()
	return p.notJSON(field, err)
}

// notJSON returns a tokenizer's error as a FieldError. Where the line ends too
// soon, that is no field's fault.
func (p *Parser) notJSON(field string, err error) error {
	reason := "not JSON"
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return refuse("", "not JSON: cut short")
	case errors.As(err, &syntax) && syntax.Err != nil:
		reason = "not JSON: " + syntax.Err.Error()
	}
	return refuse(field, reason)
}
