package engine_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
)

// nested is a directory in memory with one below it, for what outlives pruning.
type nested struct {
	*journaltest.Mem
	below *journaltest.Mem
}

func (n nested) Sub(string) (journal.FS, error) { return n.below, nil }

// A head file whose write failed is one cut behind, whatever was pruned before: that is no old copy.
func TestHeadWriteLostAfterPruning(t *testing.T) {
	for lost := 2; lost < 60; lost++ {
		data, head := nested{journaltest.NewMem(), journaltest.NewMem()}, journaltest.NewMem()
		faults := journaltest.NewFaults(head, journaltest.Fault{Call: 3 * lost, Err: syscall.EIO})
		cfg := engine.Config{
			Signer: newSigner(t), MaxReceipts: 1,
			Store: engine.Store{FS: data, SegmentSize: smallSegments, RetainBytes: 1, Head: "head", HeadFS: faults},
		}
		e := openEngine(t, cfg)
		n := notary(t, e, "a")
		var err error
		for i := 0; err == nil && i < 200; i++ {
			var seq engine.Seq
			if seq, err = n.Append(background, named("a", i, 1)[0]); err == nil {
				_, err = n.Wait(background, seq)
			}
		}
		if closed := e.Close(background); err == nil || closed == nil {
			t.Fatalf("head file's call %d failed, but sealing went on: %v, %v", 3*lost, err, closed)
		}
		cfg.Store.HeadFS = head
		e, err = engine.Open(cfg)
		if err != nil {
			t.Fatalf("head file's call %d failed: Open: %v", 3*lost, err)
		}
		closeEngine(t, e)
	}
}

// A State that counts with leaves which a crash took is not believed, neither by the next Open nor, once others came in the
// place of those leaves, by the one after it.
func TestStateAheadIsNotBelieved(t *testing.T) {
	p, q := newProducer("a"), newProducer("q")
	q.name, q.made = "a", 5000
	ps, qs := p.batch(t, 4), q.batch(t, 4)
	mem := journaltest.NewMem()
	j, err := journal.Open(journal.Config{FS: mem, SegmentSize: smallSegments}, nil)
	if err != nil {
		t.Fatal(err)
	}
	put := func(typ byte, payload []byte) {
		t.Helper()
		if _, _, err := j.Append(typ, payload); err != nil {
			t.Fatal(err)
		}
	}
	app := ledger.App{ID: 1, Scheme: logblock.EncSeal1, Name: ps[0].App}
	leaf, err := ps[0].AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	last, _ := ps[3].Hash.Digest()
	put(ledger.TypeApp, ledger.AppendApp(nil, &app))
	put(ledger.TypeLeaves, append(ledger.AppendLeavesHead(nil, 1, 1, 0, []int{len(leaf)}), leaf...))
	put(ledger.TypeState, ledger.AppendState(nil, &ledger.State{ // p's leaves 2 to 4 were to follow
		App: app, Next: 2, Open: 1, After: 5, Heads: []ledger.ProducerHead{{Key: p.public().Key, Hash: last}},
	}))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := engine.Config{
		Signer: newSigner(t), Check: engine.CheckStrict, Producers: []logblock.ProducerKey{p.public(), q.public()}, Store: engine.Store{FS: mem},
	}
	e := openEngine(t, cfg)
	if _, _, err := notary(t, e, app.Name).AppendBatch(background, qs); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	e = openEngine(t, cfg)
	n := notary(t, e, app.Name)
	if _, err := n.Append(background, qs[0]); err == nil {
		t.Error("a receipt that was taken is taken again")
	}
	if _, err := n.Append(background, ps[1]); err != nil {
		t.Errorf("a receipt that the crash took is refused: %v", err)
	}
	closeEngine(t, e)
}

// What DedupWindow knows is not pruned: a repetition is one after the next Open too.
func TestPruningLeavesTheWindow(t *testing.T) {
	const window = 2500
	cfg := durable(t, engine.Config{MaxReceipts: 5, DedupWindow: window, Store: engine.Store{RetainBytes: 1}})
	e := openEngine(t, cfg)
	n := notary(t, e, "a")
	all := named("a", 0, 6000)
	for i := 0; i < len(all); i += 5 {
		first, _, err := n.AppendBatch(background, all[i:i+5])
		if err == nil && i%100 == 0 {
			_, err = n.Wait(background, first)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	closeEngine(t, e)
	e = openEngine(t, cfg)
	n = notary(t, e, "a")
	for _, i := range []int{len(all) - window, len(all) - 1} {
		if seq, err := n.Append(background, all[i]); seq != engine.Seq(i+1) || !errors.Is(err, engine.ErrDuplicate) {
			t.Errorf("receipt %d again: got (%d, %v), want (%d, ErrDuplicate)", i+1, seq, err, i+1)
		}
	}
	closeEngine(t, e)
}

// A sink that has stopped does not hold Close up: what it lacks waits for the next Open.
func TestStoppedSinkDoesNotHoldClose(t *testing.T) {
	stopped := make(chan struct{})
	cfg := durable(t, engine.Config{MaxReceipts: 1, Sinks: []engine.NamedSink{{Name: "gone", Sink: sinkFunc(func(context.Context, *logblock.LogBlock) error {
		close(stopped)
		return fmt.Errorf("%w: gone", engine.ErrPermanent)
	})}}})
	e := openEngine(t, cfg)
	if _, err := notary(t, e, "a").Append(background, named("a", 1, 1)[0]); err != nil {
		t.Fatal(err)
	}
	<-stopped
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	if err := e.Close(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("Close: got %v, context %v; want nil at once", err, ctx.Err())
	}
}
