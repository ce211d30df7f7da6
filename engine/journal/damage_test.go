package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/encseal/encseal/engine/journal"
)

// small is a journal of three segments: batches of 8 and 2 frames, one of a large frame that fills the second, one of 3 frames.
// It returns the directory as a crash would leave it, and as Close does, and where each batch starts in its segment.
func small(t *testing.T) (crashed, closed *memFS, starts []int64) {
	t.Helper()
	m := newMemFS()
	j := open(t, journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, nil)
	starts = append(starts, int64(j.Durable())%journal.MinSegmentSize)
	put(t, j, 0, 8)
	starts = append(starts, int64(j.Durable())%journal.MinSegmentSize)
	put(t, j, 8, 10)
	// What is left of the segment is too little for a frame of its own.
	if _, _, err := j.Append(250, make([]byte, j.MaxPayload())); err != nil {
		t.Fatal(err)
	}
	end := put(t, j, 10, 13)
	if j.Segment(end) != 3 {
		t.Fatalf("the journal ends in segment %d, want 3", j.Segment(end))
	}
	starts = append(starts, 4096)
	crashed = m.clone()
	shut(t, j)
	return crashed, m.clone(), starts
}

// outcome is what Open, and Check before it, make of a directory: how many of the frames of put are there, and the
// error. They must agree, and with deep, what Open left must be readable, extended and read again.
func outcome(t *testing.T, m *memFS, deep bool) (frames int, err error) {
	t.Helper()
	// The big frame of type 250 between 9 and 10 is passed over.
	visit := func(n *int) func(journal.Frame) error {
		check := collect(t, n)
		return func(f journal.Frame) error {
			if f.Type == 250 {
				return nil
			}
			return check(f)
		}
	}
	checked := 0
	result, checkErr := journal.Check(m, visit(&checked), nil)
	j, err := journal.Open(journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}, visit(&frames))
	if checked != frames || fmt.Sprint(checkErr) != fmt.Sprint(err) {
		t.Fatalf("Check: %d frames, %v; Open: %d frames, %v", checked, checkErr, frames, err)
	}
	if err != nil {
		return frames, err
	}
	if got := j.Stats().Recovery; result.SegmentSize != 0 && (got != result.Tail || got.Offset != result.Last) {
		t.Fatalf("Check: tail %+v, end %d; Open: %+v", result.Tail, result.Last, got)
	}
	if !deep {
		shut(t, j)
		return frames, nil
	}
	put(t, j, frames, frames+2)
	shut(t, j)
	again := 0
	shut(t, open(t, journal.Config{FS: m}, visit(&again)))
	if again != frames+2 {
		t.Fatalf("after %d frames and two more: got %d", frames, again)
	}
	return frames, nil
}

// Each byte of a journal that was closed, flipped: Open finds it, or nothing depends on it. Nothing is lost silently.
func TestFlipEachByteOfAClosedJournal(t *testing.T) {
	_, closed, _ := small(t)
	for s := 1; s <= 3; s++ {
		for _, at := range places(closed, s) {
			m := closed.clone()
			m.files[seg(s)].b[at] ^= 0x10
			frames, err := outcome(t, m, at%32 == 0)
			var corrupt *journal.CorruptError
			if err == nil && frames == 13 {
				continue // behind the batches, or the closing one
			}
			if !errors.As(err, &corrupt) || corrupt.Segment != seg(s) {
				t.Fatalf("segment %d byte %d: got %d frames, %v", s, at, frames, err)
			}
			if corrupt.At > int64(at) || corrupt.At < int64(at)-1<<16 {
				t.Fatalf("segment %d byte %d: reported at %d", s, at, corrupt.At)
			}
		}
	}
}

// Each byte after a crash: what is not in the last batch is found.
func TestFlipEachByteAfterACrash(t *testing.T) {
	crashed, _, _ := small(t)
	torn := 0
	for s := 1; s <= 3; s++ {
		for _, at := range places(crashed, s) {
			m := crashed.clone()
			m.files[seg(s)].b[at] ^= 0x01
			frames, err := outcome(t, m, at%32 == 0)
			var corrupt *journal.CorruptError
			switch {
			case errors.As(err, &corrupt):
				if s == 3 && at >= 4096 {
					t.Fatalf("segment %d byte %d: got %v, want the last batch taken for torn", s, at, err)
				}
			case s == 3 && at >= 4096 && frames == 10 && err == nil:
				torn++
			case frames != 13 || err != nil:
				t.Fatalf("segment %d byte %d: got %d frames, %v", s, at, frames, err)
			}
		}
	}
	if torn < 100/stride {
		t.Errorf("%d flips cut the last batch off, want its bytes", torn)
	}
}

// used is how much of a segment holds anything, and two blocks more.
func used(m *memFS, s int) int {
	b := m.files[seg(s)].b
	last := 0
	for i, c := range b {
		if c != 0 {
			last = i
		}
	}
	return min(len(b), (last+4096)&^4095+2*4096)
}

// places are the bytes of a segment to try: all that hold anything or are near it, and few of long runs of zeros.
func places(m *memFS, s int) []int {
	b := m.files[seg(s)].b
	var all []int
	zeros := 0 // how many before at
	for at := range used(m, s) {
		if b[at] != 0 {
			zeros = 0
		}
		if at%stride != 0 {
			zeros++
			continue
		}
		ahead := b[at:min(at+16, len(b))]
		if zeros < 16 || at%61 == 0 || !bytes.Equal(ahead, make([]byte, len(ahead))) {
			all = append(all, at)
		}
		zeros++
	}
	return all
}

// A file that ends early, at each byte: the frames before are there, or it is corruption. With one segment alone all that
// is left is a prefix.
func TestCutEachByte(t *testing.T) {
	crashed, closed, starts := small(t)
	for name, whole := range map[string]*memFS{"crashed": crashed, "closed": closed} {
		for s := 1; s <= 3; s++ {
			for _, at := range places(whole, s) {
				m := whole.clone()
				m.files[seg(s)].b = slices.Clip(m.files[seg(s)].b[:at])
				frames, err := outcome(t, m, at%32 == 0)
				var corrupt *journal.CorruptError
				switch {
				case err == nil && frames == 13:
				case s == 3 && err == nil && frames == 10:
					if at >= used(whole, s)-2*4096 && name == "crashed" {
						t.Fatalf("%s: cut at %d lost the last batch", name, at)
					}
				case !errors.As(err, &corrupt):
					t.Fatalf("%s: segment %d cut at %d: got %d frames, %v", name, s, at, frames, err)
				}
			}
		}
		// Alone, the first segment is a journal of its own.
		for _, at := range places(whole, 1) {
			if at < 4096 {
				continue
			}
			m := whole.clone()
			delete(m.files, seg(2))
			delete(m.files, seg(3))
			m.files[seg(1)].b = slices.Clip(m.files[seg(1)].b[:at])
			frames, err := outcome(t, m, at%32 == 0)
			want := 0
			switch {
			case int64(at) >= starts[1]+4096:
				want = 10
			case int64(at) >= starts[1]:
				want = 8
			}
			if err != nil || frames != want {
				t.Fatalf("%s: cut at %d: got %d frames, %v, want %d", name, at, frames, err, want)
			}
		}
	}
}

// A torn batch is cut off wherever it lies, and what is left of it can never be read again.
func TestTornTail(t *testing.T) {
	crashed, _, _ := small(t)
	b := crashed.files[seg(3)].b
	b[4096+200] ^= 1 // in a frame of the last batch
	m := crashed.clone()
	n := 0
	j := open(t, journal.Config{FS: m}, func(journal.Frame) error { n++; return nil })
	got := j.Stats().Recovery
	if n != 11 || got.Segment != 3 || got.Offset != j.First()+2*journal.MinSegmentSize+4096 || got.Bytes == 0 || got.Frames != 2 {
		t.Errorf("got %d frames and %+v, want 11 and a batch with two whole frames", n, got)
	}
	for i, c := range m.files[seg(3)].b[4096:] {
		if c != 0 {
			t.Fatalf("byte %d of the torn tail is left", 4096+i)
		}
	}
	shut(t, j)
}

func TestMissingSegment(t *testing.T) {
	_, closed, _ := small(t)
	delete(closed.files, seg(2))
	_, err := outcome(t, closed, true)
	var corrupt *journal.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Segment != seg(2) {
		t.Errorf("got %v, want corruption of %s", err, seg(2))
	}
}

// A segment whose header was not written is passed over when it is the last, and when nothing is in it.
func TestUnmadeSegment(t *testing.T) {
	crashed, _, _ := small(t)
	m := crashed.clone()
	m.files[seg(4)] = &memData{make([]byte, journal.MinSegmentSize)}
	if frames, err := outcome(t, m, true); err != nil || frames != 13 {
		t.Errorf("zero segment: got %d frames, %v, want 13", frames, err)
	}
	m = crashed.clone()
	old := slices.Clone(m.files[seg(1)].b)
	old[9] ^= 1
	m.files[seg(4)] = &memData{old} // a recycled one: its batches have low numbers
	if frames, err := outcome(t, m, true); err != nil || frames != 13 {
		t.Errorf("recycled segment: got %d frames, %v, want 13", frames, err)
	}
	m = crashed.clone()
	m.files[seg(3)].b[9] ^= 1
	var corrupt *journal.CorruptError
	if _, err := outcome(t, m, true); !errors.As(err, &corrupt) || corrupt.Segment != seg(3) || corrupt.At != 0 {
		t.Errorf("segment with a batch: got %v, want corruption at its start", err)
	}
}

// A payload that holds a whole segment of another journal, at places where batches can start, is a payload: in the
// journal, in its torn tail, and in what a recycled file keeps of it.
func TestPayloadOfBatches(t *testing.T) {
	_, other, _ := small(t)
	m := newMemFS()
	cfg := journal.Config{FS: m, SegmentSize: journal.MinSegmentSize}
	j := open(t, cfg, nil)
	forged := append(make([]byte, 4096-64-16), other.files[seg(3)].b[:40000]...)
	for range 5 {
		at, end, err := j.Append(1, forged)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Wait(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		if err := j.Prune(at); err != nil {
			t.Fatal(err)
		}
	}
	crashed := m.clone()
	shut(t, j)
	for _, torn := range []bool{false, true} {
		c := crashed.clone()
		if torn {
			c.files[seg(5)].b[4096+70] ^= 1
		}
		n := 0
		j := open(t, journal.Config{FS: c}, func(f journal.Frame) error {
			if !bytes.Equal(f.Payload, forged) {
				t.Errorf("frame at %d is not what was appended", f.At)
			}
			n++
			return nil
		})
		if want := map[bool]int{false: 1, true: 0}[torn]; n != want {
			t.Errorf("torn %v: got %d frames, want %d", torn, n, want)
		}
		shut(t, j)
	}
}
