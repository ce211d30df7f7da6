package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/encseal/encseal/engine/lanes"
	"github.com/encseal/encseal/engine/logblock"
)

// Pauses between two offers of one block to a Sink that failed: doubled from the first to the last, each shortened by
// up to half at random.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 30 * time.Second
)

// What is sealed together: as many blocks as share the cost of signing best, of so many receipts that none waits long for
// the others.
const (
	maxGroup         = 64
	maxGroupReceipts = 1 << 16
)

// maxFreeBatches bounds what is kept for reuse.
const maxFreeBatches = maxGroup

// sealed is a block on its way from its batch to its Sink.
type sealed struct {
	batch  *batch
	block  *logblock.LogBlock
	digest [32]byte // what its signature signs
}

// run is the sealing goroutine. Whatever was cut while it was busy is its next group: signed as one batch, delivered in
// order before the group after it is sealed.
func (e *Engine) run() {
	defer close(e.quit)
	for e.takeGroup() {
		hashErr := e.hashGroup()
		if err := e.signGroup(); err != nil {
			e.fail(err)
			return
		}
		for i := range e.group {
			e.group[i].batch.notary.conclude(&e.group[i])
		}
		if !e.deliverGroup() {
			return
		}
		if hashErr != nil {
			e.fail(hashErr)
			return
		}
	}
}

// takeGroup waits for cut batches and takes the next group of them; false when the Engine closes and nothing is left.
func (e *Engine) takeGroup() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.queue.len() == 0 {
		if e.drained {
			return false
		}
		e.work.Wait()
	}
	clear(e.group)
	e.group = e.group[:0]
	receipts := 0
	for e.queue.len() > 0 && len(e.group) < maxGroup {
		b := e.queue.first()
		if receipts += b.len(); receipts > maxGroupReceipts && len(e.group) > 0 {
			break
		}
		e.group = append(e.group, sealed{batch: b})
		e.queue.drop()
	}
	return true
}

// hashGroup computes root, header and signed digest of every block of the group, and moves the heads past them. Where a
// block cannot be made the group ends before it, and the error is of that block.
func (e *Engine) hashGroup() error {
	e.hashTrees()
	for i := range e.group {
		s := &e.group[i]
		if err := e.hash(s, e.roots[i]); err != nil {
			n := s.batch.notary
			e.group = e.group[:i]
			return fmt.Errorf("engine: sealing block %d of %q: %w", n.head.Height+1, n.app, err)
		}
	}
	return nil
}

// hashTrees sets the Merkle root of each batch of the group.
func (e *Engine) hashTrees() {
	e.hashes, e.ends, e.roots = e.hashes[:0], e.ends[:0], e.roots[:0]
	if e.legacy != nil {
		for i := range e.group {
			e.roots = append(e.roots, e.legacyRoot(e.group[i].batch))
		}
		return
	}
	e.arenas = e.arenas[:0]
	leaves := 0
	for i := range e.group {
		b := e.group[i].batch
		e.arenas = append(e.arenas, lanes.Arena{Bytes: b.arena, Ends: b.ends})
		leaves += b.len()
		e.ends = append(e.ends, leaves)
	}
	e.hashes = e.tree.HashArenas(e.hashes, e.arenas)
	clear(e.arenas)
	e.roots = e.tree.Roots(e.roots, e.hashes, e.ends)
}

func (e *Engine) legacyRoot(b *batch) [32]byte {
	e.hashes = e.hashes[:0]
	from := 0
	for _, end := range b.ends {
		e.hashes = append(e.hashes, e.legacy.HashLeaf(b.arena[from:end]))
		from = end
	}
	return e.legacy.Root(e.hashes)
}

// hash makes the block of s, over root, and its digest.
func (e *Engine) hash(s *sealed, root [32]byte) error {
	b := s.batch
	n := b.notary
	if n.head.Height == math.MaxUint64 {
		return errors.New("the last height is used up")
	}
	s.block = &logblock.LogBlock{
		App:        n.app,
		Height:     n.head.Height + 1,
		MerkleRoot: root,
		Count:      uint32(b.len()),
		FromTS:     b.span.From(),
		ToTS:       b.span.To(),
		Scheme:     e.cfg.Scheme,
	}
	var err error
	if s.digest, err = e.finish(s.block, b); err != nil {
		return err
	}
	n.head = logblock.Head{Height: s.block.Height, Hash: s.digest}
	return nil
}

// finish fills in what the scheme decides and returns the digest to be signed.
func (e *Engine) finish(block *logblock.LogBlock, b *batch) ([32]byte, error) {
	if e.legacy != nil {
		return e.legacy.BlockDigest(block.App, block.Height, block.MerkleRoot, block.Count, block.FromTS, block.ToTS), nil
	}
	block.Usage, block.HasUsage = b.usage, true
	block.Prev = b.notary.head.Hash
	block.Key = e.key
	return block.Hash()
}

// signGroup signs the group's blocks, of whatever apps and heights, as one batch.
func (e *Engine) signGroup() error {
	if len(e.group) == 0 {
		return nil
	}
	e.digests = e.digests[:0]
	for i := range e.group {
		e.digests = append(e.digests, e.group[i].digest)
	}
	e.sigs = slices.Grow(e.sigs[:0], len(e.group))[:len(e.group)]
	if err := e.cfg.Signer.SignBatch(e.digests, e.sigs); err != nil {
		b := e.group[0].block
		return fmt.Errorf("engine: sealing block %d of %q: %w", b.Height, b.App, err)
	}
	for i := range e.group {
		e.group[i].block.Sig = e.sigs[i]
	}
	return nil
}

// conclude takes a sealed batch off its app's queue: room for others, positions for who waits, the batch for reuse.
func (n *Notary) conclude(s *sealed) {
	b := s.batch
	n.mu.Lock()
	n.cuts.drop()
	n.pending -= b.len()
	n.pendingBytes -= int64(len(b.arena))
	n.totals.blocks++
	n.totals.receipts += uint64(b.len())
	n.totals.leafBytes += uint64(len(b.arena))
	n.past.add(s.block.Height, b.first, b.len())
	b.settle(s.block, nil)
	n.callNext()
	n.mu.Unlock()
	n.eng.reuse(b)
}

func (b *batch) settle(block *logblock.LogBlock, err error) {
	if b.sealing != nil {
		b.sealing.block, b.sealing.err = block, err
		close(b.sealing.done)
	}
}

// fail ends the Engine: whoever waits is told, nothing more is accepted or sealed.
func (e *Engine) fail(err error) {
	e.mu.Lock()
	e.failure = err
	e.mu.Unlock()
	e.stopErr = err
	for _, n := range e.notaries() {
		e.unsealed = n.fail(err, e.unsealed)
	}
}

// fail ends one app's Notary and appends copies of the leaves that are in no block to dst.
func (n *Notary) fail(err error, dst [][]byte) [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failure = err
	for _, b := range slices.Concat(n.cuts.all(), []*batch{n.open}) {
		dst = b.appendLeaves(dst)
		b.settle(nil, err)
	}
	n.callAll()
	return dst
}

// deliverGroup offers the group's blocks to the Sink. It returns false when the Sink failed for good: then the Engine
// stops, as blocks that nobody takes must not pile up.
func (e *Engine) deliverGroup() bool {
	for i := range e.group {
		err := e.deliver(e.group[i].block)
		if errors.Is(err, ErrPermanent) {
			for _, s := range e.group[i:] {
				e.undelivered = append(e.undelivered, s.block)
			}
			e.fail(err)
			return false
		}
		if err != nil {
			if e.stopErr == nil {
				e.stopErr = err
			}
			e.undelivered = append(e.undelivered, e.group[i].block)
		}
	}
	return true
}

// deliver offers block until the Sink takes it, delivery is given up, or the Sink fails for good.
func (e *Engine) deliver(block *logblock.LogBlock) error {
	var err error // of the last offer
	for pause := firstPause; e.delivery.Err() == nil; pause = min(2*pause, lastPause) {
		err = e.cfg.Sink.Deliver(e.delivery, block)
		e.note(err)
		if err == nil || errors.Is(err, ErrPermanent) {
			return err
		}
		e.rest(pause)
	}
	return errors.Join(context.Cause(e.delivery), err)
}

// sinkState is how delivery goes; guarded by Engine.mu.
type sinkState struct {
	failures uint64 // offers that failed
	err      error  // of the block that is being offered; nil when the last offer was taken
}

// note keeps the outcome of one offer for Stats.
func (e *Engine) note(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sink.err = err
	if err != nil {
		e.sink.failures++
	}
}

func (e *Engine) rest(pause time.Duration) {
	t := time.NewTimer(pause - rand.N(pause/2))
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.delivery.Done():
	}
}
