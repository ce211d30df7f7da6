package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// oldCopy is a data directory that was copied in the midst of its life and put back, and what was delivered since.
type oldCopy struct {
	cfg      engine.Config
	shelf    *shelf
	accepted map[string][]*receipt.Receipt
}

func newOldCopy(t *testing.T, withHead bool) *oldCopy {
	t.Helper()
	o := &oldCopy{shelf: new(shelf), accepted: make(map[string][]*receipt.Receipt)}
	dir := filepath.Join(t.TempDir(), "data")
	o.cfg = durable(t, engine.Config{
		MaxReceipts: 5, Store: engine.Store{Dir: dir}, Sinks: []engine.NamedSink{{Name: "shelf", Sink: o.shelf}},
	})
	if withHead {
		o.cfg.Store.Head = filepath.Join(t.TempDir(), "head")
	}
	e := openEngine(t, o.cfg)
	o.add(t, e, "a", 13)
	o.add(t, e, "b", 4)
	// The copy has receipts pending: it is taken while the Engine runs, when nothing is being written.
	saved := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(saved, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	o.add(t, e, "a", 20)
	o.add(t, e, "b", 20)
	o.add(t, e, "c", 7)
	closeEngine(t, e)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(saved)); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *oldCopy) add(t *testing.T, e *engine.Engine, app string, count int) {
	t.Helper()
	n := notary(t, e, app)
	some := named(app, len(o.accepted[app]), count)
	first, _, err := n.AppendBatch(background, some)
	if err != nil {
		t.Fatal(err)
	}
	last := first + engine.Seq(count) - 1
	if err := n.WaitDurable(background, last); err != nil {
		t.Fatal(err)
	}
	if whole := last / 5 * 5; whole > 0 {
		if _, err := n.Wait(background, whole); err != nil && !errors.Is(err, engine.ErrForgotten) {
			t.Fatal(err)
		}
	}
	o.accepted[app] = append(o.accepted[app], some...)
}

func TestOldCopyIsRefused(t *testing.T) {
	o := newOldCopy(t, true)
	if _, err := engine.Open(o.cfg); !errors.Is(err, engine.ErrRolledBack) {
		t.Fatalf("Open of an old copy: got %v, want ErrRolledBack", err)
	}
	if _, err := engine.CheckHead(o.cfg.Store); !errors.Is(err, engine.ErrRolledBack) {
		t.Errorf("CheckHead of an old copy: got %v, want ErrRolledBack", err)
	}
	delivered := o.shelf.taken()
	adopt := engine.AdoptConfig{Store: o.cfg.Store, Key: o.cfg.Signer.PublicKey()}
	if _, err := engine.Adopt(adopt, delivered[:4]); !errors.Is(err, engine.ErrRolledBack) {
		t.Errorf("Adopt of too few blocks: got %v, want ErrRolledBack still", err)
	}
	done, err := engine.Adopt(adopt, delivered)
	if err != nil || done.Blocks == 0 || done.Blocks+done.Known+done.Signed != uint64(len(delivered)) {
		t.Fatalf("Adopt: got %+v, %v; want all of %d blocks", done, err, len(delivered))
	}
	if cuts, err := engine.CheckHead(o.cfg.Store); cuts != uint64(len(delivered)) || err != nil {
		t.Errorf("CheckHead after adopting: got %d cuts, %v, want %d", cuts, err, len(delivered))
	}
	o.goOn(t)
}

// Without a head file nothing tells that a copy is old, but adopting does as well.
func TestAdoptWithoutHeadFile(t *testing.T) {
	o := newOldCopy(t, false)
	if _, err := engine.Adopt(engine.AdoptConfig{Store: o.cfg.Store, Key: o.cfg.Signer.PublicKey()}, o.shelf.taken()); err != nil {
		t.Fatal(err)
	}
	o.goOn(t)
}

// goOn seals on after what was adopted: heights, links and numbers go on, and fsck is content.
func (o *oldCopy) goOn(t *testing.T) {
	t.Helper()
	e := openEngine(t, o.cfg)
	for _, app := range []string{"a", "b", "c"} {
		first, _, err := notary(t, e, app).AppendBatch(background, named(app, 1000, 3))
		if want := engine.Seq(len(o.accepted[app]) + 1); err != nil || first != want {
			t.Errorf("AppendBatch to %q: got (%d, %v), want (%d, nil)", app, first, err, want)
		}
		o.accepted[app] = append(o.accepted[app], named(app, 1000, 3)...)
	}
	closeEngine(t, e)
	chains := make(map[string][]*logblock.LogBlock)
	for _, b := range o.shelf.taken() {
		chains[b.App] = append(chains[b.App], b)
	}
	for app, receipts := range o.accepted {
		verify(t, o.cfg.Signer.PublicKey(), chains[app], receipts)
	}
	fs, err := journal.Dir(o.cfg.Store.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Check(fs, ledger.CheckConfig{Key: o.cfg.Signer.PublicKey()}); err != nil {
		t.Errorf("fsck: %v", err)
	}
}

func TestAdoptRefusals(t *testing.T) {
	o := newOldCopy(t, true)
	delivered := o.shelf.taken()
	adopt := engine.AdoptConfig{Store: o.cfg.Store, Key: o.cfg.Signer.PublicKey()}
	altered := func(change func(b *logblock.LogBlock)) []*logblock.LogBlock {
		last := *delivered[len(delivered)-1]
		change(&last)
		return append(slices.Clone(delivered[:len(delivered)-1]), &last)
	}
	// A block that another one of its app follows.
	gap := slices.IndexFunc(delivered, func(b *logblock.LogBlock) bool { return b.App == "a" && b.Height == 6 })
	errRefused := errors.New("an AdoptError with the block at its index")
	other := adopt
	other.Key = newSigner(t).PublicKey()
	for name, c := range map[string]struct {
		cfg    engine.AdoptConfig
		blocks []*logblock.LogBlock
		want   error
	}{
		"signature": {adopt, altered(func(b *logblock.LogBlock) { b.Sig[0]++ }), errRefused},
		"count":     {adopt, altered(func(b *logblock.LogBlock) { b.Count++ }), errRefused},
		"a gap":     {adopt, slices.Delete(slices.Clone(delivered), gap, gap+1), errRefused},
		"too few":   {adopt, delivered[:4], engine.ErrRolledBack},
		"key":       {other, delivered, engine.ErrForeign},
	} {
		_, err := engine.Adopt(c.cfg, c.blocks)
		if refused, ok := errors.AsType[*engine.AdoptError](err); ok && refused.Block == c.blocks[refused.Index] {
			err = errRefused
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if _, err := engine.Adopt(adopt, delivered); err != nil {
		t.Errorf("after refusals: %v", err)
	}
	o.goOn(t)
}
