package logblock

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/encseal/encseal/engine/receipt"
)

// wantMillionths computes the same in exact arithmetic: the product as a rational, its nearest binary64, and that rounded
// half-even to an integer.
func wantMillionths(x float64) uint64 {
	if math.IsInf(x, 1) {
		return math.MaxUint64
	}
	exact := new(big.Rat).SetFloat64(x)
	exact.Mul(exact, big.NewRat(1000000, 1))
	nearest, _ := exact.Float64()
	if math.IsInf(nearest, 1) {
		return math.MaxUint64
	}
	value := new(big.Rat).SetFloat64(nearest)
	twice := new(big.Int).Mul(value.Num(), big.NewInt(2))
	// floor((2n + d) / 2d) rounds half up; an exact half then goes back to the even neighbour.
	d := value.Denom()
	rounded, rest := new(big.Int).QuoRem(twice.Add(twice, d), new(big.Int).Mul(d, big.NewInt(2)), new(big.Int))
	if rest.Sign() == 0 && rounded.Bit(0) == 1 {
		rounded.Sub(rounded, big.NewInt(1))
	}
	if !rounded.IsUint64() {
		return math.MaxUint64
	}
	return rounded.Uint64()
}

func TestMillionths(t *testing.T) {
	values := []float64{
		0, 0.1, 1.2, 0.5e-6, 1.5e-6, 2.5e-6, 0.4999999999999999e-6, 5e-324, 1e-7, 3.865571047614699,
		1 << 43, 1<<63 - 1024, 1 << 63, 1 << 64, 9223372036854.775, 9223372036854.777, 18446744073709.55, 18446744073709.553,
		18446744073709.55e6, 1e300, 1e303, math.MaxFloat64, math.Inf(1),
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		values = append(values, rng.Float64()*math.Pow(10, float64(rng.IntN(24)-9)))
		values = append(values, float64(rng.IntN(2000)+1)/2e6) // near halves
		values = append(values, math.Nextafter(float64(rng.Uint64())/1e6, rng.Float64()*1e14))
	}
	for _, x := range values {
		if got, want := millionths(x), wantMillionths(x); got != want {
			t.Errorf("%v (%#x): got %d, want %d", x, math.Float64bits(x), got, want)
		}
	}
	for _, x := range []float64{math.Copysign(0, -1), -1, math.NaN(), math.Inf(-1)} {
		if got := millionths(x); got != 0 {
			t.Errorf("%v, which no receipt has: got %d, want 0", x, got)
		}
	}
}

func TestUsageSaturates(t *testing.T) {
	full := Usage{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}
	u := Usage{math.MaxUint64 - 5, 1 << 63, 1<<64 - 1<<20, 7}
	u.Add(&receipt.Resource{CPUms: 5, MemoryMBs: 1<<63 - 1, StorageGBDay: 1, EgressMB: 1e300})
	if want := (Usage{math.MaxUint64, math.MaxUint64, 1<<64 - 1<<20 + 1000000, math.MaxUint64}); u != want {
		t.Errorf("got %+v, want %+v", u, want)
	}
	u.Add(&receipt.Resource{CPUms: 1, MemoryMBs: 1, StorageGBDay: 2e13, EgressMB: 0})
	if u != full {
		t.Errorf("got %+v, want every total full", u)
	}
	u.AddUsage(full)
	if u != full {
		t.Errorf("got %+v, want every total full", u)
	}
}

// However receipts are divided and ordered, the totals are the same, below and above saturation.
func TestUsageDoesNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		rs := make([]receipt.Resource, 1+rng.IntN(40))
		var whole Usage
		for i := range rs {
			rs[i] = receipt.Resource{
				CPUms: rng.Uint64() >> rng.IntN(64), MemoryMBs: rng.Uint64() >> rng.IntN(64),
				StorageGBDay: rng.Float64() * math.Pow(10, float64(rng.IntN(20)-6)), EgressMB: rng.Float64() * 3e12,
			}
			whole.Add(&rs[i])
		}
		rng.Shuffle(len(rs), func(i, j int) { rs[i], rs[j] = rs[j], rs[i] })
		var workers [3]Usage
		for i := range rs {
			workers[rng.IntN(len(workers))].Add(&rs[i])
		}
		var sum Usage
		for _, w := range workers {
			sum.AddUsage(w)
		}
		if sum != whole {
			t.Fatalf("got %+v in parts, want %+v", sum, whole)
		}
	}
}
