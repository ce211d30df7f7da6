package journaltest

import (
	"io"

	"github.com/encseal/encseal/engine/journal"
)

// Lock implements [journal.FS].
func (f *Faults) Lock(name string) (io.Closer, error) {
	l, err := open(f, Call{Op: "Lock", Name: name}, func() (io.Closer, error) { return f.fs.Lock(name) })
	if err != nil {
		return nil, err
	}
	return &faultLock{f, l, name}, nil
}

// Create implements [journal.FS].
func (f *Faults) Create(name string, size int64) (journal.File, error) {
	return f.file(Call{Op: "Create", Name: name}, func() (journal.File, error) { return f.fs.Create(name, size) })
}

// Open implements [journal.FS].
func (f *Faults) Open(name string, write bool) (journal.File, error) {
	return f.file(Call{Op: "Open", Name: name}, func() (journal.File, error) { return f.fs.Open(name, write) })
}

func (f *Faults) file(c Call, call func() (journal.File, error)) (journal.File, error) {
	file, err := open(f, c, call)
	if err != nil {
		return nil, err
	}
	return &faultFile{f, file, c.Name}, nil
}

// Rename implements [journal.FS]. Its call is logged under the name from.
func (f *Faults) Rename(from, to string) error {
	return f.do(Call{Op: "Rename", Name: from}, func() error { return f.fs.Rename(from, to) })
}

// Remove implements [journal.FS].
func (f *Faults) Remove(name string) error {
	return f.do(Call{Op: "Remove", Name: name}, func() error { return f.fs.Remove(name) })
}

// List implements [journal.FS].
func (f *Faults) List() (names []string, err error) {
	err = f.do(Call{Op: "List"}, func() (err error) {
		names, err = f.fs.List()
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// SyncDir implements [journal.FS].
func (f *Faults) SyncDir() error {
	return f.do(Call{Op: "SyncDir"}, f.fs.SyncDir)
}

type faultLock struct {
	f    *Faults
	lock io.Closer
	name string
}

func (l *faultLock) Close() error {
	return l.f.do(Call{Op: "Close", Name: l.name}, l.lock.Close)
}

type faultFile struct {
	f    *Faults
	file journal.File
	name string
}

func (f *faultFile) ReadAt(b []byte, at int64) (n int, err error) {
	err = f.f.do(Call{Op: "ReadAt", Name: f.name, At: at, Len: int64(len(b))}, func() (err error) {
		n, err = f.file.ReadAt(b, at)
		return err
	})
	return n, err
}

func (f *faultFile) WriteAt(b []byte, at int64) (int, error) {
	fault := f.f.enter(Call{Op: "WriteAt", Name: f.name, At: at, Len: int64(len(b))})
	if fault == nil {
		return f.file.WriteAt(b, at)
	}
	n, err := 0, error(nil)
	switch fault.How {
	case FailedDone:
		n, err = f.file.WriteAt(b, at)
	case ShortWrite:
		n, err = f.writeHalf(b, at)
	}
	if err != nil {
		return n, err
	}
	return n, fault.err()
}

// writeHalf writes the first half of b in whole sectors. A Direct file takes no half blocks: there the second half is
// written too, as it was.
func (f *faultFile) writeHalf(b []byte, at int64) (int, error) {
	half := len(b) / 2 &^ (sectorSize - 1)
	if !f.file.Direct() {
		return f.file.WriteAt(b[:half], at)
	}
	whole := alignedBuffer(len(b))
	if _, err := f.file.ReadAt(whole, at); err != nil && err != io.EOF {
		return 0, err
	}
	copy(whole, b[:half])
	n, err := f.file.WriteAt(whole, at)
	return min(n, half), err
}

func (f *faultFile) Sync() error {
	fault := f.f.enter(Call{Op: "Sync", Name: f.name})
	if fault == nil || fault.How == FailedDone {
		if err := f.file.Sync(); err != nil || fault == nil {
			return err
		}
	} else if file, ok := f.file.(*memFile); ok {
		file.failSync()
	}
	return fault.err()
}

func (f *faultFile) Size() (size int64, err error) {
	err = f.f.do(Call{Op: "Size", Name: f.name}, func() (err error) {
		size, err = f.file.Size()
		return err
	})
	return size, err
}

func (f *faultFile) Direct() bool { return f.file.Direct() }

func (f *faultFile) Close() error {
	return f.f.do(Call{Op: "Close", Name: f.name}, f.file.Close)
}
