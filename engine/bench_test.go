package engine_test

import (
	"fmt"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/sink"
)

// BenchmarkAppend is the notary whole, with a discarding sink: an op is one receipt, sealed.
func BenchmarkAppend(b *testing.B) {
	for _, block := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("block=%d", block), func(b *testing.B) {
			n, err := engine.New(engine.Config{App: "app", Signer: newSigner(b), Sink: sink.Discard{}, MaxReceipts: block})
			if err != nil {
				b.Fatal(err)
			}
			r := plain("job-9812", 412)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n.Append(background, r); err != nil {
					b.Fatal(err)
				}
			}
			if err := n.Close(background); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
		})
	}
}
