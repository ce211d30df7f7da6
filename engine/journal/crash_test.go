package journal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

// moment is a directory at one call of a run, and what may be found in it.
type moment struct {
	n    int // the call's number
	call journaltest.Call
	mem  *journaltest.Mem
	h    *history
}

// moments does the steps on mem and returns the moment before each call, and the one after the last.
func moments(t *testing.T, mem *journaltest.Mem, h *history, steps []step) []moment {
	t.Helper()
	var all []moment
	fs := journaltest.NewFaults(mem)
	fs.Before = func(n int, op, name string) {
		// The history first: what is durable by it is so in the directory.
		left := h.clone()
		all = append(all, moment{n: n, mem: mem.Clone(), h: left})
	}
	h.errs = nil
	if err := bubble(t, func() error { return h.run(fs, steps) }); err != nil {
		t.Fatal(err)
	}
	if err := h.unexpected(); err != nil {
		t.Fatal(err)
	}
	for i, c := range fs.Calls() {
		all[i].call = c
	}
	return append(all, moment{n: len(all) + 1, mem: mem, h: h})
}

// outcomes are the directories that a crash at m may leave: none of what is not synced, all, and some.
func (m *moment) outcomes(seed uint64, some int) map[string]*journaltest.Mem {
	all := map[string]*journaltest.Mem{"lost": m.mem.Clone().CrashLost(), "kept": m.mem.Clone().CrashKept()}
	for i := range uint64(some) {
		all[fmt.Sprint("seed ", i)] = m.mem.Clone().Crash(rand.New(rand.NewPCG(seed, i)))
	}
	return all
}

// A crash before each call of a run, with several outcomes; and one in the Open that follows.
func TestCrashAtEachCall(t *testing.T) {
	seed := seed(t)
	some, inner := 6, 1
	if long() {
		some, inner = 50, 10
	}
	for _, m := range moments(t, journaltest.NewMem(), newHistory(segmentSize), longScript) {
		for outcome, mem := range m.outcomes(seed, some) {
			if err := bubble(t, func() error { return m.h.clone().verify(mem) }); err != nil {
				t.Errorf("crash before call %d, %v; %s: %v", m.n, m.call, outcome, err)
			}
		}
		for n := range uint64(inner) {
			rng := rand.New(rand.NewPCG(seed, 1000+n))
			again := moments(t, m.mem.Clone().Crash(rng), m.h.clone(), nil)
			second := again[rng.IntN(len(again))]
			mem := second.mem.Crash(rng)
			if err := bubble(t, func() error { return second.h.verify(mem) }); err != nil {
				t.Errorf("crash before call %d, %v, and before call %d, %v, of the Open after it: %v", m.n, m.call, second.n,
					second.call, err)
			}
		}
	}
}

// randomSteps is a script of any batches, in any segments, with and without Wait, Prune and Close between. Payloads are of
// any size, or all of the one given if it is not 0.
func randomSteps(rng *rand.Rand, segment int64, size int) []step {
	steps := make([]step, 1+rng.IntN(7))
	for i := range steps {
		s := step{sizes: make([]int, rng.IntN(5)), wait: rng.IntN(2) == 0, prune: rng.IntN(4) == 0, reopen: rng.IntN(6) == 0}
		for k := range s.sizes {
			if s.sizes[k] = size; size == 0 {
				s.sizes[k] = rng.IntN([]int{40, 5000, 25_000, journal.MaxPayload(segment)}[rng.IntN(4)])
			}
		}
		steps[i] = s
	}
	return steps
}

// A journal that is never closed: it goes from crash to crash.
func TestCrashAgainAndAgain(t *testing.T) {
	seed := seed(t)
	lives, kept := uint64(300), 0
	if long() {
		lives = 10_000
	}
	for life := range lives {
		rng := rand.New(rand.NewPCG(seed, life))
		mem, h := journaltest.NewMem(), newHistory(segmentSize)
		if rng.IntN(10) == 0 {
			h.segment = 4 << 20
		}
		// With frames all alike those of a torn batch lie where those of a later one do.
		size := rng.IntN(2) * rng.IntN(journal.MaxPayload(h.segment)/5)
		for generation := range 8 {
			steps := randomSteps(rng, h.segment, size)
			mem.SetDirect(rng.IntN(2) == 0)
			mem.SetCapacity([]int64{-1, h.segment * rng.Int64N(6)}[rng.IntN(2)])
			// Some crashes come in Open, some later, some after the last call.
			n := 1 + rng.IntN(1+rng.IntN(20+15*len(steps)))
			fs := journaltest.NewFaults(mem)
			after, left := (*journaltest.Mem)(nil), (*history)(nil)
			fs.Before = func(i int, op, name string) {
				if i == n {
					left = h.clone()
					after = mem.Crash(rng)
				}
			}
			if err := bubble(t, func() error { return h.run(fs, steps) }); err != nil {
				t.Fatalf("life %d, generation %d, crash before call %d: %v", life, generation, n, err)
			}
			// ErrClosed and a deadline: of a run that gave up to wait for space.
			if err := h.unexpected(journaltest.ErrCrashed, syscall.ENOSPC, journal.ErrClosed, context.DeadlineExceeded); err != nil {
				t.Fatalf("life %d, generation %d, crash before call %d: %v", life, generation, n, err)
			}
			h.errs = nil
			if after == nil {
				left, after = h, mem.Crash(rng)
			}
			mem, h = after, left
		}
		kept += len(h.entries)
		if err := bubble(t, func() error { return h.verify(mem) }); err != nil {
			t.Fatalf("life %d: %v", life, err)
		}
	}
	if kept < 10*int(lives) {
		t.Errorf("got %d frames that survived in %d lives, want more: the crashes come too early", kept, lives)
	}
}

// A batch is torn, and so is the one that takes its place, of as many frames of the same size. Seven frames fill a sector
// with the batch's header, eight each further one: what is left of the first batch would do for the second.
func TestCrashTornTwice(t *testing.T) {
	seed := seed(t)
	steps := []step{{sizes: slices.Repeat([]int{64 - 16}, 7+2*8), wait: true}}
	for life := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, life))
		mem, h := journaltest.NewMem(), newHistory(segmentSize)
		for range 3 {
			mem, h = crashInSync(t, mem, h, steps, rng)
		}
		if err := bubble(t, func() error { return h.verify(mem) }); err != nil {
			t.Fatalf("life %d: %v", life, err)
		}
	}
}

// crashInSync does the steps up to one of the first syncs and returns what a crash leaves there.
func crashInSync(t *testing.T, mem *journaltest.Mem, h *history, steps []step, rng *rand.Rand) (*journaltest.Mem, *history) {
	t.Helper()
	fs := journaltest.NewFaults(mem)
	after, left := (*journaltest.Mem)(nil), (*history)(nil)
	syncs := 1 + rng.IntN(4)
	fs.Before = func(n int, op, name string) {
		if op != "Sync" {
			return
		}
		if syncs--; syncs == 0 {
			left = h.clone()
			after = mem.Crash(rng)
		}
	}
	if err := bubble(t, func() error { return h.run(fs, steps) }); err != nil {
		t.Fatal(err)
	}
	if after == nil {
		return mem.Crash(rng), h
	}
	return after, left
}

// fail does the steps under a plan and checks what is left: what the system has written or will write if it goes on, what
// a crash leaves at the end, and what one leaves somewhere after the first fault.
func fail(t *testing.T, steps []step, rng *rand.Rand, plan ...journaltest.Fault) {
	t.Helper()
	mem, h := journaltest.NewMem(), newHistory(segmentSize)
	fs := journaltest.NewFaults(mem, plan...)
	var crashes []moment
	fs.Before = func(n int, op, name string) {
		if n > plan[0].Call && n <= plan[0].Call+25 && (long() || rng.IntN(10) == 0) {
			left := h.clone()
			crashes = append(crashes, moment{n: n, mem: mem.Clone(), h: left})
		}
	}
	err := bubble(t, func() error { return h.run(fs, steps) })
	if err == nil {
		err = bubble(t, func() error { return h.clone().verify(mem.CrashKept()) })
	}
	if err == nil {
		err = bubble(t, func() error { return h.verify(mem.Crash(rng)) })
	}
	for _, m := range crashes {
		if err == nil {
			if err = bubble(t, func() error { return m.h.verify(m.mem.Crash(rng)) }); err != nil {
				err = fmt.Errorf("crash before call %d: %w", m.n, err)
			}
		}
	}
	if err == nil {
		return
	}
	t.Errorf("faults %v: %v", plan, err)
	for i, c := range fs.Calls() {
		if c.Fault != nil {
			t.Logf("call %d, %v", i+1, c)
		}
	}
}

var hows = []journaltest.How{journaltest.FailedLost, journaltest.FailedDone, journaltest.ShortWrite}

// calls returns the calls of steps without a fault.
func calls(t *testing.T, steps []step) []journaltest.Call {
	t.Helper()
	fs := journaltest.NewFaults(journaltest.NewMem())
	if err := bubble(t, func() error { return newHistory(segmentSize).run(fs, steps) }); err != nil {
		t.Fatal(err)
	}
	return fs.Calls()
}

// Each call of a run fails in each way: alone, and with all later ones of its kind.
func TestFailEachCall(t *testing.T) {
	rng := rand.New(rand.NewPCG(seed(t), 6))
	for i, c := range calls(t, longScript) {
		for _, how := range hows {
			if how == journaltest.ShortWrite && c.Op != "WriteAt" {
				continue
			}
			for _, err := range errnos {
				if err == syscall.ENOSPC && c.Op != "Create" && c.Op != "WriteAt" {
					continue
				}
				fail(t, longScript, rng, journaltest.Fault{Call: i + 1, How: how, Err: err})
				fail(t, longScript, rng, journaltest.Fault{Call: i + 1, How: how, Err: err, Op: c.Op, All: true})
			}
		}
	}
}

// Two calls of a run fail: some pairs of a long one, and all of a short one with ENCSEAL_LONG=1. The second may come in
// the Open after the first.
func TestFailPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(seed(t), 7))
	if long() {
		failAllPairs(t, rng)
		return
	}
	n := len(calls(t, longScript))
	for range 2000 {
		first := rng.IntN(n)
		fail(t, longScript, rng,
			journaltest.Fault{Call: first + 1, How: hows[rng.IntN(len(hows))], Err: errnos[rng.IntN(len(errnos))]},
			journaltest.Fault{Call: first + 2 + rng.IntN(n-first), How: hows[rng.IntN(len(hows))], Err: errnos[rng.IntN(len(errnos))]})
	}
}

func failAllPairs(t *testing.T, rng *rand.Rand) {
	n := len(calls(t, shortScript))
	if n > 40 {
		t.Errorf("the short script has %d calls, want at most 40", n)
	}
	for first := 1; first <= n; first++ {
		for second := first + 1; second <= n+10; second++ {
			for _, a := range hows {
				for _, b := range hows {
					fail(t, shortScript, rng, journaltest.Fault{Call: first, How: a}, journaltest.Fault{Call: second, How: b})
				}
			}
		}
	}
}

var errnos = []error{syscall.EIO, syscall.ENOSPC}
