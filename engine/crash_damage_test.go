package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
)

// damaged is a directory that ended in some way, and what its journal said.
type damaged struct {
	client *client
	disks  disks
	was    map[string]*history
}

const firstSegment = "seg-0000000000000001"

// smallJournal is a journal of one segment, as Close leaves it or as a crash does after the last block was delivered.
func smallJournal(t *testing.T, closed bool) damaged {
	t.Helper()
	c, d := newClient(newSigner(t), false), newDisks(false)
	e, err := c.open(d.store())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []step{{app: "a", counts: []int{3}, wait: durably}, {app: "b", counts: []int{17}, wait: sealed}} {
		if err := c.do(e, s); err != nil {
			t.Fatal(err)
		}
	}
	left := d.clone().crashKept()
	closeEngine(t, e)
	if closed {
		left = d
	} else {
		c = c.snapshot()
	}
	was, err := histories(left.data)
	if err != nil {
		t.Fatal(err)
	}
	return damaged{c, left, was}
}

// Each byte of a small journal is flipped, and the file ends at each: Open refuses it as corrupt, or goes on with a
// beginning of what was there. With its head file no block that was signed is missing then; without, a crash's last batch
// may be, as damage to it looks like a batch that was never durable.
func TestDamageOfEachByte(t *testing.T) {
	for _, closed := range []bool{false, true} {
		for _, headed := range []bool{false, true} {
			t.Run(fmt.Sprintf("closed=%v/headed=%v", closed, headed), func(t *testing.T) { damageEach(t, closed, headed) })
		}
	}
}

func damageEach(t *testing.T, closed, headed bool) {
	d := smallJournal(t, closed)
	bytes := d.disks.data.Bytes(firstSegment)
	used := len(bytes)
	for used > 0 && bytes[used-1] == 0 {
		used--
	}
	every := 11
	if long() {
		every = 1
	}
	every *= 1000 / thin(1000)
	var lost [2]atomic.Int64 // flipped, cut off
	parallel(t, 2*((used+every-1)/every), func(i int) error {
		at := int64(i / 2 * every)
		one := d.disks.clone()
		if i%2 == 0 {
			one.data.Flip(firstSegment, at, 1<<(at%8))
		} else {
			one.data.Truncate(firstSegment, at)
		}
		store := one.store()
		if !headed {
			// As if there had never been a head file: the journal's note of it makes no difference to what is replayed.
			store.NewHead = true
			one.head.Truncate("head", 0)
		}
		short, err := d.judge(one, store)
		if short {
			lost[i%2].Add(1)
			if headed || closed && i%2 == 0 {
				err = errors.Join(err, errors.New("a cut is gone, and Open has not noticed"))
			}
		}
		return wrap(err, "byte %d of %d, cut off %v", at, used, i%2 == 1)
	})
	t.Logf("%d bytes, one in %d: the end was taken for torn, and a cut was lost with it, %d times for a byte flipped and %d for a file cut off",
		used, every, lost[0].Load(), lost[1].Load())
}

// judge opens a damaged directory. It reports whether less cuts are there than were.
func (d *damaged) judge(one disks, store engine.Store) (short bool, err error) {
	c := d.client.snapshot()
	is, readErr := histories(one.data) // as Open will see it
	e, err := c.open(store)
	var corrupt *journal.CorruptError
	var newer *journal.VersionError
	switch {
	case errors.As(err, &corrupt), errors.As(err, &newer), errors.Is(err, engine.ErrRolledBack), errors.Is(err, engine.ErrOtherJournal):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("Open: %w", err)
	case readErr != nil:
		return false, errors.Join(fmt.Errorf("Open takes what does not read: %w", readErr), c.close(e))
	}
	for app, was := range d.was {
		h := is[app]
		if h == nil {
			h = new(history)
		}
		if len(h.leaves) > len(was.leaves) || len(h.cuts) > len(was.cuts) ||
			!slices.Equal(h.leaves, was.leaves[:len(h.leaves)]) || !slices.Equal(h.cuts, was.cuts[:len(h.cuts)]) {
			err = errors.Join(err, fmt.Errorf("app %q is not a beginning of what it was", app))
		}
		short = short || len(h.cuts) < len(was.cuts)
	}
	err = errors.Join(err, c.close(e))
	if !short {
		err = errors.Join(err, c.trouble())
	}
	return short, err
}
