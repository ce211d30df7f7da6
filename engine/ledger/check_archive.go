package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

// archive is the journal of the LogBlocks whose receipts were pruned, as far as it was read. It grows only, so that it is
// read whole once, and goes on from there each time a pass over the main journal begins: by then all is in it that the
// pass does not find any more, since blocks are durable there before their segment goes.
type archive struct {
	checking // reads records; its apps stand where their chains end in the archive
	kept     map[uint64]*kept
	end      journal.Offset // of the last frame; 0 before the first
}

// kept is an app of the archive.
type kept struct {
	*app
	named journal.Offset
	at    []journal.Offset // at[h-1] is the block of height h
	keys  []handover
}

// handover is a key that signs what comes after a height.
type handover struct {
	after uint64
	key   sign.PublicKey
}

func newArchive(cfg *CheckConfig) *archive {
	return &archive{
		checking: checking{cfg: CheckConfig{Key: cfg.Key, Legacy: cfg.Legacy}, fs: cfg.Pruned, names: make(map[string]bool)},
		kept:     make(map[uint64]*kept),
	}
}

// read takes in what is there, or what came since.
func (r *archive) read() error {
	var err error
	if r.end == 0 {
		r.found, err = journal.Check(r.fs, r.visit, nil)
	} else {
		err = r.disk.Scan(r.end, r.visit)
	}
	if errors.Is(err, errEnd) {
		err = r.stop
	}
	if err != nil {
		return &ArchiveError{err}
	}
	return nil
}

func (r *archive) close() {
	if r.disk != nil {
		r.disk.Close() // read only
	}
}

func (r *archive) visit(f journal.Frame) error {
	if r.disk == nil {
		if r.disk, r.stop = journal.OpenReader(r.fs); r.stop != nil {
			return errEnd
		}
	}
	if r.stop = r.frame(f); r.stop == nil {
		r.end = f.End
		return nil
	}
	if bad, ok := errors.AsType[*CheckError](r.stop); ok {
		bad.Segment, bad.Offset = r.disk.Place(f.At)
	}
	return errEnd
}

func (r *archive) frame(f journal.Frame) error {
	switch f.Type {
	case TypeApp:
		return r.name(f)
	case TypeBlock:
		return r.carried(f)
	}
	return fault("frame of type %d among LogBlocks of pruned segments", f.Type)
}

// name takes a frame that names an app. Apps come in the order in which their blocks were pruned.
func (r *archive) name(f journal.Frame) error {
	named, err := ParseApp(f.Payload)
	if err != nil {
		return fault("%s", reason(err))
	}
	if r.scratch = AppendApp(r.scratch[:0], &named); !bytes.Equal(r.scratch, f.Payload) {
		return errForm("app")
	}
	if named.ID == 0 || r.kept[named.ID] != nil {
		return fault("app %q has number %d, which another has or none can have", named.Name, named.ID)
	}
	a := &app{App: named, next: 1, end: 1, key: r.cfg.Key}
	r.kept[named.ID] = &kept{app: a, named: f.At}
	return r.add(a)
}

// carried takes the next block of an app: it goes on where the one before ended, and is signed by the trusted key. The number
// of its cut says nothing here: where an old copy of the main journal went on beside a newer archive, its adopted blocks got
// numbers of their own.
func (r *archive) carried(f journal.Frame) error {
	a, b, err := r.parse(f)
	if err != nil {
		return err
	}
	digest, err := r.follows(a, b)
	switch {
	case err != nil:
		return err
	case b.From != 0:
		return fault("pruned, with leaves at %d", b.From).of(a, b.Height)
	case !sign.Verify(&a.key, &digest, &b.Sig):
		return errSignature().of(a, b.Height)
	}
	before := a.key
	a.pass(b, digest)
	k := r.kept[a.ID]
	k.at = append(k.at, f.At)
	if a.key != before {
		k.keys = append(k.keys, handover{b.Height, a.key})
	}
	return nil
}

// last returns the height of the app's last block in the archive.
func (k *kept) last() uint64 {
	if k == nil {
		return 0
	}
	return uint64(len(k.at))
}

// keyAfter returns the key that signs the block after a height.
func (r *archive) keyAfter(k *kept, height uint64) sign.PublicKey {
	if k == nil {
		return r.cfg.Key
	}
	i, _ := slices.BinarySearchFunc(k.keys, height, func(h handover, height uint64) int {
		if h.after <= height {
			return -1
		}
		return 1
	})
	if i == 0 {
		return r.cfg.Key
	}
	return k.keys[i-1].key
}

// block reads a block that the archive has.
func (r *archive) block(k *kept, height uint64) (b Block, digest [32]byte, err error) {
	f, err := r.disk.ReadAt(k.at[height-1], r.again)
	if err != nil {
		return b, digest, &ArchiveError{err}
	}
	r.again = f.Payload
	if b, err = ParseBlock(f.Payload); err == nil {
		digest, err = b.SignedDigest(r.cfg.Legacy)
	}
	return b, digest, err
}

// meet finds what the archive has of an app that the main journal names for the first time, and joins the two: with the
// State that the app begins with the archive must agree, if it comes so far.
func (c *checking) meet(a *app) error {
	if c.archive == nil {
		return nil
	}
	k := c.archive.kept[a.ID]
	if k == nil {
		return nil
	}
	if k.App != a.App {
		return fault("app %d is %q, scheme %s: but among LogBlocks of pruned segments it is %q, scheme %s",
			a.ID, a.Name, a.Scheme, k.Name, k.Scheme).of(a, 0)
	}
	a.kept = k
	height := a.state.Height
	a.signs = c.archive.keyAfter(k, min(height, k.last()))
	if height == 0 || height > k.last() {
		return nil
	}
	a.key, a.free = a.signs, false
	b, digest, err := c.archive.block(k, height)
	if err != nil {
		return err
	}
	switch end := b.First + uint64(b.Count); {
	case digest != a.state.Hash:
		return fault("state says that the last cut is %s, but the LogBlock among those of pruned segments is %s",
			a.state, logblock.Head{Height: height, Hash: digest}).of(a, height)
	case end != a.end:
		return fault("state says that receipt %d is the first in no cut, the LogBlocks of pruned segments %d", a.end, end).of(a, height)
	}
	return nil
}

// joins checks a block of the main journal against the archive: the app's first goes on after one that is there, and what
// is in both is the same.
func (c *checking) joins(a *app, b *Block, digest [32]byte, typ byte) error {
	if c.archive == nil {
		return nil
	}
	if a.blocks == 0 && b.Height > 0 {
		if err := c.goesOn(a, b); err != nil {
			return err
		}
	}
	if b.Height > a.kept.last() {
		return nil
	}
	was, known, err := c.archive.block(a.kept, b.Height)
	if err != nil {
		return err
	}
	// An adopted block got the number of its cut when it was adopted.
	if known != digest || was.Sig != b.Sig || was.First != b.First || was.Cut != b.Cut && typ == TypeBlock {
		segment, at := c.archive.disk.Place(a.kept.at[b.Height-1])
		return fault("not the LogBlock of this height among those of pruned segments (%s, byte %d)", segment, at).of(a, b.Height)
	}
	a.both++
	return nil
}

// goesOn checks that an app's first block in the main journal follows what the archive has.
func (c *checking) goesOn(a *app, b *Block) error {
	before, last := b.Height-1, a.kept.last()
	if before > last {
		return errGap(a, last+1, before).of(a, b.Height)
	}
	a.signs = c.archive.keyAfter(a.kept, before)
	if before == 0 {
		return nil
	}
	_, digest, err := c.archive.block(a.kept, before)
	if err != nil {
		return err
	}
	if b.Scheme == logblock.EncSeal1 && b.Prev != digest {
		return fault("prev: not the block hash of height %d among those of pruned segments", before).of(a, b.Height)
	}
	return nil
}

func errGap(a *app, from, to uint64) *CheckError {
	return fault("LogBlocks %d to %d are neither here nor among those of pruned segments", from, to).of(a, 0)
}

// whole checks that main journal and archive have every block between them, and neither one that the other must have.
func (c *checking) whole() error {
	for _, a := range c.apps {
		last, reach := a.kept.last(), a.state.Height
		if a.blocks > 0 {
			last, reach = max(last, a.sealed.Height), a.sealed.Height
		}
		if last < a.state.Height {
			return c.settled(func() error {
				e := errGap(a, last+1, a.state.Height)
				e.Segment, e.Offset = c.disk.Place(a.began)
				return e
			})
		}
		if k := a.kept; k.last() > reach {
			return c.settled(func() error {
				return c.archive.fault(k.at[reach], fault("the main journal, of which it was, ends with LogBlock %d", reach).of(a, reach+1))
			})
		}
	}
	for _, k := range c.archive.sorted() {
		if c.find(k.ID) == nil {
			return c.settled(func() error {
				return c.archive.fault(k.named, fault("the main journal, of which it was, does not know this app").of(k.app, 0))
			})
		}
	}
	return nil
}

// settled returns a verdict about what is missing, unless a writer began a segment meanwhile, where it may be.
func (c *checking) settled(verdict func() error) error {
	if c.disk != nil { // else there is no frame in the main journal
		if _, newest, err := c.disk.Segments(); err != nil || newest > c.found.Last {
			return errors.Join(err, journal.ErrPruned)
		}
	}
	return verdict()
}

// fault gives a fault its place in the archive.
func (r *archive) fault(at journal.Offset, e *CheckError) error {
	e.Segment, e.Offset = r.disk.Place(at)
	return &ArchiveError{e}
}

// sorted returns the apps by number.
func (r *archive) sorted() []*kept {
	all := make([]*kept, 0, len(r.kept))
	for _, k := range r.kept {
		all = append(all, k)
	}
	slices.SortFunc(all, func(x, y *kept) int { return cmp.Compare(x.ID, y.ID) })
	return all
}
