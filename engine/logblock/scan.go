package logblock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// scanner reads one JSON text of a fixed shape. The tokenizer refuses invalid UTF-8, lone surrogates and names that occur
// twice, compared after unescaping; what the values may be is judged here. Every error is a *FieldError whose Field is a
// path from the text's root.
type scanner struct {
	*jsontext.Decoder
}

// scan borrows text until the scanner is done with.
func scan(text []byte) scanner {
	return scanner{jsontext.NewDecoder(bytes.NewBuffer(text))}
}

// end refuses whatever follows the value that was read, but white space.
func (s scanner) end() error {
	_, err := s.ReadToken()
	switch {
	case err == io.EOF:
		return nil
	case err == nil:
		return &FieldError{"", "trailing data"}
	}
	return &FieldError{"", "trailing data that is not JSON"}
}

// object reads an object at path at, and has member read the value of each key in turn.
func (s scanner) object(at string, member func(key string) error) error {
	if err := s.want(at, '{', "an object"); err != nil {
		return err
	}
	if _, err := s.ReadToken(); err != nil {
		return syntax(at, err)
	}
	for {
		token, err := s.ReadToken()
		if err != nil {
			return syntax(at, err)
		}
		if token.Kind() == '}' {
			return nil
		}
		if err := member(token.String()); err != nil {
			return err
		}
	}
}

// array reads an array at path at, and has element read each of its elements, i from 0.
func (s scanner) array(at string, element func(i int) error) error {
	if err := s.want(at, '[', "an array"); err != nil {
		return err
	}
	if _, err := s.ReadToken(); err != nil {
		return syntax(at, err)
	}
	for i := 0; ; i++ {
		if s.PeekKind() == ']' {
			_, err := s.ReadToken()
			if err != nil {
				return syntax(at, err)
			}
			return nil
		}
		if err := element(i); err != nil {
			return err
		}
	}
}

// text reads a string. The result shares no memory with the input.
func (s scanner) text(at string) (string, error) {
	if err := s.want(at, '"', "a string"); err != nil {
		return "", err
	}
	token, err := s.ReadToken()
	if err != nil {
		return "", syntax(at, err)
	}
	return token.String(), nil
}

// digits reads an integer in [0, limit], written in digits alone.
func (s scanner) digits(at string, limit uint64) (uint64, error) {
	if err := s.want(at, '0', "an integer"); err != nil {
		return 0, err
	}
	value, err := s.ReadValue()
	if err != nil {
		return 0, syntax(at, err)
	}
	n, err := parseDigits(string(value), limit)
	if err != nil {
		return 0, under(at, err)
	}
	return n, nil
}

// version reads the value of v, which is 1.
func (s scanner) version(at string) error {
	n, err := s.digits(at, 1<<64-1)
	if err != nil {
		return err
	}
	if n != 1 {
		return &FieldError{at, fmt.Sprintf("%d, want 1", n)}
	}
	return nil
}

// hex reads a string of prefix and len(dst) bytes in lower-case hexadecimal digits.
func (s scanner) hex(at, prefix string, dst []byte) error {
	text, err := s.text(at)
	if err != nil {
		return err
	}
	if err := parseHex(dst, prefix, text); err != nil {
		return under(at, err)
	}
	return nil
}

// raw reads any value and returns its text, which is valid until the next read.
func (s scanner) raw(at string) ([]byte, error) {
	value, err := s.ReadValue()
	if err != nil {
		return nil, syntax(at, err)
	}
	return value, nil
}

// want refuses a value that is not of the kind, or reports that there is none.
func (s scanner) want(at string, kind jsontext.Kind, name string) error {
	got := s.PeekKind()
	if got == kind {
		return nil
	}
	if got == 0 || got == '}' || got == ']' {
		_, err := s.ReadToken()
		return syntax(at, err)
	}
	if got == 't' || got == 'f' {
		return &FieldError{at, "a boolean, want " + name}
	}
	kinds := map[jsontext.Kind]string{'n': "null", '"': "a string", '0': "a number", '{': "an object", '[': "an array"}
	return &FieldError{at, kinds[got] + ", want " + name}
}

// syntax turns the tokenizer's error into a *FieldError. at is where reading was; the tokenizer may know it better.
func syntax(at string, err error) error {
	var bad *jsontext.SyntacticError
	switch {
	case errors.As(err, &bad) && errors.Is(bad.Err, jsontext.ErrDuplicateName):
		return &FieldError{pointerPath(bad.JSONPointer), "duplicate key"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &FieldError{at, "the text is cut off"}
	case errors.Is(err, io.EOF):
		return &FieldError{at, "no JSON value"}
	case bad != nil && bad.Err != nil:
		return &FieldError{at, fmt.Sprintf("not JSON at byte %d: %v", bad.ByteOffset, bad.Err)}
	}
	return &FieldError{at, "not JSON"}
}

// pointerPath writes a JSON pointer (RFC 6901) as the paths of FieldError: "/range/to_ts" as "range.to_ts".
func pointerPath(p jsontext.Pointer) string {
	path := ""
	for token := range p.Tokens() {
		path = joinPath(path, shown(token))
	}
	return path
}

// shown returns a key from outside as an error can carry it: quoted where it is long or does not print.
func shown(key string) string {
	const longest = 64
	if len(key) > longest {
		cut := longest
		for !utf8.RuneStart(key[cut]) {
			cut--
		}
		return strconv.Quote(key[:cut]) + "…"
	}
	if key == "" || strings.ContainsFunc(key, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return strconv.Quote(key)
	}
	return key
}

// parseDigits reads an integer in [0, limit] in digits alone: no sign, fraction, exponent or leading zero. The error is a
// *FieldError without a field.
func parseDigits(text string, limit uint64) (uint64, error) {
	digits := text != ""
	for i := 0; i < len(text); i++ {
		digits = digits && text[i]-'0' <= 9
	}
	if !digits || text[0] == '0' && len(text) > 1 {
		return 0, &FieldError{"", "not an integer in digits alone"}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > limit {
		return 0, &FieldError{"", fmt.Sprintf("over %d", limit)}
	}
	return n, nil
}

// parseHex reads prefix and 2·len(dst) lower-case hexadecimal digits. The error is a *FieldError without a field; dst is
// then not defined.
func parseHex(dst []byte, prefix, text string) error {
	digits, ok := strings.CutPrefix(text, prefix)
	if !ok || len(digits) != 2*len(dst) {
		return &FieldError{"", fmt.Sprintf("not %q and %d hexadecimal digits", prefix, 2*len(dst))}
	}
	for i := range digits {
		half, ok := hexDigit(digits[i])
		if !ok {
			return &FieldError{"", "not in lower-case hexadecimal digits"}
		}
		dst[i/2] = dst[i/2]<<4 | half
	}
	return nil
}

func hexDigit(c byte) (half byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
