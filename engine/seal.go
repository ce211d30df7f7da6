package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/encseal/encseal/engine/logblock"
)

// Pauses between two offers of one block to a Sink that failed: doubled from the first to the last, each shortened by
// up to half at random.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 30 * time.Second
)

// maxFreeBatches bounds what is kept for reuse.
const maxFreeBatches = 4

// run is the sealing goroutine: one block after the other, each delivered before the next is sealed.
func (n *Notary) run() {
	defer close(n.quit)
	for {
		b := n.nextCut()
		if b == nil {
			return
		}
		block, err := n.seal(b)
		if err != nil {
			n.fail(fmt.Errorf("engine: sealing block %d of %q: %w", n.head.Height+1, n.cfg.App, err))
			return
		}
		n.conclude(b, block)
		if !n.deliver(block) {
			return
		}
	}
}

// nextCut waits for a cut batch; nil when the Notary closes and nothing is left.
func (n *Notary) nextCut() *batch {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.cuts.len() == 0 {
		if n.closing {
			return nil
		}
		n.work.Wait()
	}
	return n.cuts.first()
}

// seal computes root, header and signature of a cut batch, and moves the head.
func (n *Notary) seal(b *batch) (*logblock.LogBlock, error) {
	if n.head.Height == math.MaxUint64 {
		return nil, errors.New("the last height is used up")
	}
	block := &logblock.LogBlock{
		App:    n.cfg.App,
		Height: n.head.Height + 1,
		Count:  uint32(b.len()),
		FromTS: b.span.From(),
		ToTS:   b.span.To(),
		Scheme: n.cfg.Scheme,
	}
	digest, err := n.finish(block, b)
	if err != nil {
		return nil, err
	}
	if err := n.sign(block, digest); err != nil {
		return nil, err
	}
	n.head = logblock.Head{Height: block.Height, Hash: digest}
	return block, nil
}

// finish fills in what the scheme decides and returns the digest to be signed.
func (n *Notary) finish(block *logblock.LogBlock, b *batch) ([32]byte, error) {
	n.hashes = n.hashes[:0]
	if n.legacy != nil {
		from := 0
		for _, end := range b.ends {
			n.hashes = append(n.hashes, n.legacy.HashLeaf(b.arena[from:end]))
			from = end
		}
		block.MerkleRoot = n.legacy.Root(n.hashes)
		return n.legacy.BlockDigest(block.App, block.Height, block.MerkleRoot, block.Count, block.FromTS, block.ToTS), nil
	}
	n.hashes = n.tree.HashLeaves(n.hashes, b.arena, b.ends)
	block.MerkleRoot = n.tree.Root(n.hashes)
	block.Usage, block.HasUsage = b.usage, true
	block.Prev = n.head.Hash
	block.Key = n.cfg.Signer.PublicKey()
	return block.Hash()
}

func (n *Notary) sign(block *logblock.LogBlock, digest [32]byte) error {
	digests := [1][32]byte{digest}
	var sigs [1][64]byte
	if err := n.cfg.Signer.SignBatch(digests[:], sigs[:]); err != nil {
		return err
	}
	block.Sig = sigs[0]
	return nil
}

// conclude takes a sealed batch off the queue: room for others, positions for who waits, the batch for reuse.
func (n *Notary) conclude(b *batch, block *logblock.LogBlock) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts.drop()
	n.pending -= b.len()
	n.pendingBytes -= int64(len(b.arena))
	n.totals.blocks++
	n.totals.receipts += uint64(b.len())
	n.totals.leafBytes += uint64(len(b.arena))
	n.past.add(block.Height, b.first, b.len())
	b.settle(block, nil)
	if b.reset() && len(n.free) < maxFreeBatches {
		n.free = append(n.free, b)
	}
	n.callNext()
}

func (b *batch) settle(block *logblock.LogBlock, err error) {
	if b.sealing != nil {
		b.sealing.block, b.sealing.err = block, err
		close(b.sealing.done)
	}
}

// fail ends the Notary: whoever waits is told, nothing more is accepted or sealed.
func (n *Notary) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failure, n.stopErr = err, err
	for _, b := range slices.Concat(n.cuts.all(), []*batch{n.open}) {
		n.unsealed = b.appendLeaves(n.unsealed)
		b.settle(nil, err)
	}
	n.callAll()
}

// deliver offers block until the Sink takes it or delivery is given up; then the block is kept for Close. It returns
// false when the Sink failed for good: then the Notary stops, as blocks nobody takes must not pile up.
func (n *Notary) deliver(block *logblock.LogBlock) bool {
	var err error // of the last offer
	for pause := firstPause; n.delivery.Err() == nil; pause = min(2*pause, lastPause) {
		if err = n.cfg.Sink.Deliver(n.delivery, block); err == nil {
			n.note(nil)
			return true
		}
		n.note(err)
		if errors.Is(err, ErrPermanent) {
			n.undelivered = append(n.undelivered, block)
			n.fail(err)
			return false
		}
		n.rest(pause)
	}
	if n.stopErr == nil {
		n.stopErr = errors.Join(context.Cause(n.delivery), err)
	}
	n.undelivered = append(n.undelivered, block)
	return true
}

// note keeps the outcome of one offer for Stats.
func (n *Notary) note(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.totals.sinkErr = err
	if err != nil {
		n.totals.sinkFailures++
	}
}

func (n *Notary) rest(pause time.Duration) {
	t := time.NewTimer(pause - rand.N(pause/2))
	defer t.Stop()
	select {
	case <-t.C:
	case <-n.delivery.Done():
	}
}
