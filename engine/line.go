package engine

import "context"

// appender is one call of Append or AppendBatch that waits for room.
type appender struct {
	// ready (capacity 1) is filled when the appender may look again: it is first in line and there is room, or the
	// Notary stopped.
	ready chan struct{}
}

// accept moves a into the open batch, in pieces where it must. Who waits stands in line: a newcomer enters only when
// nobody waits, and only the first in line enters otherwise. So the receipts of a call are neighbours, and no producer's
// head moves between the pieces of a batch.
func (n *Notary) accept(ctx context.Context, a *arrival, wait bool) (first Seq, taken int, err error) {
	n.mu.Lock()
	defer n.unlock()
	var me *appender
	for taken < len(a.ends) {
		if err = n.stopped(); err != nil {
			break
		}
		if n.full() {
			err = ErrFull
			break
		}
		if n.mayEnter(me) {
			var entered int
			if entered, err = n.enter(a, taken); err != nil {
				break
			}
			if taken == 0 && entered > 0 {
				first = n.next - Seq(entered) // without DedupWindow
			}
			taken += entered
			if taken == len(a.ends) {
				break
			}
		}
		if !wait {
			err = ErrBacklog
			break
		}
		if me == nil {
			me = &appender{ready: make(chan struct{}, 1)}
			n.line = append(n.line, me)
		}
		if err = n.await(ctx, me); err != nil {
			break
		}
	}
	if me != nil {
		n.leaveLine(me)
	}
	return first, taken, err
}

// await gives the lock up until me may look again.
func (n *Notary) await(ctx context.Context, me *appender) error {
	n.unlock()
	defer n.mu.Lock()
	select {
	case <-me.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Notary) mayEnter(me *appender) bool {
	return len(n.line) == 0 || n.line[0] == me
}

// leaveLine takes me out of the line and, as room may be left, lets the next one look.
func (n *Notary) leaveLine(me *appender) {
	for i, w := range n.line {
		if w == me {
			n.line = append(n.line[:i], n.line[i+1:]...)
			break
		}
	}
	n.callNext()
}

func (n *Notary) callNext() {
	if len(n.line) > 0 {
		n.line[0].call()
	}
}

func (w *appender) call() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}
