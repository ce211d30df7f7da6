package logblock

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/encseal/encseal/engine/receipt"
)

// In whatever order receipts come, the range is that of the plain rule: the first of the earliest, the first of the latest.
func TestSpan(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		var s Span
		var from, to string
		var fromAt, toAt receipt.Instant
		var all []string
		for i := range random.IntN(6) {
			offset := random.IntN(3) // one instant under several texts
			ts := fmt.Sprintf("2026-11-23T%02d:00:0%d.%d+%02d:00", 10+offset, random.IntN(2), random.IntN(2), offset)
			at, err := receipt.ParseInstant(ts)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, ts)
			s.Add(ts, at)
			if i == 0 || at.Compare(fromAt) < 0 {
				from, fromAt = ts, at
			}
			if i == 0 || at.Compare(toAt) > 0 {
				to, toAt = ts, at
			}
		}
		if s.From() != from || s.To() != to {
			t.Fatalf("range of %q: got %q to %q, want %q to %q", all, s.From(), s.To(), from, to)
		}
	}
}
