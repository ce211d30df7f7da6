package fuzz

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
)

// packFrames puts frames one after another: type, length of the payload in two bytes, payload.
func packFrames(frames []frame) (packed []byte) {
	for _, f := range frames {
		packed = append(packed, f.typ)
		packed = binary.BigEndian.AppendUint16(packed, uint16(len(f.payload)))
		packed = append(packed, f.payload...)
	}
	return packed
}

// journalOf writes packed frames as one batch of a journal, as far as they are whole.
func journalOf(t testing.TB, packed []byte) *journaltest.Mem {
	t.Helper()
	dir := journaltest.NewMem()
	j, err := journal.Open(journal.Config{FS: dir, SegmentSize: journal.MinSegmentSize}, nil)
	for err == nil && len(packed) >= 3 {
		n := int(binary.BigEndian.Uint16(packed[1:]))
		if packed[0] == 0 || n > len(packed)-3 || n > j.MaxPayload() {
			break
		}
		_, _, err = j.Append(packed[0], packed[3:3+n])
		packed = packed[3+n:]
	}
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// frameSeeds returns the frames of a journal in one batch, and those of its archive.
func frameSeeds(f *testing.F) (all, kept []byte) {
	f.Helper()
	dir := journaltest.NewMem()
	w := ledgertest.Open(dir, notary)
	w.Hold = true
	one, two := w.App(logblock.EncSeal1, "one"), w.App(logblock.BPI1, "two")
	w.Leaves(one, ledgertest.Receipts(one, 0, 3)...)
	w.Leaves(two, ledgertest.Receipts(two, 0, 1)...)
	w.Seal(w.Cut(one, 2))
	w.Seal(w.Cut(two, 1))
	w.Adopt(two, ledgertest.Receipts(two, 1, 2)...)
	w.State(one)
	w.Seal(w.Cut(one, 1))
	w.Cursor("sink", 70000)
	w.Raw(ledger.TypeHead, nil)
	w.Leaves(one, ledgertest.Receipts(one, 3, 4)...)
	w.Close()
	frames, err := framesOf(dir)
	if err != nil {
		f.Fatal(err)
	}
	var carried []frame
	for _, fr := range frames {
		switch fr.typ {
		case ledger.TypeApp:
			carried = append(carried, fr)
		case ledger.TypeBlock, ledger.TypeAdopt:
			b, err := ledger.ParseBlock(fr.payload)
			if err != nil {
				f.Fatal(err)
			}
			b.From = 0
			payload, err := ledger.AppendBlock(nil, &b)
			if err != nil {
				f.Fatal(err)
			}
			carried = append(carried, frame{typ: ledger.TypeBlock, payload: payload})
		}
	}
	return packFrames(frames), packFrames(carried)
}

// FuzzFrames: whatever frames a journal and its archive hold, Check judges them, and what it lets pass a Reader reads whole.
func FuzzFrames(f *testing.F) {
	all, kept := frameSeeds(f)
	f.Add(all, kept)
	f.Add(all, kept[:len(kept)-1])
	f.Add(all, []byte{})
	f.Add(all[:len(all)/2], kept)
	f.Add([]byte{}, kept)
	f.Add([]byte{}, []byte{})
	cfg := ledger.CheckConfig{Key: notary.PublicKey(), Legacy: bpi1.Rules{}}
	whole := cfg
	whole.Pruned = journalOf(f, kept)
	if r, err := ledger.Check(journalOf(f, all), whole); err != nil || r.Totals().Blocks != 4 || r.Archive.Frames != 6 {
		f.Fatalf("the seed: got %+v, %v, want 4 blocks that hold, and 6 frames in the archive", r, err)
	}
	f.Fuzz(func(t *testing.T, main, archive []byte) {
		if len(main) > 40<<10 || len(archive) > 40<<10 {
			return
		}
		dir, pruned := journalOf(t, main), journalOf(t, archive)
		cfg := cfg
		_, alone := ledger.Check(dir, cfg)
		cfg.Pruned = pruned
		report, err := ledger.Check(dir, cfg)
		if err != nil {
			if _, ok := errors.AsType[*ledger.CheckError](err); !ok {
				t.Fatalf("got %v, want a *CheckError", err)
			}
			return
		}
		if alone != nil {
			t.Fatalf("without the archive: got %v, want nil", alone)
		}
		r, err := ledger.Open(dir, pruned, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		read := ledger.AppReport{}
		for _, app := range r.Apps() {
			if err := r.Blocks(app.Name, 0, math.MaxUint64, func(b *ledger.Block) error {
				read.Blocks++
				err := r.Leaves(b, func(int, []byte) error { read.Receipts++; return nil })
				if errors.Is(err, ledger.ErrNoLeaves) {
					return nil
				}
				return err
			}); err != nil {
				t.Fatalf("app %q: %v", app.Name, err)
			}
		}
		if want := report.Totals(); read.Blocks != want.Blocks+want.Carried || read.Receipts != want.Receipts {
			t.Fatalf("got %d blocks and %d receipts, want %d and %d", read.Blocks, read.Receipts, want.Blocks+want.Carried, want.Receipts)
		}
	})
}
