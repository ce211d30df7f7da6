package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
)

func open(t *testing.T, fs journal.FS) *ledger.Reader {
	t.Helper()
	r, err := ledger.Open(fs, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// leavesOf returns copies of the leaves of all blocks of an app, and the heights without.
func leavesOf(t *testing.T, r *ledger.Reader, app string) (leaves [][]byte, without []uint64) {
	t.Helper()
	if err := r.Blocks(app, 1, math.MaxUint64, func(b *ledger.Block) error {
		n := 0
		err := r.Leaves(b, func(i int, leaf []byte) error {
			if i != n {
				t.Errorf("block %d: got leaf %d, want %d", b.Height, i, n)
			}
			n++
			leaves = append(leaves, bytes.Clone(leaf))
			return nil
		})
		if errors.Is(err, ledger.ErrNoLeaves) {
			without = append(without, b.Height)
			return nil
		}
		if err == nil && n != int(b.Count) {
			t.Errorf("block %d: got %d leaves, want %d", b.Height, n, b.Count)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return leaves, without
}

func equal(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d leaves, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("%s: leaf %d: got %x, want %x", what, i, got[i], want[i])
		}
	}
}

func TestReader(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	history(w)
	w.Wait() // and the writer goes on holding it
	defer w.Close()
	r := open(t, fs)
	if got, want := fmt.Sprint(r.Apps()), "[{{1 encseal-1 one} 1 3 0} {{2 bpi-1 two} 1 2 0}]"; got != want {
		t.Errorf("apps: got %s, want %s", got, want)
	}
	one := &ledgertest.App{App: ledger.App{Scheme: logblock.EncSeal1, Name: "one"}}
	two := &ledgertest.App{App: ledger.App{Scheme: logblock.BPI1, Name: "two"}}
	got, without := leavesOf(t, r, "one")
	equal(t, "one", got, ledgertest.Receipts(one, 0, 10))
	if len(without) != 0 {
		t.Errorf("one: no leaves of %v", without)
	}
	got, without = leavesOf(t, r, "two")
	equal(t, "two", got, ledgertest.Receipts(two, 0, 5))
	if fmt.Sprint(without) != "[2]" {
		t.Errorf("two: no leaves of %v, want of the adopted block", without)
	}
	var heights []uint64
	if err := r.Blocks("one", 2, 2, func(b *ledger.Block) error {
		heights = append(heights, b.Height)
		return r.Leaves(b, func(i int, _ []byte) error {
			if i > 0 {
				t.Error("visited after ErrStop")
			}
			return journal.ErrStop
		})
	}); err != nil || fmt.Sprint(heights) != "[2]" {
		t.Errorf("got %v, %v, want [2]", heights, err)
	}
	mine := errors.New("mine")
	if err := r.Blocks("one", 1, 9, func(b *ledger.Block) error {
		return r.Leaves(b, func(int, []byte) error { return mine })
	}); !errors.Is(err, mine) {
		t.Errorf("got %v, want %v", err, mine)
	}
	if err := r.Blocks("three", 1, 9, nil); err == nil {
		t.Error("an app that is not there: no error")
	}
}

func TestReaderOverSegments(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	one, two := w.App(logblock.EncSeal1, "one"), w.App(logblock.BPI1, "two")
	const all = 1200
	for i := 0; i < all; i += 6 {
		w.Leaves(two, ledgertest.Receipts(two, i, i+6)...)
		w.Block(one, 4, ledgertest.Receipts(one, i, i+6)...)
		if i%30 == 24 {
			w.Seal(w.Cut(two, 30))
		}
	}
	w.Wait()
	r := open(t, fs)
	got, _ := leavesOf(t, r, "one")
	equal(t, "one", got, ledgertest.Receipts(one, 0, all))
	got, _ = leavesOf(t, r, "two")
	equal(t, "two", got, ledgertest.Receipts(two, 0, all))
	if w.Journal.Stats().Segments < 3 {
		t.Fatalf("got %d segments, want several", w.Journal.Stats().Segments)
	}

	w.Prune()
	if err := r.Blocks("one", 1, 1, func(*ledger.Block) error { return nil }); err != nil && !errors.Is(err, journal.ErrPruned) {
		t.Errorf("pruned meanwhile: got %v, want ErrPruned", err)
	}
	w.Block(one, 4, ledgertest.Receipts(one, all, all+6)...)
	w.Close()
	r = open(t, fs)
	got, _ = leavesOf(t, r, "one")
	if len(got) < 6 || len(got) >= all {
		t.Fatalf("after pruning: got %d leaves", len(got))
	}
	equal(t, "after pruning", got, ledgertest.Receipts(one, all+6-len(got), all+6))
}

func TestReaderPruned(t *testing.T) {
	fs := directory(t)
	pruned(t, fs, nil)
	r := open(t, fs)
	if got, want := fmt.Sprint(r.Apps()), "[{{1 encseal-1 one} 2 5 0} {{2 bpi-1 idle} 0 0 0}]"; got != want {
		t.Errorf("apps: got %s, want %s", got, want)
	}
	got, without := leavesOf(t, r, "one")
	one := &ledgertest.App{App: ledger.App{Scheme: logblock.EncSeal1, Name: "one"}}
	equal(t, "one", got, ledgertest.Receipts(one, 12, 14))
	if fmt.Sprint(without) != "[2 3 4]" {
		t.Errorf("no leaves of %v, want of [2 3 4]", without)
	}
}

func TestOpenEmpty(t *testing.T) {
	if _, err := ledger.Open(directory(t), nil, nil); !errors.Is(err, journal.ErrEmpty) {
		t.Errorf("got %v, want ErrEmpty", err)
	}
}
