package engine

import "errors"

// window remembers the leaf hashes of an app's last receipts. It is guarded by Notary.mu.
type window struct {
	hashes [][32]byte // of receipt seq at seq % size; grows up to size
	size   uint64
	first  map[[32]byte]Seq
}

func newWindow(size int) *window {
	return &window{size: uint64(size), first: make(map[[32]byte]Seq)}
}

// find returns the number under which a leaf was taken.
func (w *window) find(hash *[32]byte) (Seq, bool) {
	seq, ok := w.first[*hash]
	return seq, ok
}

// add remembers the leaf of seq, which is in the window under no number, and forgets the one that falls out of it. Numbers
// come in their order, and may leave some out.
func (w *window) add(seq Seq, hash *[32]byte) {
	slot := uint64(seq) % w.size
	for uint64(len(w.hashes)) <= slot {
		w.hashes = append(w.hashes, [32]byte{})
	}
	if old := w.first[w.hashes[slot]]; old != 0 && uint64(old)%w.size == slot {
		delete(w.first, w.hashes[slot])
	}
	w.hashes[slot] = *hash
	w.first[*hash] = seq
}

// Taken says where a receipt of a call of AppendEach stands.
type Taken struct {
	Seq       Seq
	Duplicate bool // it was taken before, as Seq, and not again; Seq is 0 where the window has just forgotten the number
}

// errMoved is internal: between preparing a call and its turn, another call took one of its receipts.
var errMoved = errors.New("engine: another call took a receipt of this one")

// sift finds, for a strict Notary, the receipts of a that were taken before, or stand in a twice: their producers are not
// asked, since their chains went on. The others are in a.fresh.
func (n *Notary) sift(a *arrival) {
	a.fresh, a.freshBefore = a.fresh[:0], append(a.freshBefore[:0], 0)
	seen := make(map[[32]byte]bool, len(a.hashes))
	n.mu.Lock()
	defer n.unlock()
	for i := range a.hashes {
		_, taken := n.window.find(&a.hashes[i])
		if !taken && !seen[a.hashes[i]] {
			seen[a.hashes[i]] = true
			a.fresh = append(a.fresh, a.receipts[i])
			a.freshIndex = append(a.freshIndex, i)
		}
		a.freshBefore = append(a.freshBefore, len(a.fresh))
	}
}

// fresh reports whether sift found leaf i to be new.
func (a *arrival) isFresh(i int) bool { return a.freshBefore[i+1] > a.freshBefore[i] }
