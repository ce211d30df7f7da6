package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/encseal/encseal/engine/journal"
)

var errDisk = errors.New("disk is broken")

// fill appends frames of 20,000 bytes, waiting for each, until the journal is in segment n, and returns the offset of
// the first frame of each segment.
func fill(t testing.TB, j *journal.Journal, n uint64) (firsts []journal.Offset) {
	t.Helper()
	last := uint64(0)
	for {
		at, end, err := j.Append(1, make([]byte, 20000))
		if err == nil {
			err = j.Wait(context.Background(), end)
		}
		if err != nil {
			t.Fatal(err)
		}
		if s := j.Segment(at); s != last {
			firsts, last = append(firsts, at), s
		}
		if last >= n {
			return firsts
		}
	}
}

// Any failed write or sync of a batch stops the journal: nothing more is written, and everyone learns why.
func TestFailureStopsForGood(t *testing.T) {
	for _, op := range []string{"write", "sync"} {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/done=%v", op, done), func(t *testing.T) {
				m := newMemFS()
				progress := make(chan journal.Offset, 100)
				const first = "spare-0000000000000001" // as it was made
				var broken atomic.Bool
				var calls atomic.Int32
				hook := func(o, name string, _ []byte) error {
					if name == first && broken.Load() {
						calls.Add(1)
						if o == op {
							return errDisk
						}
					}
					return nil
				}
				if done {
					m.after = hook
				} else {
					m.hook = hook
				}
				j := open(t, journal.Config{FS: m, Progress: func(d journal.Offset) { progress <- d }}, nil)
				end := put(t, j, 0, 10)
				if d := <-progress; d < end || d != j.Durable() {
					t.Errorf("Progress(%d), want %d", d, j.Durable())
				}
				broken.Store(true)
				_, end, err := j.Append(1, []byte("lost?"))
				if err != nil {
					t.Fatal(err)
				}
				var failed *journal.FailedError
				if err := j.Wait(t.Context(), end); !errors.As(err, &failed) || !errors.Is(err, errDisk) {
					t.Fatalf("Wait: got %v, want the failure", err)
				}
				if d := <-progress; d != j.Durable() {
					t.Errorf("Progress after the failure: got %d, want %d", d, j.Durable())
				}
				before := calls.Load()
				broken.Store(false)
				for what, err := range map[string]error{
					"Append": func() error { _, _, err := j.Append(1); return err }(),
					"Wait":   j.Wait(t.Context(), end),
					"Prune":  j.Prune(end),
					"Err":    j.Err(),
					"Close":  j.Close(),
				} {
					if err != failed {
						t.Errorf("%s: got %v, want %v", what, err, failed)
					}
				}
				if calls.Load() != before {
					t.Error("something was written after the failure")
				}
				n := 0
				j = open(t, journal.Config{FS: m}, func(journal.Frame) error { n++; return nil })
				if n != 10 && n != 11 {
					t.Errorf("reopened: got %d frames, want the 10 durable ones and perhaps the last", n)
				}
				shut(t, j)
			})
		}
	}
}

// A segment that cannot be taken into use is a failure too, at each step of it.
func TestFailedSegment(t *testing.T) {
	for _, op := range []string{"write", "sync", "rename", "syncdir"} {
		m := newMemFS()
		var armed, taking atomic.Bool
		m.hook = func(o, name string, p []byte) error {
			if !armed.Load() {
				return nil
			}
			if o == "write" && bytes.HasPrefix(p, []byte("encsegm")) {
				taking.Store(true) // what is behind the header is written by the same goroutine
			}
			if taking.Load() && o == op {
				armed.Store(false)
				return errDisk
			}
			return nil
		}
		j := open(t, journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, nil)
		fill(t, j, 1)
		armed.Store(true)
		_, end, err := j.Append(1, make([]byte, j.MaxPayload()))
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Wait(t.Context(), end); !errors.Is(err, errDisk) || j.Close() != err {
			t.Errorf("%s: got %v, want the failure", op, err)
		}
		shut(t, open(t, journal.Config{FS: m}, nil))
	}
}

// A full disk: the journal says so while there is half a segment left, waits when that is used up, and goes on by itself
// when there is space.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		m.space = 2 * journal.MinSegmentSize
		j := open(t, journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, nil)
		fill(t, j, 2)
		synctest.Wait()
		if j.Full() {
			t.Error("Full with more than half of the segment left")
		}
		if s := j.Stats(); !errors.Is(s.Prepare, syscall.ENOSPC) {
			t.Errorf("Stats.Prepare: got %v, want no space", s.Prepare)
		}
		if _, end, err := j.Append(1, make([]byte, 10000)); err != nil || j.Wait(t.Context(), end) != nil {
			t.Fatal(err)
		}
		if !j.Full() {
			t.Error("not Full with less than half of the segment left and no next one")
		}
		_, end, err := j.Append(1, make([]byte, 40000)) // for the next segment
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := j.Wait(ctx, end); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Wait for space: got %v, want the context's end", err)
		}
		m.mu.Lock()
		m.space = 0
		m.mu.Unlock()
		if err := j.Wait(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := j.Stats(); j.Full() || s.Full || s.Prepare != nil {
			t.Errorf("with space again: got %+v", s)
		}
		shut(t, j)
	})
}

// Prune gives a full journal the space that it needs, without waiting.
func TestPruneEndsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		m.space = 2 * journal.MinSegmentSize
		j := open(t, journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, nil)
		firsts := fill(t, j, 2)
		at, end, err := j.Append(1, make([]byte, 40000))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := j.Prune(firsts[1]); err != nil {
			t.Fatal(err)
		}
		if err := j.Wait(t.Context(), end); err != nil || j.Segment(at) != 3 {
			t.Fatal(at, err)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v", waited)
		}
		shut(t, j)
	})
}

func TestCloseOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		m.space = journal.MinSegmentSize
		j := open(t, journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, nil)
		fill(t, j, 1)
		for range 2 { // one that is taken and waits, one in the other buffer
			if _, _, err := j.Append(1, make([]byte, 40000)); err != nil {
				t.Fatal(err)
			}
			j.Kick()
			synctest.Wait()
		}
		var full *journal.FullError
		err := j.Close()
		if !errors.As(err, &full) || !errors.Is(err, journal.ErrFull) || full.Frames != 2 || full.Bytes != 2*(40000+16) {
			t.Errorf("got %v (%+v), want two frames unwritten", err, full)
		}
		n := 0
		j = open(t, journal.Config{FS: m}, func(journal.Frame) error { n++; return nil })
		if n != 1 {
			t.Errorf("reopened on a full disk: got %d frames, want 1", n)
		}
		shut(t, j)
	})
}

// Recycled files hold old batches and frames at the very places where new ones go; none is ever read.
func TestRecycled(t *testing.T) {
	m := newMemFS()
	cfg := journal.Config{FS: m, SegmentSize: journal.MinSegmentSize, Spares: 1}
	n := uint64(0)
	for range 6 {
		j := open(t, cfg, nil)
		n += 4
		firsts := fill(t, j, n)
		if err := j.Prune(firsts[len(firsts)-1]); err != nil {
			t.Fatal(err)
		}
		if s := j.Stats(); s.Segments != 1 || s.Spares > 2 {
			t.Errorf("got %+v, want one segment and at most one spare and a prepared one", s)
		}
		if j.Segment(j.First()) != n {
			t.Errorf("oldest segment: got %d, want %d", j.Segment(j.First()), n)
		}
		crashed := m.clone()
		shut(t, j)
		frames := 0
		j = open(t, journal.Config{FS: crashed}, func(f journal.Frame) error { frames++; return nil })
		if r := j.Stats().Recovery; frames != 1 || r.Bytes != 0 {
			t.Errorf("after a crash in a recycled segment: got %d frames, %+v, want 1", frames, r)
		}
		shut(t, j)
	}
}

// Gather may append more than both buffers hold, and others may append meanwhile.
func TestGather(t *testing.T) {
	m := newMemFS()
	var j *journal.Journal
	var once sync.Once
	const held = 200
	gathered := make(chan struct{})
	cfg := journal.Config{FS: m, Gather: func() {
		once.Do(func() {
			var group sync.WaitGroup
			for range 2 {
				group.Go(func() {
					for range held {
						if _, _, err := j.Append(2, make([]byte, 20000)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			close(gathered)
		})
	}}
	j = open(t, cfg, nil)
	_, end, err := j.Append(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	<-gathered
	shut(t, j)
	n := 0
	shut(t, open(t, journal.Config{FS: m}, func(f journal.Frame) error { n++; return nil }))
	if n != 2*held+1 {
		t.Errorf("got %d frames, want %d", n, 2*held+1)
	}
}

// Many writers at once: every frame is there once, in the order of its offset, and a writer's own frames in its order.
func TestConcurrentAppend(t *testing.T) {
	m := newMemFS()
	j := open(t, journal.Config{FS: m, SegmentSize: 1 << 20}, nil)
	const writers, each = 8, 300
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				_, end, err := j.Append(byte(1+w), fmt.Append(nil, i), bytes.Repeat([]byte{7}, w*i))
				if err != nil {
					t.Error(err)
					return
				}
				if i%50 == 0 {
					if err := j.Wait(t.Context(), end); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	shut(t, j)
	var next [writers]int
	var last journal.Offset
	shut(t, open(t, journal.Config{FS: m}, func(f journal.Frame) error {
		w := int(f.Type) - 1
		if want := append(fmt.Append(nil, next[w]), bytes.Repeat([]byte{7}, w*next[w])...); !bytes.Equal(f.Payload, want) || f.At < last {
			t.Fatalf("frame at %d of writer %d: not its frame %d", f.At, w, next[w])
		}
		next[w]++
		last = f.End
		return nil
	}))
	if next != [writers]int{each, each, each, each, each, each, each, each} {
		t.Errorf("got %v, want %d of each", next, each)
	}
}

func TestAppendRefuses(t *testing.T) {
	j := open(t, journal.Config{FS: newMemFS(), SegmentSize: journal.MinSegmentSize}, nil)
	most := j.MaxPayload()
	if most < 32<<10 {
		t.Errorf("MaxPayload: got %d, want 32 KiB at least", most)
	}
	if _, _, err := j.Append(1, make([]byte, most+1)); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if _, _, err := j.Append(0); err == nil {
		t.Error("type 0 was taken")
	}
	_, end, err := j.Append(1, make([]byte, most))
	if err != nil {
		t.Fatal(err)
	}
	shut(t, j)
	if j.Durable() < end {
		t.Error("Close left a frame behind")
	}
	if _, _, err := j.Append(1); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
	if err := j.Wait(t.Context(), end+1<<20); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Wait after Close: got %v, want ErrClosed", err)
	}
}
