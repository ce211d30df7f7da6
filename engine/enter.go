package engine

import (
	"fmt"
	"time"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/merkle"
)

// enter puts leaves [from, …) of a into the open batch, as many as there is room for, and returns how many. It fails only
// for the first piece, when a producer's head has moved since Verify.
func (n *Notary) enter(a *arrival, from int) (int, error) {
	to := from + n.room(a, from)
	if n.producers != nil && to > from {
		if err := n.moveHeads(a, from, to); err != nil {
			return 0, err
		}
	}
	for i := from; i < to; i++ {
		if n.window != nil {
			seq, old := n.window.find(&a.hashes[i])
			if old || n.producers != nil && !a.isFresh(i) {
				a.taken = append(a.taken, Taken{Seq: seq, Duplicate: true})
				continue
			}
			n.window.add(n.next, &a.hashes[i])
			a.taken = append(a.taken, Taken{Seq: n.next})
		}
		leaf := a.leaf(i)
		n.open.arena = append(n.open.arena, leaf...)
		n.admit(len(leaf), a.receipts[i], a.instants[i])
	}
	return to - from, nil
}

// room returns how many leaves of a, from the given one on, the queue has room for.
func (n *Notary) room(a *arrival, from int) int {
	bytes := n.pendingBytes
	i := from
	for ; i < len(a.ends) && n.pending+i-from < n.cfg.MaxPending; i++ {
		bytes += int64(len(a.leaf(i)))
		if bytes > n.cfg.MaxPendingBytes {
			break
		}
	}
	return i - from
}

// moveHeads moves the producers' heads past leaves [from, to) of a. The first piece of a batch answers for all of it.
func (n *Notary) moveHeads(a *arrival, from, to int) error {
	claims := a.claims
	if n.window != nil {
		last := to
		if from == 0 {
			last = len(a.hashes) // the first piece answers for all
		}
		for i := from; i < last; i++ {
			if _, old := n.window.find(&a.hashes[i]); old && a.isFresh(i) {
				return errMoved
			}
		}
		claims = a.claims[:a.freshBefore[to]]
		from, to = a.freshBefore[from], a.freshBefore[to]
	}
	if from == 0 && to < len(a.claims) {
		if err := n.producers.Standing(a.claims); err != nil {
			return n.refusedClaim(a, err)
		}
	}
	n.frames.Lock() // a State shows both or neither
	err := n.producers.Commit(claims[from:to])
	if err == nil {
		n.headsSeq = n.next + Seq(to-from)
	}
	n.frames.Unlock()
	if err != nil && from > 0 {
		panic(fmt.Sprintf("engine: a producer's head moved while its batch was entering: %v", err))
	}
	return n.refusedClaim(a, err)
}

// refusedClaim is refusedProducer that names the receipt by its place in the call, which claims of fresh receipts alone have not.
func (n *Notary) refusedClaim(a *arrival, err error) error {
	refused := refusedProducer(err)
	if r, ok := refused.(*RefusedError); ok && n.window != nil {
		r.Index = a.freshIndex[r.Index]
	}
	return refused
}

// admit makes the last size bytes of the open batch's arena its next leaf, which is that of r, and cuts the batch if it is
// full now.
func (n *Notary) admit(size int, r *receipt.Receipt, at receipt.Instant) {
	b := n.open
	if b.len() == 0 {
		b.first = n.next
		b.born = time.Now()
		n.armWindow()
	}
	b.add(r, at, n.eng.legacy != nil)
	n.next++
	n.pending++
	n.pendingBytes += int64(size)
	if n.eng.store != nil {
		n.admitDurable(b)
	}
	if b.len() == n.cfg.MaxReceipts || int64(len(b.arena)) >= n.cfg.MaxPendingBytes/bytesCutShare {
		n.cut()
	}
}

// full reports that there is no room for more on the Store's disk.
func (n *Notary) full() bool { return n.eng.store != nil && n.eng.store.full() }

func (s *store) full() bool { return s.j.Full() || s.archive != nil && s.archive.j.Full() }

// leafHashes appends the hashes of leaves as a block's tree has them.
func (n *Notary) leafHashes(dst [][32]byte, arena []byte, ends []int) [][32]byte {
	if n.eng.legacy == nil {
		var tree merkle.Builder
		return tree.HashLeaves(dst, arena, ends)
	}
	from := 0
	for _, end := range ends {
		dst = append(dst, n.eng.legacy.HashLeaf(arena[from:end]))
		from = end
	}
	return dst
}
