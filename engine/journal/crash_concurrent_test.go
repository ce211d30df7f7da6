package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/journal/journaltest"
)

const (
	appenders = 3 // and Gather as one more
	perOne    = 40
)

// crowd is several goroutines that append to one journal, each its own frames in order, while others prune and check.
type crowd struct {
	j      *journal.Journal
	seed   uint64
	waited [appenders]atomic.Int64 // frames that a Wait called durable
	ready  atomic.Bool             // j is set
	held   int                     // frames that Gather appended; of the writing goroutine
}

// frame returns the payload of frame i of one who appends: who, i, then what follows from both.
func (c *crowd) frame(who, i int) []byte {
	rng := rand.New(rand.NewPCG(c.seed, uint64(who*perOne+i)))
	b := make([]byte, 8+rng.IntN([]int{10, 3000, 20_000}[rng.IntN(3)]))
	binary.LittleEndian.PutUint32(b, uint32(who))
	binary.LittleEndian.PutUint32(b[4:], uint32(i))
	copy(b[8:], noise[rng.IntN(len(noise)/2):])
	return b
}

func (c *crowd) gather() {
	if !c.ready.Load() || c.held == perOne {
		return
	}
	if _, _, err := c.j.Append(1, c.frame(appenders, c.held)); err == nil {
		c.held++
	}
}

func (c *crowd) append(who int) {
	for i := range perOne {
		_, end, err := c.j.Append(1, c.frame(who, i))
		if err == nil && i%3 == who {
			if err = c.j.Wait(context.Background(), end); err == nil {
				c.waited[who].Store(int64(i + 1))
			}
		}
		if err != nil {
			return
		}
	}
}

// run lets all work on fs until they are through or the journal fails. The error is of a Check that saw corruption.
func (c *crowd) run(fs journal.FS, prune bool) (err error) {
	c.j, err = journal.Open(journal.Config{FS: fs, SegmentSize: segmentSize, Spares: 1, Gather: c.gather}, nil)
	if err != nil {
		return nil // the crash came first
	}
	c.ready.Store(true)
	var wg sync.WaitGroup
	for who := range appenders {
		wg.Go(func() { c.append(who) })
	}
	if prune {
		wg.Go(func() {
			for range 20 {
				if err := c.j.Wait(context.Background(), c.j.Durable()+segmentSize/2); err != nil {
					return
				}
				c.j.Prune(c.j.Durable())
			}
		})
	}
	var corrupt *journal.CorruptError
	wg.Go(func() {
		for range 10 {
			_, err := journal.Check(fs, nil, nil)
			errors.As(err, &corrupt)
		}
	})
	synctest.Wait() // one who waits to prune may wait for more than there is
	c.j.Close()
	wg.Wait()
	if corrupt != nil {
		return fmt.Errorf("Check beside the writer: %w", corrupt)
	}
	return nil
}

// verify opens what survived: of each who appended there is a beginning, or after Prune a part, in order and whole, with
// all that was called durable.
func (c *crowd) verify(mem *journaltest.Mem, waited [appenders]int64, pruned bool) error {
	var next [appenders + 1]int
	j, err := journal.Open(journal.Config{FS: mem}, func(f journal.Frame) error {
		if len(f.Payload) < 8 {
			return fmt.Errorf("got a frame of %d bytes", len(f.Payload))
		}
		who, i := binary.LittleEndian.Uint32(f.Payload), int(binary.LittleEndian.Uint32(f.Payload[4:]))
		if who > appenders || i >= perOne || !bytes.Equal(f.Payload, c.frame(int(who), i)) {
			return errors.New("got a frame that nobody appended")
		}
		if i != next[who] && (!pruned || next[who] != 0) {
			return fmt.Errorf("got frame %d of %d, want %d", i, who, next[who])
		}
		next[who] = i + 1
		return nil
	})
	if err != nil {
		return err
	}
	defer j.Close()
	for who, n := range waited {
		if int64(next[who]) < n && (!pruned || next[who] > 0) {
			return fmt.Errorf("of %d got %d frames, want at least %d", who, next[who], n)
		}
	}
	return j.Close()
}

func TestCrashConcurrent(t *testing.T) {
	seed := seed(t)
	lives, kept := uint64(200), int64(0)
	if long() {
		lives = 5000
	}
	for life := range lives {
		rng := rand.New(rand.NewPCG(seed, life))
		c := &crowd{seed: life}
		mem, prune := journaltest.NewMem(), rng.IntN(2) == 0
		fs := journaltest.NewFaults(mem)
		var after *journaltest.Mem
		var waited [appenders]int64
		at := 1 + rng.IntN(300)
		fs.Before = func(n int, op, name string) {
			if n == at {
				for who := range waited {
					waited[who] = c.waited[who].Load()
				}
				after = mem.Crash(rng)
			}
		}
		err := bubble(t, func() error { return c.run(fs, prune) })
		if after == nil {
			for who := range waited {
				waited[who] = c.waited[who].Load()
			}
			after = mem.Crash(rng)
		}
		if err == nil {
			err = bubble(t, func() error { return c.verify(after, waited, prune) })
		}
		if err != nil {
			t.Fatalf("life %d, crash before call %d, prune %v: %v", life, at, prune, err)
		}
		for _, n := range waited {
			kept += n
		}
	}
	if kept < 30*int64(lives) {
		t.Errorf("got %d frames that were durable in %d lives, want more: the crashes come too early", kept, lives)
	}
}
