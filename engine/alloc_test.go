//go:build !race

// The race detector makes sync.Pool forget at random.

package engine_test

import (
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sink"
)

var labels = []receipt.Label{{Key: "tier", Value: "gold"}, {Key: "region", Value: "ca-east"}}

// From Append to the root, a receipt allocates nothing: what is left is a handful of allocations a block, for the LogBlock
// that the Sink may keep and for the signature.
func TestAppendAllocatesNothingPerReceipt(t *testing.T) {
	const block, perBlock = 1000, 20
	n := start(t, engine.Config{Sink: sink.Discard{}, MaxReceipts: block})
	receipts := some(block)
	for _, r := range receipts {
		r.Labels = labels
	}
	sealBlock := func() {
		for _, r := range receipts {
			if _, err := n.Append(background, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 100 { // buffers grow to their size
		sealBlock()
	}
	if got := testing.AllocsPerRun(20, sealBlock); got > perBlock {
		t.Errorf("%v allocations for a block of %d receipts, want at most %d", got, block, perBlock)
	}
	closeNotary(t, n)
}
