package sign

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

const keyPrefix = "ed25519:"

// PublicKey is an Ed25519 public key as RFC 8032 §5.1.2 encodes it: y, little-endian, with the sign of x in the top bit.
// Any 32 bytes can stand in one; Check says whether they may be trusted as a key.
type PublicKey [32]byte

// The reasons for which a key is refused.
const (
	keyHighY      = "y is not below 2^255-19, so the encoding is not canonical"
	keyNegZero    = "x is zero and its sign bit is set, so the encoding is not canonical"
	keyNotOnCurve = "no point of the curve has this y"
	keySmallOrder = "small order: a signature under it binds nobody"
)

// ParsePublicKey reads "ed25519:" and 64 lower-case hexadecimal digits, and refuses what Check refuses. Its errors never
// repeat text, which may be a private key pasted into the wrong place.
func ParsePublicKey(text string) (PublicKey, error) {
	var k PublicKey
	digits, ok := strings.CutPrefix(text, keyPrefix)
	if !ok {
		return PublicKey{}, errors.New(`sign: public key: not "ed25519:" and 64 hexadecimal digits`)
	}
	if len(digits) != 2*len(k) {
		return PublicKey{}, fmt.Errorf("sign: public key: %d characters after %q, not 64", len(digits), keyPrefix)
	}
	if strings.ContainsAny(digits, "ABCDEF") {
		return PublicKey{}, errors.New("sign: public key: hexadecimal digits are lower case here")
	}
	if _, err := hex.Decode(k[:], []byte(digits)); err != nil {
		return PublicKey{}, errors.New("sign: public key: a character that is no hexadecimal digit")
	}
	if err := k.Check(); err != nil {
		return PublicKey{}, err
	}
	return k, nil
}

// String returns "ed25519:" and 64 lower-case hexadecimal digits.
func (k PublicKey) String() string {
	return string(k.AppendText(nil))
}

// AppendText appends what String returns to dst.
func (k PublicKey) AppendText(dst []byte) []byte {
	dst = slices.Grow(dst, len(keyPrefix)+2*len(k))
	return hex.AppendEncode(append(dst, keyPrefix...), k[:])
}

// Check returns nil for a key that may be trusted: the canonical encoding of a point on the curve whose order is not 1,
// 2, 4 or 8. It refuses
//
//   - y of 2^255 − 19 or more, and x = 0 with the sign bit set: a second text for the same key;
//   - y of no point: nothing verifies under it;
//   - small order: one signature under it, (R, 0) with R of small order, holds for an eighth of all messages or more.
//
// A point of mixed order, ℓ times 2, 4 or 8, passes: its signatures bind as others do, and verify without the cofactor.
//
// It takes some 20 µs in math/big, not in constant time: it is for keys as they are configured.
func (k PublicKey) Check() error {
	if reason := k.fault(); reason != "" {
		return errors.New("sign: public key: " + reason)
	}
	return nil
}

// fault returns why the key is refused, and "" for a key that is not.
func (k PublicKey) fault() string {
	negative := k[31]>>7 == 1
	y := fieldElement(k)
	p := fieldPrime()
	if y.Cmp(p) >= 0 {
		return keyHighY
	}
	yy := mulMod(y, y, p)
	xx := xSquared(yy, p)
	if xx.Sign() == 0 && negative {
		return keyNegZero
	}
	if big.Jacobi(xx, p) < 0 {
		return keyNotOnCurve
	}
	if smallOrder(xx, yy, p) {
		return keySmallOrder
	}
	return ""
}

// smallOrder reports whether 8P = 0 for the points P = (±x, ±y) of the curve with the squares given.
//
// The points of order 1 and 2 are (0, 1) and (0, −1), the only ones with x = 0. The double of (x, y) is 0 in x where xy
// is 0, so y = 0 is order 4, and it is 0 in y where y² + x² is 0 (RFC 8032 §5.1.4, with a = −1), so that is order 8: its
// double has order 4. Eight points are all there are, one cyclic group.
func smallOrder(xx, yy, p *big.Int) bool {
	if xx.Sign() == 0 || yy.Sign() == 0 {
		return true
	}
	sum := new(big.Int).Add(xx, yy)
	return sum.Cmp(p) == 0
}

// xSquared returns x² of the points with y² = yy, from −x² + y² = 1 + d·x²·y²: (y² − 1) / (d·y² + 1), where it may be no
// square. The divisor is never 0: −1 is a square modulo p and d is not, so −1/d is none.
func xSquared(yy, p *big.Int) *big.Int {
	one := big.NewInt(1)
	num := new(big.Int).Sub(yy, one)
	den := mulMod(curveD(p), yy, p)
	den.Add(den, one)
	return mulMod(num, den.ModInverse(den, p), p)
}

// fieldPrime returns p = 2^255 − 19.
func fieldPrime() *big.Int {
	p := big.NewInt(1)
	p.Lsh(p, 255)
	return p.Sub(p, big.NewInt(19))
}

// curveD returns d = −121665/121666 modulo p.
func curveD(p *big.Int) *big.Int {
	inv := new(big.Int).ModInverse(big.NewInt(121666), p)
	return mulMod(big.NewInt(-121665), inv, p)
}

// fieldElement returns the y of an encoded point: 255 bits, little-endian, not reduced.
func fieldElement(k PublicKey) *big.Int {
	k[31] &= 0x7f
	slices.Reverse(k[:])
	return new(big.Int).SetBytes(k[:])
}

// mulMod returns a·b in [0, p).
func mulMod(a, b, p *big.Int) *big.Int {
	c := new(big.Int).Mul(a, b)
	return c.Mod(c, p)
}
