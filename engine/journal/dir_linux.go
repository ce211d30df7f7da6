package journal

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// file is a file with O_DIRECT where the file system takes it. It falls back to the page cache at the first call that
// the file system refuses for its alignment.
type file struct {
	*os.File
	fd     int
	direct atomic.Bool
}

func openFile(path string, flag int) (*file, error) {
	f, err := os.OpenFile(path, flag|unix.O_DIRECT, 0o600)
	direct := err == nil
	if errors.Is(err, unix.EINVAL) {
		// Some file systems make the file before they refuse.
		f, err = os.OpenFile(path, flag&^os.O_EXCL, 0o600)
	}
	if err != nil {
		return nil, err
	}
	s := &file{File: f, fd: int(f.Fd())}
	s.direct.Store(direct)
	return s, nil
}

func (f *file) Direct() bool { return f.direct.Load() }

// undirect leaves direct I/O and reports whether err is a reason to, and it was in use.
func (f *file) undirect(err error) bool {
	if !errors.Is(err, unix.EINVAL) || !f.direct.Load() {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(f.fd), unix.F_GETFL, 0)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(f.fd), unix.F_SETFL, flags&^unix.O_DIRECT)
	}
	if err != nil {
		return false
	}
	f.direct.Store(false)
	return true
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	if err != nil && n == 0 && f.undirect(err) {
		return f.File.WriteAt(p, off)
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if f.direct.Load() && !aligned(p, off) {
		return f.readUnaligned(p, off)
	}
	n, err := f.File.ReadAt(p, off)
	if err != nil && n == 0 && f.undirect(err) {
		return f.File.ReadAt(p, off)
	}
	return n, err
}

func aligned(p []byte, off int64) bool {
	return off%block == 0 && len(p)%block == 0 && uintptr(unsafe.Pointer(unsafe.SliceData(p)))%block == 0
}

const bounceSize = 64 << 10

var bounces = sync.Pool{New: func() any { b := AlignedBuffer(bounceSize); return &b }}

// readUnaligned reads whole blocks and copies what is asked for.
func (f *file) readUnaligned(p []byte, off int64) (int, error) {
	b := bounces.Get().(*[]byte)
	defer bounces.Put(b)
	read := 0
	for read < len(p) {
		at := off + int64(read)
		start := at &^ (block - 1)
		want := min(int64(bounceSize), roundUp(at+int64(len(p)-read))-start)
		n, err := f.ReadAt((*b)[:want], start)
		if int64(n) > at-start {
			read += copy(p[read:], (*b)[at-start:n])
		}
		if err != nil && read < len(p) {
			return read, err
		}
	}
	return read, nil
}

// Sync is fdatasync: sizes and block maps that are needed to read back are included, times are not.
func (f *file) Sync() error {
	for {
		err := unix.Fdatasync(f.fd)
		if err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

func (f *file) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f *file) allocate(size int64) error {
	for {
		err := unix.Fallocate(f.fd, 0, 0, size)
		switch err {
		case unix.EINTR:
			continue
		case unix.EOPNOTSUPP, unix.ENOSYS:
			return fill(f, size)
		}
		return os.NewSyscallError("fallocate", err)
	}
}

func rename(from, to string) error { return os.Rename(from, to) }
