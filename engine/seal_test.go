package engine_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/merkle"
)

// A group in whose midst a block cannot be made, for want of heights: those before it are sealed and delivered, and the
// leaves of the others come back.
func TestGroupEndsBeforeABlockThatCannotBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan *logblock.LogBlock)
		resume := logblock.Head{Height: math.MaxUint64 - 3, Hash: [32]byte{1}}
		n := start(t, engine.Config{
			Signer: newSigner(t), Sink: chanSink(release), MaxReceipts: 2, MaxPending: 20, Resume: resume,
		})
		receipts := some(11)
		appendAll(t, n, receipts[:2])
		synctest.Wait() // the first block waits for the sink: the other four are a group, and one receipt is open
		if _, taken, err := n.AppendBatch(background, receipts[2:]); err != nil {
			t.Fatalf("AppendBatch: %d taken, %v", taken, err)
		}
		prev := resume.Hash
		for i := range 3 {
			b := <-release
			if want := resume.Height + 1 + uint64(i); b.Height != want || b.Prev != prev || b.MerkleRoot != rootOf(t, receipts[2*i:2*i+2]) {
				t.Errorf("block %d: got height %d after %x, root %x; want %d after %x", i, b.Height, b.Prev, b.MerkleRoot, want, prev)
			}
			var err error
			if prev, err = b.Hash(); err != nil {
				t.Fatal(err)
			}
		}
		var left *engine.UndeliveredError
		err := n.Close(background)
		if !errors.As(err, &left) || len(left.Blocks) != 0 || !strings.Contains(err.Error(), "the last height is used up") {
			t.Fatalf("Close: got %v, want receipts not sealed and the heights used up", err)
		}
		hasLeaves(t, left.Leaves, receipts[6:])
	})
}

// rootOf computes a block's root leaf by leaf.
func rootOf(t *testing.T, receipts []*receipt.Receipt) merkle.Hash {
	t.Helper()
	var sum merkle.Accumulator
	for _, r := range receipts {
		leaf, err := r.AppendCanonical(nil)
		if err != nil {
			t.Fatal(err)
		}
		sum.Add(merkle.HashLeaf(leaf))
	}
	return sum.Root()
}
