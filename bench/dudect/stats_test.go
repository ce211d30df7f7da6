package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func sum(sample ...float64) (m moments) {
	for _, x := range sample {
		m.add(x)
	}
	return m
}

func TestMoments(t *testing.T) {
	// Mean 5, squares of distances 9+1+1+1+0+0+4+16; far from zero, where a sum of squares would have lost them.
	const far = 1e9
	m := sum(far+2, far+4, far+4, far+4, far+5, far+5, far+7, far+9)
	if m.count != 8 || m.mean != far+5 || math.Abs(m.squares-32) > 1e-6 {
		t.Errorf("got %+v, want 8 values, mean %v, squares 32", m, far+5.0)
	}
}

func TestWelch(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b moments
		want float64
		ok   bool
	}{
		// Means 3 and 6, variances 2.5 and 10: −3/√(2.5/5 + 10/5).
		{"five of each", sum(1, 2, 3, 4, 5), sum(2, 4, 6, 8, 10), -3 / math.Sqrt(2.5), true},
		// Means 5 and 2, variances 2 and 1: 3/√(2/2 + 1/3).
		{"two and three", sum(4, 6), sum(1, 2, 3), 3 / math.Sqrt(1+1.0/3), true},
		{"same", sum(1, 2, 3), sum(3, 2, 1), 0, true},
		{"one constant", sum(7, 7), sum(6, 8), 0, true},
		{"both empty", sum(), sum(), 0, false},
		{"one empty", sum(), sum(1, 2, 3), 0, false},
		{"one value", sum(1, 2, 3), sum(1), 0, false},
		{"equal constants", sum(7, 7), sum(7, 7, 7), 0, false},
		{"constants, above", sum(8, 8), sum(7, 7, 7), math.Inf(1), true},
		{"constants, below", sum(6, 6), sum(7, 7, 7), math.Inf(-1), true},
	} {
		got, ok := welch(c.a, c.b)
		if ok != c.ok || got != c.want && math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: got %v, %v, want %v, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

// synthetic returns count times of each class, normal around 1000 with deviation 10, those of class 0 longer by shift; and of
// each, one in rarity longer by up to 1e6, as interrupts make it.
func synthetic(seed uint64, count int, shift float64, rarity int) (all times) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range count {
		for class := range all {
			x := 1000 + 10*rng.NormFloat64()
			if class == 0 {
				x += shift
			}
			if rarity > 0 && rng.IntN(rarity) == 0 {
				x += 1e6 * rng.Float64()
			}
			all[class] = append(all[class], x)
		}
	}
	return all
}

func TestJudgeNoDifference(t *testing.T) {
	for seed := range uint64(10) {
		for _, rarity := range []int{0, 100} {
			v := judge(synthetic(seed, 20_000, 0, rarity))
			if v.worst() > suspicious || v.cropped == 0 {
				t.Errorf("seed %d, rarity %d: got %+v, want all |t| small, and some", seed, rarity, v)
			}
		}
	}
}

// A difference of d deviations is a t of d·√(count/2).
func TestJudgeDifference(t *testing.T) {
	for _, shift := range []float64{5, -5} {
		v := judge(synthetic(1, 20_000, shift, 0))
		want := shift / 10 * math.Sqrt(20_000/2)
		if math.Abs(v.raw-want) > 4 {
			t.Errorf("shift %v: got t = %v, want %v and at most 4 from it", shift, v.raw, want)
		}
		if v.pairs != 20_000 || math.Abs(v.mean[0]-1000-shift) > 0.5 || math.Abs(v.mean[1]-1000) > 0.5 {
			t.Errorf("shift %v: got %+v, want 20000 pairs and means %v and 1000", shift, v, 1000+shift)
		}
	}
	weak := judge(synthetic(2, 5000, 2, 0)).raw
	if strong := judge(synthetic(2, 20_000, 2, 0)).raw; strong < 1.5*weak {
		t.Errorf("got t = %v, and %v with four times the pairs: want about twice as much", weak, strong)
	}
}

// What interrupts hide in the whole is seen below a percentile.
func TestJudgeCrops(t *testing.T) {
	v := judge(synthetic(3, 20_000, 3, 50))
	if math.Abs(v.raw) > suspicious {
		t.Fatalf("got t = %v over all, want it hidden", v.raw)
	}
	if v.cropped < threshold || v.percentile < 50 || v.percentile > 99.95 {
		t.Errorf("got t = %v below percentile %v, want more than %d", v.cropped, v.percentile, threshold)
	}
}

func TestJudgeLittle(t *testing.T) {
	for _, all := range []times{
		{},
		{{}, {}},
		{{1}, {2}},
		{{1, 2, 3}, {}},
		{{5, 5, 5}, {5, 5, 5}},
		synthetic(1, enough-1, 0, 0),
	} {
		v := judge(all)
		if v.judged() || v.cropped != 0 || math.IsNaN(v.raw) || v.text() != "too few pairs to judge" {
			t.Errorf("%d and %d times: got %+v, %s", len(all[0]), len(all[1]), v, v.text())
		}
	}
	if v := judge(synthetic(1, enough, 0, 0)); !v.judged() {
		t.Errorf("got %+v, want %d pairs to be enough", v, enough)
	}
	constant := times{slices.Repeat([]float64{7}, 1000), slices.Repeat([]float64{7}, 1000)}
	if v := judge(constant); v.worst() != 0 || v.text() != "nothing found" {
		t.Errorf("constant times: got %+v, %s", v, v.text())
	}
	constant[0] = slices.Repeat([]float64{6}, 1000)
	if v := judge(constant); !math.IsInf(v.raw, -1) || v.text() != "differs" {
		t.Errorf("two constants: got %+v, %s", v, v.text())
	}
}

func TestJudgeLeavesTimes(t *testing.T) {
	all := synthetic(4, 1000, 1, 10)
	before := times{slices.Clone(all[0]), slices.Clone(all[1])}
	judge(all)
	if !slices.Equal(all[0], before[0]) || !slices.Equal(all[1], before[1]) {
		t.Error("judge changed the times")
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		v    verdict
		want string
	}{
		{verdict{pairs: enough, raw: 1, cropped: -4.4}, "nothing found"},
		{verdict{pairs: enough, raw: 1, cropped: -4.6}, "run it again with more pairs"},
		{verdict{pairs: enough, raw: -10.1, cropped: 1}, "differs"},
		{verdict{pairs: enough - 1, raw: 50}, "too few pairs to judge"},
	} {
		if got := c.v.text(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.v, got, c.want)
		}
	}
}
