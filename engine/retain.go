package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
)

// PrunedDir is the directory below Store.Dir that holds the LogBlocks whose receipts were pruned, as a journal of App and
// Block frames. It only grows, by some 400 bytes a block, so that chain and heights stay whole.
const PrunedDir = "pruned"

// archive is the journal in PrunedDir.
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

// carry appends a block, unless a crash left it there already.
func (a *archive) carry(app ledger.App, b *ledger.Block) error {
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
	if a.rec, err = ledger.AppendBlock(a.rec[:0], b); err != nil {
		return err
	}
	if _, _, err := a.j.Append(ledger.TypeBlock, a.rec); err != nil {
		return err
	}
	a.last[b.App] = b.Height
	return nil
}

// retain tells the retaining goroutine that blocks were concluded.
func (e *Engine) retain() {
	st := e.store
	if st.archive == nil {
		return
	}
	if segment := st.j.Segment(st.j.Durable()); segment != st.retained {
		st.retained = segment
		select {
		case st.prune <- struct{}{}:
		default:
		}
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
// The crash argument: first every app's State comes to stand behind what goes, then the LogBlocks are durable in the
// archive, then the segments go, oldest first. A crash in between leaves blocks in both places, which carry knows.
func (e *Engine) pruneOnce() error {
	ctx := context.Background()
	j := e.store.j
	start := e.prunable()
	if start <= j.First() {
		return nil
	}
	names := make(map[uint64]ledger.App)
	for _, n := range e.notaries() {
		n.mu.Lock()
		names[n.id] = ledger.App{ID: n.id, Scheme: n.cfg.Scheme, Name: n.app}
		var err error
		if n.stateAt < start {
			err = n.writeState()
		}
		n.mu.Unlock()
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
	err := j.Scan(j.First(), start, func(f journal.Frame) error {
		if f.Type != ledger.TypeBlock && f.Type != ledger.TypeAdopt {
			return nil
		}
		b, err := ledger.ParseBlock(f.Payload)
		if err != nil {
			return err
		}
		return e.store.archive.carry(names[b.App], &b)
	})
	if err == nil {
		err = e.store.archive.j.Flush(ctx)
	}
	if err == nil {
		err = j.Prune(start)
	}
	if err != nil {
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
		n.mu.Unlock()
	}
	return limit / size * size
}

// closeRetaining ends the retaining goroutine and closes the archive.
func (e *Engine) closeRetaining() error {
	if e.store.archive == nil {
		return nil
	}
	close(e.store.prune)
	e.retainer.Wait()
	return e.store.archive.j.Close()
}
