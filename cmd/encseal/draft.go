package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// draft is a file that gets its name when it is whole.
type draft struct {
	name string
	file *os.File // nil when it is published or gone
	w    *bufio.Writer
}

func newDraft(name string) (*draft, error) {
	if err := mustBeFree(name); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, err
	}
	return &draft{name: name, file: f, w: bufio.NewWriterSize(f, readSize)}, nil
}

// mustBeFree refuses a name that is taken.
func mustBeFree(name string) error {
	_, err := os.Lstat(name)
	if err == nil {
		return fmt.Errorf("%s: %w, and never overwritten", name, fs.ErrExist)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *draft) write(p []byte) error {
	_, err := d.w.Write(p)
	return err
}

// publish makes the file durable and gives it its name.
func (d *draft) publish() error {
	err := d.w.Flush()
	if err == nil {
		err = d.file.Chmod(0o644)
	}
	if err == nil {
		err = d.file.Sync()
	}
	if err == nil {
		err = mustBeFree(d.name)
	}
	if err != nil {
		return err
	}
	f := d.file
	d.file = nil
	if err := f.Close(); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), d.name); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// discard removes a file that was not published.
func (d *draft) discard() error {
	if d.file == nil {
		return nil
	}
	return errors.Join(d.file.Close(), os.Remove(d.file.Name()))
}
