package ledger_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

var signer = sign.NewSigner(&[32]byte{7})

func directory(t testing.TB) journal.FS {
	t.Helper()
	fs, err := journal.Dir(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

func config() ledger.CheckConfig {
	return ledger.CheckConfig{Key: signer.PublicKey(), Legacy: bpi1.Rules{}}
}

// history writes two apps with blocks one between the other, cuts in the middle of a frame, a cut that is behind, an
// adopted block and a tail. Its frames: 0 app one, 1 leaves, 2 leaves, 3 app two, 4 leaves of two, 5 cut of one in the
// middle of 2, 6 leaves of one, 7 block of one, 8 cut of two, 9 cut of one, 10 cut of one, 11 block of two, 12 block of one, 13
// cursor, 14 state of one, 15 adopted in two, 16 leaves of two, 17 block of one, 18 cut of two, 19 leaves of two.
func history(w *ledgertest.Writer) {
	one := w.App(logblock.EncSeal1, "one")
	w.Leaves(one, ledgertest.Receipts(one, 0, 3)...)
	w.Leaves(one, ledgertest.Receipts(one, 3, 9)...)
	two := w.App(logblock.BPI1, "two")
	w.Leaves(two, ledgertest.Receipts(two, 0, 5)...)
	a := w.Cut(one, 5)
	w.Leaves(one, ledgertest.Receipts(one, 9, 10)...)
	w.Seal(a)
	b := w.Cut(two, 5)
	c := w.Cut(one, 2)
	d := w.Cut(one, 3)
	w.Seal(b)
	w.Seal(c)
	w.Cursor("file", w.Journal.Durable())
	w.State(one)
	w.Adopt(two, ledgertest.Receipts(two, 5, 8)...)
	w.Leaves(two, ledgertest.Receipts(two, 8, 12)...)
	w.Seal(d)
	w.Cut(two, 2)
	w.Leaves(two, ledgertest.Receipts(two, 12, 13)...)
}

func TestCheck(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	history(w)
	w.Close()
	var cuts []string
	cfg := config()
	cfg.AtCut = func(cut uint64, heads func() []ledger.AppHead) error {
		text := fmt.Sprint(cut)
		for _, h := range heads() {
			text += fmt.Sprintf(" %s:%d", h.Name, h.Head.Height)
		}
		cuts = append(cuts, text)
		return nil
	}
	progress := int64(0)
	cfg.Progress = func(done, of int64) {
		if done < progress || done > of {
			t.Errorf("progress: got %d of %d after %d", done, of, progress)
		}
		progress = done
	}
	r, err := ledger.Check(fs, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(cuts), "[1 one:1 two:0 2 one:1 two:1 3 one:2 two:1 4 one:3 two:1 5 one:3 two:2 6 one:3 two:3]"; got != want {
		t.Errorf("cuts: got %s, want %s", got, want)
	}
	if r.Frames != uint64(w.Frames()) || r.Segments != 1 || r.Cuts != 6 || r.Pruned || r.Torn.Bytes != 0 || progress != journal.MinSegmentSize {
		t.Errorf("got %+v, progress %d", r, progress)
	}
	if len(r.Cursors) != 1 || r.Cursors[0].Sink != "file" {
		t.Errorf("cursors: got %v", r.Cursors)
	}
	var got []string
	for _, a := range r.Apps {
		got = append(got, fmt.Sprint(a.Name, " ", a.Sealed, a.Head.Height, a.Blocks, a.Adopted, a.Bare, a.Receipts, a.Pending, a.Unsigned, a.Waiting))
	}
	if want := "[one 3 3 3 0 0 10 0 0 0 two 2 3 2 1 0 5 3 1 2]"; fmt.Sprint(got) != want {
		t.Errorf("apps: got %v, want %s", got, want)
	}
}

// TestCheckFinds alters one frame of the history and asks for the place and the reason.
func TestCheckFinds(t *testing.T) {
	b := func(change func(b *ledger.Block)) func(any) { return func(r any) { change(r.(*ledger.Block)) } }
	l := func(change func(l *ledgertest.Leaves)) func(any) {
		return func(r any) { change(r.(*ledgertest.Leaves)) }
	}
	for _, test := range []struct {
		frame  int
		change func(any)
		app    string
		height uint64
		index  int64
		reason string
	}{
		{0, func(r any) { r.(*ledger.App).ID = 2 }, "", 0, -1, "number 2, the last one is 0"},
		{0, func(r any) { r.(*ledger.App).Name = "" }, "", 0, -1, "app: empty"},
		{3, func(r any) { r.(*ledger.App).Name = "one" }, "one", 0, -1, "the name is taken"},
		{3, func(r any) { r.(*ledger.App).Scheme = "none" }, "two", 0, -1, "scheme"},
		{1, l(func(l *ledgertest.Leaves) { l.App = 9 }), "", 0, -1, "app 9, which nothing names"},
		{2, l(func(l *ledgertest.Leaves) { l.First++ }), "one", 0, -1, "begin with receipt 5, the next is 4"},
		{2, l(func(l *ledgertest.Leaves) { l.Leaves[1] = l.Leaves[1][1:] }), "one", 1, 4, "not"},
		{2, l(func(l *ledgertest.Leaves) { l.Leaves[3] = append(l.Leaves[3], 0) }), "one", 2, 1, "after"},
		{1, l(func(l *ledgertest.Leaves) { l.Leaves[0], l.Leaves[1] = l.Leaves[1], l.Leaves[0] }), "one", 1, -1, "merkle_root"},
		{4, l(func(l *ledgertest.Leaves) { l.Leaves[2] = append(l.Leaves[2], ' ') }), "two", 1, 2, "not as the scheme prints"},
		{4, l(func(l *ledgertest.Leaves) { l.Leaves[0] = ledgertest.Receipts(other, 0, 1)[0] }), "two", 1, 0, `app: "other"`},
		{19, l(func(l *ledgertest.Leaves) { l.Leaves[0] = nil }), "two", 0, -1, ""},
		{5, b(func(b *ledger.Block) { b.Cut++ }), "one", 1, -1, "cut number 2, the last one was 0"},
		{5, b(func(b *ledger.Block) { b.First++ }), "one", 1, -1, "begins with receipt 2"},
		{5, b(func(b *ledger.Block) { b.From++ }), "one", 1, -1, "its leaves are at"},
		{9, b(func(b *ledger.Block) { b.From += 64 }), "one", 2, -1, "its leaves are at"},
		{5, b(func(b *ledger.Block) { b.Count++ }), "one", 1, -1, "merkle_root"},
		{5, b(func(b *ledger.Block) { b.Count = 99 }), "one", 1, -1, "holds receipts up to 99, but 10 is the next"},
		{5, b(func(b *ledger.Block) { b.FromTS = "2026-01-15T10:00:01Z" }), "one", 1, -1, "range.from_ts"},
		{5, b(func(b *ledger.Block) { b.ToTS = "2026-01-15T10:00:01Z" }), "one", 1, -1, "range.to_ts"},
		{5, b(func(b *ledger.Block) { b.Usage.EgressUMB++ }), "one", 1, -1, "usage"},
		{5, b(func(b *ledger.Block) { b.Sig[0] = 1 }), "one", 1, -1, "a cut with a signature"},
		{5, b(func(b *ledger.Block) { b.Key[0]++ }), "one", 1, -1, "key"},
		{5, b(func(b *ledger.Block) { b.LogBlock.App = "two" }), "one", 1, -1, `app "two"`},
		{9, b(func(b *ledger.Block) { b.Prev[0]++ }), "one", 2, -1, "prev"},
		{9, b(func(b *ledger.Block) { b.Height++ }), "one", 3, -1, "height"},
		{8, b(func(b *ledger.Block) { b.MerkleRoot[0]++ }), "two", 1, -1, "merkle_root"},
		{7, b(func(b *ledger.Block) { b.Sig[0]++ }), "one", 1, -1, "sig_notary"},
		{7, b(func(b *ledger.Block) { b.MerkleRoot[0]++ }), "one", 1, -1, "not the block that was cut"},
		{7, b(func(b *ledger.Block) { b.Cut = 9 }), "one", 1, -1, "cut number 9"},
		{11, b(func(b *ledger.Block) { b.Sig[0]++ }), "two", 1, -1, "sig_notary"},
		{12, b(func(b *ledger.Block) { b.Height++ }), "one", 3, -1, "the oldest cut without a block is of height 2"},
		{13, func(r any) { r.(*ledger.Cursor).Offset = 1 << 40 }, "", 0, -1, "ahead of the journal"},
		{14, func(r any) { r.(*ledger.State).Next++ }, "one", 0, -1, "receipt 12 is next, the journal 11"},
		{14, func(r any) { r.(*ledger.State).Cut++ }, "one", 0, -1, "cut 5 was the last, the journal 4"},
		{14, func(r any) { r.(*ledger.State).Head.Hash[0]++ }, "one", 0, -1, "last cut is 3:"},
		{14, func(r any) { r.(*ledger.State).Name = "two" }, "one", 0, -1, "state of app 1"},
		{14, func(r any) { r.(*ledger.State).ID = 3 }, "", 0, -1, "which nothing names"},
		{14, func(r any) { s := r.(*ledger.State); s.Heads = append(s.Heads, s.Heads[0]) }, "one", 0, -1, "twice"},
		{15, b(func(b *ledger.Block) { b.Sig[0]++ }), "two", 2, -1, "sig_notary"},
		{15, b(func(b *ledger.Block) { b.First++ }), "two", 2, -1, "begins with receipt"},
		{15, b(func(b *ledger.Block) { b.From = 70000 }), "two", 2, -1, "adopted, with leaves"},
	} {
		t.Run(fmt.Sprintf("%d/%s", test.frame, test.reason), func(t *testing.T) {
			fs := directory(t)
			w := ledgertest.Open(fs, signer)
			w.Alter = func(frame int, _ byte, record any) {
				if frame == test.frame {
					test.change(record)
				}
			}
			history(w)
			w.Close()
			_, err := ledger.Check(fs, config())
			var bad *ledger.CheckError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a *CheckError", err)
			}
			if bad.App != test.app || bad.Height != test.height || bad.Receipt != test.index || !strings.Contains(bad.Reason, test.reason) {
				t.Errorf("got %v, want app %q, block %d, receipt %d: %s", bad, test.app, test.height, test.index, test.reason)
			}
			if want := frameAt(t, fs, test.frame); bad.Segment != "seg-0000000000000001" || bad.Offset != want && test.frame != 1 {
				t.Errorf("got %v, want byte %d", bad, want)
			}
		})
	}
}

var other = &ledgertest.App{App: ledger.App{Scheme: logblock.BPI1, Name: "other"}}

// frameAt returns the byte of the first segment at which a frame starts.
func frameAt(t *testing.T, fs journal.FS, n int) (at int64) {
	t.Helper()
	i := 0
	if _, err := journal.Check(fs, func(f journal.Frame) error {
		if i == n {
			at = int64(f.At) - journal.MinSegmentSize
		}
		i++
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCheckRefusesFrames(t *testing.T) {
	for _, test := range []struct {
		name    string
		typ     byte
		payload []byte
	}{
		{"unknown type", 99, nil},
		{"head with bytes", ledger.TypeHead, []byte{1}},
		{"long number", ledger.TypeCursor, []byte{1, 'x', 0x80, 0}},
		{"torn app", ledger.TypeApp, []byte{1}},
		{"torn leaves", ledger.TypeLeaves, []byte{1, 1, 1}},
		{"long number in leaves", ledger.TypeLeaves, []byte{1, 1, 1, 0x80, 0}},
		{"torn cut", ledger.TypeCut, []byte{1}},
		{"torn state", ledger.TypeState, []byte{1}},
	} {
		fs := directory(t)
		w := ledgertest.Open(fs, signer)
		w.App(logblock.EncSeal1, "one")
		w.Raw(test.typ, test.payload)
		w.Close()
		if _, err := ledger.Check(fs, config()); !is[*ledger.CheckError](err) {
			t.Errorf("%s: got %v, want a *CheckError", test.name, err)
		}
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestCheckTrustsOneKey(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	history(w)
	w.Close()
	cfg := config()
	cfg.Key = sign.NewSigner(&[32]byte{8}).PublicKey()
	if _, err := ledger.Check(fs, cfg); !is[*ledger.CheckError](err) {
		t.Errorf("another key: got %v, want a *CheckError", err)
	}
	cfg = config()
	cfg.Legacy = nil
	if _, err := ledger.Check(fs, cfg); !is[*ledger.CheckError](err) {
		t.Errorf("no rules for bpi-1: got %v, want a *CheckError", err)
	}
}

func TestCheckEmpty(t *testing.T) {
	fs := directory(t)
	if r, err := ledger.Check(fs, config()); err != nil || r.Segments != 0 {
		t.Errorf("no journal: got %+v, %v", r, err)
	}
	ledgertest.Open(fs, signer).Close()
	if r, err := ledger.Check(fs, config()); err != nil || r.Segments != 1 || r.Frames != 0 {
		t.Errorf("empty journal: got %+v, %v", r, err)
	}
}

func TestCheckReturnsWhatAtCutSays(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	history(w)
	w.Close()
	cfg := config()
	want := errors.New("no such head")
	cfg.AtCut = func(cut uint64, _ func() []ledger.AppHead) error {
		if cut == 3 {
			return want
		}
		return nil
	}
	if _, err := ledger.Check(fs, cfg); err != want {
		t.Errorf("got %v, want %v", err, want)
	}
}
