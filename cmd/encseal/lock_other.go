//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import (
	"errors"
	"os"
)

// lock does nothing: this system has no lock that the standard library reaches.
func lock(*os.File) error { return nil }

// unlock does nothing.
func unlock(*os.File) error { return nil }

// discard closes f and removes the file at path, which f is. Windows removes no file that is open.
func discard(f *os.File, path string) error {
	return errors.Join(f.Close(), os.Remove(path))
}
