package main

import (
	"context"
	"math/rand/v2"
	"testing"
)

// ticks is a clock that moves when it is told to: what time a subject takes is exact.
type ticks struct{ now float64 }

func (c *ticks) read() float64 { return c.now }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

// A loop that goes round once more for each set bit of a secret is found; one that goes round 64 times whatever the bits is
// not, among the same noise.
func TestLeakIsFound(t *testing.T) {
	rng := newRand(1)
	var secrets [2][100]uint64
	for i := range 100 {
		secrets[fixed][i], secrets[random][i] = 0xff, rng.Uint64()
	}
	for _, c := range []struct {
		name  string
		leaky bool
	}{{"leaky", true}, {"even", false}} {
		var clock ticks
		s := subject{secrets: 100, do: func(class, i int) {
			for bit := range 64 {
				if !c.leaky || secrets[class][i]>>bit&1 == 1 {
					clock.now++
				}
			}
			clock.now += 1000 + 50*rng.ExpFloat64()
		}}
		v := judge(measure(context.Background(), s, 2000, clock.read, newRand(2)))
		if found := v.worst() > threshold; found != c.leaky || v.pairs != 2000 {
			t.Errorf("%s: got %+v, want it found: %v", c.name, v, c.leaky)
		}
	}
}

// Every pair has one of each class and the same secret number, and a coin says which comes first.
func TestMeasureOrder(t *testing.T) {
	type call struct{ class, i int }
	var calls []call
	var clock ticks
	s := subject{secrets: 7, do: func(class, i int) {
		calls = append(calls, call{class, i})
		clock.now += float64(10 + class)
	}}
	const pairs = 1000
	all := measure(context.Background(), s, pairs, clock.read, newRand(3))
	for class := range all {
		if len(all[class]) != pairs {
			t.Fatalf("class %d: got %d times, want %d", class, len(all[class]), pairs)
		}
		for i, x := range all[class] {
			if x != float64(10+class) {
				t.Fatalf("class %d, time %d: got %v, want %d", class, i, x, 10+class)
			}
		}
	}
	calls = calls[2*7:] // without the first uses
	first := 0
	for i := range pairs {
		a, b := calls[2*i], calls[2*i+1]
		if a.class == b.class || a.i != i%7 || b.i != i%7 {
			t.Fatalf("pair %d: got %v and %v", i, a, b)
		}
		first += a.class
	}
	if first < pairs*4/10 || first > pairs*6/10 {
		t.Errorf("%d of %d pairs begin with class 1", first, pairs)
	}
}

func TestMeasureStops(t *testing.T) {
	for _, after := range []int{0, 4, 20, 21, 33} { // calls: 2·10 first uses, then two a pair
		ctx, cancel := context.WithCancel(context.Background())
		var clock ticks
		calls := 0
		s := subject{secrets: 10, do: func(int, int) {
			if calls++; calls >= after {
				cancel()
			}
		}}
		all := measure(ctx, s, 1000, clock.read, newRand(4))
		want := max(0, after-20+1) / 2 // a pair that has begun is ended
		if after == 0 {
			want = 0
		}
		if len(all[0]) != want || len(all[1]) != want {
			t.Errorf("after %d calls: got %d and %d times, want %d of each", after, len(all[0]), len(all[1]), want)
		}
		cancel()
	}
}
