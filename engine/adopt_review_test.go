package engine_test

import (
	"slices"
	"testing"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
)

// A block that contradicts one in the directory is refused at any height, and one that comes twice is taken once.
func TestAdoptComparesEveryHeight(t *testing.T) {
	o := newOldCopy(t, true)
	delivered := o.shelf.taken()
	adopt := engine.AdoptConfig{Store: o.cfg.Store, Key: o.cfg.Signer.PublicKey()}

	// Another history under the same key, of a directory that had no part in this one.
	twin := new(shelf)
	cfg := durable(t, engine.Config{Signer: o.cfg.Signer, MaxReceipts: 5, Sinks: []engine.NamedSink{{Name: "twin", Sink: twin}}})
	e := openEngine(t, cfg)
	if _, _, err := notary(t, e, "a").AppendBatch(background, named("a", 500, 5)); err != nil {
		t.Fatal(err)
	}
	closeEngine(t, e)
	if _, err := engine.Adopt(adopt, twin.taken()); err == nil {
		t.Error("Adopt of a block that contradicts height 1: got nil, want an error")
	}

	doubled := slices.Concat(delivered, []*logblock.LogBlock{delivered[len(delivered)-1]}, delivered)
	if _, err := engine.Adopt(adopt, doubled); err != nil {
		t.Fatalf("Adopt of blocks that come twice: %v", err)
	}
	o.goOn(t)
}
