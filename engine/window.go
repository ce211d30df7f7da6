package engine

import "time"

// armWindow makes sure that the open batch, which has just received its first receipt, is watched. A timer that still
// runs for an earlier batch is left alone: when it fires, watchWindow sets it anew for the batch then open. So a busy
// Notary costs one wake-up a window, an idle one none. The caller holds mu.
func (n *Notary) armWindow() {
	if n.armed {
		return
	}
	n.armed = true
	select {
	case n.arm <- struct{}{}:
	default:
	}
}

// watchWindow is the window goroutine.
func (n *Notary) watchWindow() {
	defer close(n.idle)
	timer := time.NewTimer(n.cfg.MaxWindow)
	defer timer.Stop()
	timer.Stop()
	for {
		select {
		case <-n.arm:
		case <-timer.C:
		case <-n.eng.quit:
			return
		}
		if left, watch := n.checkWindow(); watch {
			timer.Reset(left)
		}
	}
}

// checkWindow cuts the open batch if it has waited long enough; else it tells how long it still may, and false when
// there is nothing to watch.
func (n *Notary) checkWindow() (left time.Duration, watch bool) {
	n.mu.Lock()
	defer n.unlock()
	if n.open.len() > 0 {
		left = n.cfg.MaxWindow - time.Since(n.open.born)
		if left > 0 {
			return left, true
		}
		n.cut()
	}
	n.armed = false
	return 0, false
}
