package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
)

// groupsUnderWay bounds the groups that are in some stage of sealing. A stage that waits for the disk finds more behind the
// group that it waits for, which are durable by then: so there must be as many as come in two writes.
const groupsUnderWay = 32

// runDurable is the sealing goroutine of an Engine with a Store, and owns those of the stages behind it:
//
//	hash, append cuts ──► wait until durable, head file, sign, append blocks ──► wait until durable, conclude, tell sinks
//
// The crash argument, from the end: a block is shown to a waiter or a sink only when its frame is durable, so nobody has
// seen a signature that the next Open does not know. A signature exists only after its cut, and the leaves before the cut,
// are durable (and the head file knows of the cut): so whatever was signed, the next Open finds that cut, and signs the same
// bytes again or nothing. A cut that is not durable was never signed, and its leaves are pending again, in their order.
func (e *Engine) runDurable() {
	defer close(e.quit)
	st := e.store
	var stages sync.WaitGroup
	stages.Go(e.signStage)
	stages.Go(e.finishStage)
	for {
		g := <-st.free
		if !e.take(g) {
			break
		}
		hashErr := e.hashAll(g)
		if err := e.appendCuts(g); err != nil {
			e.fail(err)
			break
		}
		st.hashed <- g
		if hashErr != nil {
			e.fail(hashErr)
			break
		}
	}
	close(st.hashed)
	stages.Wait()
}

// appendCuts appends the cuts of a hashed group to the journal.
func (e *Engine) appendCuts(g *group) error {
	st := e.store
	for i := range g.blocks {
		end, err := st.appendCut(&g.blocks[i])
		if err != nil {
			return err
		}
		g.end = end
	}
	if st.head != nil {
		g.heads = headRecord{id: st.j.ID(), cuts: st.cuts.Load(), digest: digestHeads(e.appHeads())}
	}
	st.j.Kick()
	return nil
}

// appHeads returns the last cut of every app that has one, in the order of their numbers. The hashing goroutine, which
// moves the heads, calls it.
func (e *Engine) appHeads() []appHead {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []appHead
	for _, n := range e.byID {
		if n.head.Height > 0 {
			all = append(all, appHead{n.id, n.head})
		}
	}
	return all
}

// signStage signs groups whose cuts are durable.
func (e *Engine) signStage() {
	st := e.store
	defer close(st.signed)
	for g := range st.hashed {
		err := e.signDurable(g)
		if err == nil {
			st.signed <- g
			continue
		}
		e.fail(err)
		st.free <- g
	}
}

func (e *Engine) signDurable(g *group) error {
	st := e.store
	if err := e.failed(); err != nil {
		return err
	}
	if len(g.blocks) == 0 {
		return nil
	}
	// Crash before this returns: the cut may be there or not; nothing of it was signed.
	if err := e.waitJournal(g.end); err != nil {
		return err
	}
	// Crash before this returns: the head file may be one group behind the journal, which is as good.
	if st.head != nil {
		if err := st.head.write(&g.heads); err != nil {
			return err
		}
	}
	if err := e.signAll(g); err != nil {
		return err
	}
	// Crash here: signatures that nobody saw. The cuts are signed again.
	for i := range g.blocks {
		if err := st.appendBlock(g, &g.blocks[i]); err != nil {
			return err
		}
	}
	st.j.Kick()
	return nil
}

// finishStage tells of groups whose blocks are durable.
func (e *Engine) finishStage() {
	st := e.store
	for g := range st.signed {
		err := e.failed()
		if err == nil && len(g.blocks) > 0 {
			if err = e.waitJournal(g.end); err != nil {
				e.fail(err)
			}
		}
		if err == nil {
			// Before conclude: what is pruned was concluded, and so is in the archive.
			if err := e.retain(g); err != nil {
				e.fail(err)
			}
			e.conclude(g)
			e.feed.publish(g)
		}
		st.free <- g
	}
}

// waitJournal waits until the journal is durable up to end. Where that is given up, the error says why.
func (e *Engine) waitJournal(end journal.Offset) error {
	err := e.store.j.Wait(e.delivery, end)
	if err == nil {
		return nil
	}
	if err == e.delivery.Err() {
		err = context.Cause(e.delivery)
	}
	return fmt.Errorf("engine: %w", err)
}

func (e *Engine) failed() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failure
}

// appendBlock appends a signed block of g.
func (st *store) appendBlock(g *group, s *sealed) error {
	var err error
	if g.rec, err = appendRecord(g.rec[:0], s); err != nil {
		return err
	}
	n := s.batch.notary
	n.frames.Lock()
	at, end, err := n.append(ledger.TypeBlock, g.rec, nil)
	n.frames.Unlock()
	if err != nil {
		return err
	}
	s.at, s.end, g.end = at, end, end
	return nil
}

// watchFull closes the journal when ctx has ended on a full disk: who waits for room there holds a Notary's lock, or is a stage
// of sealing, and nothing else ends that. It returns when the stages have ended.
func (e *Engine) watchFull(ctx context.Context) {
	select {
	case <-e.quit:
		return
	case <-ctx.Done():
	}
	look := time.NewTicker(firstPause)
	defer look.Stop()
	for {
		if e.store.j.Stats().Prepare != nil {
			_ = e.store.j.Close() // closeStore returns it
			return
		}
		select {
		case <-e.quit:
			return
		case <-look.C:
		}
	}
}

// closeStore waits for the sinks until ctx ends and closes what a Store has open. The stages have ended.
func (e *Engine) closeStore(ctx context.Context) error {
	err := e.failed()
	if errors.Is(err, journal.ErrClosed) && ctx.Err() != nil {
		// watchFull closed the journal under the stages: ctx is why, not what they then ran into.
		err = fmt.Errorf("engine: %w", context.Cause(ctx))
	}
	e.drainSinks(ctx)
	if closeErr := e.closeRetaining(); err == nil && closeErr != nil {
		err = closeErr
	}
	if closeErr := e.store.j.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("engine: %w", closeErr)
	}
	if closeErr := e.store.head.close(); err == nil && closeErr != nil {
		err = fmt.Errorf("engine: head file: %w", closeErr)
	}
	return err
}
