//go:build amd64 && !purego

package ed25519x8

import (
	"math/big"
	"testing"
)

const rounds = 2000

// TestFieldKernels compares each kernel with math/big, on limbs up to its bound.
func TestFieldKernels(t *testing.T) {
	skipWithout(t)
	rng := newRand(1)
	var got element
	for range rounds {
		a, b := randomElement(rng, factorBound), randomElement(rng, factorBound)
		mul(&got, a, b)
		checkElement(t, "mul", &got, func(l int) *big.Int { return new(big.Int).Mul(value(a, l), value(b, l)) })

		square(&got, a, 1)
		checkElement(t, "square", &got, func(l int) *big.Int { return new(big.Int).Mul(value(a, l), value(a, l)) })

		c, d := randomElement(rng, sumBound), randomElement(rng, sumBound)
		add(&got, c, d)
		checkElement(t, "add", &got, func(l int) *big.Int { return new(big.Int).Add(value(c, l), value(d, l)) })

		e := randomElement(rng, reducedBound)
		sub(&got, c, e)
		checkElement(t, "sub", &got, func(l int) *big.Int { return new(big.Int).Sub(value(c, l), value(e, l)) })
	}
}

// TestAliases computes in place.
func TestAliases(t *testing.T) {
	skipWithout(t)
	rng := newRand(2)
	for name, op := range map[string]func(dst, a, b *element){
		"mul": mul, "add": add, "sub": sub,
		"square": func(dst, a, _ *element) { square(dst, a, 2) },
	} {
		a, b := randomElement(rng, reducedBound), randomElement(rng, reducedBound)
		var want element
		op(&want, a, b)
		x := *a
		op(&x, &x, b)
		y := *b
		op(&y, a, &y)
		if x != want || name != "square" && y != want {
			t.Errorf("%s: in place and not in place differ", name)
		}
	}
}

func TestPowers(t *testing.T) {
	skipWithout(t)
	rng := newRand(3)
	root := new(big.Int).Rsh(new(big.Int).Sub(prime, big.NewInt(5)), 3)
	minus2 := new(big.Int).Sub(prime, big.NewInt(2))
	for i := range 30 {
		a := randomElement(rng, factorBound)
		if i == 0 {
			*a = element{}
		}
		var got element
		var s [4]element
		for _, count := range []uint64{1, 2, 5, 100} {
			square(&got, a, count)
			e := new(big.Int).Lsh(big.NewInt(1), uint(count))
			checkElement(t, "square", &got, func(l int) *big.Int { return new(big.Int).Exp(value(a, l), e, prime) })
		}
		power(&got, a, (*[2]element)(s[:]))
		checkElement(t, "power", &got, func(l int) *big.Int { return new(big.Int).Exp(value(a, l), root, prime) })
		got = *a
		invert(&got, &got, &s)
		checkElement(t, "invert", &got, func(l int) *big.Int { return new(big.Int).Exp(value(a, l), minus2, prime) })
	}
}

// TestPack packs numbers around multiples of p, in every form that reduced limbs have, and random ones.
func TestPack(t *testing.T) {
	skipWithout(t)
	rng := newRand(4)
	check := func(a *element) {
		t.Helper()
		var got words
		pack(&got, a)
		for l := range lanes {
			want := new(big.Int).Mod(value(a, l), prime)
			if g := wordsValue(got[:], l); g.Cmp(want) != 0 {
				t.Fatalf("%x: got %x, want %x", value(a, l), g, want)
			}
		}
	}
	for multiple := range int64(3) {
		for near := int64(-40); near < 40; near++ {
			n := new(big.Int).Mul(prime, big.NewInt(multiple))
			n.Add(n, big.NewInt(near))
			if n.Sign() < 0 {
				continue
			}
			a := new(element)
			for l := range lanes {
				// Limbs of 51 bits, and what is above bit 255 put back below as far as the lanes differ.
				rest := new(big.Int).Set(n)
				for i := range a {
					limb := new(big.Int).And(rest, big.NewInt(mask51))
					a[i][l] = limb.Uint64()
					rest.Rsh(rest, 51)
				}
				a[4][l] += rest.Uint64() << 51
				if a[4][l] >= reducedBound {
					a[4][l] &= mask51
					a[0][l] += 19 * rest.Uint64()
				}
			}
			check(a)
		}
	}
	for range rounds {
		check(randomElement(rng, reducedBound))
	}
}

func TestUnpack(t *testing.T) {
	rng := newRand(5)
	for range rounds {
		var w words
		for i := range w {
			for l := range w[i] {
				w[i][l] = rng.Uint64()
			}
		}
		var got element
		unpack(&got, &w)
		for l := range lanes {
			want := wordsValue(w[:], l)
			want.SetBit(want, 255, 0)
			if g := value(&got, l); g.Cmp(want) != 0 {
				t.Fatalf("got %x, want %x", g, want)
			}
		}
	}
}

// TestConstants computes the curve's constants (RFC 8032 §5.1).
func TestConstants(t *testing.T) {
	inv := func(n int64) *big.Int { return new(big.Int).ModInverse(big.NewInt(n), prime) }
	wantD := new(big.Int).Mul(big.NewInt(-121665), inv(121666))
	checkElement(t, "d", d, func(int) *big.Int { return wantD })
	checkElement(t, "2d", twoD, func(int) *big.Int { return new(big.Int).Lsh(wantD, 1) })
	root := new(big.Int).Exp(big.NewInt(2), new(big.Int).Rsh(prime, 2), prime)
	checkElement(t, "sqrt(-1)", sqrtM1, func(int) *big.Int { return root })
}
