//go:build amd64 && !purego

package ed25519x8

import (
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// randomBits returns a number below 2^size: random, near the ends, or near a multiple of ℓ.
func randomBits(rng *rand.Rand, size uint) *big.Int {
	bound := new(big.Int).Lsh(big.NewInt(1), size)
	n := new(big.Int)
	for range (size + 63) / 64 {
		n.Lsh(n, 64)
		n.Add(n, new(big.Int).SetUint64(rng.Uint64()))
	}
	n.Mod(n, bound)
	near := big.NewInt(rng.Int64N(7) - 3)
	switch rng.IntN(5) {
	case 0:
		n.Div(n, groupOrder)
		n.Mul(n, groupOrder)
		n.Add(n, near)
	case 1:
		n.Add(bound, near)
	case 2:
		n.Abs(near)
	case 3: // whole words of zeros and ones
		for i := range size {
			if i%52 == 0 || i%64 == 0 {
				near.SetInt64(int64(rng.IntN(2)))
			}
			n.SetBit(n, int(i), uint(near.Bit(0)))
		}
	}
	if n.Sign() < 0 || n.Cmp(bound) >= 0 {
		n.Sub(bound, big.NewInt(1))
	}
	return n
}

func TestReduce(t *testing.T) {
	skipWithout(t)
	rng := newRand(1)
	for range rounds {
		var wide [8][lanes]uint64
		var want [lanes]*big.Int
		for l := range lanes {
			n := randomBits(rng, 512)
			want[l] = new(big.Int).Mod(n, groupOrder)
			for i := range wide {
				word := new(big.Int).Rsh(n, uint(64*i))
				word.And(word, new(big.Int).SetUint64(1<<64-1))
				wide[i][l] = bits.ReverseBytes64(word.Uint64())
			}
		}
		var got words
		reduce(&got, &wide)
		for l := range lanes {
			if g := wordsValue(got[:], l); g.Cmp(want[l]) != 0 {
				t.Fatalf("lane %d: got %x, want %x", l, g, want[l])
			}
		}
	}
}

func TestMulAdd(t *testing.T) {
	skipWithout(t)
	rng := newRand(2)
	for range rounds {
		var w [3]words
		var want [lanes]*big.Int
		for l := range lanes {
			var n [3]*big.Int
			for i := range n {
				n[i] = randomBits(rng, 255)
				setWords(&w[i], l, n[i])
			}
			want[l] = new(big.Int).Mul(n[0], n[1])
			want[l].Add(want[l], n[2]).Mod(want[l], groupOrder)
		}
		got := w[2]
		mulAdd(&got, &w[0], &w[1], &got)
		for l := range lanes {
			if g := wordsValue(got[:], l); g.Cmp(want[l]) != 0 {
				t.Fatalf("lane %d: got %x, want %x", l, g, want[l])
			}
		}
	}
}

func TestRecode(t *testing.T) {
	skipWithout(t)
	rng := newRand(3)
	for range rounds {
		var all, below words
		for l := range lanes {
			setWords(&all, l, randomBits(rng, 256))
			setWords(&below, l, randomBits(rng, 255))
		}
		var six [windows][lanes]int8
		var four [64][lanes]int8
		recode6(&six, &all)
		recode4(&four, &below)
		checkDigits(t, six[:], 6, &all)
		checkDigits(t, four[:], 4, &below)
	}
}

func checkDigits(t *testing.T, digits [][lanes]int8, bits uint, s *words) {
	t.Helper()
	for l := range lanes {
		sum := new(big.Int)
		for w := len(digits) - 1; w >= 0; w-- {
			d := int64(digits[w][l])
			if d <= -1<<(bits-1) || d > 1<<(bits-1) {
				t.Fatalf("%d bits: digit %d of lane %d is %d", bits, w, l, d)
			}
			sum.Lsh(sum, bits)
			sum.Add(sum, big.NewInt(d))
		}
		if want := wordsValue(s[:], l); sum.Cmp(want) != 0 {
			t.Fatalf("%d bits: lane %d: got %x, want %x", bits, l, sum, want)
		}
	}
}

func TestSHA512(t *testing.T) {
	skipWithout(t)
	rng := newRand(4)
	for _, size := range []int{0, 8, 64, 96, 104} {
		for range 50 {
			var b block
			var message [lanes][]byte
			for l := range lanes {
				for i := range size / 8 {
					b[i][l] = rng.Uint64()
					message[l] = binary.BigEndian.AppendUint64(message[l], b[i][l])
				}
			}
			b.pad(size)
			var hash [8][lanes]uint64
			hashBlock(&hash, b.words())
			for l := range lanes {
				want := sha512.Sum512(message[l])
				for i := range hash {
					if w := binary.BigEndian.Uint64(want[8*i:]); hash[i][l] != w {
						t.Fatalf("%d bytes: lane %d, word %d: got %#x, want %#x", size, l, i, hash[i][l], w)
					}
				}
			}
		}
	}
}
