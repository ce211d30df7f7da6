package ledger

import (
	"bytes"
	"slices"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/merkle"
)

// app is where one app stands after the frames so far.
type app struct {
	App
	next uint64         // sequence number of the next leaf
	head logblock.Head  // of the last cut
	end  uint64         // sequence number after the last cut's last leaf
	cut  uint64         // number of the last cut
	key  sign.PublicKey // of the next cut
	free bool           // key is not known: the handover may be in a block whose cut was pruned, and which is still to come

	// Leaves in no cut, those from sequence number next − len(hashes) on: of what is before, the frames are gone.
	hashes []merkle.Hash
	parts  []part

	cuts   []cut          // without their block, in order
	sealed logblock.Head  // of the last block
	signs  sign.PublicKey // signs the next block
	state  logblock.Head  // head of the State that the app began with; the cuts up to it were not seen
	began  journal.Offset // that State, or the frame that names the app

	kept *kept  // what the archive has of it; nil for nothing
	both uint64 // blocks that are there too

	blocks, adopted, bare, receipts uint64
}

// cut is what a block must be.
type cut struct {
	number, first, from uint64
	count               uint32
	head                logblock.Head
	key                 sign.PublicKey
	at                  journal.Offset
	lost                bool // leaves of it are gone, so that a block must follow
}

// app takes a frame that names one.
func (c *checking) app(f journal.Frame) error {
	named, err := ParseApp(f.Payload)
	if err != nil {
		return fault("%s", reason(err))
	}
	if c.scratch = AppendApp(c.scratch[:0], &named); !bytes.Equal(c.scratch, f.Payload) {
		return errForm("app")
	}
	last := uint64(0)
	if n := len(c.apps); n > 0 {
		last = c.apps[n-1].ID
	}
	if named.ID <= last || !c.pruned && named.ID != last+1 {
		return fault("app %q has number %d, the last one is %d", named.Name, named.ID, last)
	}
	a := &app{App: named, next: 1, end: 1, key: c.cfg.Key, signs: c.cfg.Key, began: f.At}
	if err := c.add(a); err != nil {
		return err
	}
	return c.meet(a)
}

// add takes a new app in.
func (c *checking) add(a *app) error {
	if err := logblock.CheckApp(a.Name); err != nil {
		return fault("%s", reason(err))
	}
	switch {
	case c.names[a.Name]:
		return fault("the name is taken").of(a, 0)
	case a.Scheme == logblock.BPI1 && c.cfg.Legacy == nil:
		return fault("scheme bpi-1, which is judged only when asked for").of(a, 0)
	case a.Scheme != logblock.BPI1 && a.Scheme != logblock.EncSeal1:
		return fault("scheme %q is neither %q nor %q", a.Scheme, logblock.EncSeal1, logblock.BPI1).of(a, 0)
	}
	c.names[a.Name] = true
	i, _ := slices.BinarySearchFunc(c.apps, a, func(x, y *app) int {
		if x.ID < y.ID {
			return -1
		}
		return 1
	})
	c.apps = slices.Insert(c.apps, i, a)
	return nil
}

// state takes a State: of an app that is known it must agree, and one whose beginning was pruned starts with it.
func (c *checking) state(f journal.Frame) error {
	s, err := ParseState(f.Payload)
	if err != nil {
		return fault("%s", reason(err))
	}
	if c.scratch = AppendState(c.scratch[:0], &s); !bytes.Equal(c.scratch, f.Payload) {
		return errForm("state")
	}
	a := c.find(s.ID)
	if a == nil {
		if a, err = c.resume(&s, f.At); err != nil {
			return err
		}
	}
	if !c.counted {
		c.cuts = max(c.cuts, s.Cut)
	}
	switch {
	case s.App != a.App:
		return fault("state of app %d, %q, scheme %s: but that is %q, scheme %s", s.ID, s.Name, s.Scheme, a.Name, a.Scheme).of(a, 0)
	case s.Next != a.next:
		return fault("state says that receipt %d is next, the journal %d", s.Next, a.next).of(a, 0)
	case s.Head != a.head:
		return fault("state says that the last cut is %s, the journal %s", shownHead(s.Head), shownHead(a.head)).of(a, 0)
	case s.Cut != a.cut:
		return fault("state says that cut %d was the last, the journal %d", s.Cut, a.cut).of(a, 0)
	case s.Open != a.end:
		return fault("state says that receipt %d is the first in no cut, the journal %d", s.Open, a.end).of(a, 0)
	}
	seen := make(map[[32]byte]bool, len(s.Heads))
	for i := range s.Heads {
		if seen[s.Heads[i].Key] {
			return fault("state has producer %s twice", sign.PublicKey(s.Heads[i].Key)).of(a, 0)
		}
		seen[s.Heads[i].Key] = true
	}
	return nil
}

// resume makes an app of a State whose earlier frames are gone.
func (c *checking) resume(s *State, at journal.Offset) (*app, error) {
	if !c.pruned || s.ID == 0 {
		return nil, fault("state of app %d, which nothing names", s.ID)
	}
	if s.Open == 0 || s.Open > s.Next || s.Head.Height == 0 && s.Head.Hash != ([32]byte{}) || s.Head.Height >= s.Next {
		return nil, fault("state of app %q with receipt %d next after cut %s", s.Name, s.Next, shownHead(s.Head))
	}
	a := &app{
		App: s.App, next: s.Next, cut: s.Cut, end: s.Open, head: s.Head, state: s.Head, began: at,
		key: c.cfg.Key, signs: c.cfg.Key, free: s.Head.Height > 0,
	}
	if err := c.add(a); err != nil {
		return a, err
	}
	return a, c.meet(a)
}

func shownHead(h logblock.Head) string {
	if h.Height == 0 {
		return "none"
	}
	return h.String()
}

// cursor takes a Cursor. It speaks of what lies before it.
func (c *checking) cursor(f journal.Frame) error {
	cur, err := ParseCursor(f.Payload)
	if err != nil {
		return fault("%s", reason(err))
	}
	if c.scratch = AppendCursor(c.scratch[:0], &cur); !bytes.Equal(c.scratch, f.Payload) {
		return errForm("cursor")
	}
	if cur.Offset > uint64(f.At) {
		return fault("cursor of sink %q is ahead of the journal, at %d", cur.Sink, cur.Offset)
	}
	c.cursors[cur.Sink] = cur.Offset
	return nil
}

// errForm is for a record that says what it says in another way than its one: some number in more bytes than it takes.
func errForm(what string) *CheckError { return fault("%s: not as it is written", what) }
