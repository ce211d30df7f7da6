package engine_test

import (
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal/journaltest"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sink"
)

// An Engine that nobody uses does nothing: once the window of its last receipt has passed, no timer of it runs and no call
// goes to the disk, for a day or for a year.
func TestIdleCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := journaltest.NewFaults(journaltest.NewMem())
		e := openEngine(t, engine.Config{
			Signer: newSigner(t), MaxWindow: time.Minute, DedupWindow: 100,
			Store: engine.Store{FS: disk, SegmentSize: smallSegments}, Sinks: []engine.NamedSink{{Name: "none", Sink: sink.Discard{}}},
		})
		for _, app := range []string{"a", "b"} {
			if _, _, err := notary(t, e, app).AppendBatch(background, named(app, 0, 150)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := notary(t, e, "a").Stats(); s.Pending != 0 || s.SealedReceipts != 150 {
			t.Fatalf("after the window: %+v", s)
		}
		calls := len(disk.Calls())
		const day = 24 * time.Hour
		began := time.Now()
		time.Sleep(365 * day)
		synctest.Wait()
		if woke := len(disk.Calls()) - calls; woke != 0 {
			t.Errorf("%d calls to the disk in %v of idleness, want none", woke, time.Since(began))
		}
		closeEngine(t, e)
	})
}

// Memory does not grow with what was sealed: ten million receipts, and the heap is what it was after one.
func TestMemoryIsFlat(t *testing.T) {
	if os.Getenv("ENCSEAL_LONG") != "1" {
		t.Skip("ENCSEAL_LONG is not 1: ten million receipts take some 20 s and 300 MB of disk")
	}
	cfg := durable(t, engine.Config{
		DedupWindow: 100_000, Store: engine.Store{SegmentSize: 16 << 20, RetainBytes: 64 << 20},
		Sinks: []engine.NamedSink{{Name: "none", Sink: sink.Discard{}}},
	})
	e := openEngine(t, cfg)
	n := notary(t, e, "app")
	const million = 1_000_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	receipts := make([]*receipt.Receipt, 1000)
	for i := range receipts {
		receipts[i] = plain("c", i)
	}
	number := uint64(0)
	var first uint64
	for round := range 10 {
		for range million / len(receipts) {
			for _, r := range receipts {
				number++
				r.Resource.CPUms = number
			}
			if _, _, err := n.AppendBatch(background, receipts); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.Wait(background, engine.Seq(number)); err != nil {
			t.Fatal(err)
		}
		if got := heap(); round == 0 {
			first = got
		} else if got > first+16<<20 {
			t.Errorf("%d million receipts: %d bytes of heap, %d after the first million", round+1, got, first)
		}
		t.Logf("%d million receipts: %d MB of heap", round+1, heap()>>20)
	}
	closeEngine(t, e)
}
