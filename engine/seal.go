package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/encseal/encseal/engine/logblock"
)

// Pauses between two offers of one block to a Sink that failed: doubled from the first to the last, each shortened by
// up to half at random.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 30 * time.Second
)

// run is the sealing goroutine of an Engine in memory. Whatever was cut while it was busy is its next group: signed as one
// batch, delivered in order before the group after it is sealed.
func (e *Engine) run() {
	defer close(e.quit)
	g := new(group)
	for e.take(g) {
		hashErr := e.hashAll(g)
		if err := e.signAll(g); err != nil {
			e.fail(err)
			return
		}
		e.conclude(g)
		if !e.deliverAll(g) {
			return
		}
		if hashErr != nil {
			e.fail(hashErr)
			return
		}
	}
}

// fail ends the Engine: whoever waits is told, nothing more is accepted or sealed. Only the first failure counts.
func (e *Engine) fail(err error) {
	e.mu.Lock()
	first := e.failure == nil
	if first {
		e.failure, e.stopErr = err, err
	}
	e.work.Signal()
	e.mu.Unlock()
	if !first {
		return
	}
	for _, n := range e.notaries() {
		n.fail(err)
	}
}

// fail ends one app's Notary.
func (n *Notary) fail(err error) {
	n.mu.Lock()
	defer n.unlock()
	n.failure = err
	for _, b := range slices.Concat(n.cuts.all(), []*batch{n.open}) {
		if n.eng.store == nil {
			n.eng.unsealed = b.appendLeaves(n.eng.unsealed)
		}
		b.settle(nil, err)
	}
	n.callAll()
}

// deliverAll offers the blocks of g to the Sink. It returns false when the Sink failed for good: then the Engine stops, as
// blocks that nobody takes must not pile up.
func (e *Engine) deliverAll(g *group) bool {
	for i := range g.blocks {
		err := e.deliver(g.blocks[i].block)
		if isPermanent(err) {
			for _, s := range g.blocks[i:] {
				e.undelivered = append(e.undelivered, s.block)
			}
			e.fail(err)
			return false
		}
		if err != nil {
			if e.stopErr == nil {
				e.stopErr = err
			}
			e.undelivered = append(e.undelivered, g.blocks[i].block)
		}
	}
	return true
}

// isPermanent reports whether a Sink says that it will never take the block.
func isPermanent(err error) bool {
	if errors.Is(err, ErrPermanent) {
		return true
	}
	var says interface{ Permanent() bool }
	return errors.As(err, &says) && says.Permanent()
}

// deliver offers block until the Sink takes it, delivery is given up, or the Sink fails for good.
func (e *Engine) deliver(block *logblock.LogBlock) error {
	var err error // of the last offer
	for pause := firstPause; e.delivery.Err() == nil; pause = min(2*pause, lastPause) {
		err = e.cfg.Sink.Deliver(e.delivery, block)
		e.note(err)
		if err == nil || isPermanent(err) {
			return err
		}
		rest(e.delivery, pause)
	}
	return errors.Join(context.Cause(e.delivery), err)
}

// sinkState is how delivery goes; guarded by Engine.mu.
type sinkState struct {
	failures uint64 // offers that failed
	err      error  // of the block that is being offered; nil when the last offer was taken
}

// note keeps the outcome of one offer for Stats.
func (e *Engine) note(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sink.err = err
	if err != nil {
		e.sink.failures++
	}
}

// rest waits for pause, shortened by up to half at random, or until ctx ends.
func rest(ctx context.Context, pause time.Duration) {
	t := time.NewTimer(pause - rand.N(pause/2))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
