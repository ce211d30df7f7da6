package engine

import (
	"context"
	"fmt"
	"sort"

	"github.com/encseal/encseal/engine/logblock"
)

// PositionHistory is how many sealed blocks back Wait still knows positions.
const PositionHistory = 1 << 16

// Position is where a receipt stands: leaf Index, from 0, of the LogBlock at Height.
type Position struct {
	Height uint64
	Index  uint32
}

// Wait returns the position of the receipt that Append gave seq to, once its LogBlock is signed. It returns
// ErrForgotten when that is more than PositionHistory blocks ago, and an error for a number not given out yet.
func (n *Notary) Wait(ctx context.Context, seq Seq) (Position, error) {
	n.mu.Lock()
	if seq == 0 || seq >= n.next {
		next := n.next
		n.unlock()
		return Position{}, fmt.Errorf("engine: sequence number %d was not given out, the next is %d", seq, next)
	}
	b := n.batchOf(seq)
	if b == nil {
		p, err := n.past.find(seq)
		n.unlock()
		return p, err
	}
	if n.failure != nil {
		defer n.unlock()
		return Position{}, n.failure
	}
	first, s := b.first, b.watch()
	n.unlock()
	block, err := s.wait(ctx)
	if err != nil {
		return Position{}, err
	}
	return Position{Height: block.Height, Index: uint32(seq - first)}, nil
}

// batchOf returns the pending batch that holds seq, nil when it is sealed.
func (n *Notary) batchOf(seq Seq) *batch {
	if n.open.len() > 0 && seq >= n.open.first {
		return n.open
	}
	cuts := n.cuts.all()
	i := sort.Search(len(cuts), func(i int) bool { return cuts[i].first > seq }) - 1
	if i < 0 {
		return nil
	}
	return cuts[i]
}

// sealing is how waiters learn what became of a batch. Its fields are written before done is closed and never after.
type sealing struct {
	done  chan struct{}
	block *logblock.LogBlock
	err   error
}

// watch returns what tells the batch's outcome, for the holder of Notary.mu.
func (b *batch) watch() *sealing {
	if b.sealing == nil {
		b.sealing = &sealing{done: make(chan struct{})}
	}
	return b.sealing
}

func (s *sealing) wait(ctx context.Context) (*logblock.LogBlock, error) {
	select {
	case <-s.done:
		return s.block, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// history remembers the first sequence number of the last PositionHistory blocks. Guarded by Notary.mu.
type history struct {
	height uint64 // of the last sealed block
	end    Seq    // after its last receipt
	starts []Seq  // first of the block at height h, at starts[h % PositionHistory]; grows up to PositionHistory
	kept   uint64 // how many are valid, ending at height
}

func (h *history) add(height uint64, first Seq, count int) {
	slot := height % PositionHistory
	for uint64(len(h.starts)) <= slot && len(h.starts) < PositionHistory {
		h.starts = append(h.starts, 0)
	}
	h.starts[slot] = first
	h.height = height
	h.end = first + Seq(count)
	h.kept = min(h.kept+1, PositionHistory)
}

func (h *history) find(seq Seq) (Position, error) {
	start := func(i int) Seq { // of the i-th kept block, oldest first
		return h.starts[(h.height-h.kept+1+uint64(i))%PositionHistory]
	}
	i := sort.Search(int(h.kept), func(i int) bool { return start(i) > seq }) - 1
	if i < 0 || seq >= h.end {
		return Position{}, fmt.Errorf("%w: sequence number %d", ErrForgotten, seq)
	}
	return Position{Height: h.height - h.kept + 1 + uint64(i), Index: uint32(seq - start(i))}, nil
}
