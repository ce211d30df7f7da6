//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes f for this open file: another Open in the same process is refused too. It ends with the file.
func lockFile(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch err {
		case unix.EINTR:
			continue
		case unix.EWOULDBLOCK:
			return ErrLocked
		}
		return os.NewSyscallError("flock", err)
	}
}
