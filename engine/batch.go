package engine

import (
	"time"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// batch gathers the leaves of one LogBlock. The open batch is guarded by Notary.mu; once cut it belongs to the sealing
// goroutine, which gives it back for reuse.
type batch struct {
	first Seq       // sequence number of leaf 0
	born  time.Time // when leaf 0 was accepted, notary's clock
	arena []byte    // leaves one after the other
	ends  []int     // leaf i is arena[ends[i-1]:ends[i]]
	span  span
	usage logblock.Usage

	// sealing is nil unless somebody waits for this batch; guarded by Notary.mu throughout.
	sealing *sealing
}

// sealing is how waiters learn what became of a batch. Its fields are written before done is closed and never after.
type sealing struct {
	done  chan struct{}
	block *logblock.LogBlock
	err   error
}

func (b *batch) len() int { return len(b.ends) }

func (b *batch) reset() {
	*b = batch{arena: b.arena[:0], ends: b.ends[:0]}
}

// watch returns what tells the batch's outcome, for the holder of Notary.mu.
func (b *batch) watch() *sealing {
	if b.sealing == nil {
		b.sealing = &sealing{done: make(chan struct{})}
	}
	return b.sealing
}

// add copies one leaf and what the header says of its receipt.
func (b *batch) add(leaf []byte, r *receipt.Receipt, at receipt.Instant, textual bool) {
	b.arena = append(b.arena, leaf...)
	b.ends = append(b.ends, len(b.arena))
	b.usage.Add(&r.Resource)
	if textual {
		b.span.addText(r.TS, len(b.ends) == 1)
	} else {
		b.span.addInstant(r.TS, at, len(b.ends) == 1)
	}
}

// span is the range of a LogBlock: the text of its earliest and of its latest receipt.
type span struct {
	from, to     timestamp
	fromAt, toAt receipt.Instant
}

// addInstant orders by instant; among equals the first text stays (FORMAT §3).
func (s *span) addInstant(ts string, at receipt.Instant, first bool) {
	if first || at.Compare(s.fromAt) < 0 {
		s.from.set(ts)
		s.fromAt = at
	}
	if first || at.Compare(s.toAt) > 0 {
		s.to.set(ts)
		s.toAt = at
	}
}

// addText orders by text, as scheme bpi-1 does (FORMAT §5).
func (s *span) addText(ts string, first bool) {
	if first || ts < string(s.from.bytes()) {
		s.from.set(ts)
	}
	if first || ts > string(s.to.bytes()) {
		s.to.set(ts)
	}
}

// timestamp holds the text of a ts in place: RFC 3339 with nine digits and an offset is the longest, 35 bytes.
type timestamp struct {
	text [35]byte
	n    uint8
}

func (t *timestamp) set(ts string) { t.n = uint8(copy(t.text[:], ts)) }

func (t *timestamp) bytes() []byte { return t.text[:t.n] }

// fifo is a queue of batches that reuses its array.
type fifo struct {
	batches []*batch
	head    int // batches[:head] are gone
}

func (f *fifo) len() int      { return len(f.batches) - f.head }
func (f *fifo) first() *batch { return f.batches[f.head] }
func (f *fifo) all() []*batch { return f.batches[f.head:] }
func (f *fifo) push(b *batch) { f.batches = append(f.batches, b) }

// drop removes the first batch. Moving the rest down only when half the array is gone keeps it at constant cost.
func (f *fifo) drop() {
	f.batches[f.head] = nil
	f.head++
	if f.head > len(f.batches)/2 {
		n := copy(f.batches, f.batches[f.head:])
		clear(f.batches[n:])
		f.batches, f.head = f.batches[:n], 0
	}
}
