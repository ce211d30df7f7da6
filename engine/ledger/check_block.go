package ledger

import (
	"bytes"
	"fmt"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

// parse reads a frame of a block and finds its app.
func (c *checking) parse(f journal.Frame) (*app, *Block, error) {
	b, err := ParseBlock(f.Payload)
	if err != nil {
		return nil, nil, fault("%s", reason(err))
	}
	a := c.find(b.App)
	if a == nil {
		return nil, nil, fault("block of app %d, which nothing names", b.App)
	}
	if c.scratch, err = AppendBlock(c.scratch[:0], &b); err != nil || !bytes.Equal(c.scratch, f.Payload) {
		return nil, nil, errForm("block").of(a, b.Height)
	}
	if b.LogBlock.App != a.Name || b.Scheme != a.Scheme {
		return nil, nil, fault("a block of app %q in scheme %s among those of app %d, in scheme %s",
			b.LogBlock.App, b.Scheme, a.ID, a.Scheme).of(a, b.Height)
	}
	return a, &b, nil
}

// cut takes a frame that says what the next block of an app is.
func (c *checking) cut(f journal.Frame) error {
	a, b, err := c.parse(f)
	if err != nil {
		return err
	}
	if b.Sig != ([64]byte{}) {
		return fault("a cut with a signature").of(a, b.Height)
	}
	digest, err := c.follows(a, b)
	if err != nil {
		return err
	}
	if a.free && a.Scheme == logblock.EncSeal1 {
		a.key = b.Key // what the next block shows, which is compared then
	}
	a.free = false
	lost, err := c.content(a, b)
	if err != nil {
		return err
	}
	a.cuts = append(a.cuts, cut{
		number: b.Cut, first: b.First, from: b.From, count: b.Count,
		head: logblock.Head{Height: b.Height, Hash: digest}, key: a.key, at: f.At, lost: lost,
	})
	return c.advance(a, b, digest)
}

// follows checks that a cut, or an adopted block, goes on where the app stands, and returns its digest.
func (c *checking) follows(a *app, b *Block) (digest [32]byte, err error) {
	wrong := func(format string, args ...any) ([32]byte, error) {
		return digest, fault(format, args...).of(a, b.Height)
	}
	if digest, err = b.SignedDigest(c.cfg.Legacy); err != nil {
		return wrong("%s", reason(err))
	}
	linked := b.Scheme == logblock.EncSeal1
	switch {
	case c.counted && b.Cut != c.cuts+1:
		return wrong("cut number %d, the last one was %d", b.Cut, c.cuts)
	case b.Height != a.head.Height+1:
		return wrong("height: the last cut is %s", shownHead(a.head))
	case linked && b.Prev != a.head.Hash:
		return wrong("prev: not the block hash of height %d", a.head.Height)
	case linked && b.Key != a.key && !a.free:
		return digest, errKey(b.Key, a.key).of(a, b.Height)
	case linked && !b.HasUsage:
		return wrong("usage: missing")
	case b.First != a.end:
		return wrong("begins with receipt %d, the next in no block is %d", b.First, a.end)
	}
	if linked && b.HasNextKey {
		if err := b.NextKey.Check(); err != nil {
			return wrong("next_key: %s", err)
		}
	}
	return digest, nil
}

// pass moves the app past a block.
func (a *app) pass(b *Block, digest [32]byte) {
	a.head = logblock.Head{Height: b.Height, Hash: digest}
	a.end = b.First + uint64(b.Count)
	if b.Scheme == logblock.EncSeal1 && b.HasNextKey {
		a.key = b.NextKey
	}
	a.cut = b.Cut
}

// advance moves the app past a cut that holds.
func (c *checking) advance(a *app, b *Block, digest [32]byte) error {
	a.pass(b, digest)
	c.cuts, c.counted = b.Cut, true
	if c.cfg.AtCut == nil {
		return nil
	}
	return c.cfg.AtCut(b.Cut, c.appHeads)
}

func (c *checking) appHeads() []AppHead {
	heads := make([]AppHead, len(c.apps))
	for i, a := range c.apps {
		heads[i] = AppHead{App: a.App, Head: a.head}
	}
	return heads
}

// content compares a cut with its leaves; lost is set where the journal does not have them all any more.
func (c *checking) content(a *app, b *Block) (lost bool, err error) {
	end := b.First + uint64(b.Count)
	if end > a.next {
		return false, fault("holds receipts up to %d, but %d is the next in the journal", end-1, a.next).of(a, b.Height)
	}
	kept := a.next - uint64(len(a.hashes))
	if b.First < kept {
		if b.From == 0 || b.From >= uint64(c.first) {
			return true, fault("its leaves are at %d, where they are not", b.From).of(a, b.Height)
		}
		return true, c.forget(a, end)
	}
	n := uint64(b.Count)
	sum, at, err := c.take(a, n)
	if err != nil {
		return false, err
	}
	root := c.judge.root(a.hashes[:n], a.Scheme, c.cfg.Legacy)
	a.drop(n)
	if root != b.MerkleRoot {
		return false, fault("merkle_root: not the root of the leaves before it").of(a, b.Height)
	}
	if b.From != uint64(at) {
		return false, fault("its leaves are at %d, not at %d", at, b.From).of(a, b.Height)
	}
	return false, compare(a, b, &sum)
}

// forget drops leaves before end that are in no cut.
func (c *checking) forget(a *app, end uint64) error {
	kept := a.next - uint64(len(a.hashes))
	if end <= kept {
		return nil
	}
	n := min(end, a.next) - kept
	if _, _, err := c.take(a, n); err != nil {
		return err
	}
	a.drop(n)
	return nil
}

// compare checks range and usage.
func compare(a *app, b *Block, s *sums) error {
	for _, field := range [...]struct{ name, says, is string }{
		{"range.from_ts", b.FromTS, s.span.From()},
		{"range.to_ts", b.ToTS, s.span.To()},
	} {
		if field.says != field.is {
			return fault("%s: %s, but the leaves have %s", field.name, field.says, field.is).of(a, b.Height)
		}
	}
	if a.Scheme == logblock.EncSeal1 && b.Usage != s.usage {
		return fault("usage: %s, but the leaves add up to %s", shownUsage(b.Usage), shownUsage(s.usage)).of(a, b.Height)
	}
	return nil
}

func shownUsage(u logblock.Usage) string {
	return fmt.Sprintf("[%d, %d, %d, %d]", u.CPUms, u.MemoryMBs, u.StorageUGBDay, u.EgressUMB)
}

// block takes a frame of a sealed block.
func (c *checking) block(f journal.Frame) error {
	a, b, err := c.parse(f)
	if err != nil {
		return err
	}
	digest, err := b.SignedDigest(c.cfg.Legacy)
	if err != nil {
		return fault("%s", reason(err)).of(a, b.Height)
	}
	if err := c.joins(a, b, digest, f.Type); err != nil {
		return err
	}
	if a.state.Height > a.sealed.Height && b.Height <= a.state.Height {
		err = c.unseen(a, b, digest)
	} else {
		err = c.sealed(a, b, digest)
	}
	if err != nil {
		return err
	}
	a.blocks++
	a.seal(b, digest)
	if a.free && b.Height == a.state.Height {
		a.key, a.free = a.signs, false
	}
	return nil
}

// seal moves the app's last block.
func (a *app) seal(b *Block, digest [32]byte) {
	a.sealed = logblock.Head{Height: b.Height, Hash: digest}
	if b.Scheme == logblock.EncSeal1 && b.HasNextKey {
		a.signs = b.NextKey
	}
}

// sealed compares a block with its cut, the oldest that has none, and checks the signature.
func (c *checking) sealed(a *app, b *Block, digest [32]byte) error {
	if len(a.cuts) == 0 {
		return fault("a block without a cut").of(a, b.Height)
	}
	want := a.cuts[0]
	switch {
	case a.sealed.Height != 0 && a.sealed.Height < a.state.Height:
		return fault("block %d is not before it", a.sealed.Height+1).of(a, b.Height)
	case b.Height != want.head.Height:
		return fault("the oldest cut without a block is of height %d", want.head.Height).of(a, b.Height)
	case digest != want.head.Hash:
		return fault("not the block that was cut").of(a, b.Height)
	case b.Cut != want.number || b.First != want.first || b.From != want.from:
		return fault("cut number %d, receipt %d at %d: the cut has %d, %d at %d",
			b.Cut, b.First, b.From, want.number, want.first, want.from).of(a, b.Height)
	case b.Scheme == logblock.EncSeal1 && want.key != a.signs:
		return errKey(want.key, a.signs).of(a, b.Height)
	case !sign.Verify(&a.signs, &digest, &b.Sig):
		return errSignature().of(a, b.Height)
	}
	a.cuts = a.cuts[:copy(a.cuts, a.cuts[1:])]
	if want.lost {
		a.bare++
	} else {
		a.receipts += uint64(want.count)
	}
	return nil
}

func errSignature() *CheckError {
	return fault("sig_notary: not a signature of this block by the trusted key")
}

func errKey(is, want sign.PublicKey) *CheckError {
	return fault("key: %s, but the key trusted here is %s", is, want)
}

// unseen takes a block whose cut lay before the State that the app began with.
func (c *checking) unseen(a *app, b *Block, digest [32]byte) error {
	linked := b.Scheme == logblock.EncSeal1
	wrong := func(format string, args ...any) error { return fault(format, args...).of(a, b.Height) }
	switch {
	case a.sealed.Height != 0 && b.Height != a.sealed.Height+1:
		return wrong("height: the block before it is %d", a.sealed.Height)
	case a.sealed.Height != 0 && linked && b.Prev != a.sealed.Hash:
		return wrong("prev: not the block hash of height %d", a.sealed.Height)
	case b.Height == a.state.Height && digest != a.state.Hash:
		return wrong("not the last cut of the state that the app begins with")
	case b.From >= uint64(c.first):
		return wrong("its leaves are at %d, where they are not", b.From)
	case linked && b.Key != a.signs:
		return errKey(b.Key, a.signs).of(a, b.Height)
	case !sign.Verify(&a.signs, &digest, &b.Sig):
		return errSignature().of(a, b.Height)
	}
	a.bare++
	return nil
}

// adopt takes a block whose leaves are elsewhere. It is cut and block at once. Leaves that the journal has of it are no
// part of it: they are its own only if the notary received the same again.
func (c *checking) adopt(f journal.Frame) error {
	a, b, err := c.parse(f)
	if err != nil {
		return err
	}
	if a.free {
		a.key, a.free = a.signs, false
	}
	digest, err := c.follows(a, b)
	if err != nil {
		return err
	}
	if err := c.joins(a, b, digest, f.Type); err != nil {
		return err
	}
	switch {
	case len(a.cuts) > 0:
		return fault("adopted before block %d is sealed", a.cuts[0].head.Height).of(a, b.Height)
	case b.From != 0:
		return fault("adopted, with leaves at %d", b.From).of(a, b.Height)
	case !sign.Verify(&a.key, &digest, &b.Sig):
		return errSignature().of(a, b.Height)
	}
	end := b.First + uint64(b.Count)
	if err := c.forget(a, end); err != nil {
		return err
	}
	a.next = max(a.next, end)
	a.blocks++
	a.adopted++
	a.seal(b, digest)
	return c.advance(a, b, digest)
}
