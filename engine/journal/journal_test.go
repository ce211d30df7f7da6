package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/encseal/encseal/engine/journal"
)

func dir(t testing.TB) journal.FS {
	t.Helper()
	fs, err := journal.Dir(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// payload is the one of frame i: its number, and a length that differs.
func payload(i int) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Repeat([]byte{byte(i)}, i*37%3000), uint32(i))
}

// collect returns a replay function that checks frames against payload, counting from *n.
func collect(t testing.TB, n *int) func(journal.Frame) error {
	return func(f journal.Frame) error {
		if !bytes.Equal(f.Payload, payload(*n)) || f.Type != byte(1+*n%255) {
			t.Fatalf("frame %d at %d: got type %d and %d bytes, want type %d and %d bytes",
				*n, f.At, f.Type, len(f.Payload), 1+*n%255, len(payload(*n)))
		}
		*n++
		return nil
	}
}

// put appends frames [from, to) and waits for them.
func put(t testing.TB, j *journal.Journal, from, to int) (end journal.Offset) {
	t.Helper()
	for i := from; i < to; i++ {
		var err error
		p := payload(i)
		if _, end, err = j.Append(byte(1+i%255), p[:len(p)/2], p[len(p)/2:]); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Wait(context.Background(), end); err != nil {
		t.Fatal(err)
	}
	return end
}

func open(t testing.TB, cfg journal.Config, replay func(journal.Frame) error) *journal.Journal {
	t.Helper()
	j, err := journal.Open(cfg, replay)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func shut(t testing.TB, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReopen(t *testing.T) {
	fs := dir(t)
	cfg := journal.Config{FS: fs, SegmentSize: journal.MinSegmentSize}
	frames := 0
	for round := range 5 {
		n := 0
		j := open(t, cfg, collect(t, &n))
		if n != frames {
			t.Fatalf("opened for the %d. time: got %d frames, want %d", round+1, n, frames)
		}
		put(t, j, frames, frames+100)
		frames += 100
		if round > 0 && j.Stats().Segments < 2 {
			t.Fatal("all in one segment")
		}
		shut(t, j)
	}
}

func TestLock(t *testing.T) {
	fs := dir(t)
	j := open(t, journal.Config{FS: fs}, nil)
	if _, err := journal.Open(journal.Config{FS: fs}, nil); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("second Open: got %v, want ErrLocked", err)
	}
	shut(t, j)
	shut(t, open(t, journal.Config{FS: fs}, nil))
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes here")
	}
	path := filepath.Join(t.TempDir(), "journal")
	fs, err := journal.Dir(path)
	if err != nil {
		t.Fatal(err)
	}
	j := open(t, journal.Config{FS: fs}, nil)
	put(t, j, 0, 1)
	shut(t, j)
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) < 2 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: got mode %v (%v), want 0600", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: got mode %v (%v), want 0700", info.Mode(), err)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	j := open(t, journal.Config{FS: dir(t)}, nil)
	defer shut(t, j)
	a, b := make([]byte, 8), make([]byte, 30<<10)
	var head [4]byte
	if n := testing.AllocsPerRun(500, func() {
		if _, _, err := j.Append(1, a, head[:], b); err != nil {
			t.Fatal(err)
		}
		j.Kick()
	}); n != 0 {
		t.Errorf("got %v allocations an Append, want 0", n)
	}
}
