package receipt

import (
	"bytes"
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
		switch p.dec.PeekKind() {
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

// once reads the text of a field that may come once.
func (p *Parser) once(field string, this member) (string, error) {
	if err := p.mark(field, this); err != nil {
		return "", err
	}
	text, err := p.text(field)
	return alias(text), err
}

// mark notes that a field has come.
func (p *Parser) mark(field string, this member) error {
	if p.seen&this != 0 {
		return refuse(field, reasonDuplicate)
	}
	p.seen |= this
	return nil
}

// text reads a string value.
func (p *Parser) text(field string) ([]byte, error) {
	if err := p.expect(field, jsontext.KindString, "not text"); err != nil {
		return nil, err
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.notJSON(field, err)
	}
	return p.unquote(raw), nil
}

// unquote returns the text of a valid JSON string: in place where it has no
// escapes, else in scratch. Where scratch grows, text before it keeps the old
// memory.
func (p *Parser) unquote(raw jsontext.Value) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	at := len(p.scratch)
	p.scratch, _ = jsontext.AppendUnquote(p.scratch, raw) // raw is valid: dec has judged it
	return p.scratch[at:len(p.scratch):len(p.scratch)]
}

// expect checks the kind of the next value. A value of another kind is refused
// unread, however deep it goes.
func (p *Parser) expect(field string, kind jsontext.Kind, want string) error {
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
