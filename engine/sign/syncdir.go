//go:build !windows

package sign

import (
	"errors"
	"os"
	"syscall"
)

// syncDir makes the names in dir durable. A file system without such a notion says EINVAL or "not supported": there the
// file's own sync is all that can be had.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
