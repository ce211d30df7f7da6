package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

// fill sends receipts until an error.
func fill(c *client, e *engine.Engine, app string) error {
	for {
		from, to, err := c.create(app, 10)
		if err != nil {
			return err
		}
		var call []int
		for k := from; k < to; k++ {
			call = append(call, k)
		}
		if err := c.send(e, app, call); err != nil {
			return err
		}
	}
}

// watchCreate returns dir, and a channel that is closed when a file of it is made for the last of so many times.
func watchCreate(dir journal.FS, times int) (journal.FS, chan struct{}) {
	f, done := journaltest.NewFaults(dir), make(chan struct{})
	f.Before = func(_ int, op, _ string) {
		if op != "Create" {
			return
		}
		if times--; times == 0 {
			close(done)
		}
	}
	return f, done
}

// A full disk stops an Engine and no more: Close ends with its context, whoever waits is told, and what was acknowledged is
// there.
func TestCloseOnAFullDisk(t *testing.T) {
	const apps = 3
	c, d := newClient(newSigner(t), false), newDisks(false)
	d.data.SetCapacity(3 * smallSegments)
	data, full := watchCreate(d.data, 4)
	e, err := c.open(engine.Store{FS: data, Head: "head", HeadFS: d.head})
	if err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for i := range apps {
		senders.Go(func() {
			if err := c.explain("send", fill(c, e, string(rune('a'+i)))); err != nil && !errors.Is(err, engine.ErrClosed) {
				t.Error(err)
			}
		})
	}
	<-full
	ctx, cancel := context.WithTimeout(background, 300*time.Millisecond)
	defer cancel()
	if err := e.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && c.explain("Close", err) != nil {
		t.Errorf("Close: got %v, want a deadline or no space", err)
	}
	senders.Wait()
	d.data.SetCapacity(-1)
	if err := c.check(d.store()); err != nil {
		t.Error(err)
	}
}

// With room again an Engine goes on by itself.
func TestFullDiskIsCleared(t *testing.T) {
	c, d := newClient(newSigner(t), false), newDisks(false)
	d.data.SetCapacity(2 * smallSegments)
	data, full := watchCreate(d.data, 4) // the second attempt: by then the first has failed
	e, err := c.open(engine.Store{FS: data, Head: "head", HeadFS: d.head})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; err == nil; i++ { // slowly, so that what is left of the segment is enough for what was taken
		if i == 18 {
			<-full // a batch of 4 KiB each: the second segment is not half full
		}
		var from, to int
		if from, to, err = c.create("a", 1); err != nil {
			t.Fatal(err)
		}
		if err = c.send(e, "a", []int{from}); err == nil {
			err = c.waitDurable(e, "a", []int{to - 1})
		}
	}
	if !errors.Is(err, engine.ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	if err := c.waitSealed(e, "a", c.pick("a", 1)[:1]); err != nil {
		t.Errorf("what was taken is not sealed: %v", err)
	}
	d.data.SetCapacity(-1)
	for err != nil { // the journal looks once a second
		if err = c.sendAgain(e); err != nil && !errors.Is(err, engine.ErrFull) {
			t.Fatal(err)
		}
	}
	closeEngine(t, e)
	if err := c.check(d.store()); err != nil {
		t.Error(err)
	}
}
