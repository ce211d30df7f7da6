package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/sign"
)

// BenchmarkLevel has callers append a receipt each and wait for a level before the next: an op is one receipt. p50 and p99 are
// of what one call takes. Blocks are cut when 100 receipts are pending or the oldest has waited a millisecond, so sealed
// includes that wait.
func BenchmarkLevel(b *testing.B) {
	for _, level := range []string{"accepted", "durable", "sealed"} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("level=%s/callers=%d", level, callers), func(b *testing.B) { benchmarkLevel(b, level, callers) })
		}
	}
}

func benchmarkLevel(b *testing.B, level string, callers int) {
	all := receipts(b)
	signer, err := sign.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	e, err := engine.Open(engine.Config{Signer: signer, Store: engine.Store{Dir: diskDir(b)}, MaxWindow: time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	n, err := e.Notary("my-app")
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	once := func(i int) error {
		seq, err := n.Append(ctx, all[i%len(all)])
		switch {
		case err != nil || level == "accepted":
		case level == "durable":
			err = n.WaitDurable(ctx, seq)
		default:
			_, err = n.Wait(ctx, seq)
		}
		return err
	}
	took := make([][]time.Duration, callers)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := c; i < b.N; i += callers {
				began := time.Now()
				if err := once(i); err != nil {
					b.Error(err)
					return
				}
				took[c] = append(took[c], time.Since(began))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	report(b, "receipts")
	times := slices.Concat(took...)
	slices.Sort(times)
	if len(times) > 0 {
		b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "p50-ns")
		b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
	}
	if err := e.Close(ctx); err != nil {
		b.Fatal(err)
	}
}
