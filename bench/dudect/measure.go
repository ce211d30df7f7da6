package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// The two classes: of one secret all the time, of a new one each time.
const (
	fixed = iota
	random
)

// clock returns nanoseconds since some moment.
type clock func() float64

func monotonic() clock {
	start := time.Now()
	return func() float64 { return float64(time.Since(start)) }
}

// subject is what is measured: do(class, i) works once on secret i of the class. Everything that it needs is made before.
type subject struct {
	secrets int // of each class
	do      func(class, i int)
	sigs    [][64]byte // what do signs last; nil where it signs nothing
}

// measure times pairs of operations, one of each class, a coin saying which comes first, until it has as many as wanted or
// ctx ends. A secret's turn comes by its number, so that both classes come back to their memory equally late.
//
// Coins are thrown before, so that nothing but the operation and the clock happens between two times.
func measure(ctx context.Context, s subject, pairs int, now clock, rng *rand.Rand) times {
	first := make([]uint8, pairs)
	for i := range first {
		first[i] = uint8(rng.IntN(2))
	}
	all := times{make([]float64, 0, pairs), make([]float64, 0, pairs)}
	for i := range min(s.secrets, pairs) { // what is made at its first use is made here
		if ctx.Err() != nil {
			return all
		}
		for class := range all {
			s.do(class, i)
		}
	}
	for i := range pairs {
		if ctx.Err() != nil {
			break
		}
		for turn := range len(all) {
			class := int(first[i]) ^ turn
			start := now()
			s.do(class, i%s.secrets)
			all[class] = append(all[class], now()-start)
		}
	}
	return all
}
