//go:build amd64 && !purego

package ed25519x8

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

var (
	prime      = number("57896044618658097711785492504343953926634992332820282019728792003956564819949")
	groupOrder = number("7237005577332262213973186563042994240857116359379907606001950938285454250989")
)

func number(decimal string) *big.Int {
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok {
		panic("bad number " + decimal)
	}
	return n
}

// skipWithout skips where the kernels do not run; package sign fails where they should (ENCSEAL_SIGN_BACKENDS).
func skipWithout(t *testing.T) {
	t.Helper()
	if !Available() {
		t.Skip("this CPU lacks AVX-512 IFMA")
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 8)) }

// limb returns a number below bound, often at one of its ends.
func limb(rng *rand.Rand, bound uint64) uint64 {
	switch rng.IntN(6) {
	case 0:
		return bound - 1
	case 1:
		return bound - 1 - rng.Uint64N(1<<18)
	case 2:
		return rng.Uint64N(3)
	default:
		return rng.Uint64N(bound)
	}
}

// Bounds of limbs, as _asm/field.go has them.
const (
	reducedBound = 1<<51 + 1<<17
	factorBound  = 1 << 52
	sumBound     = 1 << 62
)

func randomElement(rng *rand.Rand, bound uint64) *element {
	e := new(element)
	for i := range e {
		for l := range e[i] {
			e[i][l] = limb(rng, bound)
		}
	}
	if rng.IntN(8) == 0 { // all limbs at the top, in every lane
		for i := range e {
			for l := range e[i] {
				e[i][l] = bound - 1
			}
		}
	}
	return e
}

// value returns lane l as a number, not reduced.
func value(e *element, l int) *big.Int {
	n := new(big.Int)
	for i := 4; i >= 0; i-- {
		n.Lsh(n, 51)
		n.Add(n, new(big.Int).SetUint64(e[i][l]))
	}
	return n
}

func wordsValue(w [][lanes]uint64, l int) *big.Int {
	n := new(big.Int)
	for i := len(w) - 1; i >= 0; i-- {
		n.Lsh(n, 64)
		n.Add(n, new(big.Int).SetUint64(w[i][l]))
	}
	return n
}

// setWords writes n, below 2^256, to lane l.
func setWords(w *words, l int, n *big.Int) {
	b := littleEndian(n)
	putWords(w, l, &b)
}

func littleEndian(n *big.Int) [32]byte {
	var b [32]byte
	n.FillBytes(b[:])
	slices.Reverse(b[:])
	return b
}

// checkElement fails unless got is reduced and congruent to want in every lane.
func checkElement(t *testing.T, what string, got *element, want func(l int) *big.Int) {
	t.Helper()
	for l := range lanes {
		for i := range got {
			if got[i][l] >= reducedBound {
				t.Fatalf("%s: lane %d, limb %d: got %#x, want it below %#x", what, l, i, got[i][l], uint64(reducedBound))
			}
		}
		w := new(big.Int).Mod(want(l), prime)
		if g := new(big.Int).Mod(value(got, l), prime); g.Cmp(w) != 0 {
			t.Fatalf("%s: lane %d: got %x, want %x", what, l, g, w)
		}
	}
}
