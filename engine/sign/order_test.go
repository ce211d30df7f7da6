package sign

import (
	"math/big"
	"slices"
	"testing"
)

// TestSmallOrderEdges asks about every pair of small-order encodings, canonical or not, as A and R.
func TestSmallOrderEdges(t *testing.T) {
	c := newCurve()
	encodings := append(smallOrderKeys(), otherSmallOrderKeys()...)
	canonical := len(smallOrderKeys())
	below := new(big.Int).Sub(c.order, big.NewInt(1))
	scalars := [][32]byte{{}, {1}, scalarBytes(below), scalarBytes(c.order)}
	digests := randomDigests(3, 9)
	var all []triple
	var rIndex, aIndex, sIndex []int
	for a := range encodings {
		for r := range encodings {
			for s := range scalars {
				for d, digest := range digests {
					if s > 0 && d > 0 {
						break // S = 0 is what can hold: there, more digests for more k
					}
					q := triple{key: keyOf(t, encodings[a]), digest: digest}
					point := keyOf(t, encodings[r])
					copy(q.sig[:32], point[:])
					copy(q.sig[32:], scalars[s][:])
					all = append(all, q)
					aIndex, rIndex, sIndex = append(aIndex, a), append(rIndex, r), append(sIndex, s)
				}
			}
		}
	}
	hold, holdOther := 0, 0
	for i, ok := range verdicts(t, all) {
		if !ok {
			continue
		}
		hold++
		if aIndex[i] >= canonical {
			holdOther++
		}
		if rIndex[i] >= canonical || sIndex[i] != 0 {
			t.Errorf("A %d, R %d, S %x: holds", aIndex[i], rIndex[i], scalars[sIndex[i]])
		}
	}
	if hold == 0 || holdOther == 0 || hold == len(all) {
		t.Errorf("%d of %d hold, %d under a non-canonical key: the test has lost its range", hold, len(all), holdOther)
	}
}

// TestMixedOrder signs under A = aB + vT with R = rB + uT, for T of order 8 and all u and v, as whoever knows a and r can:
// S = r + ka. What is left of the equation is uT + kvT = 0, so without the cofactor it holds exactly where 8 divides u + kv.
// With a or r zero, A or R has small order.
func TestMixedOrder(t *testing.T) {
	c := newCurve()
	torsion := c.torsion(t)
	digests := randomDigests(4, 4)
	var all []triple
	var want []bool
	for _, secrets := range [][2]int64{{123456789, 987654321}, {123456789, 0}, {0, 987654321}} {
		a, r := big.NewInt(secrets[0]), big.NewInt(secrets[1])
		pointA, pointR := c.times(a, c.base()), c.times(r, c.base())
		for v := range torsion {
			key := c.encode(c.add(pointA, torsion[v]))
			for u := range torsion {
				commitment := c.encode(c.add(pointR, torsion[u]))
				for _, digest := range digests {
					k := c.challenge(commitment, key, digest)
					s := new(big.Int).Mul(k, a)
					s.Add(s, r).Mod(s, c.order)
					all = append(all, triple{key, digest, signature(commitment, scalarBytes(s))})
					left := new(big.Int).Mul(k, big.NewInt(int64(v)))
					left.Add(left, big.NewInt(int64(u)))
					want = append(want, left.And(left, big.NewInt(7)).Sign() == 0)
				}
			}
		}
	}
	if got := verdicts(t, all); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func signature(r, s [32]byte) (sig [64]byte) {
	copy(sig[:32], r[:])
	copy(sig[32:], s[:])
	return sig
}

// TestHighS adds multiples of ℓ to the S of a valid signature as long as 256 bits hold it.
func TestHighS(t *testing.T) {
	c := newCurve()
	s := NewSigner(&[32]byte{5})
	digests, sigs := randomDigests(4, 5), make([][64]byte, 4)
	if err := s.SignBatch(digests, sigs); err != nil {
		t.Fatal(err)
	}
	var all []triple
	var want []bool
	for i := range sigs {
		n := scalar(sigs[i][32:])
		for first := true; n.BitLen() <= 256; first = false {
			q := triple{s.PublicKey(), digests[i], sigs[i]}
			sb := scalarBytes(n)
			copy(q.sig[32:], sb[:])
			all, want = append(all, q), append(want, first)
			n.Add(n, c.order)
		}
	}
	if len(all) < 4*15 {
		t.Fatalf("%d cases", len(all))
	}
	if got := verdicts(t, all); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestSpecialValues asks about R and S that are 0, 1, or near p, ℓ and powers of two, as Wycheproof does, under an honest key
// and under every key whose y is not below p.
func TestSpecialValues(t *testing.T) {
	c := newCurve()
	s := NewSigner(&[32]byte{7})
	digests, sigs := randomDigests(1, 7), make([][64]byte, 1)
	if err := s.SignBatch(digests, sigs); err != nil {
		t.Fatal(err)
	}
	near := func(n *big.Int, offsets ...int64) (all [][32]byte) {
		for _, offset := range offsets {
			all = append(all, scalarBytes(new(big.Int).Add(n, big.NewInt(offset))))
		}
		return all
	}
	power := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
	zero := new(big.Int)

	commitments := slices.Concat(near(zero, 0, 1, 2), near(c.p, -2, -1, 0, 1, 18), [][32]byte{c.encode(c.base()), s.PublicKey(), [32]byte(sigs[0][:32])})
	for _, r := range commitments {
		r[31] ^= 0x80
		commitments = append(commitments, r)
	}
	scalars := slices.Concat(near(zero, 0, 1, 8), near(c.order, -1, 0, 1), near(c.p, -1, 0, 1), near(power(252), -1, 0),
		near(power(253), -1, 0), near(power(254), 0), near(power(255), 0), near(power(256), -1), [][32]byte{[32]byte(sigs[0][32:])})
	keys := []PublicKey{s.PublicKey()}
	for _, y := range near(c.p, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18) {
		keys = append(keys, y)
		y[31] |= 0x80
		keys = append(keys, y)
	}
	var all []triple
	for i, key := range keys {
		for _, r := range commitments {
			for j, s := range scalars {
				if i == 0 || j < 2 {
					all = append(all, triple{key, digests[0], signature(r, s)})
				}
			}
		}
	}
	honest, odd := 0, 0
	for i, ok := range verdicts(t, all) {
		switch {
		case ok && all[i].key != s.PublicKey():
			odd++
		case ok && all[i].sig == sigs[0]:
			honest++
		case ok:
			t.Errorf("R %x, S %x hold under an honest key", all[i].sig[:32], all[i].sig[32:])
		}
	}
	if honest != 1 || odd == 0 {
		t.Errorf("%d hold under the honest key and %d under others: want 1, and the test has lost its range without others", honest, odd)
	}
}
