//go:build !linux && !windows

package journal

import "os"

func openFile(path string, flag int) (*file, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return &file{f}, nil
}

func rename(from, to string) error { return os.Rename(from, to) }
