package journal

import (
	"errors"
	"io"
)

// ErrLocked is returned when another process, or another Journal of this one, holds the directory.
var ErrLocked = errors.New("journal: directory is in use by another process")

// FS is one directory, as a Journal uses it. Names have no separators. [Dir] is the system's; package journaltest has
// others for tests.
type FS interface {
	// Lock takes the directory until the result is closed or the process ends. The file name stays. It returns ErrLocked
	// where another holder lives.
	Lock(name string) (io.Closer, error)
	// Create makes a file that must not exist, with size bytes allocated that read as zero. After an error no file is left.
	Create(name string, size int64) (File, error)
	// Open opens a file that exists, for reading alone unless write is set.
	Open(name string, write bool) (File, error)
	// Rename gives a file another name, whose file it replaces. It is durable after SyncDir, as Create and Remove are.
	Rename(from, to string) error
	Remove(name string) error
	// List returns the names of all files, sorted.
	List() ([]string, error)
	SyncDir() error
}

// File is positioned I/O on one file. It is safe for concurrent use.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns when what was written is durable, and what is needed to read it back.
	Sync() error
	// Size returns the length in bytes.
	Size() (int64, error)
	// Direct reports whether writes go past the page cache. Then they are of whole blocks of 4,096 bytes, at multiples of
	// 4,096, from a buffer that AlignedBuffer made.
	Direct() bool
}
