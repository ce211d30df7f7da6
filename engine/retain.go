package engine

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
)

// PrunedDir is the directory below Store.Dir that outlives pruning: a journal of App and Block frames with every LogBlock,
// from the oldest that the data directory held when Store.RetainBytes was first given. It only grows, by some 400 bytes a
// block, so that chain and heights stay whole.
const PrunedDir = "pruned"

// archive is the journal in PrunedDir. Blocks come to it as they are concluded, and are made durable before anything is
// pruned; what a crash took away the next Open finds in the main journal. It is used by one goroutine at a time: who opens
// the Engine, then the finishing one, but for flush.
type archive struct {
	j     *journal.Journal
	last  map[uint64]uint64 // height of each app's last block in it
	known map[uint64]bool   // apps that are named in it
	rec   []byte
}

// openArchive opens the journal in PrunedDir, for Store.RetainBytes.
func (s *Store) openArchive(dir journal.FS) (*archive, error) {
	parent, ok := dir.(interface {
		Sub(name string) (journal.FS, error)
	})
	if !ok {
		return nil, errors.New("engine: Config.Store.RetainBytes: Store.FS has no method Sub for a directory below it")
	}
	below, err := parent.Sub(PrunedDir)
	if err != nil {
		return nil, fmt.Errorf("engine: %s: %w", PrunedDir, err)
	}
	a := &archive{last: make(map[uint64]uint64), known: make(map[uint64]bool)}
	a.j, err = journal.Open(journal.Config{FS: below, SegmentSize: s.SegmentSize}, func(f journal.Frame) error {
		if f.Type == ledger.TypeApp {
			named, err := ledger.ParseApp(f.Payload)
			a.known[named.ID] = true
			return err
		}
		b, err := ledger.ParseBlock(f.Payload)
		if err == nil {
			a.last[b.App] = b.Height
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("engine: %s: %w", PrunedDir, err)
	}
	return a, nil
}

// carry appends a block, unless it is there already.
func (a *archive) carry(app ledger.App, b ledger.Block) error {
	if b.Height <= a.last[b.App] {
		return nil
	}
	if !a.known[app.ID] {
		if _, _, err := a.j.Append(ledger.TypeApp, ledger.AppendApp(nil, &app)); err != nil {
			return err
		}
		a.known[app.ID] = true
	}
	b.From = 0
	var err error
	if a.rec, err = ledger.AppendBlock(a.rec[:0], &b); err != nil {
		return err
	}
	if _, _, err := a.j.Append(ledger.TypeBlock, a.rec); err != nil {
		return err
	}
	a.last[b.App] = b.Height
	return nil
}

// retain carries concluded blocks to the archive, and has segments pruned once a new one was begun. The finishing goroutine
// calls it.
func (e *Engine) retain(g *group) error {
	st := e.store
	if st.archive == nil {
		return nil
	}
	for i := range g.blocks {
		s := &g.blocks[i]
		n := s.batch.notary
		app := ledger.App{ID: n.id, Scheme: e.cfg.Scheme, Name: n.app}
		if err := st.archive.carry(app, ledger.Block{App: n.id, Cut: s.cut, First: uint64(s.batch.first), LogBlock: s.block}); err != nil {
			return fmt.Errorf("engine: %s: %w", PrunedDir, err)
		}
	}
	if segment := st.j.Segment(st.j.Durable()); segment != st.retained {
		st.retained = segment
		st.askPrune()
	}
	return nil
}

// askPrune wakes the retaining goroutine.
func (st *store) askPrune() {
	select {
	case st.prune <- struct{}{}:
	default:
	}
}

// retaining is a goroutine of its own: it prunes after each segment, while sealing goes on.
func (e *Engine) retaining() {
	for range e.store.prune {
		if err := e.pruneOnce(); err != nil {
			if e.store.j.Err() == nil { // else the Engine is told by the journal itself
				e.mu.Lock()
				e.pruneErr = err
				e.mu.Unlock()
			}
			continue
		}
		e.mu.Lock()
		e.pruneErr = nil
		e.mu.Unlock()
	}
}

// pruneOnce drops the segments that may go.
//
// The crash argument: the LogBlocks are durable in the archive, and every app's State stands behind what goes, durable too,
// before the segments go, oldest first.
func (e *Engine) pruneOnce() error {
	ctx := context.Background()
	j := e.store.j
	start := e.prunable()
	if start <= j.First() {
		return nil
	}
	if err := e.store.archive.j.Flush(ctx); err != nil {
		return fmt.Errorf("engine: %s: %w", PrunedDir, err)
	}
	for _, n := range e.notaries() {
		// With mu no call is entering: the producers' heads are those after the last leaf pushed, so that this State holds
		// by itself.
		n.mu.Lock()
		err := n.push()
		n.frames.Lock()
		if err == nil {
			err = n.writeState()
		}
		n.frames.Unlock()
		n.unlock()
		if err != nil {
			return err
		}
	}
	for _, o := range e.outlets {
		o.saveAgain()
	}
	if e.store.head != nil {
		if _, _, err := j.Append(ledger.TypeHead); err != nil {
			return fmt.Errorf("engine: %w", err)
		}
	}
	if err := j.Flush(ctx); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	if err := j.Prune(start); err != nil {
		return fmt.Errorf("engine: pruning: %w", err)
	}
	return nil
}

// prunable returns where the first segment starts that must stay: it, or one after it, has a leaf that is in no sealed
// block, a block that a sink has not taken, a cut that has no block, or bytes that Store.RetainBytes wants.
func (e *Engine) prunable() journal.Offset {
	j := e.store.j
	size := journal.Offset(j.SegmentSize())
	limit := j.Durable()
	limit -= min(limit, journal.Offset(e.cfg.Store.RetainBytes))
	for _, o := range e.outlets {
		limit = min(limit, o.cursor())
	}
	for _, n := range e.notaries() {
		n.mu.Lock()
		if n.cuts.len() > 0 {
			limit = min(limit, n.cuts.first().from)
		} else if n.open.pushed > 0 {
			limit = min(limit, n.open.from)
		}
		limit = min(limit, n.windowFrom(limit))
		n.unlock()
	}
	return limit / size * size
}

// windowFrom returns where the oldest leaf lies that DedupWindow wants to be read back by the next Open; limit where there is
// none. n.mu is held.
func (n *Notary) windowFrom(limit journal.Offset) journal.Offset {
	if n.window == nil || len(n.windowFrames) == 0 {
		return limit
	}
	first := uint64(n.next) - min(uint64(n.next)-1, n.window.size)
	i := sort.Search(len(n.windowFrames), func(i int) bool { return n.windowFrames[i].first > first }) - 1
	if i > 0 {
		n.windowFrames = append(n.windowFrames[:0], n.windowFrames[i:]...)
	}
	return n.windowFrames[0].at
}

// closeRetaining ends the retaining goroutine and closes the archive.
func (e *Engine) closeRetaining() error {
	if e.store.archive == nil {
		return nil
	}
	close(e.store.prune)
	e.retainer.Wait()
	return e.store.archive.close()
}

func (a *archive) close() error {
	if a == nil {
		return nil
	}
	if err := a.j.Close(); err != nil {
		return fmt.Errorf("engine: %s: %w", PrunedDir, err)
	}
	return nil
}
