package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"sync"
	"testing"

	"github.com/encseal/encseal/engine/journal"
)

// Scan from each frame, and from between, to each.
func TestScan(t *testing.T) {
	j := open(t, journal.Config{FS: newMemFS(), SegmentSize: journal.MinSegmentSize}, nil)
	defer shut(t, j)
	put(t, j, 0, 40)
	put(t, j, 40, 90)
	fill(t, j, j.Segment(j.Durable())+2)
	var all []journal.Frame
	end := j.Durable()
	if err := j.Scan(0, end, nil); !errors.Is(err, journal.ErrPruned) {
		t.Errorf("from before First(): got %v, want ErrPruned", err)
	}
	if err := j.Scan(j.First(), end+1000, func(f journal.Frame) error {
		f.Payload = slices.Clone(f.Payload)
		all = append(all, f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) < 92 || j.Segment(all[len(all)-1].At) < 3 {
		t.Fatalf("%d frames up to segment %d", len(all), j.Segment(all[len(all)-1].At))
	}
	var buf []byte
	for i, f := range all {
		for _, from := range []journal.Offset{f.At, f.At - 1, f.At + 1} {
			k := i
			if from > f.At {
				k++
			}
			if err := j.Scan(max(from, j.First()), end, func(g journal.Frame) error {
				if g.At != all[k].At || g.End != all[k].End || g.Type != all[k].Type || !bytes.Equal(g.Payload, all[k].Payload) {
					t.Fatalf("from %d: got frame at %d, want %d", from, g.At, all[k].At)
				}
				if k++; k == i+5 {
					return journal.ErrStop
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if k != min(i+5, len(all)) {
				t.Fatalf("from %d: %d frames visited", from, k-i)
			}
		}
		n := 0
		if err := j.Scan(j.First(), f.At, func(journal.Frame) error { n++; return nil }); err != nil || n != i {
			t.Fatalf("to %d: got %d frames, %v, want %d", f.At, n, err, i)
		}
		g, err := j.ReadAt(f.At, buf)
		if err != nil || g.At != f.At || g.End != f.End || g.Type != f.Type || !bytes.Equal(g.Payload, f.Payload) {
			t.Fatalf("ReadAt(%d): got %v, %v", f.At, g, err)
		}
		buf = g.Payload
	}
	var corrupt *journal.CorruptError
	if _, err := j.ReadAt(all[0].At+1, nil); !errors.As(err, &corrupt) {
		t.Errorf("between frames: got %v", err)
	}
	if _, err := j.ReadAt(end, nil); err == nil {
		t.Error("what is not durable was read")
	}
	if err := j.Scan(end, end+1<<20, func(journal.Frame) error { t.Error("visited"); return nil }); err != nil {
		t.Errorf("from the end: got %v", err)
	}
}

// Pruning while it is read, and the file in use again: ErrPruned, never another frame and never corruption.
func TestPruneWhileScanning(t *testing.T) {
	m := newMemFS()
	j := open(t, journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, nil)
	defer shut(t, j)
	put(t, j, 0, 200)
	first := j.First()
	n := 0
	check := collect(t, &n)
	err := j.Scan(first, j.Durable(), func(f journal.Frame) error {
		if err := check(f); err != nil || n != 30 {
			return err
		}
		firsts := fill(t, j, j.Segment(j.Durable())+1)
		if err := j.Prune(firsts[len(firsts)-1]); err != nil {
			t.Fatal(err)
		}
		fill(t, j, j.Segment(j.Durable())+4)
		return nil
	})
	if !errors.Is(err, journal.ErrPruned) {
		t.Errorf("got %v after %d frames, want ErrPruned", err, n)
	}
	if _, err := j.ReadAt(first+4096+64, nil); !errors.Is(err, journal.ErrPruned) {
		t.Errorf("ReadAt: got %v, want ErrPruned", err)
	}
}

// Readers and a writer that prunes, all at once.
func TestCheckBesideAWriter(t *testing.T) {
	m := newMemFS()
	j := open(t, journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, nil)
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			at, end, err := j.Append(1, make([]byte, 100+i*331%9000))
			if err == nil && i%3 == 0 {
				err = j.Wait(context.Background(), end)
			}
			if err == nil && i%100 == 0 {
				err = j.Prune(at - min(at, 3*journal.MinSegmentSize))
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	frames := uint64(0)
	for (frames == 0 || j.Segment(j.Durable()) < 60) && j.Err() == nil {
		r, err := journal.Check(m, nil, func(done, of int64) {
			if done > of {
				t.Errorf("progress: %d of %d", done, of)
			}
		})
		if err != nil {
			t.Errorf("Check: %v", err)
			break
		}
		frames += r.Frames
		visited := uint64(0)
		if r, err := journal.Check(m, func(journal.Frame) error { visited++; return nil }, nil); err != nil && !errors.Is(err, journal.ErrPruned) || visited != r.Frames {
			t.Errorf("Check with visits: %d, %+v, %v", visited, r, err)
			break
		}
		if err := j.Scan(j.First(), j.Durable(), func(journal.Frame) error { return nil }); err != nil && !errors.Is(err, journal.ErrPruned) {
			t.Errorf("Scan: %v", err)
			break
		}
	}
	close(stop)
	group.Wait()
	shut(t, j)
	if frames == 0 {
		t.Error("nothing was there to check")
	}
}

func TestCheckOfNothing(t *testing.T) {
	if r, err := journal.Check(newMemFS(), nil, nil); err != nil || r != (journal.CheckResult{}) {
		t.Errorf("got %+v, %v", r, err)
	}
}

// A later format is told from corruption by the header's checksum.
func TestNewerVersion(t *testing.T) {
	_, closed, _ := small(t)
	b := closed.files[seg(2)].b
	b[8] = 2
	binary.LittleEndian.PutUint32(b[64:], crc32.Checksum(b[:64], crc32.MakeTable(crc32.Castagnoli)))
	_, err := outcome(t, closed, true)
	var newer *journal.VersionError
	if !errors.As(err, &newer) || newer.Version != 2 || newer.Segment != seg(2) {
		t.Errorf("got %v, want version 2 of %s", err, seg(2))
	}
}

// An error of replay ends Open, which can be repeated.
func TestReplayError(t *testing.T) {
	crashed, _, _ := small(t)
	if _, err := journal.Open(journal.Config{FS: crashed}, func(journal.Frame) error { return errDisk }); !errors.Is(err, errDisk) {
		t.Errorf("got %v, want replay's error", err)
	}
	if n, err := outcome(t, crashed, true); n != 13 || err != nil {
		t.Errorf("after it: got %d frames, %v", n, err)
	}
}
