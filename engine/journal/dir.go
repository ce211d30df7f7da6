package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// dir is a directory of the system.
type dir struct{ path string }

// Dir returns the system's directory of that path, and makes it with mode 0700 if it is missing. Files are of mode 0600.
func Dir(path string) (FS, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := makeDir(path); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &dir{path}, nil
}

// makeDir makes a directory and those above it that are missing, durably: files are only as durable as their directory.
func makeDir(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a directory", path)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func (d *dir) join(name string) string { return filepath.Join(d.path, name) }

// Sub returns the directory of that name below this one.
func (d *dir) Sub(name string) (FS, error) { return Dir(d.join(name)) }

func (d *dir) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(d.join(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", d.join(name), err)
	}
	return f, nil
}

func (d *dir) Create(name string, size int64) (File, error) {
	f, err := openFile(d.join(name), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	if err := f.allocate(size); err != nil {
		f.Close()
		if rm := os.Remove(d.join(name)); rm != nil {
			err = fmt.Errorf("%w (and %w)", err, rm)
		}
		return nil, fmt.Errorf("allocating %d bytes for %s: %w", size, d.join(name), err)
	}
	return f, nil
}

func (d *dir) Open(name string, write bool) (File, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	// What waits for somebody else to open it, a named pipe, would hold Open up for good.
	info, err := os.Stat(d.join(name))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", d.join(name))
	}
	return openFile(d.join(name), flag)
}

func (d *dir) Rename(from, to string) error { return rename(d.join(from), d.join(to)) }
func (d *dir) Remove(name string) error     { return os.Remove(d.join(name)) }
func (d *dir) SyncDir() error               { return syncDir(d.path) }

func (d *dir) List() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// fill writes size zeros and makes them durable: what allocates where the system has no call for it.
func fill(f File, size int64) error {
	if err := writeZeros(f, 0, size); err != nil {
		return err
	}
	return f.Sync()
}
