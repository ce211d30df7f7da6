package engine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// recollection is a second reading of the journal's end, for what a Notary remembers of single receipts: the heads of its
// producers, from its last State on, and the hashes of its last DedupWindow leaves.
type recollection struct {
	eng    *Engine
	apps   map[uint64]*recalled
	leaves ledger.Leaves
}

type recalled struct {
	notary  *Notary
	stateAt journal.Offset // State that the producers' heads are taken from; 0 is none
	after   uint64         // they are those before this leaf
	window  uint64         // hashes are remembered from this leaf on

	receipts []*receipt.Receipt // not yet checked
}

// recallBatch is how many receipts are checked together.
const recallBatch = 256

// recall restores what the Notaries remember of single receipts. Nothing runs yet but the journal.
func (e *Engine) recall(r *replay) error {
	if e.cfg.Check != CheckStrict && e.cfg.DedupWindow == 0 || len(r.list) == 0 {
		return nil
	}
	c := &recollection{eng: e, apps: make(map[uint64]*recalled)}
	from := e.store.j.Durable()
	for _, a := range r.list {
		n := e.apps[a.Name]
		n.mu.Lock()
		defer n.unlock()
		one := &recalled{notary: n, after: 1}
		if e.cfg.Check == CheckStrict {
			if err := one.begin(a); err != nil {
				return err
			}
			from = min(from, max(one.stateAt, a.firstSeen))
		}
		if e.cfg.DedupWindow > 0 {
			one.window = a.next - min(a.next-1, uint64(e.cfg.DedupWindow))
			from = min(from, a.frameBefore(one.window))
		}
		c.apps[a.ID] = one
	}
	if err := e.store.j.Scan(from, e.store.j.Durable(), c.frame); err != nil {
		return fmt.Errorf("engine: journal: %w", err)
	}
	for _, one := range c.apps {
		one.check()
	}
	return nil
}

// frameBefore returns the offset of a frame of leaves at or before the leaf of a number.
func (a *replayedApp) frameBefore(seq uint64) journal.Offset {
	i, found := slices.BinarySearchFunc(a.leafFrames, seq, func(f leafFrame, seq uint64) int { return cmp.Compare(f.first, seq) })
	if !found && i > 0 {
		i--
	}
	if i < len(a.leafFrames) {
		return a.leafFrames[i].at
	}
	return a.firstSeen
}

// begin chooses the State whose heads are taken: the last one that was not ahead of what the journal came to hold. A crash
// can have lost the leaves after a State that counts with them.
func (o *recalled) begin(a *replayedApp) error {
	for _, s := range slices.Backward(a.states) {
		if s.after <= a.next {
			o.stateAt, o.after = s.at, s.after
			return nil
		}
	}
	if !a.pruned {
		return nil // they are followed from the app's first receipt on
	}
	for _, p := range o.notary.cfg.Producers {
		if p.Head.IsZero() {
			return fmt.Errorf("engine: Config.Producers: where %v stands in %q was not followed, and the receipts that tell are pruned: give its head",
				p.Key, a.Name)
		}
	}
	return nil
}

func (c *recollection) frame(f journal.Frame) error {
	switch f.Type {
	case ledger.TypeState:
		s, err := ledger.ParseState(f.Payload)
		if err != nil {
			return err
		}
		if one := c.apps[s.ID]; one.notary.producers != nil && one.stateAt == f.At {
			return one.follow(&s)
		}
	case ledger.TypeLeaves:
		if err := ledger.ParseLeaves(f.Payload, &c.leaves); err != nil {
			return err
		}
		return c.apps[c.leaves.App].take(f.At, &c.leaves)
	}
	return nil
}

// follow sets the producers to where a State has them: a key that the State does not know stands where the Config says.
func (o *recalled) follow(s *ledger.State) error {
	n := o.notary
	keys := slices.Clone(n.cfg.Producers)
	for i := range keys {
		for _, h := range s.Heads {
			if keys[i].Key == h.Key {
				keys[i].Head = receipt.Digest(h.Hash)
			}
		}
	}
	var err error
	n.producers, err = logblock.NewProducers(keys, n.eng.legacy)
	return err
}

// take remembers leaves.
func (o *recalled) take(at journal.Offset, l *ledger.Leaves) error {
	n := o.notary
	if n.producers != nil && at >= o.stateAt {
		for i := range l.Ends {
			if l.First+uint64(i) < o.after {
				continue
			}
			r, err := n.eng.decodeLeaf(l.Leaf(i))
			if err != nil {
				return fmt.Errorf("leaf %d of %q: %w", l.First+uint64(i), n.app, err)
			}
			if o.receipts = append(o.receipts, r); len(o.receipts) == recallBatch {
				o.check()
			}
		}
	}
	if n.window != nil && l.First+uint64(len(l.Ends)) > o.window {
		for i, hash := range n.leafHashes(nil, l.Arena, l.Ends) {
			if seq := l.First + uint64(i); seq >= o.window {
				n.window.add(Seq(seq), &hash)
			}
		}
	}
	return nil
}

// check moves the producers' heads past the receipts gathered. A receipt that was taken while producers were not checked, or
// others were trusted, moves none.
func (o *recalled) check() {
	if o.notary.producers == nil || len(o.receipts) == 0 {
		return
	}
	if o.notary.producers.Check(o.receipts...) != nil {
		for _, r := range o.receipts {
			_ = o.notary.producers.Check(r)
		}
	}
	o.receipts = o.receipts[:0]
}

// decodeLeaf reads a leaf of this Engine's scheme. The receipt shares no memory with it.
func (e *Engine) decodeLeaf(leaf []byte) (*receipt.Receipt, error) {
	var r receipt.Receipt
	var err error
	if e.legacy != nil {
		var p receipt.Parser
		err = p.Parse(leaf, &r)
	} else {
		err = receipt.Decode(leaf, &r)
	}
	if err != nil {
		return nil, err
	}
	own := r.Clone()
	return &own, nil
}
