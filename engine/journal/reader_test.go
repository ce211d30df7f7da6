package journal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/encseal/encseal/engine/journal"
)

func reader(t *testing.T, fs journal.FS) *journal.Reader {
	t.Helper()
	r, err := journal.OpenReader(fs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// frames returns the places of all frames.
func frames(t *testing.T, fs journal.FS) (at []journal.Offset) {
	t.Helper()
	if _, err := journal.Check(fs, func(f journal.Frame) error {
		at = append(at, f.At)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestReaderEveryFrame(t *testing.T) {
	fs := dir(t)
	j := open(t, journal.Config{FS: fs, SegmentSize: journal.MinSegmentSize}, nil)
	for i := range 20 {
		put(t, j, i*10, i*10+10)
	}
	r := reader(t, fs)
	at := frames(t, fs)
	if len(at) != 200 || j.Stats().Segments < 3 {
		t.Fatalf("got %d frames in %d segments", len(at), j.Stats().Segments)
	}
	if r.ID() != j.ID() {
		t.Errorf("ID: got %x, want %x", r.ID(), j.ID())
	}
	var buf []byte
	for i, o := range at {
		f, err := r.ReadAt(o, buf)
		if err != nil || !bytes.Equal(f.Payload, payload(i)) || f.At != o {
			t.Fatalf("frame %d: got %d bytes at %d, %v", i, len(f.Payload), f.At, err)
		}
		buf = f.Payload
		n := i
		if err := r.Scan(o, collect(t, &n)); err != nil || n != len(at) {
			t.Fatalf("from frame %d: got to frame %d, %v", i, n, err)
		}
	}
	// What is written later is found by the same Reader, in a segment that it read the end of.
	n := 200
	put(t, j, 200, 203)
	if err := r.Scan(at[199]+16+journal.Offset(len(payload(199))), collect(t, &n)); err != nil || n != 203 {
		t.Errorf("grown: got to frame %d, %v", n, err)
	}
	put(t, j, 203, 400)
	n = 199
	if err := r.Scan(at[199], collect(t, &n)); err != nil || n != 400 {
		t.Errorf("grown by segments: got to frame %d, %v", n, err)
	}
	stop := 0
	if err := r.Scan(at[0], func(journal.Frame) error { stop++; return journal.ErrStop }); err != nil || stop != 1 {
		t.Errorf("ErrStop: got %v after %d frames", err, stop)
	}
	shut(t, j)
}

func TestReaderPruned(t *testing.T) {
	fs := dir(t)
	j := open(t, journal.Config{FS: fs, SegmentSize: journal.MinSegmentSize}, nil)
	defer shut(t, j)
	end := put(t, j, 0, 200)
	r := reader(t, fs)
	at := frames(t, fs)
	if err := j.Prune(end); err != nil {
		t.Fatal(err)
	}
	put(t, j, 200, 400) // into the files of what was pruned
	if _, err := r.ReadAt(at[100], nil); !errors.Is(err, journal.ErrPruned) {
		t.Errorf("ReadAt: got %v, want ErrPruned", err)
	}
	if err := r.Scan(at[50], func(journal.Frame) error { return nil }); !errors.Is(err, journal.ErrPruned) {
		t.Errorf("Scan: got %v, want ErrPruned", err)
	}
	oldest, newest, err := r.Segments()
	if err != nil || oldest <= r.Begin() || newest <= oldest {
		t.Errorf("got segments %d to %d, %v", oldest, newest, err)
	}
}

func TestReaderFindsDamage(t *testing.T) {
	fs := dir(t)
	j := open(t, journal.Config{FS: fs, SegmentSize: journal.MinSegmentSize}, nil)
	put(t, j, 0, 100)
	shut(t, j)
	at := frames(t, fs)
	r := reader(t, fs)
	name, off := r.Place(at[5])
	f, err := fs.Open(name, true)
	if err != nil {
		t.Fatal(err)
	}
	b := journal.AlignedBuffer(4096)
	start := (off + 18) &^ 4095
	if _, err := f.ReadAt(b, start); err != nil {
		t.Fatal(err)
	}
	b[off+18-start] ^= 1
	if _, err := f.WriteAt(b, start); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r = reader(t, fs) // the first one may have read it whole
	var bad *journal.CorruptError
	if _, err := r.ReadAt(at[5], nil); !errors.As(err, &bad) || bad.Segment != name || bad.At != off {
		t.Errorf("ReadAt: got %v, want damage at byte %d of %s", err, off, name)
	}
	if err := r.Scan(at[0], func(journal.Frame) error { return nil }); !errors.As(err, &bad) || bad.Segment != name {
		t.Errorf("Scan: got %v, want damage in %s", err, name)
	}
}

func TestOpenReaderEmpty(t *testing.T) {
	if _, err := journal.OpenReader(dir(t)); !errors.Is(err, journal.ErrEmpty) {
		t.Errorf("got %v, want ErrEmpty", err)
	}
}
