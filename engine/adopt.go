package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/merkle"
)

// AdoptConfig says which data directory takes LogBlocks in.
type AdoptConfig struct {
	Store  Store          // Head, where the directory has a head file, is checked and written too
	Key    sign.PublicKey // notary's: every block is under it
	Scheme string         // as Config.Scheme
}

// Adopted is what Adopt did.
type Adopted struct {
	Blocks uint64 // that the journal lacked
	Signed uint64 // of cuts that it had without a signature; not among Blocks
	Known  uint64 // that it had already

	// Unseen counts receipts that were pending and are counted by an adopted block of which the directory has not all
	// receipts, so that it cannot be told whether they are the same. They are, unless the copy took receipts after it was put
	// back.
	Unseen uint64
}

// Adopt brings an old copy of a data directory up to date with LogBlocks that were sealed after it was made: taken from
// whoever received them, in order of height for each app. Sealing then goes on after them, and signs none of their heights
// again. Receipts that the old copy has pending and that an adopted block counts are pending no more; those of adopted
// blocks that it never had are missing from it for good.
//
// Every block is checked first, link and signature, and the directory is only then changed. A block that contradicts the
// directory is refused, with an *AdoptError as every block that is: then two histories were signed. Where the directory has a head file, the blocks must reach as far as
// it knows; the error wraps ErrRolledBack where they do not, and they are kept all the same.
func Adopt(cfg AdoptConfig, blocks []*logblock.LogBlock) (Adopted, error) {
	var done Adopted
	if !cfg.Store.durable() {
		return done, errors.New("engine: AdoptConfig.Store: Dir is missing")
	}
	if err := cfg.Key.Check(); err != nil {
		return done, fmt.Errorf("engine: AdoptConfig.Key: %w", err)
	}
	if cfg.Scheme == "" {
		cfg.Scheme = logblock.EncSeal1
	}
	e := &Engine{cfg: Config{Store: cfg.Store, Scheme: cfg.Scheme}, key: cfg.Key, apps: make(map[string]*Notary)}
	e.legacy = e.cfg.legacy()
	want, r, err := e.load()
	if err != nil {
		return done, err
	}
	a := &adoption{eng: e, r: r, want: want}
	done, err = a.run(blocks)
	closing := errors.Join(e.store.j.Close(), e.store.archive.close(), e.store.head.close())
	if err == nil && closing != nil {
		err = fmt.Errorf("engine: %w", closing)
	}
	return done, err
}

// adoption is one call of Adopt.
type adoption struct {
	eng  *Engine
	r    *replay
	want *headRecord // nil without a head file

	apps  map[string]*adopting
	held  map[place][32]byte // digests of blocks that the directory holds, of those given
	plan  []adopt
	count Adopted
}

// adopting is where an app stands as the blocks are gone through.
type adopting struct {
	*replayedApp
	open   uint64
	head   logblock.Head
	signed int // unsigned cuts, from the first on, whose block is in the plan
}

// adopt is a frame to be written.
type adopt struct {
	app   *adopting
	block ledger.Block
	typ   byte // TypeAdopt, or TypeBlock where the journal has the cut
}

func (a *adoption) run(blocks []*logblock.LogBlock) (Adopted, error) {
	e := a.eng
	if err := a.r.finish(); err != nil {
		return Adopted{}, fmt.Errorf("engine: journal: %w", err)
	}
	if a.want != nil && a.want.id != e.store.j.ID() {
		return Adopted{}, ErrOtherJournal
	}
	a.apps = make(map[string]*adopting)
	for _, one := range a.r.list {
		if _, err := e.restoreApp(one); err != nil {
			return Adopted{}, err
		}
		a.apps[one.Name] = &adopting{replayedApp: one, open: one.open, head: one.head}
	}
	if err := a.readHeld(blocks); err != nil {
		return Adopted{}, err
	}
	cuts := a.r.cuts
	for i, b := range blocks {
		if err := a.check(b, &cuts); err != nil {
			return Adopted{}, &AdoptError{Index: i, Block: b, Err: err}
		}
	}
	// What is written may need a State, and that has the producers' heads.
	if err := e.recall(a.r); err != nil {
		return Adopted{}, err
	}
	if err := a.write(); err != nil {
		return Adopted{}, err
	}
	return a.count, a.settleHead(cuts)
}

// place is where a block stands.
type place struct {
	app    string
	height uint64
}

// readHeld reads the digests of the blocks that the directory holds at the places of those given: a contradiction is one at
// any height. Those that were pruned are not there to be compared.
func (a *adoption) readHeld(blocks []*logblock.LogBlock) error {
	a.held = make(map[place][32]byte)
	wanted := make(map[place]bool)
	for _, b := range blocks {
		if one := a.apps[b.App]; one != nil && b.Height <= one.head.Height {
			wanted[place{b.App, b.Height}] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	j := a.eng.store.j
	err := j.Scan(j.First(), j.Durable(), func(f journal.Frame) error {
		if f.Type != ledger.TypeBlock && f.Type != ledger.TypeAdopt {
			return nil
		}
		b, err := ledger.ParseBlock(f.Payload)
		if err != nil {
			return err
		}
		at := place{b.LogBlock.App, b.Height}
		if wanted[at] {
			a.held[at], err = b.SignedDigest(bpi1.Rules{})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("engine: journal: %w", err)
	}
	return nil
}

// check takes a block into the plan, or finds that the journal has it.
func (a *adoption) check(b *logblock.LogBlock, cuts *uint64) error {
	digest, err := b.SignedDigest(bpi1.Rules{})
	if err != nil {
		return err
	}
	switch {
	case b.Scheme != a.eng.cfg.Scheme:
		return fmt.Errorf("of scheme %s", b.Scheme)
	case b.Scheme == logblock.EncSeal1 && b.Key != a.eng.key:
		return fmt.Errorf("under key %v, not %v", b.Key, a.eng.key)
	case !sign.Verify(&a.eng.key, &digest, &b.Sig):
		return errors.New("its signature is not valid")
	}
	one := a.apps[b.App]
	if one == nil {
		app := ledger.App{ID: uint64(len(a.apps)) + 1, Scheme: b.Scheme, Name: b.App}
		one = &adopting{replayedApp: &replayedApp{App: app, next: 1, open: 1}, open: 1}
		a.apps[b.App] = one
	}
	if b.Height <= one.head.Height {
		return a.compare(one, b, digest)
	}
	if one.signed < len(one.unsigned) {
		return fmt.Errorf("block %d, which this directory has cut and not signed, is to come before it", one.unsigned[one.signed].Height)
	}
	if b.Height != one.head.Height+1 || b.Scheme == logblock.EncSeal1 && b.Prev != one.head.Hash {
		return fmt.Errorf("it does not follow block %d, %x", one.head.Height, one.head.Hash)
	}
	if err := one.sameLeaves(b); err != nil {
		return err
	}
	if end := one.open + uint64(b.Count); one.open < one.next && end > one.next {
		a.count.Unseen += one.next - one.open
	}
	*cuts++
	block := ledger.Block{App: one.ID, Cut: *cuts, First: one.open, LogBlock: b}
	a.plan = append(a.plan, adopt{one, block, ledger.TypeAdopt})
	one.head = logblock.Head{Height: b.Height, Hash: digest}
	one.open += uint64(b.Count)
	a.count.Blocks++
	return nil
}

// sameLeaves compares a block with the pending receipts that it counts, where this directory has all of them: after an old copy
// was put back they are the same, unless the copy has taken others since, and those must not be lost.
func (a *adopting) sameLeaves(b *logblock.LogBlock) error {
	from := a.tail.len() - int(a.next-min(a.open, a.next))
	if a.open+uint64(b.Count) > a.next || from < 0 || b.Scheme != logblock.EncSeal1 {
		return nil
	}
	var tree merkle.Builder
	var hashes []merkle.Hash
	for i := range int(b.Count) {
		leaf := a.tail.done + from + i
		hashes = append(hashes, merkle.HashLeaf(a.tail.arena[a.tail.start(leaf):a.tail.ends[leaf]]))
	}
	if tree.Root(hashes) != b.MerkleRoot {
		return fmt.Errorf("receipts %d to %d, which are pending here, are not those that it holds: they were taken after the copy was put back",
			a.open, a.open+uint64(b.Count)-1)
	}
	return nil
}

// compare holds a block against one that the journal has, as far as that is at hand.
func (a *adoption) compare(one *adopting, b *logblock.LogBlock, digest [32]byte) error {
	for i := range one.unsigned {
		c := &one.unsigned[i]
		switch {
		case c.Height != b.Height:
		case c.digest != digest:
			return errors.New("it contradicts what this directory has cut at its height")
		case i < one.signed: // given twice
		case i > one.signed:
			return fmt.Errorf("block %d, which this directory has cut and not signed, is to come before it", one.unsigned[one.signed].Height)
		default:
			one.signed++
			block := c.Block
			block.LogBlock = b
			a.plan = append(a.plan, adopt{one, block, ledger.TypeBlock})
			a.count.Signed++
			return nil
		}
	}
	if held, ok := a.held[place{b.App, b.Height}]; ok && digest != held {
		return errors.New("it contradicts the block of its height in this directory: the notary signed both")
	}
	a.count.Known++
	return nil
}

// write makes the plan durable.
func (a *adoption) write() error {
	e := a.eng
	var rec []byte
	for i := range a.plan {
		p := &a.plan[i]
		n := e.apps[p.block.LogBlock.App]
		var err error
		if n == nil {
			if n, err = e.add(p.app.Name, logblock.Head{}); err != nil {
				return err
			}
		}
		if rec, err = ledger.AppendBlock(rec[:0], &p.block); err != nil {
			return err
		}
		n.mu.Lock()
		_, _, err = n.append(p.typ, rec, nil)
		if end := Seq(p.block.First + uint64(p.block.Count)); err == nil && end > n.cutSeq {
			digest, _ := p.block.SignedDigest(bpi1.Rules{}) // it was computed before
			n.cutSeq, n.pushedSeq = end, max(n.pushedSeq, end)
			n.cutHead, n.cutNumber = logblock.Head{Height: p.block.Height, Hash: digest}, p.block.Cut
			n.head = n.cutHead
		}
		n.unlock()
		if err != nil {
			return err
		}
	}
	if err := e.store.j.Flush(context.Background()); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	return nil
}

// settleHead writes the head file, if what was adopted comes up to it.
func (a *adoption) settleHead(cuts uint64) error {
	st := a.eng.store
	if a.want == nil {
		return nil
	}
	if a.want.cuts <= a.r.cuts {
		if err := a.r.checkHead(); err != nil {
			return err
		}
	}
	if heads := a.eng.appHeads(); cuts == a.want.cuts && digestHeads(heads) != a.want.digest {
		return fmt.Errorf("%w: with these blocks it comes to another history", ErrRolledBack)
	}
	if cuts < a.want.cuts {
		return fmt.Errorf("%w still: it knows of %d cuts, and with these blocks the journal has %d", ErrRolledBack, a.want.cuts, cuts)
	}
	return st.head.write(&headRecord{id: st.j.ID(), cuts: cuts, digest: digestHeads(a.eng.appHeads())})
}
