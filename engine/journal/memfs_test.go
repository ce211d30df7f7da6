package journal_test

import (
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"syscall"

	"github.com/encseal/encseal/engine/journal"
)

// memFS is a directory in memory. What is written is there at once; a test that wants a crash copies it.
type memFS struct {
	mu     sync.Mutex
	files  map[string]*memData
	locked bool
	space  int64 // bytes of files that Create takes at most; 0: no bound
	// hook, if not nil, is called before each call that changes something, with its name, the file's and what is
	// written. An error fails the call.
	hook func(op, name string, p []byte) error
	// after is the same behind the change.
	after func(op, name string, p []byte) error
}

type memData struct{ b []byte }

func newMemFS() *memFS { return &memFS{files: map[string]*memData{}} }

// clone copies the files as they are, unlocked.
func (m *memFS) clone() *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemFS()
	for name, d := range m.files {
		c.files[name] = &memData{slices.Clone(d.b)}
	}
	return c
}

func (m *memFS) do(op, name string, p []byte, change func() error) error {
	if m.hook != nil {
		if err := m.hook(op, name, p); err != nil {
			return err
		}
	}
	m.mu.Lock()
	err := change()
	m.mu.Unlock()
	if err == nil && m.after != nil {
		err = m.after(op, name, p)
	}
	return err
}

type unlock func()

func (u unlock) Close() error { u(); return nil }

func (m *memFS) Lock(string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked {
		return nil, journal.ErrLocked
	}
	m.locked = true
	return unlock(func() {
		m.mu.Lock()
		m.locked = false
		m.mu.Unlock()
	}), nil
}

func (m *memFS) Create(name string, size int64) (journal.File, error) {
	var f *memFile
	err := m.do("create", name, nil, func() error {
		if m.files[name] != nil {
			return fs.ErrExist
		}
		used := size
		for _, d := range m.files {
			used += int64(len(d.b))
		}
		if m.space > 0 && used > m.space {
			return syscall.ENOSPC
		}
		d := &memData{make([]byte, size)}
		m.files[name] = d
		f = &memFile{m, name, d}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (m *memFS) Open(name string, _ bool) (journal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.files[name]
	if d == nil {
		return nil, fs.ErrNotExist
	}
	return &memFile{m, name, d}, nil
}

func (m *memFS) Rename(from, to string) error {
	return m.do("rename", from, nil, func() error {
		if m.files[from] == nil {
			return fs.ErrNotExist
		}
		m.files[to] = m.files[from]
		delete(m.files, from)
		return nil
	})
}

func (m *memFS) Remove(name string) error {
	return m.do("remove", name, nil, func() error {
		if m.files[name] == nil {
			return fs.ErrNotExist
		}
		delete(m.files, name)
		return nil
	})
}

func (m *memFS) List() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files)), nil
}

func (m *memFS) SyncDir() error { return m.do("syncdir", "", nil, func() error { return nil }) }

type memFile struct {
	m    *memFS
	name string
	d    *memData
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if off >= int64(len(f.d.b)) {
		return 0, io.EOF
	}
	n := copy(p, f.d.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	if off%4096 != 0 || len(p)%4096 != 0 {
		panic("write of no whole blocks")
	}
	err := f.m.do("write", f.name, p, func() error {
		if need := off + int64(len(p)) - int64(len(f.d.b)); need > 0 {
			f.d.b = append(f.d.b, make([]byte, need)...)
		}
		copy(f.d.b[off:], p)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *memFile) Sync() error { return f.m.do("sync", f.name, nil, func() error { return nil }) }

func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return int64(len(f.d.b)), nil
}

func (f *memFile) Direct() bool { return true }
func (f *memFile) Close() error { return nil }

// seg is a segment's file name.
func seg(n int) string { return "seg-" + hex16(n) }

func hex16(n int) string {
	const digits = "0123456789abcdef"
	b := []byte("0000000000000000")
	for i := 15; n > 0; i, n = i-1, n>>4 {
		b[i] = digits[n&15]
	}
	return string(b)
}
