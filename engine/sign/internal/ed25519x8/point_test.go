//go:build amd64 && !purego

package ed25519x8

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

func libScalar(t *testing.T, n *big.Int) *edwards25519.Scalar {
	t.Helper()
	b := littleEndian(n)
	s, err := edwards25519.NewScalar().SetCanonicalBytes(b[:])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// randomPoint returns a point with a Z that is not 1.
func randomPoint(t *testing.T, rng *rand.Rand) *edwards25519.Point {
	t.Helper()
	p := edwards25519.NewIdentityPoint().ScalarBaseMult(libScalar(t, randomScalar(rng)))
	return p.Add(p, edwards25519.NewGeneratorPoint())
}

func randomScalar(rng *rand.Rand) *big.Int {
	n := randomBits(rng, 253)
	return n.Mod(n, groupOrder)
}

// lanePoints puts points into lanes.
func lanePoints(ps *[lanes]*edwards25519.Point) *point {
	p := new(point)
	for l := range lanes {
		x, y, z, t := ps[l].ExtendedCoordinates()
		for i, e := range []*field.Element{x, y, z, t} {
			setLane(&p[i], l, e.Bytes())
		}
	}
	return p
}

// libPoint takes lane l out again. It fails where xy is not T/Z.
func libPoint(t *testing.T, p *point, l int) *edwards25519.Point {
	t.Helper()
	var e [4]*field.Element
	for i := range p {
		b := littleEndian(new(big.Int).Mod(value(&p[i], l), prime))
		var err error
		if e[i], err = new(field.Element).SetBytes(b[:]); err != nil {
			t.Fatal(err)
		}
	}
	q, err := new(edwards25519.Point).SetExtendedCoordinates(e[0], e[1], e[2], e[3])
	if err != nil {
		t.Fatalf("lane %d: %v", l, err)
	}
	return q
}

func checkPoint(t *testing.T, what string, got *point, want *[lanes]*edwards25519.Point) {
	t.Helper()
	for l := range lanes {
		if g := libPoint(t, got, l); g.Equal(want[l]) != 1 {
			t.Fatalf("%s: lane %d: got %x, want %x", what, l, g.Bytes(), want[l].Bytes())
		}
	}
}

func randomPoints(t *testing.T, rng *rand.Rand) *[lanes]*edwards25519.Point {
	ps := new([lanes]*edwards25519.Point)
	for l := range ps {
		ps[l] = randomPoint(t, rng)
	}
	ps[rng.IntN(lanes)] = edwards25519.NewIdentityPoint()
	return ps
}

func TestDoubleAndAdd(t *testing.T) {
	skipWithout(t)
	rng := newRand(1)
	for i := range 100 {
		ps, qs := randomPoints(t, rng), randomPoints(t, rng)
		if i%4 == 0 {
			qs = ps
		}
		var doubled, added [lanes]*edwards25519.Point
		for l := range lanes {
			doubled[l] = new(edwards25519.Point).Double(ps[l])
			added[l] = new(edwards25519.Point).Add(ps[l], qs[l])
		}
		p := lanePoints(ps)
		double(p)
		checkPoint(t, "double", p, &doubled)
		p = lanePoints(ps)
		var c cached
		toCached(&c, lanePoints(qs))
		addCached(p, &c)
		checkPoint(t, "addCached", p, &added)
	}
}

// TestTable compares every entry of the generator's table, and some of another's.
func TestTable(t *testing.T) {
	skipWithout(t)
	checkTable(t, Base(), edwards25519.NewGeneratorPoint(), 1)
	p := randomPoint(t, newRand(2))
	table := new(Table)
	table.Fill(p)
	checkTable(t, table, p, 11)
}

func checkTable(t *testing.T, table *Table, p *edwards25519.Point, step int) {
	t.Helper()
	base := new(edwards25519.Point).Set(p)
	for w := range windows {
		sum := edwards25519.NewIdentityPoint()
		for j := range entries {
			sum.Add(sum, base)
			if (entries*w+j)%step != 0 {
				continue
			}
			x, y, z, _ := sum.ExtendedCoordinates()
			var want [3]field.Element
			inv := new(field.Element).Invert(z)
			x.Multiply(x, inv)
			y.Multiply(y, inv)
			want[0].Add(y, x)
			want[1].Subtract(y, x)
			want[2].Multiply(x, y)
			d2, _ := new(field.Element).SetBytes(bytesOf(twoD))
			want[2].Multiply(&want[2], d2)
			for c := range want {
				var e element
				for i := range e {
					e[i][0] = table[w][5*c+i][j]
				}
				if got, w := value(&e, 0), want[c].Bytes(); string(bytesOf(&e)) != string(w) {
					t.Fatalf("window %d, entry %d, %d: got %x, want bytes %x", w, j, c, got, w)
				}
			}
		}
		for range 6 {
			base.Double(base)
		}
	}
}

// bytesOf returns lane 0, canonical.
func bytesOf(e *element) []byte {
	b := littleEndian(new(big.Int).Mod(value(e, 0), prime))
	return b[:]
}

// TestAddFixed multiplies the generator by scalars in several groups at once, from a start that is not neutral, with
// scalars at the ends and digits of all sizes among them.
func TestAddFixed(t *testing.T) {
	skipWithout(t)
	rng := newRand(3)
	s := new(Scratch)
	for _, groups := range []int{1, 2, 5, groupCount} {
		var want [groupCount][lanes]*edwards25519.Point
		for g := range groups {
			start := randomPoints(t, rng)
			s.sums[g] = *lanePoints(start)
			toSums(&s.sums[g], &s.t[0])
			var w words
			for l := range lanes {
				n := randomScalar(rng)
				if g == 0 {
					n.SetInt64(int64(l) * 5)
				}
				setWords(&w, l, n)
				want[g][l] = new(edwards25519.Point).ScalarBaseMult(libScalar(t, n))
				want[g][l].Add(want[g][l], start[l])
			}
			recode6(&s.digits[g], &w)
		}
		addFixed(&s.sums[0], &s.digits[0], Base().windows(), uint64(groups))
		for g := range groups {
			for i := range s.sums[g] {
				checkElement(t, "addFixed", &s.sums[g][i], func(l int) *big.Int { return value(&s.sums[g][i], l) })
			}
		}
		s.encode(groups)
		for g := range groups {
			for l := range lanes {
				var got [32]byte
				putLane(&got, &s.encoded[g], l)
				if w := want[g][l].Bytes(); string(got[:]) != string(w) {
					t.Fatalf("%d groups: group %d, lane %d: got %x, want %x", groups, g, l, got, w)
				}
			}
		}
	}
}

// TestEveryDigit selects each digit in each window, positive and negative, all lanes different.
func TestEveryDigit(t *testing.T) {
	skipWithout(t)
	s := new(Scratch)
	for w := range windows {
		power := new(big.Int).Lsh(big.NewInt(1), uint(6*w))
		for from := -entries; from <= entries; from += lanes {
			setNeutralSums(&s.sums[0])
			clear(s.digits[0][:])
			for l := range lanes {
				s.digits[0][w][l] = int8(min(from+l, entries))
			}
			addFixed(&s.sums[0], &s.digits[0], Base().windows(), 1)
			s.encode(1)
			for l := range lanes {
				n := new(big.Int).Mul(power, big.NewInt(int64(s.digits[0][w][l])))
				n.Mod(n, groupOrder)
				var got [32]byte
				putLane(&got, &s.encoded[0], l)
				want := new(edwards25519.Point).ScalarBaseMult(libScalar(t, n)).Bytes()
				if string(got[:]) != string(want) {
					t.Fatalf("window %d, digit %d: got %x, want %x", w, s.digits[0][w][l], got, want)
				}
			}
		}
	}
}

func TestLadder(t *testing.T) {
	skipWithout(t)
	rng := newRand(4)
	s := new(Scratch)
	for range 20 {
		qs := randomPoints(t, rng)
		var want [lanes]*edwards25519.Point
		var w words
		for l := range lanes {
			n := randomScalar(rng)
			setWords(&w, l, n)
			want[l] = new(edwards25519.Point).ScalarMult(libScalar(t, n), qs[l])
		}
		s.multiples(lanePoints(qs))
		recode4(&s.digits4, &w)
		var p point
		setNeutral(&p)
		ladder(&p, &s.digits4, &s.table, &s.entry)
		checkPoint(t, "ladder", &p, &want)
	}
}
