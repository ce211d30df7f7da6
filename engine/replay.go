package engine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
)

// replay is what the frames of a journal come to when it is opened: for each app its last cut, the cuts that have no
// signature, and the leaves after the last cut. What it refuses was written by another program, or by a bug: bytes that
// changed on disk never come this far. It checks no leaf and no signature again, which is ledger.Check's work.
type replay struct {
	apps    map[uint64]*replayedApp
	cuts    uint64 // over all apps
	cursors map[string]journal.Offset
	head    bool // a head file goes with the journal

	want *headRecord // what the head file holds; nil where there is none
	list []*replayedApp

	archive *archive // takes every block; nil for none
}

// replayedApp is one app. It begins with its App frame, or, where that was pruned, with a State.
type replayedApp struct {
	ledger.App
	pruned     bool   // it begins with a State
	next       uint64 // sequence number of the next leaf
	missing    uint64 // leaves from open on that were pruned: a cut that has its block holds them
	open       uint64 // of the first leaf in no cut
	cut        uint64 // number of the last cut
	last       *logblock.LogBlock
	head       logblock.Head  // of the last cut
	began      logblock.Head  // head in its first State, where it was pruned
	beganCut   uint64         // number of that cut
	then       logblock.Head  // last cut that the head file knows of
	unsigned   []unsignedCut  // cuts without a block, in order
	tail       tail           // leaves in no cut
	stateAt    journal.Offset // last State
	firstSeen  journal.Offset // first frame
	states     []stateFrame   // all of them
	leafFrames []leafFrame    // sparse: where leaves lie, for a second reading
}

type unsignedCut struct {
	ledger.Block
	digest [32]byte
}

// stateFrame is a State with its producers' heads, which are those before the leaf of a number.
type stateFrame struct {
	at    journal.Offset
	after uint64
}

// leafFrame says that the leaf with a sequence number is the first of a frame.
type leafFrame struct {
	first uint64
	at    journal.Offset
}

// leafFrameEvery is how many leaves lie between two that are remembered.
const leafFrameEvery = 1024

// tail is leaves in no cut: those from done on.
type tail struct {
	arena  []byte
	ends   []int // leaf i is arena[ends[i-1]:ends[i]]
	done   int   // leaves that were cut, but not yet moved away
	frames []leafFrame
}

func newReplay(want *headRecord) *replay {
	return &replay{apps: make(map[uint64]*replayedApp), cursors: make(map[string]journal.Offset), want: want}
}

// frame takes the next frame.
func (r *replay) frame(f journal.Frame) error {
	switch f.Type {
	case ledger.TypeApp:
		return r.newApp(f)
	case ledger.TypeLeaves:
		return r.leaves(f)
	case ledger.TypeCut, ledger.TypeBlock, ledger.TypeAdopt:
		return r.block(f)
	case ledger.TypeState:
		return r.state(f)
	case ledger.TypeCursor:
		c, err := ledger.ParseCursor(f.Payload)
		if err == nil {
			r.cursors[c.Sink] = journal.Offset(c.Offset)
		}
		return err
	case ledger.TypeHead:
		r.head = true
		return nil
	}
	return fmt.Errorf("frame of unknown type %d at %d", f.Type, f.At)
}

// app returns the app of a number.
func (r *replay) app(id uint64) (*replayedApp, error) {
	if a, ok := r.apps[id]; ok {
		return a, nil
	}
	return nil, fmt.Errorf("app %d was not named", id)
}

func (r *replay) newApp(f journal.Frame) error {
	named, err := ledger.ParseApp(f.Payload)
	if err != nil {
		return err
	}
	if r.apps[named.ID] != nil {
		return fmt.Errorf("app %d begins twice", named.ID)
	}
	r.add(&replayedApp{App: named, next: 1, open: 1, firstSeen: f.At})
	return nil
}

func (r *replay) add(a *replayedApp) {
	r.apps[a.ID] = a
	r.list = append(r.list, a)
}

func (r *replay) leaves(f journal.Frame) error {
	var l ledger.Leaves
	if err := ledger.ParseLeaves(f.Payload, &l); err != nil {
		return err
	}
	a, err := r.app(l.App)
	if err != nil {
		return err
	}
	if l.First != a.next {
		return fmt.Errorf("app %d: leaf %d follows leaf %d", l.App, l.First, a.next-1)
	}
	a.next += uint64(len(l.Ends))
	if n := len(a.leafFrames); n == 0 || l.First >= a.leafFrames[n-1].first+leafFrameEvery {
		a.leafFrames = append(a.leafFrames, leafFrame{l.First, f.At})
	}
	a.tail.add(&l, f.At)
	return nil
}

func (t *tail) len() int { return len(t.ends) - t.done }

func (t *tail) start(i int) int {
	if i == 0 {
		return 0
	}
	return t.ends[i-1]
}

func (t *tail) add(l *ledger.Leaves, at journal.Offset) {
	base := len(t.arena)
	t.arena = append(t.arena, l.Arena...)
	for _, end := range l.Ends {
		t.ends = append(t.ends, base+end)
	}
	t.frames = append(t.frames, leafFrame{l.First, at})
}

// drop removes the first count leaves. next is the number of the first that stays. Moving the rest down only when half of
// all is gone keeps it at constant cost.
func (t *tail) drop(count int, next uint64) {
	t.done += count
	gone := 0
	for gone+1 < len(t.frames) && t.frames[gone+1].first <= next {
		gone++
	}
	t.frames = append(t.frames[:0], t.frames[gone:]...)
	if t.done <= len(t.ends)/2 {
		return
	}
	cut := t.start(t.done)
	t.arena = append(t.arena[:0], t.arena[cut:]...)
	t.ends = append(t.ends[:0], t.ends[t.done:]...)
	t.done = 0
	for i := range t.ends {
		t.ends[i] -= cut
	}
	if len(t.ends) == 0 {
		t.frames = t.frames[:0]
	}
}

// frameOf returns where the frame lies that holds the leaf of a number.
func (t *tail) frameOf(seq uint64) journal.Offset {
	i, found := slices.BinarySearchFunc(t.frames, seq, func(f leafFrame, seq uint64) int { return cmp.Compare(f.first, seq) })
	if !found {
		i--
	}
	return t.frames[i].at
}

func (r *replay) block(f journal.Frame) error {
	b, err := ledger.ParseBlock(f.Payload)
	if err != nil {
		return err
	}
	digest, err := b.SignedDigest(bpi1.Rules{})
	if err != nil {
		return err
	}
	a, err := r.app(b.App)
	if err != nil {
		return err
	}
	if f.Type != ledger.TypeCut && r.archive != nil {
		if err := r.archive.carry(a.App, b); err != nil {
			return err
		}
	}
	if f.Type == ledger.TypeBlock {
		return a.sign(&b, digest)
	}
	return r.cut(a, &b, digest, f.Type == ledger.TypeAdopt)
}

// cut takes the app's next cut. adopted: its block was sealed elsewhere, and its leaves need not be here.
func (r *replay) cut(a *replayedApp, b *ledger.Block, digest [32]byte, adopted bool) error {
	if a.head.Height > 0 && (b.Height != a.head.Height+1 || b.Prev != a.head.Hash && b.Scheme == logblock.EncSeal1) {
		return fmt.Errorf("app %d: block %d does not follow block %d", b.App, b.Height, a.head.Height)
	}
	if b.Cut <= r.cuts {
		return fmt.Errorf("app %d: block %d is cut %d after cut %d", b.App, b.Height, b.Cut, r.cuts)
	}
	end := b.First + uint64(b.Count)
	if b.First != a.open || end > a.next && !adopted {
		return fmt.Errorf("app %d: block %d cuts leaves %d to %d, of %d to %d", b.App, b.Height, b.First, end-1, a.open, a.next-1)
	}
	lost := min(a.missing, uint64(b.Count))
	a.missing -= lost
	a.tail.drop(min(int(uint64(b.Count)-lost), a.tail.len()), end)
	a.open = end
	a.next = max(a.next, end)
	a.head = logblock.Head{Height: b.Height, Hash: digest}
	a.cut, a.last = b.Cut, b.LogBlock
	if !adopted {
		a.unsigned = append(a.unsigned, unsignedCut{*b, digest})
	}
	r.cuts = b.Cut
	r.meet(a)
	return nil
}

// sign takes the block of the app's oldest cut without one. A block whose cut was pruned is passed over.
func (a *replayedApp) sign(b *ledger.Block, digest [32]byte) error {
	if a.pruned && b.Height <= a.began.Height && (len(a.unsigned) == 0 || b.Height < a.unsigned[0].Height) {
		return nil
	}
	if len(a.unsigned) == 0 || digest != a.unsigned[0].digest {
		return fmt.Errorf("app %d: block %d is not what was cut", b.App, b.Height)
	}
	a.unsigned = a.unsigned[1:]
	return nil
}

func (r *replay) state(f journal.Frame) error {
	s, err := ledger.ParseState(f.Payload)
	if err != nil {
		return err
	}
	a := r.apps[s.ID]
	if a == nil {
		a = &replayedApp{
			App: s.App, pruned: true, next: s.Next, open: s.Open, missing: s.Next - s.Open, head: s.Head, cut: s.Cut,
			began: s.Head, beganCut: s.Cut, firstSeen: f.At,
		}
		r.add(a)
		r.cuts = max(r.cuts, s.Cut)
		r.meet(a)
	}
	a.stateAt = f.At
	// A State that counts with leaves which did not come before the next one: a crash took them.
	for n := len(a.states); n > 0 && a.states[n-1].after > s.Next; n-- {
		a.states = a.states[:n-1]
	}
	a.states = append(a.states, stateFrame{f.At, s.After})
	if s.Next != a.next || s.Open != a.open || s.Head != a.head || s.Cut != a.cut || s.Name != a.Name {
		return fmt.Errorf("app %d: its State at %d is not what its frames come to", s.ID, f.At)
	}
	return nil
}

// meet notes the app's last cut, which has just been set, where it is one that the head file knows of.
func (r *replay) meet(a *replayedApp) {
	if r.want != nil && a.cut <= r.want.cuts {
		a.then = a.head
	}
}

// checkHead holds the journal against what the head file knows: the same cuts up to its last one, and as many at least.
func (r *replay) checkHead() error {
	if r.want.cuts > r.cuts {
		return fmt.Errorf("%w: the head file knows of %d cuts, the journal of %d", ErrRolledBack, r.want.cuts, r.cuts)
	}
	var heads []appHead
	for _, a := range r.list {
		if a.pruned && a.beganCut > r.want.cuts {
			return fmt.Errorf("%w: cut %d, the last of %q that the head file knows, was pruned", ErrRolledBack, r.want.cuts, a.Name)
		}
		if a.then.Height > 0 {
			heads = append(heads, appHead{a.ID, a.then})
		}
	}
	slices.SortFunc(heads, func(a, b appHead) int { return cmp.Compare(a.id, b.id) })
	if digestHeads(heads) != r.want.digest {
		return fmt.Errorf("%w: at cut %d it is of another history", ErrRolledBack, r.want.cuts)
	}
	return nil
}

// heads returns every app's last cut.
func (r *replay) heads() []appHead {
	var all []appHead
	for _, a := range r.list {
		if a.head.Height > 0 {
			all = append(all, appHead{a.ID, a.head})
		}
	}
	return all
}

// finish checks what only the end of a journal tells, and sorts the apps by their numbers.
func (r *replay) finish() error {
	slices.SortFunc(r.list, func(a, b *replayedApp) int { return cmp.Compare(a.ID, b.ID) })
	for i, a := range r.list {
		if a.ID != uint64(i+1) {
			return fmt.Errorf("there are %d apps, but one has number %d", len(r.list), a.ID)
		}
		if a.missing > 0 {
			return fmt.Errorf("app %d: %d leaves that are in no cut were pruned", a.ID, a.missing)
		}
	}
	return nil
}
