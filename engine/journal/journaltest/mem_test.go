package journaltest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/encseal/encseal/engine/journal"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, fsys journal.FS, name string, size int64) journal.File {
	t.Helper()
	f, err := fsys.Create(name, size)
	must(t, err)
	return f
}

func write(t *testing.T, f journal.File, b []byte, at int64) {
	t.Helper()
	n, err := f.WriteAt(b, at)
	must(t, err)
	if n != len(b) {
		t.Fatalf("got %d bytes written, want %d", n, len(b))
	}
}

// What is read is what a slice of bytes holds after the same writes, whatever their place and length; and it is what a
// crash keeps after Sync, and what one that keeps all finds without.
func TestMemReadsWhatWasWritten(t *testing.T) {
	const limit = 5*pageSize + 100
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := NewMem()
		want := make([]byte, rng.IntN(limit))
		f := create(t, m, "a", int64(len(want)))
		for range 30 {
			at := rng.IntN(limit)
			b := make([]byte, rng.IntN(limit-at)+1)
			if rng.IntN(3) > 0 {
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
			}
			if rng.IntN(2) == 0 {
				at = at / pageSize * pageSize
			}
			write(t, f, b, int64(at))
			if end := at + len(b); end > len(want) {
				want = append(want, make([]byte, end-len(want))...)
			}
			copy(want[at:], b)
			clear(b) // the file has a copy of its own
			from := rng.IntN(len(want))
			got := make([]byte, rng.IntN(len(want)-from)+1)
			if n, err := f.ReadAt(got, int64(from)); n != len(got) || err != nil {
				t.Fatalf("seed %d: got %d, %v, want %d, nil", seed, n, err, len(got))
			}
			if !bytes.Equal(got, want[from:from+len(got)]) {
				t.Fatalf("seed %d: bytes [%d, %d) differ from what was written", seed, from, from+len(got))
			}
		}
		must(t, m.SyncDir())
		if got := m.Clone().CrashKept().Bytes("a"); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: a crash that keeps all lost something", seed)
		}
		must(t, f.Sync())
		if got := m.Clone().CrashLost().Bytes("a"); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: a crash lost what was synced", seed)
		}
		cut := rng.Int64N(int64(len(want)))
		m.Truncate("a", cut)
		m.Truncate("a", int64(len(want)))
		clear(want[cut:])
		if got := m.Bytes("a"); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: cut at %d and made longer, not what is left and zeros", seed, cut)
		}
	}
}

func TestMemEnd(t *testing.T) {
	f := create(t, NewMem(), "a", 10)
	for _, test := range []struct {
		at   int64
		n    int
		want error
	}{{0, 10, nil}, {0, 11, io.EOF}, {9, 2, io.EOF}, {10, 1, io.EOF}, {11, 1, io.EOF}} {
		b := make([]byte, test.n)
		n, err := f.ReadAt(b, test.at)
		if want := int(min(int64(test.n), max(0, 10-test.at))); n != want || err != test.want {
			t.Errorf("ReadAt(%d bytes, %d): got %d, %v, want %d, %v", test.n, test.at, n, err, want, test.want)
		}
	}
	if size, err := f.Size(); size != 10 || err != nil {
		t.Errorf("Size: got %d, %v, want 10, nil", size, err)
	}
}

func TestMemErrors(t *testing.T) {
	m := NewMem()
	f := create(t, m, "a", 4096)
	closed := create(t, m, "closed", 0)
	must(t, closed.Close())
	reader, err := m.Open("a", false)
	must(t, err)
	for _, test := range []struct {
		what string
		call func() error
		want error
	}{
		{"Create of a name that is there", func() error { _, err := m.Create("a", 1); return err }, fs.ErrExist},
		{"Create with a separator", func() error { _, err := m.Create("a/b", 1); return err }, fs.ErrInvalid},
		{"Create without a name", func() error { _, err := m.Create("", 1); return err }, fs.ErrInvalid},
		{"Create with a negative size", func() error { _, err := m.Create("b", -1); return err }, fs.ErrInvalid},
		{"Open of nothing", func() error { _, err := m.Open("b", true); return err }, fs.ErrNotExist},
		{"Rename of nothing", func() error { return m.Rename("b", "c") }, fs.ErrNotExist},
		{"Rename to a separator", func() error { return m.Rename("a", "b/c") }, fs.ErrInvalid},
		{"Remove of nothing", func() error { return m.Remove("b") }, fs.ErrNotExist},
		{"WriteAt of a reader", func() error { _, err := reader.WriteAt([]byte{1}, 0); return err }, syscall.EBADF},
		{"WriteAt before the start", func() error { _, err := f.WriteAt([]byte{1}, -1); return err }, fs.ErrInvalid},
		{"ReadAt before the start", func() error { _, err := f.ReadAt([]byte{1}, -1); return err }, fs.ErrInvalid},
		{"Sync of a closed file", closed.Sync, fs.ErrClosed},
		{"Close of a closed file", closed.Close, fs.ErrClosed},
	} {
		if err := test.call(); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.what, err, test.want)
		}
	}
	if got, want := m.Names(), []string{"a", "closed"}; !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q", got, want)
	}
}

func TestMemNames(t *testing.T) {
	m := NewMem()
	a := create(t, m, "a", 1)
	write(t, a, []byte{'a'}, 0)
	b := create(t, m, "b", 1)
	write(t, b, []byte{'b'}, 0)
	must(t, m.Rename("b", "a"))
	must(t, m.Rename("a", "a"))
	names, err := m.List()
	must(t, err)
	if !slices.Equal(names, []string{"a"}) || string(m.Bytes("a")) != "b" {
		t.Errorf("got files %q, a %q, want a alone, which was b", names, m.Bytes("a"))
	}
	must(t, m.Remove("a"))
	got := make([]byte, 1)
	for want, f := range map[byte]journal.File{'a': a, 'b': b} {
		if _, err := f.ReadAt(got, 0); err != nil || got[0] != want {
			t.Errorf("a file without a name: got %q, %v, want %q", got, err, want)
		}
	}
}

func TestMemLock(t *testing.T) {
	m := NewMem()
	l, err := m.Lock("lock")
	must(t, err)
	if _, err := m.Lock("lock"); err != journal.ErrLocked {
		t.Errorf("second Lock: got %v, want %v", err, journal.ErrLocked)
	}
	must(t, l.Close())
	if err := l.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Close: got %v, want %v", err, fs.ErrClosed)
	}
	if _, err = m.Lock("lock"); err != nil {
		t.Errorf("Lock after Close: got %v, want nil", err)
	}
	if got := m.Names(); !slices.Equal(got, []string{"lock"}) {
		t.Errorf("got files %q, want lock", got)
	}
	if _, err = m.CrashKept().Lock("lock"); err != nil {
		t.Errorf("Lock after a crash: got %v, want nil", err)
	}
}

func TestMemCapacity(t *testing.T) {
	m := NewMem()
	m.SetCapacity(100)
	f := create(t, m, "a", 60)
	if _, err := m.Create("b", 41); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Create of 41 bytes where 40 are left: got %v, want %v", err, syscall.ENOSPC)
	}
	if got := m.Names(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got files %q, want a", got)
	}
	create(t, m, "b", 40)
	write(t, f, make([]byte, 200), 0)
	must(t, m.Remove("a"))
	create(t, m, "c", 60)
	m.SetCapacity(-1)
	create(t, m, "d", 1<<40)
}

func TestMemDirect(t *testing.T) {
	m := NewMem()
	if create(t, m, "a", 2*pageSize).Direct() {
		t.Error("got a Direct file, want none")
	}
	m.SetDirect(true)
	f, err := m.Open("a", true)
	must(t, err)
	if !f.Direct() {
		t.Error("got a file that is not Direct, want one")
	}
	b := alignedBuffer(2 * pageSize)
	for _, test := range []struct {
		b  []byte
		at int64
		ok bool
	}{
		{b, 0, true}, {b[pageSize:], pageSize, true},
		{b[:100], 0, false}, {b[:pageSize], 512, false}, {b[512:][:pageSize], 0, false},
	} {
		if _, err := f.WriteAt(test.b, test.at); (err == nil) != test.ok {
			t.Errorf("WriteAt(%d bytes, %d): got %v, want success %v", len(test.b), test.at, err, test.ok)
		}
	}
}

func TestMemDead(t *testing.T) {
	m := NewMem()
	l, err := m.Lock("lock")
	must(t, err)
	f := create(t, m, "a", 1)
	m.CrashKept()
	for what, call := range map[string]func() error{
		"Lock":    func() error { _, err := m.Lock("lock"); return err },
		"Create":  func() error { _, err := m.Create("b", 1); return err },
		"Open":    func() error { _, err := m.Open("a", true); return err },
		"Rename":  func() error { return m.Rename("a", "b") },
		"Remove":  func() error { return m.Remove("a") },
		"List":    func() error { _, err := m.List(); return err },
		"SyncDir": m.SyncDir,
		"ReadAt":  func() error { _, err := f.ReadAt([]byte{0}, 0); return err },
		"WriteAt": func() error { _, err := f.WriteAt([]byte{1}, 0); return err },
		"Sync":    f.Sync,
		"Size":    func() error { _, err := f.Size(); return err },
		"Close":   f.Close,
		"unlock":  l.Close,
	} {
		if err := call(); !errors.Is(err, ErrCrashed) {
			t.Errorf("%s: got %v, want %v", what, err, ErrCrashed)
		}
	}
}

func TestMemAtRest(t *testing.T) {
	m := NewMem()
	write(t, create(t, m, "a", 8), []byte("12345678"), 0)
	must(t, m.SyncDir())
	c := m.Clone()
	c.Flip("a", 1, 0x80)
	c.Truncate("a", 6)
	if got, want := string(c.CrashLost().Bytes("a")), "1\xb23456"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := string(m.Bytes("a")), "12345678"; got != want {
		t.Errorf("the original of the clone: got %q, want %q", got, want)
	}
}

// Under the race detector: calls from many goroutines, and clones and a crash between them.
func TestMemConcurrent(t *testing.T) {
	m := NewMem()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := string(rune('a' + i))
			f, err := m.Create(name, 4*pageSize)
			for at := int64(0); err == nil; at = (at + 1) % (3 * pageSize) {
				if _, err = f.WriteAt(bytes.Repeat([]byte{byte(i)}, 600), at); err == nil {
					err = f.Sync()
				}
				m.Clone().CrashLost()
			}
			if err != ErrCrashed {
				t.Errorf("got %v, want %v", err, ErrCrashed)
			}
		})
	}
	for range 100 {
		must(t, m.SyncDir())
	}
	after := m.Crash(rand.New(rand.NewPCG(1, 1)))
	wg.Wait()
	if diff := cmp.Diff(after.Names(), after.Clone().CrashLost().Names()); diff != "" {
		t.Errorf("what survived a crash is not durable (-now +durable):\n%s", diff)
	}
}
