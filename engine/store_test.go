package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

const smallSegments = 64 << 10

// durable is a Config with a Store in a directory of its own.
func durable(t *testing.T, cfg engine.Config) engine.Config {
	t.Helper()
	if cfg.Signer == nil {
		cfg.Signer = newSigner(t)
	}
	if cfg.Store.Dir == "" && cfg.Store.FS == nil {
		cfg.Store.Dir = t.TempDir()
	}
	if cfg.Store.SegmentSize == 0 {
		cfg.Store.SegmentSize = smallSegments
	}
	return cfg
}

func closeEngine(t *testing.T, e *engine.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// named is a number of receipts of an app, told apart from others by the first one's number.
func named(app string, from, count int) []*receipt.Receipt {
	var all []*receipt.Receipt
	for i := range count {
		r := plain("c", from+i)
		r.App = app
		all = append(all, r)
	}
	return all
}

// Runs of an Engine on one directory make one chain: pending receipts stay pending, numbers go on.
func TestStoreGoesOn(t *testing.T) {
	shelf := new(shelf)
	cfg := durable(t, engine.Config{MaxReceipts: 7, Sinks: []engine.NamedSink{{Name: "shelf", Sink: shelf}}})
	accepted := make(map[string][]*receipt.Receipt)
	for run := range 5 {
		e := openEngine(t, cfg)
		for _, app := range []string{"a", "b"} {
			n := notary(t, e, app)
			some := named(app, 100*run, 25)
			first, taken, err := n.AppendBatch(background, some)
			if want := engine.Seq(25*run + 1); first != want || taken != 25 || err != nil {
				t.Fatalf("run %d: AppendBatch: got (%d, %d, %v), want (%d, 25, nil)", run, first, taken, err, want)
			}
			if err := n.WaitDurable(background, first+24); err != nil {
				t.Fatal(err)
			}
			if s := n.Stats(); s.Accepted != first+24 || s.Durable != first+24 {
				t.Errorf("run %d: Stats: %d accepted, %d durable, want %d", run, s.Accepted, s.Durable, first+24)
			}
			accepted[app] = append(accepted[app], some...)
		}
		closeEngine(t, e)
	}
	chains := make(map[string][]*logblock.LogBlock)
	for _, b := range shelf.taken() {
		chains[b.App] = append(chains[b.App], b)
	}
	for app, receipts := range accepted {
		verify(t, cfg.Signer.PublicKey(), chains[app], receipts)
	}
}

func TestStoreIsHeldByOne(t *testing.T) {
	cfg := durable(t, engine.Config{})
	e := openEngine(t, cfg)
	if _, err := engine.Open(cfg); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("second Open: got %v, want ErrLocked", err)
	}
	closeEngine(t, e)
	closeEngine(t, openEngine(t, cfg))
}

// Another key, or scheme, than that of the chain is refused before anything is signed.
func TestStoreKnowsItsKey(t *testing.T) {
	cfg := durable(t, engine.Config{MaxReceipts: 1})
	e := openEngine(t, cfg)
	if _, err := notary(t, e, "a").Append(background, named("a", 1, 1)[0]); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	other := cfg
	other.Signer = newSigner(t)
	if _, err := engine.Open(other); !errors.Is(err, engine.ErrForeign) {
		t.Errorf("Open with another key: got %v, want ErrForeign", err)
	}
	other = cfg
	other.Scheme = logblock.BPI1
	if _, err := engine.Open(other); !errors.Is(err, engine.ErrForeign) {
		t.Errorf("Open with another scheme: got %v, want ErrForeign", err)
	}
	closeEngine(t, openEngine(t, cfg))
}

// A repetition within the window is answered with its number, in the same run and after the next Open.
func TestDedup(t *testing.T) {
	shelf := new(shelf)
	cfg := durable(t, engine.Config{MaxReceipts: 4, DedupWindow: 50, Sinks: []engine.NamedSink{{Name: "shelf", Sink: shelf}}})
	e := openEngine(t, cfg)
	n := notary(t, e, "a")
	receipts := named("a", 0, 60)
	if _, _, err := n.AppendBatch(background, receipts); err != nil {
		t.Fatal(err)
	}
	again := func(n *engine.Notary) {
		t.Helper()
		if seq, err := n.Append(background, receipts[59]); seq != 60 || !errors.Is(err, engine.ErrDuplicate) {
			t.Errorf("Append again: got (%d, %v), want (60, ErrDuplicate)", seq, err)
		}
		if _, err := n.TryAppend(receipts[30]); !errors.Is(err, engine.ErrDuplicate) {
			t.Errorf("TryAppend again: got %v, want ErrDuplicate", err)
		}
	}
	again(n)
	closeEngine(t, e)
	e = openEngine(t, cfg)
	n = notary(t, e, "a")
	again(n)
	mixed := slices.Concat(receipts[20:22], named("a", 1000, 1), receipts[25:26], named("a", 1001, 1), named("a", 1000, 1))
	taken := make([]engine.Taken, len(mixed))
	got, err := n.AppendEach(background, mixed, taken)
	want := []engine.Taken{{21, true}, {22, true}, {61, false}, {26, true}, {62, false}, {61, true}}
	if got != len(mixed) || err != nil || !slices.Equal(taken, want) {
		t.Errorf("AppendEach: got %d, %v, %v; want all, %v", got, err, taken, want)
	}
	// The 51st from the end is forgotten, and taken anew.
	if seq, err := n.Append(background, receipts[9]); seq != 63 || err != nil {
		t.Errorf("Append of what the window forgot: got (%d, %v), want (63, nil)", seq, err)
	}
	closeEngine(t, e)
	verify(t, cfg.Signer.PublicKey(), shelf.taken(), slices.Concat(receipts, named("a", 1000, 2), receipts[9:10]))
}

// Producers' heads outlive the process, from the middle of a segment and over many of them.
func TestStoreKeepsProducers(t *testing.T) {
	for _, dedup := range []int{0, 100} {
		t.Run(fmt.Sprintf("dedup=%d", dedup), func(t *testing.T) { keepsProducers(t, dedup) })
	}
}

func keepsProducers(t *testing.T, dedup int) {
	p := newProducer("p")
	shelf := new(shelf)
	cfg := durable(t, engine.Config{
		MaxReceipts: 10, Check: engine.CheckStrict, Producers: []logblock.ProducerKey{p.public()}, DedupWindow: dedup,
		Sinks: []engine.NamedSink{{Name: "shelf", Sink: shelf}},
	})
	var all []*receipt.Receipt
	for run := range 6 {
		e := openEngine(t, cfg)
		n := notary(t, e, "app")
		if run > 0 {
			_, err := n.Append(background, all[len(all)-1])
			if dedup > 0 && !errors.Is(err, engine.ErrDuplicate) || dedup == 0 && err == nil {
				t.Errorf("run %d: the last receipt again: got %v", run, err)
			}
		}
		some := p.batch(t, 150)
		if _, _, err := n.AppendBatch(background, some); err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		if dedup > 0 {
			taken := make([]engine.Taken, len(some))
			if _, err := n.AppendEach(background, some[50:], taken); err != nil || !taken[0].Duplicate || !taken[99].Duplicate {
				t.Errorf("run %d: sent again: got %v and %v, %v; want duplicates", run, taken[0], taken[99], err)
			}
		}
		all = append(all, some...)
		closeEngine(t, e)
	}
	verify(t, cfg.Signer.PublicKey(), shelf.taken(), all)
}

// Each of many goroutines that waits for its receipt finds it durable, and sealed.
func TestWaitLevels(t *testing.T) {
	shelf := new(shelf)
	cfg := durable(t, engine.Config{MaxReceipts: 10, MaxWindow: time.Millisecond, Sinks: []engine.NamedSink{{Name: "shelf", Sink: shelf}}})
	e := openEngine(t, cfg)
	n := notary(t, e, "app")
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			for k := range 10 {
				seq, err := n.Append(background, plain("c", 10*i+k))
				if err == nil {
					err = n.WaitDurable(background, seq)
				}
				if err == nil {
					_, err = n.Wait(background, seq)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := n.WaitDurable(background, 401); err == nil {
		t.Error("WaitDurable of a number that was not given out: got nil")
	}
	closeEngine(t, e)
	total := 0
	for _, b := range shelf.taken() {
		total += int(b.Count)
	}
	if total != 400 {
		t.Errorf("%d receipts in blocks, want 400", total)
	}
}

func TestMemoryIsNotDurable(t *testing.T) {
	n := start(t, engine.Config{Sink: new(shelf)})
	seq, err := n.Append(background, plain("c", 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := n.WaitDurable(background, seq); !errors.Is(err, engine.ErrMemory) {
		t.Errorf("WaitDurable: got %v, want ErrMemory", err)
	}
	closeNotary(t, n)
}

// A sink that stands still holds nothing up, and one that comes back goes on where it stood.
func TestSinksHaveTheirOwnPace(t *testing.T) {
	quick, slow := new(shelf), new(shelf)
	broken := true
	slow.fail = func(int, *logblock.LogBlock) (error, bool) {
		if broken {
			return fmt.Errorf("%w: %w", engine.ErrPermanent, errSink), false
		}
		return nil, true
	}
	cfg := durable(t, engine.Config{MaxReceipts: 2, Sinks: []engine.NamedSink{{Name: "quick", Sink: quick}, {Name: "slow", Sink: slow}}})
	e := openEngine(t, cfg)
	n := notary(t, e, "app")
	receipts := some(2000)
	for _, part := range [][]*receipt.Receipt{receipts[:1000], receipts[1000:]} {
		first, taken, err := n.AppendBatch(background, part)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Wait(background, first+engine.Seq(taken)-1); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.ResumeSink("nobody"); err == nil {
		t.Error("ResumeSink of no sink: got nil")
	}
	ended, cancel := context.WithTimeout(background, 100*time.Millisecond)
	defer cancel()
	if err := e.Close(ended); err != nil {
		t.Fatalf("Close with a sink that stands still: %v", err)
	}
	if len(quick.taken()) != 1000 || len(slow.taken()) != 0 {
		t.Errorf("%d and %d blocks delivered, want 1000 and 0", len(quick.taken()), len(slow.taken()))
	}
	slow.mu.Lock()
	broken = false
	slow.mu.Unlock()
	e = openEngine(t, cfg)
	closeEngine(t, e)
	verify(t, cfg.Signer.PublicKey(), slow.taken(), receipts)
	verify(t, cfg.Signer.PublicKey(), quick.taken(), receipts)
	if again := quick.offers - 1000; again > 0 {
		t.Errorf("%d blocks offered again after a clean end, want none", again)
	}
}

// Segments whose blocks are sealed and delivered go; chain, heights, numbers and the apps that were idle meanwhile stay.
func TestRetain(t *testing.T) {
	shelf := new(shelf)
	dir := t.TempDir()
	cfg := durable(t, engine.Config{
		MaxReceipts: 50, Store: engine.Store{Dir: dir, RetainBytes: 2 * smallSegments, Head: filepath.Join(t.TempDir(), "head")},
		Sinks: []engine.NamedSink{{Name: "shelf", Sink: shelf}},
	})
	accepted := make(map[string][]*receipt.Receipt)
	add := func(e *engine.Engine, app string, count int) {
		t.Helper()
		n := notary(t, e, app)
		some := named(app, len(accepted[app]), count)
		first, _, err := n.AppendBatch(background, some)
		if err == nil {
			err = n.WaitDurable(background, first+engine.Seq(count)-1)
		}
		if want := engine.Seq(len(accepted[app]) + 1); err != nil || first != want {
			t.Fatalf("AppendBatch to %q: got (%d, %v), want (%d, nil)", app, first, err, want)
		}
		accepted[app] = append(accepted[app], some...)
	}
	e := openEngine(t, cfg)
	add(e, "idle", 70)
	for range 6 {
		for range 10 {
			add(e, "busy", 230)
			if _, err := notary(t, e, "busy").Seal(background); err != nil && !errors.Is(err, engine.ErrEmpty) {
				t.Fatal(err)
			}
		}
		closeEngine(t, e)
		e = openEngine(t, cfg)
	}
	add(e, "idle", 10)
	add(e, "busy", 10)
	closeEngine(t, e)
	segments, err := filepath.Glob(filepath.Join(dir, "seg-*"))
	if err != nil || len(segments) > 12 {
		t.Errorf("%d segments are left (%v), want about 3: 2 MB were written", len(segments), err)
	}
	carried, err := filepath.Glob(filepath.Join(dir, engine.PrunedDir, "seg-*"))
	if err != nil || len(carried) == 0 {
		t.Errorf("%d segments of LogBlocks whose receipts went (%v), want some", len(carried), err)
	}
	chains := make(map[string][]*logblock.LogBlock)
	for _, b := range shelf.taken() {
		chains[b.App] = append(chains[b.App], b)
	}
	for app, receipts := range accepted {
		verify(t, cfg.Signer.PublicKey(), chains[app], receipts)
	}
	fs, err := journal.Dir(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := journal.Dir(filepath.Join(dir, engine.PrunedDir))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ledger.Check(fs, ledger.CheckConfig{Key: cfg.Signer.PublicKey(), Pruned: kept})
	if err != nil {
		t.Errorf("fsck: %v", err)
	}
	for _, a := range r.Apps {
		if a.Carried == 0 || a.Carried+a.Blocks != a.Sealed {
			t.Errorf("app %q: %d blocks and %d carried, want %d, some of them carried", a.Name, a.Blocks, a.Carried, a.Sealed)
		}
	}
}
