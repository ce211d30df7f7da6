package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/encseal/encseal/engine"
)

// output is where LogBlocks or rejected lines go: a file, or a stream that cannot be taken back. Write is called by one
// goroutine at a time. An error of it is permanent: what was written of the failed piece is taken off a file again, so
// that the file holds whole lines whatever happened.
type output struct {
	file    *os.File
	name    string
	regular bool
	size    int64 // of a regular file: where the last whole line ends
	broken  error
}

var errNotEmpty = errors.New("not empty, and never overwritten")

// openOutput opens path for appending and leaves to the caller whether it may hold something. The lock that a regular
// file is opened under keeps a second run from finding the same file empty; it lasts until the file is closed.
func openOutput(path string) (*output, error) {
	f, err := openLocked(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	out := &output{file: f, name: path}
	if info.Mode().IsRegular() {
		out.regular, out.size = true, info.Size()
	}
	return out, nil
}

// mustBeEmpty refuses a file that holds something already.
func (o *output) mustBeEmpty() error {
	if o.size > 0 {
		return fmt.Errorf("%s: %w", o.name, errNotEmpty)
	}
	return nil
}

// same reports whether f is the very file that is written.
func (o *output) same(f *os.File) bool {
	own, err := o.file.Stat()
	if err != nil {
		return false
	}
	other, err := f.Stat()
	return err == nil && os.SameFile(own, other)
}

// streamOutput writes to an open stream.
func streamOutput(f *os.File, name string) *output {
	return &output{file: f, name: name}
}

// Write writes one line, or several, whole.
func (o *output) Write(p []byte) (int, error) {
	if o.broken != nil {
		return 0, o.broken
	}
	n, err := o.file.Write(p)
	if err != nil {
		o.broken = &writeError{o.failed(err)}
		if o.regular {
			n = 0 // taken off again
		}
		return n, o.broken
	}
	o.size += int64(n)
	return n, nil
}

// writeError is a write error that trying again does not mend.
type writeError struct{ err error }

func (e *writeError) Error() string   { return e.err.Error() }
func (e *writeError) Unwrap() []error { return []error{e.err, engine.ErrPermanent} }

// failed explains a write error and takes a line that was begun off the end of a file.
func (o *output) failed(err error) error {
	if o.name != o.file.Name() {
		// The name of a stream is ours alone to tell; the system's is "/dev/stdout".
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		err = fmt.Errorf("%s: %w", o.name, err)
	}
	if cut := o.cutTo(o.size); cut != nil {
		return fmt.Errorf("%w (its last line may be cut short: %v)", err, cut)
	}
	return err
}

// cutTo takes what stands beyond size off a regular file.
func (o *output) cutTo(size int64) error {
	if !o.regular {
		return nil
	}
	o.size = size
	return o.file.Truncate(size)
}

// finish makes a file durable and closes it.
func (o *output) finish() error {
	if !o.regular {
		return nil
	}
	return errors.Join(o.file.Sync(), o.file.Close())
}
