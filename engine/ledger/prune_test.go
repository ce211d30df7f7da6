package ledger_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
)

// pruned writes an app whose first segment is dropped. In it lie the leaves and the cuts of blocks 1 to 3 and the
// block of 1; after it the blocks of 2 and 3, the cut of 4, of which the first two leaves are gone, and its block.
func pruned(t *testing.T, fs journal.FS, alter func(w *ledgertest.Writer, segment uint64, typ byte, record any)) {
	t.Helper()
	w := ledgertest.Open(fs, signer)
	defer w.Close()
	w.Alter = func(_ int, typ byte, record any) {
		if alter != nil {
			alter(w, w.Journal.Segment(w.End()), typ, record)
		}
	}
	one := w.App(logblock.EncSeal1, "one")
	idle := w.App(logblock.BPI1, "idle")
	w.Block(idle, 2, ledgertest.Receipts(idle, 0, 2)...)
	w.Block(one, 2, ledgertest.Receipts(one, 0, 4)...)
	w.Leaves(one, ledgertest.Receipts(one, 4, 8)...)
	b, c := w.Cut(one, 2), w.Cut(one, 2)
	w.Leaves(one, ledgertest.Receipts(one, 8, 10)...)
	w.Fill(one)
	w.Seal(b)
	w.Leaves(one, ledgertest.Receipts(one, 10, 13)...)
	w.Seal(c)
	w.Seal(w.Cut(one, 4))
	w.Block(one, 1, ledgertest.Receipts(one, 13, 15)...)
	w.Prune()
	if w.Journal.Stats().Segments != 1 {
		t.Fatalf("got %d segments, want 1", w.Journal.Stats().Segments)
	}
}

func TestCheckPruned(t *testing.T) {
	fs := directory(t)
	pruned(t, fs, nil)
	r, err := ledger.Check(fs, config())
	if err != nil {
		t.Fatal(err)
	}
	if !r.Pruned || r.Cuts != 6 || len(r.Apps) != 2 {
		t.Fatalf("got %+v", r)
	}
	one, idle := r.Apps[0], r.Apps[1]
	if one.Sealed != 5 || one.Blocks != 4 || one.Bare != 3 || one.Receipts != 2 || one.Pending != 1 || one.Unsigned != 0 {
		t.Errorf("got %+v", one)
	}
	if idle.Name != "idle" || idle.Head.Height != 1 || idle.Blocks != 0 {
		t.Errorf("got %+v", idle)
	}
}

func TestCheckPrunedFinds(t *testing.T) {
	block := func(height uint64, typ byte, change func(b *ledger.Block)) func(*ledgertest.Writer, uint64, byte, any) {
		return func(_ *ledgertest.Writer, segment uint64, got byte, record any) {
			if b, ok := record.(*ledger.Block); ok && got == typ && b.App == 1 && b.Height == height && segment == 2 {
				change(b)
			}
		}
	}
	for _, test := range []struct {
		name   string
		alter  func(*ledgertest.Writer, uint64, byte, any)
		reason string
	}{
		{"missing block", block(2, ledger.TypeBlock, func(b *ledger.Block) { b.Height = 3 }), "not the last cut"},
		{"signature of the unseen", block(2, ledger.TypeBlock, func(b *ledger.Block) { b.Sig[0]++ }), "sig_notary"},
		{"last unseen", block(3, ledger.TypeBlock, func(b *ledger.Block) { b.MerkleRoot[0]++ }), "not the last cut"},
		{"leaves in the journal", block(2, ledger.TypeBlock, func(b *ledger.Block) { b.From += 1 << 17 }), "where they are not"},
		{"another key", block(3, ledger.TypeBlock, func(b *ledger.Block) { b.Key[0]++ }), "not the last cut"},
		{"cut with a gap", block(4, ledger.TypeCut, func(b *ledger.Block) { b.First = 99 }), "begins with receipt 99"},
		{"cut of what is nowhere", block(4, ledger.TypeCut, func(b *ledger.Block) { b.From = 0 }), "where they are not"},
		{"next cut in its place", block(5, ledger.TypeCut, func(b *ledger.Block) { b.First++ }), "begins with receipt 14, the next in no block is 13"},
		{"two apps of one name", func(w *ledgertest.Writer, segment uint64, typ byte, record any) {
			if s, ok := record.(*ledger.State); ok && segment == 2 && s.ID == 2 {
				s.Name = "one"
			}
		}, "the name is taken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fs := directory(t)
			pruned(t, fs, test.alter)
			_, err := ledger.Check(fs, config())
			bad, ok := errors.AsType[*ledger.CheckError](err)
			if !ok || !strings.Contains(bad.Reason, test.reason) {
				t.Errorf("got %v, want %q", err, test.reason)
			}
		})
	}
}

func TestCheckFindsLostLeaves(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	one := w.App(logblock.EncSeal1, "one")
	w.Leaves(one, ledgertest.Receipts(one, 0, 4)...)
	w.Fill(one)
	w.Cut(one, 4)
	w.Prune()
	w.Close()
	_, err := ledger.Check(fs, config())
	if bad, ok := errors.AsType[*ledger.CheckError](err); !ok || bad.Height != 1 || !strings.Contains(bad.Reason, "not sealed are gone") {
		t.Errorf("got %v", err)
	}
}

// TestCheckBesideWriter checks over and over while a writer writes and prunes.
func TestCheckBesideWriter(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	one, two := w.App(logblock.EncSeal1, "one"), w.App(logblock.BPI1, "two")
	w.Wait()
	var writing sync.WaitGroup
	done := make(chan struct{})
	writing.Go(func() {
		defer close(done)
		for i := 0; i < 1500; i += 5 {
			w.Leaves(two, ledgertest.Receipts(two, i, i+3)...)
			w.Block(one, 3, ledgertest.Receipts(one, i, i+5)...)
			w.Leaves(one, ledgertest.Receipts(one, i+5, i+6)...)
			w.Seal(w.Cut(two, 2))
			w.Seal(w.Cut(two, 1))
			w.Seal(w.Cut(one, 1))
			w.Wait()
			if i%300 == 0 {
				w.Prune()
			}
		}
	})
	defer writing.Wait()
	checks, passes := 0, 0
	for running := true; running; checks++ {
		select {
		case <-done:
			running = false
		default:
		}
		r, err := ledger.Check(fs, config())
		if err != nil && !(errors.Is(err, journal.ErrPruned) && running) {
			t.Errorf("check %d: %v", checks, err)
			break
		}
		if err == nil && len(r.Apps) == 2 {
			passes++
		}
	}
	if passes == 0 {
		t.Error("no check of both apps came to its end")
	}
	writing.Wait()
	w.Close()
}
