//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import "os"

// openLocked opens path for appending, created with mode 0644 where it is not there. This system has no lock that the
// standard library reaches, so two runs that are given one file at one time are not kept apart.
func openLocked(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
}
