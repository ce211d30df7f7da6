package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
)

// Store says where an Engine keeps what it takes and seals. The zero value is memory alone: a crash forgets all.
type Store struct {
	Dir         string     // data directory, made where it is missing; one process at a time holds it
	FS          journal.FS // in place of Dir, for tests and storage of another kind
	SegmentSize int64      // of a new journal, see journal.Config; 0 is journal.DefaultSegmentSize

	// Head is a file outside of Dir and of its backups. It is made durable before each signature, and tells on Open that a
	// directory is an old copy, which would sign other blocks at heights that are used up. "" is none.
	Head   string
	HeadFS journal.FS // the directory of Head, in place of the system's
	// NewHead makes the file where it is missing although the journal had one. Who says so knows that this directory is no
	// old copy.
	NewHead bool

	// RetainBytes is how much of the journal is kept at least; whole segments beyond it whose receipts are sealed and
	// delivered go, and their LogBlocks are carried forward. 0 keeps everything.
	RetainBytes int64
}

func (s *Store) durable() bool { return s.Dir != "" || s.FS != nil }

// pushBytes is how many bytes of leaves the journal is behind at most, for one app.
const pushBytes = 32 << 10

// store is the journal of an Engine, and how far each stage of sealing has come.
type store struct {
	dir  journal.FS
	j    *journal.Journal
	head *headFile // nil without one

	archive  *archive      // nil where everything is retained
	prune    chan struct{} // capacity 1: a segment was begun
	retained uint64        // the segment that was; touched by the finishing goroutine alone

	mu    sync.Mutex
	dirty []*Notary // with leaves that the journal has not got; each once

	cuts atomic.Uint64 // over all apps; added to by the hashing goroutine alone
	rec  []byte        // the same goroutine's scratch

	free   chan *group // not in use
	hashed chan *group // cuts appended to the journal, to be signed
	signed chan *group // blocks appended to the journal, to be concluded
}

// gather has every app that is behind give the journal what it holds back. The journal's writing goroutine calls it.
func (s *store) gather() {
	s.mu.Lock()
	dirty := s.dirty
	s.dirty = nil
	s.mu.Unlock()
	for _, n := range dirty {
		// Whoever holds mu now finds behind set when he gives it up, and kicks: then its leaves are fetched. So a busy app's
		// callers are never waited for.
		n.behind.Store(true)
		if !n.mu.TryLock() {
			s.mu.Lock()
			s.dirty = append(s.dirty, n)
			s.mu.Unlock()
			continue
		}
		n.behind.Store(false)
		n.dirty = false
		// A journal that fails says so to everybody by itself.
		_ = n.push()
		n.mu.Unlock()
	}
}

// unlock gives mu up. While it was held the journal may have come for leaves.
func (n *Notary) unlock() {
	n.mu.Unlock()
	if n.behind.Load() && n.behind.Swap(false) {
		n.eng.store.j.Kick()
	}
}

// touch notes that n has leaves for the journal. n.mu is held.
func (s *store) touch(n *Notary) {
	if !n.dirty {
		n.dirty = true
		s.mu.Lock()
		s.dirty = append(s.dirty, n)
		s.mu.Unlock()
	}
	s.j.Kick()
}

// pushed remembers where leaves came to lie, until they are durable.
type pushed struct {
	last Seq            // of the frame
	end  journal.Offset // of the frame
}

// pushes are those of an app that are not known to be durable, in order.
type pushes struct {
	all  []pushed
	head int // all[:head] are gone
}

func (p *pushes) add(last Seq, end journal.Offset) { p.all = append(p.all, pushed{last, end}) }

// drop removes what ends at or before an offset, and returns the last receipt of it; 0 where there is none. Moving the rest
// down only when half the array is gone keeps it at constant cost.
func (p *pushes) drop(durable journal.Offset) (last Seq) {
	for p.head < len(p.all) && p.all[p.head].end <= durable {
		last = p.all[p.head].last
		p.head++
	}
	if p.head > len(p.all)/2 {
		p.all = append(p.all[:0], p.all[p.head:]...)
		p.head = 0
	}
	return last
}

// end returns the end of the frame that holds a receipt; 0 where no frame does.
func (p *pushes) end(seq Seq) journal.Offset {
	rest := p.all[p.head:]
	i := sort.Search(len(rest), func(i int) bool { return seq <= rest[i].last })
	if i == len(rest) {
		return 0
	}
	return rest[i].end
}

// push gives the journal the leaves of the open batch that it has not got. n.mu is held. It waits while the journal's
// buffer is full, which its writer empties without n.mu.
func (n *Notary) push() error {
	b := n.open
	most := min(n.eng.store.j.MaxPayload(), 4*pushBytes)
	for b.pushed < b.len() {
		start := b.start(b.pushed)
		to := b.pushed + 1
		for to < b.len() && b.ends[to]-start+leavesHead(to+1-b.pushed) <= most {
			to++
		}
		first := b.first + Seq(b.pushed)
		n.rec = ledger.AppendLeavesHead(n.rec[:0], n.id, uint64(first), start, b.ends[b.pushed:to])
		n.frames.Lock()
		at, end, err := n.append(ledger.TypeLeaves, n.rec, b.arena[start:b.ends[to-1]])
		if err == nil {
			n.pushedSeq = b.first + Seq(to)
		}
		n.frames.Unlock()
		if err != nil {
			return err
		}
		if b.pushed == 0 {
			b.from = at
		}
		b.pushed = to
		if k := len(n.windowFrames); n.window != nil && n.eng.store.archive != nil &&
			(k == 0 || uint64(first) >= n.windowFrames[k-1].first+leafFrameEvery) {
			n.windowFrames = append(n.windowFrames, leafFrame{uint64(first), at})
		}
		n.settleDurable()
		n.pushes.add(b.first+Seq(to)-1, end)
	}
	return nil
}

// maxState bounds a State without its producers' heads.
const maxState = 512

// leavesHead bounds what stands before count leaves in a frame.
func leavesHead(count int) int { return 30 + 3*count }

// append appends a frame of this app to the journal, and before it a State where it is the first in its segment. n.frames is
// held.
func (n *Notary) append(typ byte, head, body []byte) (at, end journal.Offset, err error) {
	j := n.eng.store.j
	for {
		at, end, err = j.AppendIn(n.stateSegment, typ, head, body)
		if err == nil {
			return at, end, nil
		}
		if !errors.Is(err, journal.ErrSegment) {
			return 0, 0, fmt.Errorf("engine: %w", err)
		}
		if err := n.writeState(); err != nil {
			return 0, 0, err
		}
	}
}

// writeState appends a State to the journal. n.frames is held. It may come in the midst of a call whose receipts have moved the
// heads of producers and are not all pushed: After says so.
func (n *Notary) writeState() error {
	s := ledger.State{
		App:  ledger.App{ID: n.id, Scheme: n.cfg.Scheme, Name: n.app},
		Next: uint64(n.pushedSeq), Open: uint64(n.cutSeq), Cut: n.cutNumber, Head: n.cutHead,
		After: uint64(max(n.headsSeq, n.pushedSeq)),
	}
	if n.producers == nil {
		s.After = math.MaxUint64 // nobody follows the producers' chains: this State is none to take their heads from
	} else {
		for _, p := range n.producers.Keys() {
			if hash, ok := p.Head.Digest(); ok {
				s.Heads = append(s.Heads, ledger.ProducerHead{Key: p.Key, Hash: hash})
			}
		}
	}
	j := n.eng.store.j
	at, _, err := j.Append(ledger.TypeState, ledger.AppendState(nil, &s))
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	n.stateAt = at
	n.stateSegment = j.Segment(at)
	return nil
}

// settleDurable moves durable past what is durable by now. n.mu is held.
func (n *Notary) settleDurable() {
	if last := n.pushes.drop(n.eng.store.j.Durable()); last > 0 {
		n.durable = last
	}
}

// WaitDurable returns when the receipt that Append gave seq to is durable: it is in the journal, and no crash of the process
// or the machine loses it. It returns ErrMemory where the Engine has no Store, and what failed where the journal does.
func (n *Notary) WaitDurable(ctx context.Context, seq Seq) error {
	if n.eng.store == nil {
		return ErrMemory
	}
	end, err := n.endOf(seq)
	if err != nil || end == 0 {
		return err
	}
	if err := n.eng.store.j.Wait(ctx, end); err != nil {
		return fmt.Errorf("engine: receipt %d of %q is not known to be durable: %w", seq, n.app, err)
	}
	return nil
}

// endOf returns the offset up to which the journal must be durable for seq; 0 where it is already.
func (n *Notary) endOf(seq Seq) (journal.Offset, error) {
	n.mu.Lock()
	defer n.unlock()
	if seq == 0 || seq >= n.next {
		return 0, fmt.Errorf("engine: sequence number %d was not given out, the next is %d", seq, n.next)
	}
	n.settleDurable()
	if seq <= n.durable {
		return 0, nil
	}
	if err := n.push(); err != nil {
		return 0, err
	}
	if seq <= n.durable { // by now: push has looked again
		return 0, nil
	}
	if end := n.pushes.end(seq); end > 0 {
		return end, nil
	}
	// No frame holds it: the journal failed before the batch was cut, maybe just now, and n has not heard of it yet.
	err := n.failure
	if err == nil {
		err = n.eng.store.j.Err()
	}
	if err == nil {
		err = ErrClosed
	}
	return 0, fmt.Errorf("engine: receipt %d of %q is not known to be durable: %w", seq, n.app, err)
}

// admitDurable is what admit adds where there is a journal. n.mu is held.
func (n *Notary) admitDurable(b *batch) {
	if b.pushed == b.len() {
		return // replayed: the journal has it
	}
	if len(b.arena)-b.start(b.pushed) >= pushBytes {
		// A journal that fails ends the Engine by itself.
		_ = n.push()
	}
	n.eng.store.touch(n)
}

// appendCut appends the cut that s is: from here on its block is this one or none. The sealing goroutine calls it, after the
// batch's leaves were pushed.
func (st *store) appendCut(s *sealed) (journal.Offset, error) {
	n, b := s.batch.notary, s.batch
	s.cut = st.cuts.Load() + 1
	rec, err := st.record(s)
	if err != nil {
		return 0, err
	}
	n.frames.Lock()
	defer n.frames.Unlock()
	_, end, err := n.append(ledger.TypeCut, rec, nil)
	if err != nil {
		return 0, err
	}
	st.cuts.Store(s.cut)
	n.cutNumber = s.cut
	n.cutHead = logblock.Head{Height: s.block.Height, Hash: s.digest}
	n.cutSeq = b.first + Seq(b.len())
	return end, nil
}

func (st *store) record(s *sealed) ([]byte, error) {
	var err error
	st.rec, err = appendRecord(st.rec[:0], s)
	return st.rec, err
}

func appendRecord(dst []byte, s *sealed) ([]byte, error) {
	return ledger.AppendBlock(dst, &ledger.Block{
		App: s.batch.notary.id, Cut: s.cut, First: uint64(s.batch.first), From: uint64(s.batch.from), LogBlock: s.block,
	})
}

// StoreStats is a moment's view of a Store.
type StoreStats struct {
	Journal    journal.Stats
	JournalID  [16]byte
	Durable    journal.Offset // end of what is durable
	Cuts       uint64         // over all apps, since the journal was made
	PruneError error          // why the last pruning failed; nil when it did not, or everything is retained
}

// StoreStats returns the state of the Store now; false without one.
func (e *Engine) StoreStats() (StoreStats, bool) {
	st := e.store
	if st == nil {
		return StoreStats{}, false
	}
	e.mu.Lock()
	pruneErr := e.pruneErr
	e.mu.Unlock()
	return StoreStats{Journal: st.j.Stats(), JournalID: st.j.ID(), Durable: st.j.Durable(), Cuts: st.cuts.Load(), PruneError: pruneErr}, true
}
