package ledger_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

var successor = sign.NewSigner(&[32]byte{9})

// archived writes two apps. One has blocks 1 and 2, the last under the key that the first hands over to, and the cuts of
// 3 and 4 in the first segment, the block of 4 and all of 5 in the next; block 3 hands over again. Idle has block 1 in the
// first segment. Then the first segment is pruned.
func archived(t *testing.T, prepare func(w *ledgertest.Writer)) (fs, kept journal.FS) {
	t.Helper()
	fs, kept = directory(t), directory(t)
	w := ledgertest.Open(fs, signer)
	w.KeepIn(kept)
	if prepare != nil {
		prepare(w)
	}
	defer w.Close()
	one, idle := w.App(logblock.EncSeal1, "one"), w.App(logblock.BPI1, "idle")
	w.Block(idle, 2, ledgertest.Receipts(idle, 0, 2)...)
	w.Handover = successor
	w.Block(one, 2, ledgertest.Receipts(one, 0, 4)...)
	w.Handover, w.Signer = signer, successor
	w.Block(one, 2, ledgertest.Receipts(one, 4, 6)...)
	w.Handover, w.Signer = successor, signer
	w.Leaves(one, ledgertest.Receipts(one, 6, 8)...)
	c := w.Cut(one, 1)
	w.Handover = nil
	w.Seal(c)
	w.Signer = successor
	d := w.Cut(one, 1)
	w.Fill(one)
	w.Seal(d)
	w.Block(one, 1, ledgertest.Receipts(one, 8, 10)...)
	w.Prune()
	return fs, kept
}

func archiveConfig(kept journal.FS) ledger.CheckConfig {
	cfg := config()
	cfg.Pruned = kept
	return cfg
}

func TestCheckArchive(t *testing.T) {
	fs, kept := archived(t, nil)
	r, err := ledger.Check(fs, archiveConfig(kept))
	if err != nil {
		t.Fatal(err)
	}
	one, idle := r.Apps[0], r.Apps[1]
	if !r.Pruned || r.Archive.Frames != 6 || one.Carried != 3 || one.Blocks != 2 || one.Bare != 1 || one.Sealed != 5 || one.Receipts != 2 {
		t.Errorf("got %+v", r)
	}
	if one.Key != successor.PublicKey() || idle.Carried != 1 || idle.Blocks != 0 || idle.Sealed != 1 || idle.Head.Height != 1 {
		t.Errorf("got %+v", r.Apps)
	}
	if got := r.Totals().Carried; got != 4 {
		t.Errorf("got %d carried in all, want 4", got)
	}
	// Without the archive, whose key hands over, the one for what is there must be known from elsewhere.
	cfg := config()
	if _, err = ledger.Check(fs, cfg); err == nil || !strings.Contains(err.Error(), "key: ") {
		t.Errorf("without the archive: got %v, want another key", err)
	}
	cfg.Key = successor.PublicKey()
	if r, err = ledger.Check(fs, cfg); err != nil || r.Totals().Carried != 0 {
		t.Errorf("without the archive: got %+v, %v", r, err)
	}
}

// TestCheckArchiveTwice ends between carrying and pruning.
func TestCheckArchiveTwice(t *testing.T) {
	fs, kept := archived(t, func(w *ledgertest.Writer) { w.KeepCarried = true })
	r, err := ledger.Check(fs, archiveConfig(kept))
	if err != nil {
		t.Fatal(err)
	}
	if one := r.Apps[0]; r.Pruned || r.Archive.Frames != 6 || one.Carried != 0 || one.Blocks != 5 || one.Receipts != 10 {
		t.Errorf("got %+v", r)
	}
}

// TestCheckFollowsUnseen hands over in a block whose cut was pruned and that the archive has not got; the next cut lies
// before that block.
func TestCheckFollowsUnseen(t *testing.T) {
	write := func(second *sign.Signer, seal bool) (fs, kept journal.FS) {
		fs, kept = directory(t), directory(t)
		w := ledgertest.Open(fs, signer)
		w.KeepIn(kept)
		defer w.Close()
		one := w.App(logblock.EncSeal1, "one")
		w.Leaves(one, ledgertest.Receipts(one, 0, 2)...)
		w.Handover = successor
		b := w.Cut(one, 2)
		w.Handover = nil
		w.Fill(one)
		w.Signer = second
		w.Leaves(one, ledgertest.Receipts(one, 2, 4)...)
		c := w.Cut(one, 2)
		w.Signer = signer
		w.Seal(b)
		w.Signer = second
		if seal {
			w.Seal(c)
		}
		w.Prune()
		return fs, kept
	}
	for _, seal := range []bool{false, true} {
		fs, kept := write(successor, seal)
		for _, cfg := range []ledger.CheckConfig{config(), archiveConfig(kept)} {
			r, err := ledger.Check(fs, cfg)
			if err != nil || r.Apps[0].Key != successor.PublicKey() {
				t.Errorf("sealed: %t, archive: %t: got %+v, %v", seal, cfg.Pruned != nil, r.Apps, err)
			}
		}
		fs, kept = write(signer, seal)
		for _, cfg := range []ledger.CheckConfig{config(), archiveConfig(kept)} {
			_, err := ledger.Check(fs, cfg)
			if bad, ok := errors.AsType[*ledger.CheckError](err); !ok || bad.Height != 2 || !strings.HasPrefix(bad.Reason, "key: ") {
				t.Errorf("the old key goes on, sealed: %t, archive: %t: got %v", seal, cfg.Pruned != nil, err)
			}
		}
	}
}

func TestCheckArchiveFinds(t *testing.T) {
	block := func(app, height uint64, change func(b *ledger.Block) bool) func(any) bool {
		return func(record any) bool {
			if b, ok := record.(*ledger.Block); ok && b.App == app && b.Height == height {
				return change(b)
			}
			return true
		}
	}
	none := func(*ledger.Block) bool { return false }
	for _, test := range []struct {
		name   string
		alter  func(any) bool
		twice  bool // the main journal is not pruned
		here   bool // the place is in the main journal
		app    string
		height uint64
		reason string
	}{
		{"gap in the midst", block(1, 2, none), false, false, "one", 3, "height: "},
		{"begins late", block(1, 1, none), false, false, "one", 2, "height: the last cut is none"},
		{"ends before the journal begins", block(1, 3, none), false, true, "one", 4, "LogBlocks 3 to 3 are neither here"},
		{"idle app's last", block(2, 1, none), false, true, "idle", 0, "LogBlocks 1 to 1 are neither here"},
		{"signature", block(1, 2, func(b *ledger.Block) bool { b.Sig[0]++; return true }), false, false, "one", 2, "sig_notary: "},
		{"link", block(1, 3, func(b *ledger.Block) bool { b.Prev[0]++; return true }), false, false, "one", 3, "prev: "},
		{"key", block(1, 2, func(b *ledger.Block) bool { b.Key = signer.PublicKey(); return true }), false, false, "one", 2, "key: "},
		{"place", block(1, 2, func(b *ledger.Block) bool { b.From = 7; return true }), false, false, "one", 2, "pruned, with leaves"},
		{"first", block(1, 2, func(b *ledger.Block) bool { b.First++; return true }), false, false, "one", 2, "begins with receipt 6"},
		{"another cut in both", block(1, 1, func(b *ledger.Block) bool { b.Cut--; return true }), true, true, "one", 1, "not the LogBlock of this height"},
		{"another last", block(2, 1, func(b *ledger.Block) bool { b.MerkleRoot[0]++; return true }), false, false, "idle", 1, "sig_notary: "},
		{"of an app that is nowhere", func(record any) bool {
			_, app := record.(*ledger.App)
			return !app
		}, false, false, "", 0, "block of app 2, which nothing names"},
		{"app of another name", func(record any) bool {
			if a, ok := record.(*ledger.App); ok && a.ID == 2 {
				a.ID = 3
			}
			if b, ok := record.(*ledger.Block); ok && b.App == 2 {
				b.App = 3
			}
			return true
		}, false, true, "idle", 0, "LogBlocks 1 to 1 are neither here"},
		{"app that the journal does not know", func(record any) bool {
			if a, ok := record.(*ledger.App); ok && a.ID == 2 {
				a.ID = 3
			}
			if b, ok := record.(*ledger.Block); ok && b.App == 2 {
				b.App = 3
			}
			return true
		}, true, false, "idle", 0, "does not know this app"},
		{"app of another scheme", func(record any) bool {
			a, app := record.(*ledger.App)
			if app && a.ID == 2 {
				a.Name = "idler"
			}
			b, ok := record.(*ledger.Block)
			return !ok || b.App != 2
		}, false, true, "idle", 0, `it is "idler"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			fs, kept := archived(t, func(w *ledgertest.Writer) { w.AlterKept, w.KeepCarried = test.alter, test.twice })
			_, err := ledger.Check(fs, archiveConfig(kept))
			bad, ok := errors.AsType[*ledger.CheckError](err)
			if !ok || bad.App != test.app || bad.Height != test.height || !strings.Contains(bad.Reason, test.reason) {
				t.Fatalf("got %v, want app %q, block %d: %s", err, test.app, test.height, test.reason)
			}
			if is[*ledger.ArchiveError](err) == test.here || !strings.HasPrefix(bad.Segment, "seg-") || bad.Offset == 0 {
				t.Errorf("got the place %s, byte %d (%T), in the main journal: want %t", bad.Segment, bad.Offset, err, test.here)
			}
		})
	}
}

// TestCheckArchiveAhead has an archive with blocks that the main journal, an old copy, has not got.
func TestCheckArchiveAhead(t *testing.T) {
	_, kept := archived(t, nil)
	old := func(n int) journal.FS {
		fs := directory(t)
		w := ledgertest.Open(fs, signer)
		defer w.Close()
		one, idle := w.App(logblock.EncSeal1, "one"), w.App(logblock.BPI1, "idle")
		w.Block(idle, 2, ledgertest.Receipts(idle, 0, 2)...)
		if n > 0 {
			w.Handover = successor
			w.Block(one, 2, ledgertest.Receipts(one, 0, 4)...)
		}
		return fs
	}
	for n := range 2 {
		_, err := ledger.Check(old(n), archiveConfig(kept))
		bad, ok := errors.AsType[*ledger.CheckError](err)
		if !ok || bad.Height != uint64(n+1) || !is[*ledger.ArchiveError](err) || !strings.Contains(bad.Reason, fmt.Sprintf("ends with LogBlock %d", n)) {
			t.Errorf("%d blocks: got %v", n, err)
		}
	}
	if _, err := ledger.Check(directory(t), archiveConfig(kept)); err == nil {
		t.Error("no journal, but an archive: no error")
	}
}

func TestCheckArchiveDamage(t *testing.T) {
	fs, kept := archived(t, nil)
	flip(t, kept, 4096+200)
	_, err := ledger.Check(fs, archiveConfig(kept))
	if !is[*journal.CorruptError](err) || !is[*ledger.ArchiveError](err) {
		t.Errorf("got %v, want a *CorruptError in an *ArchiveError", err)
	}
	if _, err = ledger.Open(fs, kept, nil); !is[*journal.CorruptError](err) || !is[*ledger.ArchiveError](err) {
		t.Errorf("Open: got %v, want a *CorruptError in an *ArchiveError", err)
	}
}

func TestReaderArchive(t *testing.T) {
	for _, twice := range []bool{false, true} {
		fs, kept := archived(t, func(w *ledgertest.Writer) { w.KeepCarried = twice })
		r, err := ledger.Open(fs, kept, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		want := "[{{1 encseal-1 one} 1 5 3} {{2 bpi-1 idle} 1 1 1}]"
		if twice {
			want = "[{{1 encseal-1 one} 1 5 0} {{2 bpi-1 idle} 1 1 0}]"
		}
		if got := fmt.Sprint(r.Apps()); got != want {
			t.Errorf("apps: got %s, want %s", got, want)
		}
		var heights []uint64
		if err := r.Blocks("one", 0, math.MaxUint64, func(b *ledger.Block) error {
			heights = append(heights, b.Height)
			err := r.Leaves(b, func(int, []byte) error { return nil })
			if without := !twice && b.Height <= 4; without != errors.Is(err, ledger.ErrNoLeaves) || without != errors.Is(err, journal.ErrPruned) {
				t.Errorf("leaves of block %d: got %v", b.Height, err)
			}
			return nil
		}); err != nil || fmt.Sprint(heights) != "[1 2 3 4 5]" {
			t.Errorf("got blocks %v, %v", heights, err)
		}
	}
}

func TestReaderArchiveGap(t *testing.T) {
	fs, kept := archived(t, func(w *ledgertest.Writer) {
		w.AlterKept = func(record any) bool {
			b, ok := record.(*ledger.Block)
			return !ok || b.Height < 3
		}
	})
	if _, err := ledger.Open(fs, kept, nil); !is[*ledger.ArchiveError](err) || !strings.Contains(err.Error(), "3 to 3 are missing") {
		t.Errorf("got %v", err)
	}
}

// TestCheckArchiveBesideWriter checks and reads over and over while a writer writes, carries and prunes.
func TestCheckArchiveBesideWriter(t *testing.T) {
	fs, kept := directory(t), directory(t)
	w := ledgertest.Open(fs, signer)
	w.KeepIn(kept)
	one, two := w.App(logblock.EncSeal1, "one"), w.App(logblock.BPI1, "two")
	w.Wait()
	var writing sync.WaitGroup
	done := make(chan struct{})
	writing.Go(func() {
		defer close(done)
		for i := 0; i < 1200; i += 5 {
			w.Block(one, 3, ledgertest.Receipts(one, i, i+5)...)
			if i%50 == 0 {
				w.Block(two, 1, ledgertest.Receipts(two, i/50, i/50+1)...)
			}
			w.Wait()
			if i%100 == 0 {
				w.Prune()
			}
		}
	})
	passes := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		r, err := ledger.Check(fs, archiveConfig(kept))
		if err != nil && !(errors.Is(err, journal.ErrPruned) && running) {
			t.Errorf("after %d: %v", passes, err)
			break
		}
		if err == nil {
			passes++
			for _, a := range r.Apps {
				if a.Carried+a.Blocks != a.Sealed {
					t.Errorf("app %q: %d blocks and %d carried, want %d", a.Name, a.Blocks, a.Carried, a.Sealed)
				}
			}
		}
		reader, err := ledger.Open(fs, kept, nil)
		if err == nil {
			err = reader.Close()
		}
		if err != nil && !(errors.Is(err, journal.ErrPruned) && running) {
			t.Errorf("reader: %v", err)
			break
		}
	}
	writing.Wait()
	w.Close()
	if passes == 0 {
		t.Error("no check came to its end")
	}
}

// TestCheckArchiveOfAdopted adopts blocks into a copy that is older than the archive, in another order than they were cut.
func TestCheckArchiveOfAdopted(t *testing.T) {
	fs, kept, copied := directory(t), directory(t), directory(t)
	w := ledgertest.Open(fs, signer)
	w.KeepIn(kept)
	one, two := w.App(logblock.EncSeal1, "one"), w.App(logblock.EncSeal1, "two")
	w.Block(one, 1, ledgertest.Receipts(one, 0, 2)...)
	w.Block(two, 1, ledgertest.Receipts(two, 0, 2)...)
	w.Block(one, 1, ledgertest.Receipts(one, 2, 4)...)
	w.Fill(one)
	w.Prune()
	w.Close()
	w = ledgertest.Open(copied, signer)
	one, two = w.App(logblock.EncSeal1, "one"), w.App(logblock.EncSeal1, "two")
	w.Adopt(two, ledgertest.Receipts(two, 0, 2)...)
	w.Adopt(one, ledgertest.Receipts(one, 0, 2)...)
	w.Adopt(one, ledgertest.Receipts(one, 2, 4)...)
	check := func(what string, carried uint64) {
		w.Wait()
		r, err := ledger.Check(copied, archiveConfig(kept))
		if got := r.Totals(); err != nil || got.Carried != carried || got.Carried+got.Adopted != 3 {
			t.Errorf("%s: got %+v, %v, want %d carried", what, got, err, carried)
		}
	}
	check("adopted", 0)
	w.Fill(one)
	w.Prune()
	check("pruned", 3)
	w.Close()
}

// TestCheckArchiveOfAnother joins a journal to the archive of another history: at its State, or at a block whose cut was
// pruned.
func TestCheckArchiveOfAnother(t *testing.T) {
	write := func(from int, late bool) (fs, kept journal.FS) {
		fs, kept = directory(t), directory(t)
		w := ledgertest.Open(fs, signer)
		w.KeepIn(kept)
		defer w.Close()
		one := w.App(logblock.EncSeal1, "one")
		w.Block(one, 2, ledgertest.Receipts(one, from, from+3)...)
		if late {
			w.Leaves(one, ledgertest.Receipts(one, 3, 4)...)
			defer w.Prune()
			defer w.Seal(w.Cut(one, 1))
		} else {
			defer w.Prune()
		}
		w.Fill(one)
		return fs, kept
	}
	for late, want := range map[bool]string{
		false: "state says that the last cut is 1:",
		true:  "prev: not the block hash of height 1 among those of pruned segments",
	} {
		fs, kept := write(0, late)
		if _, err := ledger.Check(fs, archiveConfig(kept)); err != nil {
			t.Errorf("its own: %v", err)
		}
		_, kept = write(1, late)
		_, err := ledger.Check(fs, archiveConfig(kept))
		if bad, ok := errors.AsType[*ledger.CheckError](err); !ok || !strings.HasPrefix(bad.Reason, want) {
			t.Errorf("late: %t: got %v, want %s", late, err, want)
		}
	}
}

// TestCheckArchiveFrames has frames in an archive that have no place there, or are not written as they are.
func TestCheckArchiveFrames(t *testing.T) {
	fs, _ := archived(t, nil)
	app := ledger.AppendApp(nil, &ledger.App{ID: 1, Scheme: logblock.EncSeal1, Name: "one"})
	for _, test := range []struct {
		reason string
		typ    byte
		frames [][]byte
	}{
		{"frame of type 5 among LogBlocks of pruned segments", ledger.TypeState, [][]byte{{1}}},
		{"app: ends early", ledger.TypeApp, [][]byte{{1}}},
		{"app: not as it is written", ledger.TypeApp, [][]byte{append([]byte{0x81, 0}, app[1:]...)}},
		{`app "one" has number 1, which another has`, ledger.TypeApp, [][]byte{app, app}},
		{"block: ends early", ledger.TypeBlock, [][]byte{{1}}},
	} {
		kept := directory(t)
		j, err := journal.Open(journal.Config{FS: kept, SegmentSize: journal.MinSegmentSize}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, payload := range test.frames {
			if _, _, err := j.Append(test.typ, payload); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = ledger.Check(fs, archiveConfig(kept))
		if bad, ok := errors.AsType[*ledger.CheckError](err); !ok || !is[*ledger.ArchiveError](err) || !strings.Contains(bad.Reason, test.reason) {
			t.Errorf("got %v, want %s", err, test.reason)
		}
	}
}
