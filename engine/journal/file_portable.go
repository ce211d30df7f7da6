//go:build !linux

package journal

import "os"

// file is a file behind the page cache. Sync is os.File's: F_FULLFSYNC on darwin, FlushFileBuffers on windows, fsync
// elsewhere.
type file struct{ *os.File }

func (*file) Direct() bool { return false }

func (f *file) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f *file) allocate(size int64) error { return fill(f, size) }
