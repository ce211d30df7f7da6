//go:build amd64 && !purego

package ed25519x8

import (
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"math/bits"
	"testing"
)

// stream gives the bytes of a fuzzer's input as words, and what SHA-512 makes of them when they are used up.
type stream struct{ data []byte }

func (s *stream) word() uint64 {
	if len(s.data) < 8 {
		h := sha512.Sum512(s.data)
		s.data = h[:]
	}
	w := binary.LittleEndian.Uint64(s.data)
	s.data = s.data[8:]
	return w
}

// limb returns a number below bound: for a quarter of all words, one of the last 2^18.
func (s *stream) limb(bound uint64) uint64 {
	w := s.word()
	if w>>62 == 3 {
		return bound - 1 - ^w%(1<<18)
	}
	return w % bound
}

func (s *stream) element(bound uint64) *element {
	e := new(element)
	for i := range e {
		for l := range e[i] {
			e[i][l] = s.limb(bound)
		}
	}
	return e
}

func (s *stream) words(top uint64) *words {
	w := new(words)
	for i := range w {
		for l := range w[i] {
			w[i][l] = s.word()
			if i == 3 {
				w[i][l] &= top
			}
		}
	}
	return w
}

// FuzzKernels lets the input choose limbs and words within the bounds of the kernels. All ones are limbs at their bounds.
// (Run it with -fuzzminimizetime 10x: no input is wrong for being long, and minimizing takes nearly all of the time.)
func FuzzKernels(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 2000))
	ones := make([]byte, 4000)
	for i := range ones {
		ones[i] = 0xff
	}
	f.Add(ones)
	f.Fuzz(func(t *testing.T, data []byte) {
		skipWithout(t)
		s := &stream{data}
		fieldKernels(t, s)
		scalarKernels(t, s)
	})
}

func fieldKernels(t *testing.T, s *stream) {
	var got element
	a, b := s.element(factorBound), s.element(factorBound)
	mul(&got, a, b)
	checkElement(t, "mul", &got, func(l int) *big.Int { return new(big.Int).Mul(value(a, l), value(b, l)) })
	square(&got, a, 1)
	checkElement(t, "square", &got, func(l int) *big.Int { return new(big.Int).Mul(value(a, l), value(a, l)) })
	square(&got, a, 2)
	checkElement(t, "square twice", &got, func(l int) *big.Int { return new(big.Int).Exp(value(a, l), big.NewInt(4), prime) })
	c, d, e := s.element(sumBound), s.element(reducedBound), s.element(sumBound)
	sub(&got, c, d)
	checkElement(t, "sub", &got, func(l int) *big.Int { return new(big.Int).Sub(value(c, l), value(d, l)) })
	add(&got, c, e)
	checkElement(t, "add", &got, func(l int) *big.Int { return new(big.Int).Add(value(c, l), value(e, l)) })
	var packed words
	pack(&packed, d)
	checkWords(t, "pack", &packed, func(l int) *big.Int { return new(big.Int).Mod(value(d, l), prime) })
}

func scalarKernels(t *testing.T, s *stream) {
	x, y, z := s.words(1<<63-1), s.words(1<<63-1), s.words(1<<63-1)
	var got words
	mulAdd(&got, x, y, z)
	checkWords(t, "mulAdd", &got, func(l int) *big.Int {
		n := new(big.Int).Mul(wordsValue(x[:], l), wordsValue(y[:], l))
		return n.Add(n, wordsValue(z[:], l)).Mod(n, groupOrder)
	})
	wide := append(s.words(1<<64 - 1)[:], s.words(1<<64 - 1)[:]...)
	var hash [8][lanes]uint64
	for i := range hash {
		for l := range lanes {
			hash[i][l] = bits.ReverseBytes64(wide[i][l])
		}
	}
	reduce(&got, &hash)
	checkWords(t, "reduce", &got, func(l int) *big.Int { return new(big.Int).Mod(wordsValue(wide, l), groupOrder) })

	all := s.words(1<<64 - 1)
	var six [windows][lanes]int8
	recode6(&six, all)
	checkDigits(t, six[:], 6, all)
	var four [64][lanes]int8
	recode4(&four, x)
	checkDigits(t, four[:], 4, x)
}

func checkWords(t *testing.T, what string, got *words, want func(l int) *big.Int) {
	t.Helper()
	for l := range lanes {
		if g, w := wordsValue(got[:], l), want(l); g.Cmp(w) != 0 {
			t.Fatalf("%s: lane %d: got %x, want %x", what, l, g, w)
		}
	}
}
