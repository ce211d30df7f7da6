package fuzz

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

const segment = "seg-0000000000000001"

var notary = sign.NewSigner(&[32]byte{7})

// frame is what a journal keeps.
type frame struct {
	typ     byte
	at      journal.Offset
	payload []byte
}

// segmentSeeds returns the segment of a small journal as a crash leaves it and as Close does, without the zeros behind, and
// its frames. These are the same in every process; epoch and ID are not.
func segmentSeeds(f *testing.F) (seeds [][]byte, written []frame) {
	f.Helper()
	dir := journaltest.NewMem()
	w := ledgertest.Open(dir, notary)
	w.Hold = true
	one := w.App(logblock.EncSeal1, "one")
	w.Leaves(one, ledgertest.Receipts(one, 0, 2)...)
	w.Leaves(one, ledgertest.Receipts(one, 2, 5)...)
	w.Wait()
	cut := w.Cut(one, 3)
	two := w.App(logblock.BPI1, "two")
	w.Leaves(two, ledgertest.Receipts(two, 0, 2)...)
	w.Wait()
	w.Seal(cut)
	w.Seal(w.Cut(two, 2))
	w.State(one)
	w.Adopt(two, ledgertest.Receipts(two, 2, 3)...)
	w.Cursor("sink", w.Journal.Durable())
	w.Wait()
	seeds = append(seeds, bytes.TrimRight(dir.Bytes(segment), "\x00"))
	w.Close()
	seeds = append(seeds, bytes.TrimRight(dir.Bytes(segment), "\x00"))
	written, err := framesOf(dir)
	if err != nil || len(written) != w.Frames() {
		f.Fatalf("got %d frames, %v, want %d", len(written), err, w.Frames())
	}
	return seeds, written
}

func framesOf(dir journal.FS) (all []frame, err error) {
	_, err = journal.Check(dir, collect(&all), nil)
	return all, err
}

func collect(all *[]frame) func(journal.Frame) error {
	return func(f journal.Frame) error {
		*all = append(*all, frame{f.Type, f.At, bytes.Clone(f.Payload)})
		return nil
	}
}

// FuzzSegment: whatever became of a segment's bytes, what is read from it is the beginning of what was written; Check and
// Open call the same corrupt, and ledger.Check does; and what Open took for a torn tail is gone, so that the journal goes on.
func FuzzSegment(f *testing.F) {
	seeds, written := segmentSeeds(f)
	for _, seed := range seeds {
		f.Add(seed, uint16(0))
		f.Add(seed[:len(seed)-100], uint16(0))
		f.Add(seed, uint16(journal.MinSegmentSize-9000))
		for _, at := range []int{8, 60, 4096 + 20, 4096 + 70, 8192 + 500, 12288 + 30} {
			flipped := bytes.Clone(seed)
			flipped[at] ^= 4
			f.Add(flipped, uint16(0))
		}
		swapped := bytes.Clone(seed)
		copy(swapped[8192:], seed[4096:8192])
		f.Add(swapped, uint16(0))
	}
	f.Add([]byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, missing uint16) {
		if len(data) > journal.MinSegmentSize {
			return
		}
		dir := journaltest.NewMem()
		put(t, dir, data, journal.MinSegmentSize-int64(missing))
		checked, bad := framesOf(dir)
		if len(checked) > len(written) {
			t.Fatalf("got %d frames, of %d that were written", len(checked), len(written))
		}
		same(t, "Check", checked, written[:len(checked)])
		if _, err := ledger.Check(dir, ledger.CheckConfig{Key: notary.PublicKey(), Legacy: bpi1.Rules{}}); fmt.Sprint(err) != fmt.Sprint(bad) {
			t.Fatalf("ledger.Check: got %v, want %v", err, bad)
		}
		readAll(t, dir, bad)
		goesOn(t, dir, checked, bad)
	})
}

// put makes the segment of data and zeros.
func put(t *testing.T, dir *journaltest.Mem, data []byte, size int64) {
	t.Helper()
	file, err := dir.Create(segment, size)
	if err == nil {
		_, err = file.WriteAt(data[:min(int64(len(data)), size)], 0)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got, want []frame) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d frames, want %d", what, len(got), len(want))
	}
	for i := range got {
		if got[i].typ != want[i].typ || got[i].at != want[i].at || !bytes.Equal(got[i].payload, want[i].payload) {
			t.Fatalf("%s: frame %d: got %v, want %v", what, i, got[i], want[i])
		}
	}
}

// readAll reads what a ledger.Reader finds, where nothing is corrupt.
func readAll(t *testing.T, dir journal.FS, bad error) {
	t.Helper()
	r, err := ledger.Open(dir, nil, nil)
	if err != nil {
		if frames, _ := framesOf(dir); bad == nil && len(frames) > 0 {
			t.Fatalf("ledger.Open: %v", err) // without a frame, it may be a segment that was never finished, which is none
		}
		return
	}
	defer r.Close()
	if bad != nil {
		t.Fatalf("ledger.Open: got nil, want %v", bad)
	}
	for _, app := range r.Apps() {
		if err := r.Blocks(app.Name, 0, math.MaxUint64, func(b *ledger.Block) error {
			if b.From == 0 {
				return nil
			}
			return r.Leaves(b, func(int, []byte) error { return nil })
		}); err != nil {
			t.Fatalf("app %q: %v", app.Name, err)
		}
	}
}

// goesOn opens the journal, appends a frame and reads it again.
func goesOn(t *testing.T, dir journal.FS, want []frame, bad error) {
	t.Helper()
	cfg := journal.Config{FS: dir, SegmentSize: journal.MinSegmentSize}
	var replayed []frame
	j, err := journal.Open(cfg, collect(&replayed))
	same(t, "Open", replayed, want)
	if fmt.Sprint(err) != fmt.Sprint(bad) {
		t.Fatalf("Open: got %v, want %v", err, bad)
	}
	if err != nil {
		return
	}
	at, _, err := j.Append(200, []byte("more"))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := framesOf(dir)
	if err != nil {
		t.Fatalf("after one more: %v", err)
	}
	same(t, "after one more", got, append(want[:len(want):len(want)], frame{200, at, []byte("more")}))
}
