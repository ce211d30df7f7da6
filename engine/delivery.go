package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
)

// NamedSink is one of an Engine's sinks, beside a Store. Its name is what its cursor in the journal is found by: a sink
// that comes back under its name goes on where it stood, a new name starts with the oldest block that the journal holds.
//
// Sealing never waits for it. Blocks are delivered at least once, each app's in order of height; a receiver tells a
// repetition by (app, height, block hash). After a permanent error (ErrPermanent, or an error with a method Permanent() bool
// that says so) it stops at that block until Engine.ResumeSink; after any other it is offered the block again, with growing
// pauses.
type NamedSink struct {
	Name string // 1 to 255 bytes
	Sink Sink
}

// SinkStats is a moment's view of a sink beside a Store.
type SinkStats struct {
	Name      string
	Delivered uint64         // blocks taken since Open
	Failures  uint64         // offers that failed since Open
	Cursor    journal.Offset // every block whose frame ends at or before it was taken
	Behind    bool           // there are blocks after Cursor
	Stopped   bool           // a permanent error: the sink waits for ResumeSink
	Err       error          // of the last offer, nil when it was taken
}

// feedSize is how many blocks are kept in memory for sinks that keep up. Who is further behind reads the journal.
const feedSize = 4096

// feed hands durable blocks to the sinks' goroutines.
type feed struct {
	mu     sync.Mutex
	grew   sync.Cond
	blocks []published // the last ones, in the order of their frames
	from   journal.Offset
	end    journal.Offset // end of the last block's frame; every block's frame in [from, end) is in blocks
	closed bool           // no more will come, or nobody is to deliver more
	ended  chan struct{}  // closed with closed
}

// published is a durable block.
type published struct {
	block   *logblock.LogBlock
	at, end journal.Offset
}

// publish adds the blocks of g, which are durable.
func (f *feed) publish(g *group) {
	if f == nil || len(g.blocks) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range g.blocks {
		s := &g.blocks[i]
		f.blocks = append(f.blocks, published{s.block, s.at, s.end})
	}
	f.end = g.end
	if len(f.blocks) > 2*feedSize {
		gone := len(f.blocks) - feedSize
		f.from = f.blocks[gone-1].end
		n := copy(f.blocks, f.blocks[gone:])
		clear(f.blocks[n:])
		f.blocks = f.blocks[:n]
	}
	f.grew.Broadcast()
}

// next waits for blocks behind cursor. It appends those that it has to dst; where it has not got them any more it returns
// the offset up to which the journal is to be read. false: nothing is left, and none will come.
func (f *feed) next(cursor journal.Offset, dst []published) (got []published, read journal.Offset, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for cursor >= f.end && !f.closed {
		f.grew.Wait()
	}
	switch {
	case cursor >= f.end:
		return dst, 0, false
	case cursor < f.from:
		return dst, f.from, true
	}
	for _, p := range f.blocks {
		if p.end > cursor {
			dst = append(dst, p)
		}
	}
	return dst, 0, true
}

// close lets the sinks finish what there is.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.ended)
	}
	f.grew.Broadcast()
}

func (f *feed) last() journal.Offset {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.end
}

// outlet is the delivery to one sink, by a goroutine of its own.
type outlet struct {
	eng  *Engine
	name string
	sink Sink

	mu      sync.Mutex // guards what follows
	stats   SinkStats
	saved   journal.Offset // cursor in the journal's last frame of it
	resumed chan struct{}  // closed by ResumeSink; nil unless stopped
}

// cursorEvery is how many blocks a busy sink takes between two cursors in the journal.
const cursorEvery = 256

func (o *outlet) run() {
	defer o.save() // given up too: what was taken is not to be offered again
	var got []published
	for {
		var read journal.Offset
		var more bool
		got, read, more = o.eng.feed.next(o.cursor(), got[:0])
		if !more {
			break
		}
		if read > 0 {
			if err := o.readJournal(read); err != nil {
				o.note(err, journal.Offset(0))
				break
			}
			continue
		}
		for _, p := range got {
			if !o.deliver(p.block, p.end) {
				return
			}
		}
		o.save()
	}
}

var errGivenUp = errors.New("engine: delivery given up")

// readJournal delivers the blocks between the cursor and to from the journal.
func (o *outlet) readJournal(to journal.Offset) error {
	from := max(o.cursor(), o.eng.store.j.First())
	err := o.eng.store.j.Scan(from, to, func(f journal.Frame) error {
		if f.Type != ledger.TypeBlock && f.Type != ledger.TypeAdopt {
			return nil
		}
		b, err := ledger.ParseBlock(f.Payload)
		if err != nil {
			return err
		}
		if !o.deliver(b.LogBlock, f.End) {
			return errGivenUp
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("engine: sink %q: %w", o.name, err)
	}
	o.mu.Lock()
	o.stats.Cursor = max(o.stats.Cursor, to)
	o.mu.Unlock()
	return nil
}

// deliver offers a block until it is taken; false when delivery is given up.
func (o *outlet) deliver(b *logblock.LogBlock, end journal.Offset) bool {
	ctx := o.eng.delivery
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause) {
		err := o.sink.Deliver(ctx, b)
		if err == nil {
			o.note(nil, end)
			return true
		}
		o.note(err, 0)
		switch {
		case isPermanent(err):
			if !o.stop() {
				return false
			}
			pause = firstPause
		default:
			rest(ctx, max(pause, 2*retryAfter(err))) // rest takes up to half off
		}
	}
	return false
}

// retryAfter is how long the receiver asked to be left alone.
func retryAfter(err error) time.Duration {
	var asks interface{ RetryDelay() time.Duration }
	if errors.As(err, &asks) {
		return asks.RetryDelay()
	}
	return 0
}

// stop waits until the sink is resumed; false where the Engine closes first, or gives delivery up.
func (o *outlet) stop() bool {
	resumed := make(chan struct{})
	o.mu.Lock()
	o.stats.Stopped = true
	o.resumed = resumed
	o.mu.Unlock()
	select {
	case <-resumed:
		return true
	case <-o.eng.feed.ended:
		return false
	case <-o.eng.delivery.Done():
		return false
	}
}

func (o *outlet) cursor() journal.Offset {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stats.Cursor
}

// note keeps the outcome of one offer; end is 0 where it failed.
func (o *outlet) note(err error, end journal.Offset) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stats.Err = err
	if err != nil {
		o.stats.Failures++
		return
	}
	o.stats.Delivered++
	o.stats.Cursor = end
	if o.stats.Delivered%cursorEvery == 0 {
		o.saveLocked()
	}
}

// save puts the cursor into the journal. It rides with what is written next: a crash before that repeats deliveries, which
// receivers are told to expect.
func (o *outlet) save() {
	o.mu.Lock()
	o.saveLocked()
	o.mu.Unlock()
	if st := o.eng.store; st.archive != nil && st.full() {
		st.askPrune() // this sink may have been what kept the disk full
	}
}

// saveAgain puts the cursor into the journal though it has not moved: the frame that has it goes.
func (o *outlet) saveAgain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.saved = 0
	o.saveLocked()
}

func (o *outlet) saveLocked() {
	if o.stats.Cursor == o.saved {
		return
	}
	c := ledger.Cursor{Sink: o.name, Offset: uint64(o.stats.Cursor)}
	if _, _, err := o.eng.store.j.Append(ledger.TypeCursor, ledger.AppendCursor(nil, &c)); err == nil {
		o.saved = o.stats.Cursor
	}
}

// Sinks returns how each sink beside the Store stands.
func (e *Engine) Sinks() []SinkStats {
	var all []SinkStats
	for _, o := range e.outlets {
		last := e.feed.last()
		o.mu.Lock()
		s := o.stats
		o.mu.Unlock()
		s.Behind = s.Cursor < last
		all = append(all, s)
	}
	return all
}

// ResumeSink lets a sink that stopped offer its block again. It is an error where there is no such sink, or it did not stop.
func (e *Engine) ResumeSink(name string) error {
	for _, o := range e.outlets {
		if o.name != name {
			continue
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.resumed == nil {
			return fmt.Errorf("engine: sink %q has not stopped", name)
		}
		close(o.resumed)
		o.resumed, o.stats.Stopped = nil, false
		return nil
	}
	return fmt.Errorf("engine: no sink %q", name)
}

// startSinks starts a goroutine for each sink, from its cursor on.
func (e *Engine) startSinks(cursors map[string]journal.Offset) {
	e.feed = &feed{from: e.store.j.Durable(), end: e.store.j.Durable(), ended: make(chan struct{})}
	e.feed.grew.L = &e.feed.mu
	for _, s := range e.cfg.Sinks {
		o := &outlet{eng: e, name: s.Name, sink: s.Sink}
		o.stats = SinkStats{Name: s.Name, Cursor: cursors[s.Name]}
		o.saved = o.stats.Cursor
		e.outlets = append(e.outlets, o)
		e.delivering.Go(o.run)
	}
}

// drainSinks waits until the sinks have what there is, or ctx ends: then what they lack waits for the next Open.
func (e *Engine) drainSinks(ctx context.Context) {
	e.feed.close()
	stop := context.AfterFunc(ctx, func() { e.stopDelivery(ctx.Err()) })
	defer stop()
	e.delivering.Wait()
}
