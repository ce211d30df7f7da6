package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

const segmentSize = journal.MinSegmentSize

// step is what a script does next.
type step struct {
	sizes []int // payloads that are appended
	wait  bool  // for the last of them
	prune bool  // all that is durable
	// reopen closes the journal first and opens it again
	reopen bool
}

// longScript goes through eight segments, with batches of one frame and of many, with frames that are only kicked or
// neither, and prunes and reuses files.
var longScript = []step{
	{sizes: []int{0, 1, 100}, wait: true},
	{sizes: []int{20_000, 20_000}},
	{sizes: []int{5000}, wait: true},
	{sizes: []int{30_000, 30_000, 10}, wait: true},
	{prune: true},
	{reopen: true},
	{sizes: []int{0}},
	{sizes: []int{40_000, 1000, 1000}, wait: true},
	{sizes: []int{25_000}, wait: true},
	{prune: true},
	{sizes: []int{50, 50_000}, wait: true},
	{sizes: []int{50_000}, wait: true}, // in the file that was pruned
	{sizes: []int{30_000, 30_000}},
}

// shortScript has few calls, so that all pairs of them can be tried.
var shortScript = []step{
	{sizes: []int{10}, wait: true},
	{sizes: []int{40_000, 5000}, wait: true},
	{sizes: []int{20_000}},
}

// run does the steps on a directory and writes down what may be found afterwards. It goes on after errors, and opens
// the journal again after those that end it, so that a fault is found out wherever it comes. The errors it returns are of
// what may never be.
func (h *history) run(fs journal.FS, steps []step) error {
	j, err := h.open(fs)
	for _, s := range steps {
		if j == nil || j.Err() != nil || s.reopen {
			h.end(j)
			j, err = h.open(fs)
		}
		if err != nil {
			return err
		}
		if j == nil {
			continue
		}
		err = h.do(j, s)
		synctest.Wait() // till its goroutines have done what they had to: the order of calls repeats
	}
	h.end(j)
	return err
}

// open returns nil for both where the directory failed: that is a run's business. A journal that is not as it was left is
// an error.
func (h *history) open(fs journal.FS) (*journal.Journal, error) {
	var f found
	j, err := journal.Open(journal.Config{FS: fs, SegmentSize: h.segment, Spares: 1, Progress: h.setDurable}, f.visit)
	if err == nil {
		if err = h.settle(&f); err == nil {
			return j, nil
		}
		j.Close()
		return nil, err
	}
	var corrupt *journal.CorruptError
	var newer *journal.VersionError
	if errors.As(err, &corrupt) || errors.As(err, &newer) {
		return nil, err
	}
	h.note(err)
	return nil, nil
}

// end closes the journal, if there is one. Without an error all is durable.
func (h *history) end(j *journal.Journal) {
	if j != nil && !h.note(j.Close()) {
		h.setAllDurable()
	}
}

func (h *history) do(j *journal.Journal, s step) error {
	// Where there is no space and never will be, Append ends with Close alone.
	giveUp := time.AfterFunc(time.Minute, func() { j.Close() })
	defer giveUp.Stop()
	for i, size := range s.sizes {
		failed := j.Err()
		e := h.begin(size)
		at, end, err := j.Append(e.typ(), e.payload()[:size/2], e.payload()[size/2:])
		h.done(at, end, err)
		switch {
		case err == nil && failed != nil:
			return fmt.Errorf("Append after a failure: got no error, want %w", failed)
		case h.note(err):
			return nil
		}
		if s.wait && i == len(s.sizes)-1 {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if !h.note(j.Wait(ctx, end)) {
				h.setDurable(end)
			}
		}
	}
	if s.prune {
		h.setPruned(j.Durable())
		h.note(j.Prune(j.Durable())) // an error leaves more, and may stop the journal, which the next step sees
	}
	return nil
}

// verify opens what survived and checks it against the history, which goes on with it: Check and Scan see what Open does; what is appended
// then is found with all before it; and after a clean end nothing is torn.
func (h *history) verify(mem *journaltest.Mem) error {
	if h.number%2 == 0 { // half of them, for the time that it takes
		if err := h.clone().verifyQuiet(mem.Clone()); err != nil {
			return fmt.Errorf("with nothing appended: %w", err)
		}
	}
	if err := h.verifyOpen(mem, true); err != nil {
		return err
	}
	result, err := journal.Check(mem.Clone(), nil, nil)
	if err != nil {
		return fmt.Errorf("Check after Close: %w", err)
	}
	if result.Tail.Bytes != 0 || result.Tail.Frames != 0 {
		return fmt.Errorf("Check after Close: got torn tail %+v, want none", result.Tail)
	}
	if err := h.verifyOpen(mem, false); err != nil {
		return fmt.Errorf("after Close: %w", err)
	}
	return h.verifyDamage(mem)
}

// verifyQuiet opens what survived and closes it at once. That too proves that what was found is durable.
func (h *history) verifyQuiet(mem *journaltest.Mem) error {
	if err := h.verifyOpen(mem, false); err != nil || len(h.entries) == 0 || h.entries[len(h.entries)-1].end <= h.pruned {
		return err
	}
	return h.verifyDamage(mem)
}

// verifyDamage flips a bit of the last frame, which the empty batch behind it proves to be durable.
func (h *history) verifyDamage(mem *journaltest.Mem) error {
	last := h.entries[len(h.entries)-1]
	at := int64(last.at) % h.segment
	mem.Flip(fmt.Sprintf("seg-%016x", int64(last.at)/h.segment), at, 1)
	_, err := journal.Check(mem, nil, nil)
	var corrupt *journal.CorruptError
	if !errors.As(err, &corrupt) || corrupt.At != at {
		return fmt.Errorf("Check of a damaged last frame at %d after Close: got %v, want a CorruptError there", last.at, err)
	}
	return nil
}

func (h *history) verifyOpen(mem *journaltest.Mem, more bool) error {
	var checked, opened, scanned found
	if _, err := journal.Check(mem.Clone(), checked.visit, nil); err != nil {
		return fmt.Errorf("Check: %w", err)
	}
	// A journal that is there opens on a full disk too, a new one needs space.
	mem.SetCapacity(-1)
	if slices.ContainsFunc(mem.Names(), func(name string) bool { return strings.HasPrefix(name, "seg-") }) {
		mem.SetCapacity(0)
	}
	j, err := journal.Open(journal.Config{FS: mem, SegmentSize: h.segment, Progress: h.setDurable}, opened.visit)
	if err != nil {
		return fmt.Errorf("Open: %w", err)
	}
	defer j.Close()
	mem.SetCapacity(-1)
	if err := j.Scan(j.First(), j.Durable(), scanned.visit); err != nil {
		return fmt.Errorf("Scan: %w", err)
	}
	if !opened.equal(&checked) || !opened.equal(&scanned) {
		return fmt.Errorf("Open found %d frames, Check %d or others, Scan %d or others", len(opened.frames), len(checked.frames),
			len(scanned.frames))
	}
	if err := h.settle(&opened); err != nil {
		return err
	}
	if more {
		if err := h.appendAfter(j); err != nil {
			return fmt.Errorf("after Open: %w", err)
		}
	}
	if err := j.Close(); err != nil {
		return fmt.Errorf("Close: %w", err)
	}
	h.setAllDurable()
	return nil
}

// appendAfter appends to a journal that no fault meets any more, in this segment and the next.
func (h *history) appendAfter(j *journal.Journal) error {
	for _, size := range []int{7, 30_000, 40_000, 1} {
		e := h.begin(size)
		at, end, err := j.Append(e.typ(), e.payload())
		h.done(at, end, err)
		if err == nil && size > 1 {
			err = j.Wait(context.Background(), end)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bubble runs f where time is the test's and a deadlock is an error.
func bubble(t *testing.T, f func() error) (err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	synctest.Test(t, func(t *testing.T) { err = f() })
	return err
}

// seed is the one of ENCSEAL_SEED, or a new one each time.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64N(1_000_000)
	if s := os.Getenv("ENCSEAL_SEED"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("ENCSEAL_SEED: %v", err)
		}
	}
	t.Logf("ENCSEAL_SEED=%d", n)
	return n
}

func long() bool { return os.Getenv("ENCSEAL_LONG") == "1" }
