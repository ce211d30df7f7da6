package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

// The crash suite runs in real time: an Engine with no disk waits holding locks, so time of a test's own would stand still.
// The order of an Engine's calls is its own then, and a call's number says roughly where a fault comes. Each call of a run is hit
// all the same, as cases go on until no call of such a number is made.

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

// thin is how many of so many cases there are under the race detector or -short, where one in five is: at least one.
func thin(count int) int {
	if long() || !raceEnabled && !testing.Short() {
		return count
	}
	return max(1, count/5)
}

// parallel runs f(0) to f(count-1) on a few goroutines, as most of a case is waiting. No more begin once one has failed.
func parallel(t *testing.T, count int, f func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < count && !t.Failed(); i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					t.Errorf("case %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
}

// disks are a data directory and the directory of the head file, which lose power together.
type disks struct {
	data, head *journaltest.Mem
}

func newDisks(direct bool) disks {
	d := disks{journaltest.NewMem(), journaltest.NewMem()}
	d.data.SetDirect(direct)
	d.head.SetDirect(direct)
	return d
}

func (d disks) store() engine.Store {
	return engine.Store{FS: d.data, Head: "head", HeadFS: d.head}
}

// clone copies the head first: what it says must be in the journal by then.
func (d disks) clone() disks {
	head := d.head.Clone()
	return disks{d.data.Clone(), head}
}

func (d disks) crash(rng *rand.Rand) disks { return disks{d.data.Crash(rng), d.head.Crash(rng)} }
func (d disks) crashLost() disks           { return disks{d.data.CrashLost(), d.head.CrashLost()} }
func (d disks) crashKept() disks           { return disks{d.data.CrashKept(), d.head.CrashKept()} }

// moment is what there is at one call of a run.
type moment struct {
	name   string // of the call
	client *client
	disks  disks
}

// moments does the steps and returns the moments before each call of either directory, and the last one.
func moments(t *testing.T, c *client, steps []step, direct bool) []moment {
	t.Helper()
	d := newDisks(direct)
	data, head := journaltest.NewFaults(d.data), journaltest.NewFaults(d.head)
	var mu sync.Mutex
	var all []moment
	before := func(where string) func(int, string, string) {
		return func(n int, op, name string) {
			mu.Lock()
			defer mu.Unlock()
			// The client first: what it was promised by now is in the directories.
			m := moment{name: fmt.Sprintf("%s call %d, %s %s", where, n, op, name), client: c.snapshot()}
			m.disks = d.clone()
			all = append(all, m)
		}
	}
	data.Before, head.Before = before("data"), before("head")
	if err := c.run(engine.Store{FS: data, Head: "head", HeadFS: head}, steps); err != nil {
		t.Fatal(err)
	}
	return append(all, moment{"the end", c, d})
}

// A crash before each call of a run, of either directory, with several outcomes.
func TestCrashAtEachCall(t *testing.T) {
	seed := seed(t)
	some := 1
	if long() {
		some = 50
	}
	signer := newSigner(t)
	for _, strict := range []bool{false, true} {
		for _, direct := range []bool{false, true} {
			if strict != direct && !long() {
				continue
			}
			t.Run(fmt.Sprintf("strict=%v/direct=%v", strict, direct), func(t *testing.T) {
				all := moments(t, newClient(signer, strict), longScript, direct)
				every := len(all) / thin(len(all))
				outcomes := 2 + some
				t.Logf("%d moments", len(all))
				parallel(t, len(all)/every*outcomes, func(i int) error {
					m := &all[i/outcomes*every]
					d := m.disks.clone()
					switch outcome := i % outcomes; outcome {
					case 0:
						d = d.crashLost()
					case 1:
						d = d.crashKept()
					default:
						d = d.crash(rand.New(rand.NewPCG(seed, uint64(i))))
					}
					if err := m.client.snapshot().check(d.store()); err != nil {
						return fmt.Errorf("crash before %s; outcome %d: %w", m.name, i%outcomes, err)
					}
					return nil
				})
			})
		}
	}
}

// plan is the faults of one case.
type plan struct {
	data, head []journaltest.Fault
}

func (p plan) String() string { return fmt.Sprintf("data faults %v, head faults %v", p.data, p.head) }

// fails does the steps under a plan and checks what is left: what the system has written or will write if it goes on, and
// what a crash leaves. It reports whether each fault met a call.
func fails(signer engine.Signer, steps []step, rng *rand.Rand, p plan) (hit bool, err error) {
	c, d := newClient(signer, false), newDisks(rng.IntN(2) == 0)
	data, head := journaltest.NewFaults(d.data, p.data...), journaltest.NewFaults(d.head, p.head...)
	err = c.run(engine.Store{FS: data, Head: "head", HeadFS: head}, steps)
	met := 0
	for _, call := range append(data.Calls(), head.Calls()...) {
		if call.Fault != nil {
			met++
			err = wrap(err, "%v", call)
		}
	}
	if err == nil {
		err = wrap(c.snapshot().check(d.crashKept().store()), "all kept")
	}
	if err == nil {
		err = wrap(c.check(d.crash(rng).store()), "crash")
	}
	return met >= len(p.data)+len(p.head), wrap(err, "%v", p)
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// calls returns how many calls the steps make of either directory.
func calls(t *testing.T, signer engine.Signer, steps []step) (data, head int) {
	t.Helper()
	d := newDisks(false)
	f, g := journaltest.NewFaults(d.data), journaltest.NewFaults(d.head)
	if err := newClient(signer, false).run(engine.Store{FS: f, Head: "head", HeadFS: g}, steps); err != nil {
		t.Fatal(err)
	}
	return len(f.Calls()), len(g.Calls())
}

var (
	hows   = []journaltest.How{journaltest.FailedLost, journaltest.FailedDone, journaltest.ShortWrite}
	errnos = []error{syscall.EIO, syscall.ENOSPC}
)

// Each call of a run fails in each way.
func TestFailEachCall(t *testing.T) {
	seed := seed(t)
	signer := newSigner(t)
	nData, nHead := calls(t, signer, longScript)
	var plans []plan
	for _, how := range hows {
		for i, err := range errnos {
			for n := 1; n <= max(nData, nHead)+5; n++ {
				// Which errno it is matters little: a third of the calls in each run for one of them.
				if i > 0 && !long() && n%3 != int(seed%3) {
					continue
				}
				f := []journaltest.Fault{{Call: n, How: how, Err: err}}
				if n <= nData+5 {
					plans = append(plans, plan{data: f})
				}
				if n <= nHead+5 {
					plans = append(plans, plan{head: f})
				}
			}
		}
	}
	every := len(plans) / thin(len(plans))
	var hits atomic.Int64
	parallel(t, len(plans)/every, func(i int) error {
		hit, err := fails(signer, longScript, rand.New(rand.NewPCG(seed, uint64(i))), plans[i*every])
		if hit {
			hits.Add(1)
		}
		return err
	})
	t.Logf("%d calls of the data directory and %d of the head file's; %d of %d faults met a call", nData, nHead, hits.Load(), len(plans)/every)
	if int(hits.Load()) < len(plans)/every*3/5 {
		t.Error("want three in five at least")
	}
}

// Two calls of a run fail: some pairs of a long and of a short one, and all of a short one with ENCSEAL_LONG=1. The second may come in the
// Open after the first.
func TestFailPairs(t *testing.T) {
	seed := seed(t)
	signer := newSigner(t)
	if long() {
		failAllPairs(t, seed, signer)
		return
	}
	scripts := [...][]step{longScript, shortScript}
	var many [2][2]int
	for i, script := range scripts {
		many[i][0], many[i][1] = calls(t, signer, script)
	}
	parallel(t, thin(pairs), func(i int) error {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		p := plan{}
		nData, nHead := many[i%2][0], many[i%2][1]
		for range 2 {
			at := 1 + rng.IntN(nData+nHead)
			f := journaltest.Fault{Call: at, How: hows[rng.IntN(len(hows))], Err: errnos[rng.IntN(len(errnos))]}
			if at <= nData {
				p.data = append(p.data, f)
				continue
			}
			f.Call -= nData
			p.head = append(p.head, f)
		}
		_, err := fails(signer, scripts[i%2], rng, p)
		return err
	})
}

// pairs is how many are tried.
const pairs = 2000

func failAllPairs(t *testing.T, seed uint64, signer engine.Signer) {
	nData, nHead := calls(t, signer, shortScript)
	t.Logf("%d calls of the data directory and %d of the head file's", nData, nHead)
	if nData+nHead > 60 {
		t.Errorf("the short script has %d calls, want at most 60", nData+nHead)
	}
	var plans []plan
	n := nData + nHead + 10
	for first := 1; first <= n; first++ {
		for second := first + 1; second <= n; second++ {
			for _, a := range hows {
				for _, b := range hows {
					p := plan{}
					p.add(nData+10, first, a)
					p.add(nData+10, second, b)
					plans = append(plans, p)
				}
			}
		}
	}
	parallel(t, len(plans), func(i int) error {
		_, err := fails(signer, shortScript, rand.New(rand.NewPCG(seed, uint64(i))), plans[i])
		return err
	})
}

// add makes call n fail, where those after the first many are of the head file's directory.
func (p *plan) add(many, n int, how journaltest.How) {
	if n <= many {
		p.data = append(p.data, journaltest.Fault{Call: n, How: how})
		return
	}
	p.head = append(p.head, journaltest.Fault{Call: n - many, How: how})
}
