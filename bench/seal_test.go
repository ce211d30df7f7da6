package bench

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"runtime"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/engine/sink"
)

// BenchmarkSeal takes the real receipts from memory to LogBlocks that have left a discarding sink. impl=encseal is the
// product: Notary.Append with default settings, range and usage included.
//
// All run on one core: a notary that seals on a second one while its rival has one would win twice.
func BenchmarkSeal(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	all, allSteps := receipts(b), steps(b)
	for _, block := range []int{100, 1000} {
		b.Run(fmt.Sprintf("block=%d/impl=encseal", block), func(b *testing.B) {
			signer, err := sign.GenerateSigner()
			if err != nil {
				b.Fatal(err)
			}
			n, err := engine.New(engine.Config{App: "my-app", Signer: signer, Sink: sink.Discard{}, MaxReceipts: block})
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n.Append(ctx, all[i]); err != nil {
					b.Fatal(err)
				}
				if i++; i == len(all) {
					i = 0
				}
			}
			if err := n.Close(ctx); err != nil {
				b.Fatal(err)
			}
			report(b, "receipts")
		})
		b.Run(fmt.Sprintf("block=%d/impl=naive", block), func(b *testing.B) {
			_, key, err := ed25519.GenerateKey(nil)
			if err != nil {
				b.Fatal(err)
			}
			blocks := 0
			n := naiveNotary{key: key, max: block, deliver: func([]byte) { blocks++ }}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if err := n.append(&allSteps[i]); err != nil {
					b.Fatal(err)
				}
				if i++; i == len(allSteps) {
					i = 0
				}
			}
			report(b, "receipts")
		})
	}
}
