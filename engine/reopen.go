package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// load opens head file and journal, and replays it. After an error nothing is open.
func (e *Engine) load() (*headRecord, *replay, error) {
	st := &store{free: make(chan *group, groupsUnderWay), hashed: make(chan *group, groupsUnderWay), signed: make(chan *group, groupsUnderWay)}
	for range groupsUnderWay {
		st.free <- new(group)
	}
	var want *headRecord
	var err error
	if e.cfg.Store.Head != "" {
		dir, name, err := e.cfg.Store.headDir()
		if err != nil {
			return nil, nil, err
		}
		if st.head, want, err = openHead(dir, name, true); err != nil {
			return nil, nil, err
		}
	}
	if st.dir = e.cfg.Store.FS; st.dir == nil {
		if st.dir, err = journal.Dir(e.cfg.Store.Dir); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("engine: %w", err), st.head.close())
		}
	}
	r := newReplay(want)
	if e.cfg.Store.RetainBytes > 0 {
		st.prune = make(chan struct{}, 1)
		if st.archive, err = e.cfg.Store.openArchive(st.dir); err != nil {
			return nil, nil, errors.Join(err, st.head.close())
		}
		r.archive = st.archive
	}
	var opened atomic.Pointer[journal.Journal] // the journal's writer may be quicker than the return of Open
	st.j, err = journal.Open(journal.Config{
		FS: st.dir, SegmentSize: e.cfg.Store.SegmentSize, Gather: st.gather,
		Progress: func(journal.Offset) {
			if j := opened.Load(); j != nil && j.Err() != nil {
				e.fail(fmt.Errorf("engine: %w", j.Err()))
			}
		},
	}, r.frame)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("engine: %w", err), st.archive.close(), st.head.close())
	}
	opened.Store(st.j)
	e.store = st
	return want, r, nil
}

// openStore opens the journal and brings e to where it stood: same apps, same cuts, receipts after them pending again. Cuts
// without a signature are signed, to the same bytes, before it returns.
func (e *Engine) openStore() error {
	want, r, err := e.load()
	if err != nil {
		return err
	}
	st := e.store
	if err := e.restore(r, want); err != nil {
		return errors.Join(err, st.j.Close(), st.archive.close(), st.head.close())
	}
	if st.archive != nil {
		e.retainer.Go(e.retaining)
	}
	return nil
}

// restore makes the Notaries of what was replayed.
func (e *Engine) restore(r *replay, want *headRecord) error {
	if err := r.finish(); err != nil {
		return fmt.Errorf("engine: journal: %w", err)
	}
	if err := e.checkHead(r, want); err != nil {
		return err
	}
	e.store.cuts.Store(r.cuts)
	if n, most := len(e.cfg.Producers), (e.store.j.MaxPayload()-maxState)/64; n > most {
		return fmt.Errorf("engine: Config.Producers: %d, but a State in segments of this size holds %d", n, most)
	}
	if len(r.list) > e.cfg.MaxApps {
		return fmt.Errorf("%w: the journal has %d", ErrTooManyApps, len(r.list))
	}
	var unsigned []sealed
	for _, a := range r.list {
		n, err := e.restoreApp(a)
		if err != nil {
			return err
		}
		for i := range a.unsigned {
			c := &a.unsigned[i]
			b := &batch{notary: n, first: Seq(c.First), from: journal.Offset(c.From)}
			unsigned = append(unsigned, sealed{batch: b, block: c.LogBlock, digest: c.digest, cut: c.Cut})
		}
	}
	// Before anything is written, as what is written may need a State, and that has the producers' heads.
	if err := e.recall(r); err != nil {
		return err
	}
	if err := e.restate(r); err != nil {
		return err
	}
	if err := e.signAgain(unsigned); err != nil {
		return err
	}
	for _, a := range r.list {
		if err := e.restoreTail(e.apps[a.Name], a); err != nil {
			return err
		}
	}
	e.startSinks(r.cursors)
	return nil
}

// restate writes where apps stand whose last State counts with leaves that a crash took: as others come in their place, it
// would be believed.
func (e *Engine) restate(r *replay) error {
	for _, a := range r.list {
		if k := len(a.states); k == 0 || a.states[k-1].after <= a.next || a.states[k-1].after == math.MaxUint64 {
			continue
		}
		n := e.apps[a.Name]
		n.frames.Lock()
		err := n.writeState()
		n.frames.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// checkHead holds the journal against the head file, and makes the file where it is missing.
func (e *Engine) checkHead(r *replay, want *headRecord) error {
	st := e.store
	if e.cfg.Store.Head == "" {
		if r.head {
			return fmt.Errorf("%w: the journal has had one, so Config.Store.Head must name it", ErrHeadMissing)
		}
		return nil
	}
	if want != nil {
		if want.id != st.j.ID() {
			return ErrOtherJournal
		}
		if err := r.checkHead(); err != nil || r.head {
			return err
		}
		return e.makeHead(r)
	}
	if r.head && !e.cfg.Store.NewHead {
		return fmt.Errorf("%w: it is not at %s; where this directory is certainly no old copy, Config.Store.NewHead makes it anew",
			ErrHeadMissing, e.cfg.Store.Head)
	}
	return e.makeHead(r)
}

// makeHead makes the head file, or finishes what an earlier Open was kept from: the journal says that there is one when the
// file is durable, and not before.
func (e *Engine) makeHead(r *replay) error {
	st := e.store
	dir, name, err := e.cfg.Store.headDir()
	if err != nil {
		return err
	}
	first := &headRecord{id: st.j.ID(), cuts: r.cuts, digest: digestHeads(r.heads())}
	if st.head == nil {
		st.head, err = createHead(dir, name, first)
	} else {
		// Its first write was cut short; where there is a record, its sync may have failed, and it be read and not durable.
		err = st.head.write(first)
	}
	if err != nil {
		return err
	}
	if err := dir.SyncDir(); err != nil {
		return fmt.Errorf("engine: head file: %w", err)
	}
	if r.head {
		return nil
	}
	// From here on the journal is opened with its head file or not at all.
	return st.whileRoom(func() error {
		_, end, err := st.j.Append(ledger.TypeHead)
		if err == nil {
			err = st.j.Wait(context.Background(), end)
		}
		if err != nil {
			return fmt.Errorf("engine: %w", err)
		}
		return nil
	})
}

// restoreApp makes the Notary of an app that the journal has.
func (e *Engine) restoreApp(a *replayedApp) (*Notary, error) {
	if a.Scheme != e.cfg.Scheme {
		return nil, fmt.Errorf("%w: Config.Scheme is %q, and its app %q of scheme %q", ErrForeign, e.cfg.Scheme, a.Name, a.Scheme)
	}
	if a.last != nil && a.Scheme == logblock.EncSeal1 && a.last.Key != e.key {
		return nil, fmt.Errorf("%w: Config.Signer has key %v, and its block %d of %q is under %v", ErrForeign, e.key, a.last.Height, a.Name, a.last.Key)
	}
	n, err := e.make(a.Name, a.head)
	if err != nil {
		return nil, err
	}
	n.id = a.ID
	n.next, n.durable = Seq(a.next), Seq(a.next)-1
	n.pushedSeq = n.next
	n.cutHead, n.cutNumber, n.cutSeq = a.head, a.cut, Seq(a.open)
	n.stateAt = a.stateAt
	n.stateSegment = e.store.j.Segment(max(a.stateAt, a.firstSeen))
	if n.window != nil {
		n.windowFrames = a.leafFrames
	}
	e.mu.Lock() // the journal's writer may call fail already
	defer e.mu.Unlock()
	e.byID = append(e.byID, n)
	e.start(n)
	return n, nil
}

// signAgain signs cuts that have no signature, in the order in which they were cut.
func (e *Engine) signAgain(unsigned []sealed) error {
	if len(unsigned) == 0 {
		return nil
	}
	st := e.store
	// Everything that was replayed is durable, and so is the head file once it knows of all these cuts.
	if st.head != nil {
		if err := st.head.write(&headRecord{id: st.j.ID(), cuts: st.cuts.Load(), digest: digestHeads(e.appHeads())}); err != nil {
			return err
		}
	}
	g := &group{blocks: unsigned}
	if err := e.signAll(g); err != nil {
		return err
	}
	if err := st.whileRoom(func() error { return st.appendAgain(g) }); err != nil {
		return err
	}
	if err := e.retain(g); err != nil {
		return err
	}
	for i := range g.blocks {
		s := &g.blocks[i]
		s.batch.notary.past.add(s.block.Height, s.batch.first, int(s.block.Count))
	}
	return nil
}

// appendAgain appends the blocks of g and waits until they are durable.
func (st *store) appendAgain(g *group) error {
	for i := range g.blocks {
		if err := st.appendBlock(g, &g.blocks[i]); err != nil {
			return err
		}
	}
	if err := st.j.Wait(context.Background(), g.end); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	return nil
}

// whileRoom runs write, which is part of Open and appends to the journal. Where that waits for a segment which cannot be made
// in several attempts, one a second, the journal is closed, so that Open fails instead of waiting for space.
func (st *store) whileRoom(write func() error) error {
	const attempts = 4
	done := make(chan struct{})
	var gaveUp error
	var watch sync.WaitGroup
	watch.Go(func() {
		look := time.NewTicker(time.Second)
		defer look.Stop()
		last, still := st.j.Stats().Batches, 0
		for still < attempts {
			select {
			case <-done:
				return
			case <-look.C:
			}
			s := st.j.Stats()
			if still++; s.Prepare == nil || s.Batches != last {
				still = 0
			}
			last = s.Batches
		}
		gaveUp = fmt.Errorf("engine: no room for what Open has to write: %w", cmp.Or(st.j.Stats().Prepare, error(journal.ErrFull)))
		_ = st.j.Close() // whoever opened it closes it again, and returns the error
	})
	err := write()
	close(done)
	watch.Wait()
	if err == nil {
		err = gaveUp // it was closed when write had just ended
	}
	return err
}

// restoreTail makes leaves that are in no cut pending again.
func (e *Engine) restoreTail(n *Notary, a *replayedApp) error {
	var r receipt.Receipt
	var p receipt.Parser
	n.mu.Lock()
	defer n.unlock()
	n.next = Seq(a.open)
	for i := a.tail.done; i < len(a.tail.ends); i++ {
		leaf := a.tail.arena[a.tail.start(i):a.tail.ends[i]]
		var at receipt.Instant
		var err error
		if e.legacy != nil {
			err = p.Parse(leaf, &r)
		} else if err = receipt.Decode(leaf, &r); err == nil {
			at, err = receipt.ParseInstant(r.TS)
		}
		if err != nil {
			return fmt.Errorf("engine: journal: leaf %d of %q: %w", n.next, n.app, err)
		}
		b := n.open
		if b.len() == 0 {
			b.from = a.tail.frameOf(uint64(n.next))
		}
		b.arena = append(b.arena, leaf...)
		b.pushed = b.len() + 1
		n.admit(len(leaf), &r, at)
	}
	if n.next != Seq(a.next) {
		return fmt.Errorf("engine: journal: %q: %d leaves are pending, but the next is %d", n.app, a.tail.len(), a.next)
	}
	return nil
}
