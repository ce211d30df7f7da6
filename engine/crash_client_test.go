package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// patience bounds each call: what takes longer hangs.
const patience = 30 * time.Second

// sent is a receipt that a client made, and what it was answered.
type sent struct {
	receipt *receipt.Receipt
	call    int             // that it came in first
	seq     engine.Seq      // last answer; 0 is none
	durable bool            // WaitDurable or Wait has returned nil: this receipt and seq are there for ever
	at      engine.Position // what Wait returned; zero is nothing
}

// place is where one block can be.
type place struct {
	app    string
	height uint64
}

// client sends receipts to an Engine of several apps, and keeps what it was promised. It sends again what was not
// acknowledged, before anything else.
type client struct {
	cfg    engine.Config // but for the Store
	strict bool          // receipts are those of two producers in turn

	// mu guards everything below: sinks and snapshots come from other goroutines.
	mu      sync.Mutex
	sent    map[string][]sent
	shown   map[place][32]byte // digests of blocks that anybody has seen
	forked  error              // two blocks were seen at one place
	calls   int
	makers  map[string][]*producer
	strange []error // what no fault explains
}

func newClient(signer engine.Signer, strict bool) *client {
	c := &client{
		strict: strict,
		sent:   make(map[string][]sent),
		shown:  make(map[place][32]byte),
		makers: make(map[string][]*producer),
	}
	c.cfg = engine.Config{Signer: signer, MaxReceipts: 16, DedupWindow: 10_000}
	if strict {
		c.cfg.Check = engine.CheckStrict
		for i := range 2 {
			c.cfg.Producers = append(c.cfg.Producers, newProducer(fmt.Sprint(i)).public())
		}
	}
	return c
}

// snapshot is the client as it is now, for another future. It makes no new receipts where they are strict.
func (c *client) snapshot() *client {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := newClient(c.cfg.Signer, c.strict)
	for app, all := range c.sent {
		s.sent[app] = slices.Clone(all)
	}
	s.shown = maps.Clone(c.shown)
	s.forked, s.calls = c.forked, c.calls
	return s
}

// Deliver makes the client a Sink.
func (c *client) Deliver(_ context.Context, b *logblock.LogBlock) error {
	digest, err := b.SignedDigest(nil)
	if err != nil {
		return fmt.Errorf("%w: %w", engine.ErrPermanent, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.see(place{b.App, b.Height}, digest)
	return nil
}

// see notes that somebody saw a block. mu is held.
func (c *client) see(at place, digest [32]byte) {
	if was, ok := c.shown[at]; ok && was != digest && c.forked == nil {
		c.forked = fmt.Errorf("block %d of %q was seen as %x and as %x", at.height, at.app, was[:4], digest[:4])
	}
	c.shown[at] = digest
}

// open opens an Engine on a Store.
func (c *client) open(store engine.Store) (*engine.Engine, error) {
	cfg := c.cfg
	cfg.Store = store
	cfg.Store.SegmentSize = smallSegments
	cfg.Sinks = []engine.NamedSink{{Name: "client", Sink: c}}
	return engine.Open(cfg)
}

// bulky is a receipt of some 600 bytes.
func bulky(app string, number int) *receipt.Receipt {
	r := plain("c"+strings.Repeat("x", 200), number)
	r.App, r.Op = app, strings.Repeat("o", 250)
	return r
}

// create makes receipts of one call.
func (c *client) create(app string, count int) (from, to int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	from = len(c.sent[app])
	for i := from; i < from+count; i++ {
		r := bulky(app, i)
		if c.strict {
			if c.makers[app] == nil {
				c.makers[app] = []*producer{newProducer("0"), newProducer("1")}
			}
			p := c.makers[app][i%2]
			r.PrevHash = p.prev
			if err := r.Sign(p.key); err != nil {
				return 0, 0, err
			}
			p.prev = r.Hash
		}
		c.sent[app] = append(c.sent[app], sent{receipt: r, call: c.calls})
	}
	return from, from + count, nil
}

// pick returns the numbers of the receipts of an app that were not acknowledged, in their order, and each one of many that
// were.
func (c *client) pick(app string, many int) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var which []int
	for i, s := range c.sent[app] {
		if !s.durable || many > 0 && i%many == many-1 {
			which = append(which, i)
		}
	}
	return which
}

// send offers receipts of an app and notes the answers. It goes through each method of a Notary in turn.
func (c *client) send(e *engine.Engine, app string, which []int) error {
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	n, err := e.Notary(app)
	if err != nil {
		return err
	}
	receipts := make([]*receipt.Receipt, len(which))
	c.mu.Lock()
	for i, k := range which {
		receipts[i] = c.sent[app][k].receipt
	}
	c.mu.Unlock()
	taken := make([]engine.Taken, len(which))
	var got int
	if len(which) == 1 {
		var seq engine.Seq
		if seq, err = n.Append(ctx, receipts[0]); err == nil || errors.Is(err, engine.ErrDuplicate) {
			taken[0] = engine.Taken{Seq: seq, Duplicate: err != nil}
			got, err = 1, nil
		}
	} else {
		got, err = n.AppendEach(ctx, receipts, taken)
	}
	c.answered(app, which[:got], taken)
	return err
}

// answered notes numbers. One that contradicts what was durable is strange.
func (c *client) answered(app string, which []int, taken []engine.Taken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range which {
		s := &c.sent[app][k]
		if s.durable && (s.seq != taken[i].Seq || !taken[i].Duplicate) {
			c.strange = append(c.strange, fmt.Errorf("receipt %d of %q is %d and durable, sent again it is %+v", k, app, s.seq, taken[i]))
		}
		s.seq = taken[i].Seq
	}
}

// waitDurable waits for receipts that were answered.
func (c *client) waitDurable(e *engine.Engine, app string, which []int) error {
	return c.wait(e, app, which, func(ctx context.Context, n *engine.Notary, s *sent) error {
		return n.WaitDurable(ctx, s.seq)
	})
}

// waitSealed seals what is pending and waits for the positions of receipts.
func (c *client) waitSealed(e *engine.Engine, app string, which []int) error {
	if err := c.seal(e, app); err != nil {
		return err
	}
	return c.wait(e, app, which, func(ctx context.Context, n *engine.Notary, s *sent) (err error) {
		s.at, err = n.Wait(ctx, s.seq)
		return err
	})
}

func (c *client) wait(e *engine.Engine, app string, which []int, one func(context.Context, *engine.Notary, *sent) error) error {
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	n, err := e.Notary(app)
	if err != nil {
		return err
	}
	for _, k := range slices.Backward(which) { // the last first: it waits longest
		c.mu.Lock()
		s := c.sent[app][k]
		c.mu.Unlock()
		if err := one(ctx, n, &s); err != nil {
			return err
		}
		s.durable = true
		c.mu.Lock()
		c.sent[app][k] = s
		c.mu.Unlock()
	}
	return nil
}

func (c *client) seal(e *engine.Engine, app string) error {
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	n, err := e.Notary(app)
	if err != nil {
		return err
	}
	b, err := n.Seal(ctx)
	if err == nil {
		return c.Deliver(ctx, b)
	}
	if errors.Is(err, engine.ErrEmpty) {
		return nil
	}
	return err
}

// sendAgain sends what was not acknowledged, and some that was, and waits until it is durable.
func (c *client) sendAgain(e *engine.Engine) error {
	c.mu.Lock()
	apps := slices.Sorted(maps.Keys(c.sent))
	c.mu.Unlock()
	for _, app := range apps {
		which := c.pick(app, 7)
		if len(which) == 0 {
			continue
		}
		if err := c.send(e, app, which); err != nil {
			return fmt.Errorf("sending again: %w", err)
		}
		if err := c.waitDurable(e, app, c.pick(app, 0)); err != nil {
			return fmt.Errorf("sending again: %w", err)
		}
	}
	return nil
}

func (c *client) close(e *engine.Engine) error {
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	return e.Close(ctx)
}

// trouble is what is wrong already, before any directory is looked at.
func (c *client) trouble() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(append(slices.Clone(c.strange), c.forked)...)
}
