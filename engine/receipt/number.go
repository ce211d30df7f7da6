package receipt

import (
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNumber is the longest number in a line, in bytes: more than any binary64
// needs to be told from its neighbours.
const maxNumber = 1100

// integer reads an integer: JSON digits alone, 0 to 2^64−1.
func (p *Parser) integer(field string, this member) (uint64, error) {
	const want = "not an integer"
	digits, err := p.number(field, this, want)
	if err != nil {
		return 0, err
	}
	var n uint64
	over := false
	for _, c := range digits {
		switch c -= '0'; {
		case c > 9:
			return 0, refuse(field, notDigit(c+'0'))
		case n > math.MaxUint64/10 || n == math.MaxUint64/10 && c > math.MaxUint64%10:
			over = true // and go on: what follows may not be digits
		default:
			n = 10*n + uint64(c)
		}
	}
	if over {
		return 0, refuse(field, "over 2^64-1")
	}
	return n, nil
}

// notDigit says what a byte of a JSON number that is no digit makes of it.
func notDigit(c byte) string {
	switch c {
	case '-':
		return "not an integer of digits alone: minus sign"
	case '.':
		return "not an integer of digits alone: fraction"
	}
	return "not an integer of digits alone: exponent"
}

// float reads an amount: the nearest binary64, ties to even, finite and not
// below 0. What rounds to zero is 0, a minus sign with it.
func (p *Parser) float(field string, this member) (float64, error) {
	text, err := p.number(field, this, "not a number")
	if err != nil {
		return 0, err
	}
	f, ok := exact(text)
	if ok {
		return f, nil
	}
	f, err = nearest(text)
	switch {
	case f == 0:
		return 0, nil
	case f < 0:
		return 0, refuse(field, "below 0")
	case err != nil:
		return 0, refuse(field, "too large for a binary64")
	}
	return f, nil
}

// exact returns the value of a JSON number of digits and perhaps a point that
// all together come to at most 2^53: digits and power of ten then are binary64
// without rounding, and so their quotient is rounded once, to the nearest, ties
// to even. It gives up on any other number.
func exact(text []byte) (float64, bool) {
	const most = 17 // 16 digits and a point
	if len(text) > most {
		return 0, false
	}
	var digits uint64
	behind := 0 // digits behind the point
	for i, c := range text {
		switch {
		case c-'0' <= 9:
			digits = 10*digits + uint64(c-'0')
		case c == '.':
			behind = len(text) - 1 - i
		default:
			return 0, false
		}
	}
	if digits > 1<<53 {
		return 0, false
	}
	return float64(digits) / powers[behind], true
}

// powers are the powers of ten that exact divides by.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16}

// nearest returns the binary64 nearest to a JSON number, ties to even, and
// strconv's error where that is infinite, which is all it reports of a number
// that is JSON.
func nearest(text []byte) (float64, error) {
	if len(text) <= digitsKept {
		return strconv.ParseFloat(alias(text), 64)
	}
	var short [shortNumber]byte
	return strconv.ParseFloat(string(shorten(short[:0], text)), 64)
}

const (
	// digitsKept is how many significant digits of a long number are read: no
	// binary64, and no middle between two, has more than 768.
	digitsKept = 780
	// shortNumber holds what shorten makes: sign, "0.", the digits, one more,
	// and an exponent.
	shortNumber = digitsKept + 16
)

// shorten returns a number that rounds to the same binary64 and has fewer than
// 800 digits: strconv is wrong for 800 digits and more before the point. It is
// appended to buf.
//
// The digits after the first digitsKept only tell on which side of a middle the
// number is, and any digit that is not zero in their place says the same.
func shorten(buf, text []byte) []byte {
	if text[0] == '-' {
		buf, text = append(buf, '-'), text[1:]
	}
	buf = append(buf, "0."...)
	var (
		point    int // the number is 0.digits × 10^point, times 10^exponent
		digits   int // kept
		rest     bool
		fraction bool
	)
	for len(text) > 0 && text[0] != 'e' && text[0] != 'E' {
		c := text[0]
		text = text[1:]
		switch {
		case c == '.':
			fraction = true
			continue
		case digits == 0 && c == '0': // leading
			if fraction {
				point--
			}
			continue
		case digits < digitsKept:
			buf = append(buf, c)
			digits++
		case c != '0':
			rest = true
		}
		if !fraction {
			point++
		}
	}
	if digits == 0 {
		return append(buf, '0')
	}
	if rest {
		buf = append(buf, '1')
	}
	return strconv.AppendInt(append(buf, 'e'), int64(point+exponentOf(text)), 10)
}

// exponentOf reads "", or e or E, a sign or none, and digits. It stops at
// 100,000, where every number under 1,100 bytes has become zero or too large.
func exponentOf(text []byte) int {
	const enough = 100000
	if len(text) == 0 {
		return 0
	}
	text = text[1:]
	minus := text[0] == '-'
	if minus || text[0] == '+' {
		text = text[1:]
	}
	n := 0
	for _, c := range text {
		n = min(10*n+int(c-'0'), enough)
	}
	if minus {
		return -n
	}
	return n
}

// number reads the text of a number for a field that may come once.
func (p *Parser) number(field string, this member, want string) ([]byte, error) {
	if err := p.mark(field, this); err != nil {
		return nil, err
	}
	if err := p.expect(field, jsontext.KindNumber, want); err != nil {
		return nil, err
	}
	text, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.notJSON(field, err)
	}
	if len(text) > maxNumber {
		return nil, refuse(field, "a number over 1,100 bytes")
	}
	return text, nil
}
