package engine_test

import (
	"errors"
	"fmt"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// history is what a journal says of an app.
type history struct {
	leaves []string // by sequence number, from 1
	cuts   []cut    // by height, from 1
	sealed uint64   // height of the last that is signed
	blocks []*logblock.LogBlock
}

type cut struct {
	first  uint64
	count  uint32
	digest [32]byte
}

// histories reads a journal that was never pruned, without opening it. It asks that each block is what was cut.
func histories(dir journal.FS) (map[string]*history, error) {
	byID := make(map[uint64]*history)
	apps := make(map[string]*history)
	_, err := journal.Check(dir, func(f journal.Frame) error {
		switch f.Type {
		case ledger.TypeApp:
			a, err := ledger.ParseApp(f.Payload)
			if err != nil {
				return err
			}
			h := new(history)
			byID[a.ID], apps[a.Name] = h, h
		case ledger.TypeLeaves:
			var l ledger.Leaves
			if err := ledger.ParseLeaves(f.Payload, &l); err != nil {
				return err
			}
			h := byID[l.App]
			if l.First != uint64(len(h.leaves))+1 {
				return fmt.Errorf("leaf %d follows %d", l.First, len(h.leaves))
			}
			for i := range l.Ends {
				h.leaves = append(h.leaves, string(l.Leaf(i)))
			}
		case ledger.TypeCut, ledger.TypeBlock:
			b, err := ledger.ParseBlock(f.Payload)
			if err != nil {
				return err
			}
			return byID[b.App].block(&b, f.Type == ledger.TypeBlock)
		}
		return nil
	}, nil)
	return apps, err
}

// block takes a cut or a block.
func (h *history) block(b *ledger.Block, signed bool) error {
	digest, err := b.SignedDigest(nil)
	if err != nil {
		return err
	}
	this := cut{b.First, b.Count, digest}
	switch {
	case !signed && b.Height == uint64(len(h.cuts))+1:
		h.cuts = append(h.cuts, this)
	case signed && b.Height == h.sealed+1 && h.sealed < uint64(len(h.cuts)) && h.cuts[h.sealed] == this:
		h.sealed++
		h.blocks = append(h.blocks, b.LogBlock)
	default:
		return fmt.Errorf("block %d, signed %v, after %d cuts and %d blocks", b.Height, signed, len(h.cuts), h.sealed)
	}
	return nil
}

// verify has the chain checker hold all blocks against all leaves.
func (h *history) verify(key sign.PublicKey) error {
	c, err := logblock.NewChecker(logblock.CheckerConfig{Key: key, WithReceipts: true})
	if err != nil {
		return err
	}
	next := 0
	for i, b := range h.blocks {
		if err := c.Block(b); err != nil {
			return err
		}
		if h.cuts[i].first != uint64(next)+1 {
			return fmt.Errorf("block %d starts with leaf %d, want %d", b.Height, h.cuts[i].first, next+1)
		}
		for range b.Count {
			var r receipt.Receipt
			if err := receipt.Decode([]byte(h.leaves[next]), &r); err != nil {
				return err
			}
			if err := c.Receipt(&r); err != nil {
				return err
			}
			next++
		}
	}
	if next != len(h.leaves) {
		return fmt.Errorf("%d leaves are in no block", len(h.leaves)-next)
	}
	if len(h.blocks) == 0 {
		return nil
	}
	_, err = c.Finish()
	return err
}

// check opens what is left of a Store, sends again what was not acknowledged, and verifies everything that was promised. The
// directory has no faults any more.
func (c *client) check(store engine.Store) error {
	before, err := histories(store.FS)
	if err != nil {
		return fmt.Errorf("journal before Open: %w", err)
	}
	for run := range 2 {
		e, err := c.open(store)
		if err != nil {
			return fmt.Errorf("Open %d: %w", run, err)
		}
		if err := c.sendAgain(e); err != nil {
			return fmt.Errorf("Open %d: %w", run, err)
		}
		if err := c.close(e); err != nil {
			return fmt.Errorf("Close %d: %w", run, err)
		}
		if err := c.trouble(); err != nil {
			return err
		}
	}
	after, err := histories(store.FS)
	if err != nil {
		return fmt.Errorf("journal after Close: %w", err)
	}
	if err := c.checkCuts(before, after); err != nil {
		return err
	}
	for app := range c.sent {
		h := after[app]
		if h == nil {
			return fmt.Errorf("app %q is missing", app)
		}
		if err := c.checkApp(app, h); err != nil {
			return fmt.Errorf("app %q: %w", app, err)
		}
	}
	return fsck(store.FS, c.cfg.Signer.PublicKey())
}

// checkCuts asks that what was there before is there still: leaves in their places, and each cut, signed or not, as its block.
func (c *client) checkCuts(before, after map[string]*history) error {
	for app, was := range before {
		is := after[app]
		if is == nil || len(is.leaves) < len(was.leaves) || len(is.cuts) < len(was.cuts) {
			return fmt.Errorf("app %q has lost something that the journal had", app)
		}
		for i, leaf := range was.leaves {
			if is.leaves[i] != leaf {
				return fmt.Errorf("app %q: leaf %d is another one after Open", app, i+1)
			}
		}
		for i, cut := range was.cuts {
			if is.cuts[i] != cut {
				return fmt.Errorf("app %q: cut %d is another one after Open", app, i+1)
			}
		}
	}
	return nil
}

// checkApp holds an app against what the client knows. All of its receipts were acknowledged by now.
func (c *client) checkApp(app string, h *history) error {
	if err := h.verify(c.cfg.Signer.PublicKey()); err != nil {
		return err
	}
	if got, want := len(h.leaves), len(c.sent[app]); got != want {
		return fmt.Errorf("%d leaves, but the client sent %d", got, want)
	}
	last := make(map[int]engine.Seq) // of each call
	for k, s := range c.sent[app] {
		leaf, err := s.receipt.AppendCanonical(nil)
		if err != nil {
			return err
		}
		// There are as many leaves as receipts and each has a place of its own: so each is there once.
		if !s.durable || s.seq < 1 || int(s.seq) > len(h.leaves) || h.leaves[s.seq-1] != string(leaf) {
			return fmt.Errorf("receipt %d is not at its number, %d (durable: %v)", k, s.seq, s.durable)
		}
		if s.seq <= last[s.call] {
			return fmt.Errorf("receipt %d of call %d has number %d after %d", k, s.call, s.seq, last[s.call])
		}
		last[s.call] = s.seq
		if s.at.Height == 0 {
			continue
		}
		if got := uint64(s.seq) - h.cuts[s.at.Height-1].first; got != uint64(s.at.Index) || s.at.Index >= h.cuts[s.at.Height-1].count {
			return fmt.Errorf("receipt %d is leaf %d of block %d, but Wait said %d", k, got, s.at.Height, s.at.Index)
		}
	}
	return c.checkShown(app, h)
}

// checkShown asks that what was seen is what is in the journal, and that all that is in it was delivered.
func (c *client) checkShown(app string, h *history) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := 0
	for at, digest := range c.shown {
		if at.app != app {
			continue
		}
		seen++
		if at.height > h.sealed || h.cuts[at.height-1].digest != digest {
			return fmt.Errorf("block %d was seen, and is not in the journal", at.height)
		}
	}
	if seen != int(h.sealed) || len(h.cuts) != int(h.sealed) {
		return errors.New("a block was not delivered, or not signed")
	}
	return nil
}

// fsck is the judgement of the journal's own checker: all is sealed, and nothing torn.
func fsck(dir journal.FS, key sign.PublicKey) error {
	report, err := ledger.Check(dir, ledger.CheckConfig{Key: key})
	if err != nil {
		return err
	}
	if t := report.Totals(); t.Pending != 0 || t.Unsigned != 0 || report.Torn.Bytes != 0 {
		return fmt.Errorf("ledger.Check: %d leaves pending, %d cuts unsigned, torn tail %+v after Close", t.Pending, t.Unsigned, report.Torn)
	}
	return nil
}
