package journaltest

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
	"unsafe"
)

// memFile is one opening of a node. Its name is the one that it was opened by.
type memFile struct {
	m                *Mem
	n                *node
	name             string
	direct, writable bool
	closed           bool // guarded by m.mu
}

func (f *memFile) ReadAt(b []byte, at int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("read"); err != nil {
		return 0, err
	}
	if at < 0 {
		return 0, f.fail("read", fs.ErrInvalid)
	}
	n := int(min(int64(len(b)), max(0, f.n.now.size-at)))
	f.n.now.read(b[:n], at)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(b []byte, at int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("write"); err != nil {
		return 0, err
	}
	if !f.writable {
		return 0, f.fail("write", syscall.EBADF)
	}
	if at < 0 || f.direct && !aligned(b, at) {
		return 0, f.fail("write", fs.ErrInvalid)
	}
	if len(b) > 0 {
		f.n.write(newChange(at, b))
	}
	return len(b), nil
}

func aligned(b []byte, at int64) bool {
	return at%pageSize == 0 && len(b)%pageSize == 0 && address(b)%pageSize == 0
}

func address(b []byte) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// alignedBuffer returns n bytes that a Direct file takes. Memory of Go stays where it is.
func alignedBuffer(n int) []byte {
	b := make([]byte, n+pageSize)
	skip := -address(b) % pageSize
	return b[skip:][:n:n]
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("sync"); err != nil {
		return err
	}
	f.n.sync()
	return nil
}

func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("size"); err != nil {
		return 0, err
	}
	return f.n.now.size, nil
}

func (f *memFile) Direct() bool { return f.direct }

func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.check("close"); err != nil {
		return err
	}
	f.closed = true
	return nil
}

func (f *memFile) check(op string) error {
	if f.m.dead {
		return ErrCrashed
	}
	if f.closed {
		return f.fail(op, fs.ErrClosed)
	}
	return nil
}

func (f *memFile) fail(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

func (n *node) write(c change) {
	n.now.apply(c)
	n.unsynced = append(n.unsynced, c)
}

// sync makes the unsynced changes durable. They are applied, and now is not simply copied, as a Sync that failed may have
// lost earlier ones.
func (n *node) sync() {
	for _, c := range n.unsynced {
		n.durable.apply(c)
	}
	n.unsynced = nil
}

// failSync is what is left of a Sync that failed: the data that it was to make durable is read until a crash, and no later
// Sync makes it durable, as Linux does it with pages that could not be written. A size is not given up.
func (f *memFile) failSync() {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.n.unsynced = slices.DeleteFunc(f.n.unsynced, func(c change) bool { return c.n > 0 })
}
