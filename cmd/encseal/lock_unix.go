//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the lock of an open file, until the file is closed or unlocked. It is errLocked when another run holds it.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// unlock gives the lock of a file back that stays open.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// discard removes the file at path, which f is, and closes f. The lock is held meanwhile: who gets it next finds that its
// file is no longer in its place.
func discard(f *os.File, path string) error {
	return errors.Join(os.Remove(path), f.Close())
}
