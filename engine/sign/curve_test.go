package sign

import (
	"crypto/sha512"
	"math/big"
	"slices"
	"testing"
)

// point is a point of edwards25519 as RFC 8032 §5.1.4 has it, x = X/Z, y = Y/Z, with the complete addition law in
// homogeneous coordinates: slow arithmetic that shares nothing with the code under test.
type point struct{ x, y, z *big.Int }

// curve holds the constants of RFC 8032 §5.1 from their decimal and hexadecimal texts.
type curve struct{ p, d, order, sqrtM1 *big.Int }

func newCurve() *curve {
	p := number("57896044618658097711785492504343953926634992332820282019728792003956564819949")
	return &curve{
		p:      p,
		d:      number("37095705934669439343138083508754565189542113879843219016388785533085940283555"),
		order:  number("7237005577332262213973186563042994240857116359379907606001950938285454250989"),
		sqrtM1: new(big.Int).Exp(big.NewInt(2), new(big.Int).Rsh(p, 2), p),
	}
}

func number(decimal string) *big.Int {
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok {
		panic("bad number " + decimal)
	}
	return n
}

func (c *curve) mul(a, b *big.Int) *big.Int {
	m := new(big.Int).Mul(a, b)
	return m.Mod(m, c.p)
}

func (c *curve) identity() point { return point{big.NewInt(0), big.NewInt(1), big.NewInt(1)} }

func (c *curve) base() point {
	return point{
		number("15112221349535400772501151409588531511454012693041857206046113283949847762202"),
		number("46316835694926478169428394003475163141307993866256225615783033603165251855960"),
		big.NewInt(1),
	}
}

// decode is RFC 8032 §5.1.3, step by step; canonical refuses a y of p or more, and x = 0 with the sign bit.
func (c *curve) decode(enc [32]byte, canonical bool) (point, bool) {
	sign := uint(enc[31] >> 7)
	enc[31] &= 0x7f
	slices.Reverse(enc[:])
	y := new(big.Int).SetBytes(enc[:])
	if y.Cmp(c.p) >= 0 && canonical {
		return point{}, false
	}
	y.Mod(y, c.p)
	yy := c.mul(y, y)
	u := new(big.Int).Sub(yy, big.NewInt(1))
	v := c.mul(c.d, yy)
	v.Add(v, big.NewInt(1))
	// x = u·v³·(u·v⁷)^((p−5)/8), and its square is u/v, −u/v, or there is no root.
	v3 := c.mul(c.mul(v, v), v)
	v7 := c.mul(c.mul(v3, v3), v)
	e := new(big.Int).Rsh(new(big.Int).Sub(c.p, big.NewInt(5)), 3)
	x := c.mul(c.mul(u, v3), new(big.Int).Exp(c.mul(u, v7), e, c.p))
	vxx := c.mul(v, c.mul(x, x))
	u.Mod(u, c.p)
	if vxx.Cmp(u) != 0 {
		x = c.mul(x, c.sqrtM1)
		if c.mul(v, c.mul(x, x)).Cmp(u) != 0 {
			return point{}, false
		}
	}
	if x.Sign() == 0 && sign == 1 && canonical {
		return point{}, false
	}
	if x.Bit(0) != sign && x.Sign() != 0 {
		x.Sub(c.p, x)
	}
	return point{x, y, big.NewInt(1)}, true
}

func (c *curve) encode(p point) [32]byte {
	inv := new(big.Int).ModInverse(p.z, c.p)
	x, y := c.mul(p.x, inv), c.mul(p.y, inv)
	var enc [32]byte
	y.FillBytes(enc[:])
	slices.Reverse(enc[:])
	enc[31] |= byte(x.Bit(0)) << 7
	return enc
}

// add is the projective addition of Bernstein, Birkner, Joye, Lange and Peters with a = −1; it is complete here.
func (c *curve) add(p, q point) point {
	a := c.mul(p.z, q.z)
	b := c.mul(a, a)
	cc := c.mul(p.x, q.x)
	d := c.mul(p.y, q.y)
	e := c.mul(c.d, c.mul(cc, d))
	f := new(big.Int).Sub(b, e)
	g := new(big.Int).Add(b, e)
	cross := new(big.Int).Mul(new(big.Int).Add(p.x, p.y), new(big.Int).Add(q.x, q.y))
	cross.Sub(cross, cc).Sub(cross, d)
	return point{
		c.mul(a, c.mul(f, cross)),
		c.mul(a, c.mul(g, new(big.Int).Add(d, cc))),
		c.mul(f, g),
	}
}

func (c *curve) times(n *big.Int, p point) point {
	sum := c.identity()
	for i := n.BitLen() - 1; i >= 0; i-- {
		sum = c.add(sum, sum)
		if n.Bit(i) == 1 {
			sum = c.add(sum, p)
		}
	}
	return sum
}

func (c *curve) isIdentity(p point) bool {
	return p.x.Sign() == 0 && p.y.Cmp(p.z) == 0
}

// torsion returns the eight points of small order: multiples of ℓ·P for a P of order 8ℓ.
func (c *curve) torsion(t *testing.T) []point {
	t.Helper()
	for y := byte(2); y < 100; y++ {
		p, ok := c.decode([32]byte{y}, true)
		if !ok {
			continue
		}
		g := c.times(c.order, p)
		if c.isIdentity(c.times(big.NewInt(4), g)) {
			continue
		}
		all := []point{c.identity()}
		for len(all) < 8 {
			all = append(all, c.add(all[len(all)-1], g))
		}
		return all
	}
	t.Fatal("no point of order 8ℓ found")
	return nil
}

// scalar reads 32 or 64 bytes little-endian.
func scalar(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// scalarBytes is the inverse of scalar for n below 2^256.
func scalarBytes(n *big.Int) [32]byte {
	var b [32]byte
	n.FillBytes(b[:])
	slices.Reverse(b[:])
	return b
}

// challenge is k = SHA-512(R ‖ A ‖ M) modulo ℓ.
func (c *curve) challenge(r, a, m [32]byte) *big.Int {
	h := sha512.New()
	h.Write(r[:])
	h.Write(a[:])
	h.Write(m[:])
	k := scalar(h.Sum(nil))
	return k.Mod(k, c.order)
}
