package main

import (
	"math"
	"slices"
)

// moments sums up a sample: how many, their mean, and the sum of squares of their distances from it (Welford).
type moments struct{ count, mean, squares float64 }

func (m *moments) add(x float64) {
	m.count++
	d := x - m.mean
	m.mean += d / m.count
	m.squares += d * (x - m.mean)
}

// welch returns Welch's t statistic: the difference of the two means over its standard error. There is none, and ok is
// false, where a sample has fewer than two values, or where both are constant and equal. Two different constants are ±Inf.
func welch(a, b moments) (t float64, ok bool) {
	if a.count < 2 || b.count < 2 {
		return 0, false
	}
	variance := a.squares/(a.count-1)/a.count + b.squares/(b.count-1)/b.count
	if variance == 0 {
		if a.mean == b.mean {
			return 0, false
		}
		return math.Inf(int(math.Copysign(1, a.mean-b.mean))), true
	}
	return (a.mean - b.mean) / math.Sqrt(variance), true
}

// times are measured times in nanoseconds, by class.
type times [2][]float64

const (
	crops  = 100 // tests of cropped times
	enough = 500 // times of each class that a test needs
)

// verdict is what the times of two classes tell.
type verdict struct {
	pairs      int
	raw        float64    // t over all times
	cropped    float64    // the t of the largest |t| over times below a percentile; 0 where none had enough
	percentile float64    // which, 0 to 100
	mean       [2]float64 // of all times, nanoseconds
}

// judge computes Welch's t over all times, and over those below each of 100 percentiles of both classes together, which lie
// closer the higher they are: 100·(1 − 2^(−i/10)), i from 1. What disturbs a measurement makes it longer, so low percentiles
// show small differences that interrupts hide in the whole. It leaves all as it is.
func judge(all times) verdict {
	v := verdict{pairs: min(len(all[0]), len(all[1]))}
	var sorted times
	var sums [2]moments
	for class := range all {
		for _, x := range all[class] {
			sums[class].add(x)
		}
		v.mean[class] = sums[class].mean
		sorted[class] = slices.Sorted(slices.Values(all[class]))
	}
	v.raw, _ = welch(sums[0], sums[1])
	both := slices.Concat(sorted[0], sorted[1])
	slices.Sort(both)
	sums = [2]moments{}
	for i := range crops {
		part := 1 - math.Exp2(-float64(i+1)/10)
		at := int(part * float64(len(both)))
		if at == len(both) {
			break // of none
		}
		for class := range sorted {
			for len(sorted[class]) > 0 && sorted[class][0] < both[at] {
				sums[class].add(sorted[class][0])
				sorted[class] = sorted[class][1:]
			}
		}
		if min(sums[0].count, sums[1].count) < enough {
			continue
		}
		if t, ok := welch(sums[0], sums[1]); ok && math.Abs(t) > math.Abs(v.cropped) {
			v.cropped, v.percentile = t, 100*part
		}
	}
	return v
}

// judged tells whether there were pairs enough.
func (v *verdict) judged() bool { return v.pairs >= enough }

// worst is the largest |t| of all tests.
func (v *verdict) worst() float64 { return max(math.Abs(v.raw), math.Abs(v.cropped)) }
