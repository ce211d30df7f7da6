package engine

import (
	"time"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// batch gathers the leaves of one LogBlock. The open batch is guarded by Notary.mu; once cut it belongs to the sealing
// goroutine, which gives it back for reuse.
type batch struct {
	notary *Notary

	first Seq       // sequence number of leaf 0
	born  time.Time // when leaf 0 was accepted, notary's clock
	arena []byte    // leaves one after the other
	ends  []int     // leaf i is arena[ends[i-1]:ends[i]]
	span  logblock.Span
	usage logblock.Usage

	pushed int            // leaves that the journal has; guarded by Notary.mu, as from
	from   journal.Offset // frame of leaf 0

	// sealing is nil unless somebody waits for this batch; guarded by Notary.mu throughout.
	sealing *sealing
}

func (b *batch) len() int { return len(b.ends) }

// start returns where leaf i begins in the arena; for i = len the arena's end.
func (b *batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// What is kept of batches for reuse, in bytes of arenas: one's, and all of them. Blocks that wait for the disk are many.
const (
	maxKeptArena = 8 << 20
	maxKept      = 64 << 20
)

// reset empties b for reuse and tells whether it is worth keeping.
func (b *batch) reset() bool {
	poison(b.arena)
	*b = batch{arena: b.arena[:0], ends: b.ends[:0]}
	return cap(b.arena) <= maxKeptArena
}

// appendLeaves appends copies of the leaves to dst.
func (b *batch) appendLeaves(dst [][]byte) [][]byte {
	from := 0
	for _, end := range b.ends {
		dst = append(dst, append([]byte(nil), b.arena[from:end]...))
		from = end
	}
	return dst
}

// add ends the leaf at the end of the arena, which is r's, and takes in what the header says of r.
func (b *batch) add(r *receipt.Receipt, at receipt.Instant, textual bool) {
	b.ends = append(b.ends, len(b.arena))
	b.usage.Add(&r.Resource)
	if textual {
		b.span.AddText(r.TS)
	} else {
		b.span.Add(r.TS, at)
	}
}
