package engine_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

var headScript = []step{{app: "a", counts: []int{20}, wait: sealed}, {app: "b", counts: []int{5}, wait: sealed}}

// headed is a client whose Engine has run on two disks, and was closed.
func headed(t *testing.T) (*client, disks) {
	t.Helper()
	c, d := newClient(newSigner(t), false), newDisks(false)
	if err := c.run(d.store(), headScript); err != nil {
		t.Fatal(err)
	}
	return c, d
}

// refuses asks that Open refuses a Store for a reason, twice, and changes nothing that would let it through.
func refuses(t *testing.T, c *client, store engine.Store, want error) {
	t.Helper()
	for range 2 {
		e, err := c.snapshot().open(store)
		if err == nil {
			closeEngine(t, e)
		}
		if !errors.Is(err, want) {
			t.Errorf("Open: got %v, want %v", err, want)
		}
	}
}

// An old copy of the data directory is refused, whether it lacks blocks alone or goes on otherwise.
func TestOldCopies(t *testing.T) {
	c, d := headed(t)
	old := d.data.Clone()
	other := c.snapshot()
	if err := c.run(d.store(), headScript); err != nil {
		t.Fatal(err)
	}
	store := d.store()
	store.FS = old
	refuses(t, c, store, engine.ErrRolledBack)

	// The copy went on without its head file's knowledge, to as many cuts and more.
	lost := disks{old.Clone(), d.head.Clone()}
	store = lost.store()
	store.HeadFS, store.NewHead = journaltest.NewMem(), true
	otherwise := append([]step{{app: "a", counts: []int{1}}}, headScript...)
	if err := other.run(store, append(otherwise, headScript...)); err != nil {
		t.Fatal(err)
	}
	refuses(t, c, lost.store(), engine.ErrRolledBack)
	if err := c.check(d.store()); err != nil {
		t.Error(err)
	}
}

func TestHeadOfAnotherJournal(t *testing.T) {
	c, d := headed(t)
	_, other := headed(t)
	d.head, other.head = other.head, d.head
	refuses(t, c, d.store(), engine.ErrOtherJournal)
	// An empty directory in place of one that is gone would begin another journal, too.
	refuses(t, c, disks{journaltest.NewMem(), d.head}.store(), engine.ErrOtherJournal)
}

// One slot may be damaged, as a crash does it; with both, the file is no file.
func TestHeadSlotsDamaged(t *testing.T) {
	const slot = 4096
	c, d := headed(t)
	for at := range int64(72) {
		for _, which := range []int64{0, slot} {
			one := d.clone()
			one.head.Flip("head", which+at, 0x20)
			e, err := c.snapshot().open(one.store())
			if err != nil {
				// A version is read behind its checksum alone.
				t.Fatalf("Open with byte %d flipped: %v", which+at, err)
			}
			closeEngine(t, e)
		}
		both := d.clone()
		both.head.Flip("head", at, 0x20)
		both.head.Flip("head", slot+71-at, 0x20)
		if e, err := c.snapshot().open(both.store()); err == nil {
			closeEngine(t, e)
			t.Fatalf("Open with bytes %d and %d flipped: got nil", at, slot+71-at)
		}
	}
}

// A journal that had a head file is not opened without, unless its owner says so.
func TestHeadMissing(t *testing.T) {
	c, d := headed(t)
	refuses(t, c, engine.Store{FS: d.data}, engine.ErrHeadMissing)
	bare := disks{d.data, journaltest.NewMem()}
	refuses(t, c, bare.store(), engine.ErrHeadMissing)
	store := bare.store()
	store.NewHead = true
	if err := c.check(store); err != nil {
		t.Errorf("with NewHead: %v", err)
	}
	// From here on it is there. The old one is behind now, as after a crash, and does no harm.
	if err := c.check(bare.store()); err != nil {
		t.Errorf("after NewHead: %v", err)
	}
	if err := c.run(bare.store(), headScript); err != nil {
		t.Error(err)
	}
	if err := c.check(disks{d.data, d.head}.store()); err != nil {
		t.Errorf("with a head file that is behind: %v", err)
	}
}

// A journal gets its first head file late; from the first Open with it on, that of a crash at any call included, it must
// not come without.
func TestHeadFromTheFirstOpenOn(t *testing.T) {
	seed := seed(t)
	c, d := newClient(newSigner(t), false), newDisks(false)
	if err := c.run(engine.Store{FS: d.data}, headScript); err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		one, other := d.clone(), c.snapshot()
		// The Open in which the file is made fails or the power goes at its nth call.
		data, head := journaltest.NewFaults(one.data), journaltest.NewFaults(one.head)
		var mu sync.Mutex // the journal's goroutines call too
		calls, after := 0, disks{}
		before := func(int, string, string) {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls == n {
				after = one.clone().crash(rand.New(rand.NewPCG(seed, uint64(n))))
			}
		}
		data.Before, head.Before = before, before
		e, err := other.open(engine.Store{FS: data, Head: "head", HeadFS: head})
		if err != nil {
			t.Fatal(err)
		}
		closeEngine(t, e)
		if after.data == nil {
			if n < 10 {
				t.Errorf("only %d calls", n-1)
			}
			return
		}
		if err := c.snapshot().check(after.store()); err != nil {
			t.Fatalf("crash before call %d: %v", n, err)
		}
		refuses(t, c, engine.Store{FS: after.data}, engine.ErrHeadMissing)
	}
}

// The same, where a call fails.
func TestHeadIsMadeDespiteFaults(t *testing.T) {
	signer := newSigner(t)
	for n := 1; n < 12; n++ {
		for _, how := range hows {
			c, d := newClient(signer, false), newDisks(false)
			head := journaltest.NewFaults(d.head, journaltest.Fault{Call: n, How: how})
			if err := c.run(engine.Store{FS: d.data, Head: "head", HeadFS: head}, headScript); err != nil {
				t.Fatalf("call %d, %v: %v", n, how, err)
			}
			d = d.crashLost()
			if err := c.check(d.store()); err != nil {
				t.Fatalf("call %d, %v: %v", n, how, err)
			}
			refuses(t, c, engine.Store{FS: d.data}, engine.ErrHeadMissing)
		}
	}
}
