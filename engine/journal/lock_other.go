//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package journal

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock that holds against the same process too, two writers could destroy a journal.
func lockFile(*os.File) error { return errors.ErrUnsupported }
