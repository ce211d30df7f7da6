package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/lanes"
	"github.com/encseal/encseal/engine/logblock"
)

// What is sealed together: as many blocks as share the cost of signing best, of so many receipts that none waits long for
// the others.
const (
	maxGroup         = 64
	maxGroupReceipts = 1 << 16
)

// sealed is a block on its way from its batch to its Sink.
type sealed struct {
	batch  *batch
	block  *logblock.LogBlock
	digest [32]byte // what its signature signs

	// With a Store alone:
	cut     uint64         // number of its cut, over all apps
	at, end journal.Offset // its frame, once it is signed
}

// group is what is sealed together. It belongs to one goroutine at a time.
type group struct {
	blocks  []sealed
	digests [][32]byte
	sigs    [][64]byte

	end   journal.Offset // the journal must be durable up to here before the group goes on
	heads headRecord     // with a head file: all cuts up to this group's
	rec   []byte         // scratch
}

// take waits for cut batches and takes the next of them into g; false when the Engine closes, or failed, and nothing is left.
func (e *Engine) take(g *group) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.queue.len() == 0 {
		if e.drained || e.failure != nil {
			return false
		}
		e.work.Wait()
	}
	clear(g.blocks)
	g.blocks = g.blocks[:0]
	receipts := 0
	for e.queue.len() > 0 && len(g.blocks) < maxGroup {
		b := e.queue.first()
		if receipts += b.len(); receipts > maxGroupReceipts && len(g.blocks) > 0 {
			break
		}
		g.blocks = append(g.blocks, sealed{batch: b})
		e.queue.drop()
	}
	return true
}

// hashAll computes root, header and signed digest of every block of g, and moves the heads past them. Where a block cannot
// be made the group ends before it, and the error is of that block.
func (e *Engine) hashAll(g *group) error {
	e.hashTrees(g)
	for i := range g.blocks {
		s := &g.blocks[i]
		if err := e.hash(s, e.roots[i]); err != nil {
			n := s.batch.notary
			g.blocks = g.blocks[:i]
			return fmt.Errorf("engine: sealing block %d of %q: %w", n.head.Height+1, n.app, err)
		}
	}
	return nil
}

// hashTrees sets roots to the Merkle roots of the batches of g.
func (e *Engine) hashTrees(g *group) {
	e.hashes, e.ends, e.roots = e.hashes[:0], e.ends[:0], e.roots[:0]
	if e.legacy != nil {
		for i := range g.blocks {
			e.roots = append(e.roots, e.legacyRoot(g.blocks[i].batch))
		}
		return
	}
	e.arenas = e.arenas[:0]
	leaves := 0
	for i := range g.blocks {
		b := g.blocks[i].batch
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

// signAll signs the blocks of g, of whatever apps and heights, as one batch.
func (e *Engine) signAll(g *group) error {
	if len(g.blocks) == 0 {
		return nil
	}
	g.digests = g.digests[:0]
	for i := range g.blocks {
		g.digests = append(g.digests, g.blocks[i].digest)
	}
	g.sigs = slices.Grow(g.sigs[:0], len(g.blocks))[:len(g.blocks)]
	if err := e.cfg.Signer.SignBatch(g.digests, g.sigs); err != nil {
		b := g.blocks[0].block
		return fmt.Errorf("engine: sealing block %d of %q: %w", b.Height, b.App, err)
	}
	for i := range g.blocks {
		g.blocks[i].block.Sig = g.sigs[i]
	}
	return nil
}

// conclude takes the sealed batches of g off their apps' queues.
func (e *Engine) conclude(g *group) {
	blocks := g.blocks
	for len(blocks) > 0 {
		n, same := blocks[0].batch.notary, 1
		for same < len(blocks) && blocks[same].batch.notary == n {
			same++
		}
		if n.conclude(blocks[:same]) {
			e.reuse(blocks[:same])
		}
		blocks = blocks[same:]
	}
}

// conclude takes sealed batches of this app off its queue: room for others, positions for who waits. It returns false where
// the Engine has failed, which has told who waits.
func (n *Notary) conclude(blocks []sealed) bool {
	n.mu.Lock()
	defer n.unlock()
	if n.failure != nil {
		return false
	}
	for i := range blocks {
		b, block := blocks[i].batch, blocks[i].block
		n.cuts.drop()
		n.pending -= b.len()
		n.pendingBytes -= int64(len(b.arena))
		n.totals.blocks++
		n.totals.receipts += uint64(b.len())
		n.totals.leafBytes += uint64(len(b.arena))
		n.past.add(block.Height, b.first, b.len())
		b.settle(block, nil)
	}
	n.callNext()
	return true
}

func (b *batch) settle(block *logblock.LogBlock, err error) {
	if b.sealing != nil {
		b.sealing.block, b.sealing.err = block, err
		close(b.sealing.done)
	}
}
