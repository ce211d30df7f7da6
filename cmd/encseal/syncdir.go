//go:build !windows

package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// syncDir makes the names in dir durable. Where the file system has no such notion, or dir may not be opened for reading,
// the file's own sync is all that can be had.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
