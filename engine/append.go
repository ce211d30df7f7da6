package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// Seq is a receipt's sequence number: its place, from 1, among all that this Notary accepted. 0 is none.
type Seq uint64

// arrival is the work on the receipts of one call, before they are accepted. It is owned by the calling goroutine.
type arrival struct {
	receipts []*receipt.Receipt // borrowed from the caller
	arena    []byte             // their leaves, one after the other
	ends     []int
	instants []receipt.Instant
	claims   []logblock.Claim // CheckStrict: who each receipt is from, and where it stands

	// With Config.DedupWindow:
	hashes [][32]byte // of the leaves
	taken  []Taken    // of those that have entered

	// With both: claims are of fresh alone, the receipts of which freshBefore[i] stand before receipt i.
	fresh       []*receipt.Receipt
	freshIndex  []int
	freshBefore []int
}

// What an arrival may take back to the pool: bytes of leaves, receipts of a batch.
const (
	maxPooledArena    = 1 << 20
	maxPooledReceipts = 1 << 12
)

var arrivals = sync.Pool{New: func() any { return new(arrival) }}

// release gives a back to the pool. An arrival that met an error is left to the collector instead.
func (a *arrival) release() {
	if cap(a.arena) > maxPooledArena || cap(a.receipts) > maxPooledReceipts {
		return
	}
	poison(a.arena)
	clear(a.receipts)
	clear(a.fresh)
	*a = arrival{
		receipts: a.receipts[:0], arena: a.arena[:0], ends: a.ends[:0],
		instants: a.instants[:0], claims: a.claims[:0],
		hashes: a.hashes[:0], taken: a.taken[:0],
		fresh: a.fresh[:0], freshIndex: a.freshIndex[:0], freshBefore: a.freshBefore[:0],
	}
	arrivals.Put(a)
}

func (a *arrival) leaf(i int) []byte {
	from := 0
	if i > 0 {
		from = a.ends[i-1]
	}
	return a.arena[from:a.ends[i]]
}

// Append accepts r as the next receipt and returns its sequence number. It copies what it needs: r is the caller's
// again when it returns. While the queue is full it waits until ctx ends. A receipt that breaks a rule is refused with
// a *RefusedError; after any error nothing was taken. With Config.DedupWindow, ErrDuplicate comes with the number that the
// receipt has already.
//
// Accepted is the least of three levels: the receipt is in the queue, in memory. WaitDurable waits for the second, Wait for
// the third.
func (n *Notary) Append(ctx context.Context, r *receipt.Receipt) (Seq, error) {
	return n.appendOne(ctx, r, true)
}

// TryAppend is Append that returns ErrBacklog where Append would wait.
func (n *Notary) TryAppend(r *receipt.Receipt) (Seq, error) {
	return n.appendOne(context.Background(), r, false)
}

func (n *Notary) appendOne(ctx context.Context, r *receipt.Receipt, wait bool) (Seq, error) {
	if seq := n.appendAtOnce(r); seq != 0 {
		return seq, nil
	}
	a := arrivals.Get().(*arrival)
	a.receipts = append(a.receipts, r)
	first, _, err := n.arrive(ctx, a, wait)
	if err != nil {
		return 0, err
	}
	if len(a.taken) > 0 && a.taken[0].Duplicate {
		err = ErrDuplicate
	}
	a.release()
	return first, err
}

// appendAtOnce is Append where nothing is in the way: no other caller at this moment, nobody in line, room for any receipt,
// nothing to check but the format. It encodes straight into the open batch, which saves a copy and the way through the
// pool. In all other cases, a refusal among them, it returns 0 and has changed nothing.
func (n *Notary) appendAtOnce(r *receipt.Receipt) Seq {
	if n.eng.legacy != nil || n.producers != nil || n.window != nil || !n.mu.TryLock() {
		return 0
	}
	defer n.unlock()
	if n.stopped() != nil || n.full() || len(n.line) > 0 || r.App != n.app ||
		n.pending == n.cfg.MaxPending || n.pendingBytes+receipt.MaxEncoding > n.cfg.MaxPendingBytes {
		return 0
	}
	b := n.open
	arena, at, err := r.AppendCanonicalInstant(b.arena)
	if err != nil {
		return 0
	}
	size := len(arena) - len(b.arena)
	if st := n.eng.store; st != nil && size > st.j.MaxPayload()-leavesHead(1) {
		return 0 // b.arena still ends before it
	}
	b.arena = arena
	n.admit(size, r, at)
	return n.next - 1
}

// AppendBatch accepts receipts in their order, without a foreign one between them, and returns the sequence number of
// the first and how many were taken. A receipt that breaks a rule refuses the whole batch (taken is 0). A batch may be
// larger than the queue: it enters as room comes, so when ctx ends or the Notary stops, the first taken receipts are
// accepted and the others are not. With Config.DedupWindow, repetitions count as taken, and first is the first receipt's
// number, an old one if it is a repetition; AppendEach tells of each.
func (n *Notary) AppendBatch(ctx context.Context, receipts []*receipt.Receipt) (first Seq, taken int, err error) {
	a := arrivals.Get().(*arrival)
	a.receipts = append(a.receipts, receipts...)
	if first, taken, err = n.arrive(ctx, a, true); err == nil {
		a.release()
	}
	return first, taken, err
}

// AppendEach is AppendBatch that says of each receipt where it stands: dst[:taken] is set, and dst has room for all.
func (n *Notary) AppendEach(ctx context.Context, receipts []*receipt.Receipt, dst []Taken) (taken int, err error) {
	if len(dst) < len(receipts) {
		panic(fmt.Sprintf("engine: AppendEach of %d receipts into room for %d", len(receipts), len(dst)))
	}
	a := arrivals.Get().(*arrival)
	a.receipts = append(a.receipts, receipts...)
	first, taken, err := n.arrive(ctx, a, true)
	if n.window != nil {
		copy(dst, a.taken)
	} else {
		for i := range taken {
			dst[i] = Taken{Seq: first + Seq(i)}
		}
	}
	if err == nil {
		a.release()
	}
	return taken, err
}

// arrive prepares a and lets it enter. Without DedupWindow its receipts have the numbers from first on.
func (n *Notary) arrive(ctx context.Context, a *arrival, wait bool) (first Seq, taken int, err error) {
	if err := n.encodeAll(a); err != nil {
		return 0, 0, err
	}
	for {
		if err := n.checkProducers(a); err != nil {
			return 0, 0, err
		}
		// Each turn of this loop means that a receipt of a was taken by somebody else, so it ends.
		if first, taken, err = n.accept(ctx, a, wait); err != errMoved || taken > 0 {
			break
		}
	}
	if n.window != nil && taken > 0 {
		first = a.taken[0].Seq
	}
	return first, taken, err
}

// encodeAll encodes and hashes on the caller's goroutine, without the Notary's lock.
func (n *Notary) encodeAll(a *arrival) error {
	for i, r := range a.receipts {
		if err := n.encode(a, r); err != nil {
			return &RefusedError{Index: i, Err: err}
		}
	}
	if n.window != nil {
		a.hashes = n.leafHashes(a.hashes[:0], a.arena, a.ends)
	}
	return nil
}

// checkProducers verifies the producers' claims, without the Notary's lock for long.
func (n *Notary) checkProducers(a *arrival) error {
	if n.producers == nil {
		return nil
	}
	receipts := a.receipts
	if n.window != nil {
		a.freshIndex = a.freshIndex[:0]
		n.sift(a)
		receipts = a.fresh
	}
	var err error
	if a.claims, err = n.producers.Verify(a.claims[:0], receipts); err != nil {
		refused := refusedProducer(err).(*RefusedError)
		if n.window != nil {
			refused.Index = a.freshIndex[refused.Index]
		}
		return refused
	}
	return nil
}

func (n *Notary) encode(a *arrival, r *receipt.Receipt) error {
	if r.App != n.app {
		return &receipt.FieldError{Field: "app", Reason: fmt.Sprintf("%q, but this notary seals %q", r.App, n.app)}
	}
	var at receipt.Instant // scheme bpi-1 needs none
	var err error
	if n.eng.legacy != nil {
		a.arena, err = n.eng.legacy.AppendLeaf(a.arena, r)
	} else {
		a.arena, at, err = r.AppendCanonicalInstant(a.arena)
	}
	if err != nil {
		return err
	}
	a.ends = append(a.ends, len(a.arena))
	if st := n.eng.store; st != nil {
		if size := len(a.leaf(len(a.ends) - 1)); size > st.j.MaxPayload()-leavesHead(1) {
			return &receipt.FieldError{Reason: fmt.Sprintf("%d bytes as a leaf, and this journal's segments take %d at most",
				size, st.j.MaxPayload()-leavesHead(1))}
		}
	}
	a.instants = append(a.instants, at)
	return nil
}
