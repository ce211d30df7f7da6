package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

// TestCheckFollowsHandover hands an app over to another key, and not the app beside it.
func TestCheckFollowsHandover(t *testing.T) {
	next := sign.NewSigner(&[32]byte{9})
	write := func(second *sign.Signer) (ledger.Report, error) {
		fs := directory(t)
		w := ledgertest.Open(fs, signer)
		one, two := w.App(logblock.EncSeal1, "one"), w.App(logblock.EncSeal1, "two")
		w.Leaves(one, ledgertest.Receipts(one, 0, 3)...)
		w.Handover = next
		b := w.Cut(one, 3)
		w.Handover = nil
		w.Seal(b)
		w.Signer = second
		w.Block(one, 1, ledgertest.Receipts(one, 3, 5)...)
		w.Signer = signer
		w.Block(two, 1, ledgertest.Receipts(two, 0, 1)...)
		w.Close()
		return ledger.Check(fs, config())
	}
	r, err := write(next)
	if err != nil {
		t.Fatal(err)
	}
	if r.Apps[0].Key != next.PublicKey() || r.Apps[1].Key != signer.PublicKey() {
		t.Errorf("got keys %v and %v", r.Apps[0].Key, r.Apps[1].Key)
	}
	_, err = write(signer)
	if bad, ok := errors.AsType[*ledger.CheckError](err); !ok || bad.Height != 2 || !strings.HasPrefix(bad.Reason, "key: ") {
		t.Errorf("the old key goes on: got %v", err)
	}
}

// TestCheckAdopts adopts blocks of which some leaves are pending here: fewer, as many, and more than they hold.
func TestCheckAdopts(t *testing.T) {
	for _, pending := range []int{0, 2, 4, 6} {
		fs := directory(t)
		w := ledgertest.Open(fs, signer)
		one := w.App(logblock.EncSeal1, "one")
		w.Block(one, 3, ledgertest.Receipts(one, 0, 3)...)
		if pending > 0 {
			w.Leaves(one, ledgertest.Receipts(one, 3, 3+pending)...)
		}
		w.Adopt(one, ledgertest.Receipts(one, 3, 7)...)
		w.Leaves(one, ledgertest.Receipts(one, int(one.Next)-1, 12)...)
		w.State(one)
		w.Seal(w.Cut(one, 4))
		w.Close()
		r, err := ledger.Check(fs, config())
		if err != nil {
			t.Errorf("%d pending: %v", pending, err)
			continue
		}
		if a := r.Apps[0]; a.Sealed != 3 || a.Adopted != 1 || a.Receipts != 7 || a.Pending != 1 {
			t.Errorf("%d pending: got %+v", pending, a)
		}
	}
}

func TestCheckAdoptsWhatIsSealed(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	one := w.App(logblock.EncSeal1, "one")
	w.Leaves(one, ledgertest.Receipts(one, 0, 3)...)
	w.Cut(one, 3)
	w.Adopt(one, ledgertest.Receipts(one, 3, 5)...)
	w.Close()
	_, err := ledger.Check(fs, config())
	if bad, ok := errors.AsType[*ledger.CheckError](err); !ok || bad.Reason != "adopted before block 1 is sealed" {
		t.Errorf("got %v", err)
	}
}

func TestCheckDamage(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	history(w)
	w.Raw(ledger.TypeHead, nil)
	w.Close()
	r, err := ledger.Check(fs, config())
	if err != nil || !r.HeadFile {
		t.Fatalf("got %+v, %v", r, err)
	}
	flip(t, fs, 4096+200)
	if _, err := ledger.Check(fs, config()); !is[*journal.CorruptError](err) {
		t.Errorf("got %v, want a *CorruptError", err)
	}
}

// TestCheckTornTail ends in a batch that was not written whole.
func TestCheckTornTail(t *testing.T) {
	fs := directory(t)
	w := ledgertest.Open(fs, signer)
	one := w.App(logblock.EncSeal1, "one")
	w.Block(one, 3, ledgertest.Receipts(one, 0, 3)...)
	w.Wait()
	before := w.Journal.Durable()
	w.Leaves(one, ledgertest.Receipts(one, 3, 6)...)
	w.Wait()
	defer w.Close()
	flip(t, fs, (int64(before)-journal.MinSegmentSize+4095)&^4095+100)
	r, err := ledger.Check(fs, config())
	if err != nil || r.Torn.Bytes == 0 || r.Apps[0].Receipts != 3 || r.Apps[0].Pending != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

// flip changes a byte of the first segment.
func flip(t *testing.T, fs journal.FS, at int64) {
	t.Helper()
	f, err := fs.Open("seg-0000000000000001", true)
	if err != nil {
		t.Fatal(err)
	}
	b := journal.AlignedBuffer(4096)
	if _, err := f.ReadAt(b, at&^4095); err != nil {
		t.Fatal(err)
	}
	b[at%4096] ^= 1
	if _, err := f.WriteAt(b, at&^4095); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCheckErrorNamesThePlace(t *testing.T) {
	e := ledger.CheckError{Segment: "seg-1", Offset: 5, App: "a", Height: 2, Receipt: 3, Seq: 9, Reason: "bad"}
	if got, want := e.Error(), `ledger: segment seg-1, byte 5, app "a", block 2, receipt 3: bad`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	e.Height, e.Receipt = 0, -1
	if got, want := e.Detail(), `segment seg-1, byte 5, app "a", receipt with sequence number 9, in no block: bad`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
