package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

// step is what a client does next.
type step struct {
	app    string
	counts []int // receipts of each call
	wait   level // for all of them
	seal   bool  // by hand
	reopen bool  // closes the Engine first and opens it again
}

type level int

const (
	accepted level = iota
	durably
	sealed
)

// longScript goes through several segments, with two apps, blocks that fill and blocks that are cut by hand or by Close, and
// calls that fill more than one block.
var longScript = []step{
	{app: "a", counts: []int{1, 1, 1}, wait: durably},
	{app: "b", counts: []int{20}, wait: sealed},
	{app: "a", counts: []int{50, 3}},
	{app: "b", counts: []int{2}, seal: true},
	{app: "a", counts: []int{7}, wait: durably},
	{reopen: true, app: "a", counts: []int{1, 40}, wait: sealed},
	{app: "b", counts: []int{90, 1}},
	{app: "a", counts: []int{5}, wait: durably},
	{app: "b", wait: sealed, counts: []int{3}},
	{reopen: true},
	{app: "a", counts: []int{16}, wait: durably},
	{app: "a", counts: []int{60}},
	{app: "b", counts: []int{4}, wait: durably},
}

// shortScript has few calls, so that all pairs of them can be tried.
var shortScript = []step{
	{app: "a", counts: []int{3}, wait: durably},
	{app: "b", counts: []int{120}, wait: sealed},
}

// run does the steps on a Store that may fail. It goes on after errors: an Engine that failed is closed and another opened. The
// error is of what no fault explains.
func (c *client) run(store engine.Store, steps []step) error {
	var e *engine.Engine
	for _, s := range steps {
		if s.reopen && e != nil {
			if err := c.explain("Close", c.close(e)); err != nil {
				return err
			}
			e = nil
		}
		if e == nil {
			var err error
			if e, err = c.openAgain(store); err != nil {
				return err
			}
			if e == nil {
				continue
			}
		}
		err := c.do(e, s)
		if err == nil {
			continue
		}
		if err := c.explain(fmt.Sprintf("step %+v", s), err); err != nil {
			return err
		}
		if err := c.explain("Close", c.close(e)); err != nil {
			return err
		}
		e = nil
	}
	if e == nil {
		return c.trouble()
	}
	return errors.Join(c.explain("Close", c.close(e)), c.trouble())
}

// openAgain opens an Engine and sends what is not acknowledged; nil for both where a fault was in the way.
func (c *client) openAgain(store engine.Store) (*engine.Engine, error) {
	e, err := c.open(store)
	if err != nil {
		return nil, c.explain("Open", err)
	}
	if err := c.sendAgain(e); err != nil {
		return nil, errors.Join(c.explain("Open", err), c.explain("Close", c.close(e)))
	}
	return e, nil
}

func (c *client) do(e *engine.Engine, s step) error {
	var which []int
	for _, count := range s.counts {
		from, to, err := c.create(s.app, count)
		if err != nil {
			return err
		}
		call := make([]int, 0, count)
		for k := from; k < to; k++ {
			call = append(call, k)
		}
		if err := c.send(e, s.app, call); err != nil {
			return err
		}
		which = append(which, call...)
	}
	switch {
	case s.seal:
		return c.seal(e, s.app)
	case s.wait == durably:
		return c.waitDurable(e, s.app, which)
	case s.wait == sealed:
		return c.waitSealed(e, s.app, which)
	}
	return nil
}

// expected are the errors that faults and crashes of a directory come out as. A lock whose Close failed is held until a crash.
var expected = []error{syscall.EIO, syscall.ENOSPC, journaltest.ErrCrashed, engine.ErrFull, journal.ErrLocked}

// explain returns nil for an error that a fault explains.
func (c *client) explain(what string, err error) error {
	if err == nil || slices.ContainsFunc(expected, func(e error) bool { return errors.Is(err, e) }) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
