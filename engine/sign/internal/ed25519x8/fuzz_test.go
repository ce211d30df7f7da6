//go:build amd64 && !purego

package ed25519x8

import (
	"crypto/sha512"
	"encoding/binary"
	"math/big"
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

func (s *stream) element(bound uint64) *element {
	e := new(element)
	for i := range e {
		for l := range e[i] {
			e[i][l] = s.word() % bound
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

// FuzzKernels lets the input choose limbs and words within the bounds of the kernels.
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
		var got element
		a, b := s.element(factorBound), s.element(factorBound)
		mul(&got, a, b)
		checkElement(t, "mul", &got, func(l int) *big.Int { return new(big.Int).Mul(value(a, l), value(b, l)) })
		square(&got, a, 1)
		checkElement(t, "square", &got, func(l int) *big.Int { return new(big.Int).Mul(value(a, l), value(a, l)) })
		c, d := s.element(sumBound), s.element(reducedBound)
		sub(&got, c, d)
		checkElement(t, "sub", &got, func(l int) *big.Int { return new(big.Int).Sub(value(c, l), value(d, l)) })
		var packed words
		pack(&packed, d)
		for l := range lanes {
			if g, w := wordsValue(packed[:], l), new(big.Int).Mod(value(d, l), prime); g.Cmp(w) != 0 {
				t.Fatalf("pack: got %x, want %x", g, w)
			}
		}

		x, y, z := s.words(1<<63-1), s.words(1<<63-1), s.words(1<<63-1)
		var sum words
		mulAdd(&sum, x, y, z)
		for l := range lanes {
			w := new(big.Int).Mul(wordsValue(x[:], l), wordsValue(y[:], l))
			w.Add(w, wordsValue(z[:], l)).Mod(w, groupOrder)
			if g := wordsValue(sum[:], l); g.Cmp(w) != 0 {
				t.Fatalf("mulAdd: got %x, want %x", g, w)
			}
		}
		all := s.words(1<<64 - 1)
		var six [windows][lanes]int8
		recode6(&six, all)
		checkDigits(t, six[:], 6, all)
	})
}
