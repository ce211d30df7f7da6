package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/encseal/encseal/engine"
)

// output is where LogBlocks or rejected lines go: a file, or a stream that cannot be taken back. Write is called by one
// goroutine at a time. An error of it is permanent: what was written of the failed piece is taken off a file again, so
// that the file holds whole lines whatever happened.
//
// A file is written from its end on, and is locked while it is: two runs neither fill nor continue one log. (It is not
// opened for appending: of such a file Windows takes nothing off again.) A file that --after continues elsewhere is locked
// too. The lock is flock's. What it does not keep apart:
// runs on a system without it, Windows among them, which write over what the other wrote; runs that share one open
// standard output; and programs that do not ask for it.
type output struct {
	file    *os.File
	name    string
	stream  bool // opened by the caller, and not closed
	created bool // by this run, under name
	regular bool
	size    int64 // of a regular file: where the last whole line ends
	broken  error
}

var (
	errNotEmpty = errors.New("not empty, and never overwritten")
	errLocked   = errors.New("is being written by another run")
)

// openOutput opens path for writing behind what it holds, and leaves to the caller whether it may hold something. The lock
// that a regular file is opened under keeps a second run from finding the same file empty; it lasts until the file is
// closed.
func openOutput(path string) (*output, error) {
	const patience = 100
	for range patience {
		f, created, err := openFile(path)
		if err != nil {
			return nil, err
		}
		out := &output{file: f, name: path, created: created}
		if err = out.hold(); err == nil && (!out.regular || out.inPlace()) {
			return out, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
		// A run that failed has removed its empty file between our opening and our lock.
	}
	return nil, fmt.Errorf("%s: is removed as fast as it is made", path)
}

// openFile opens path for writing, created with mode 0644 where it is not there. Its kind decides what can be done with it
// and not its name, so that /dev/full and pipes work.
func openFile(path string) (f *os.File, created bool, err error) {
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		return f, true, nil
	}
	if errors.Is(err, fs.ErrExist) {
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644) // creates what a symbolic link leads to
	}
	return f, false, err
}

// streamOutput writes to an open stream.
func streamOutput(f *os.File, name string) *output {
	return &output{file: f, name: name, stream: true}
}

// hold locks a regular file and goes to its end. What is none stays as it is.
func (o *output) hold() error {
	info, err := o.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	if err := lock(o.file); err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	o.regular = true
	o.size, err = o.file.Seek(0, io.SeekEnd)
	return err
}

// inPlace reports whether the open file is still the one under its name.
func (o *output) inPlace() bool { return o.is(os.Stat(o.name)) }

// is reports whether a Stat that returned this found the very file that is written.
func (o *output) is(info fs.FileInfo, err error) bool {
	own, ownErr := o.file.Stat()
	return err == nil && ownErr == nil && os.SameFile(own, info)
}

// mustBeEmpty refuses a file that holds something already.
func (o *output) mustBeEmpty() error {
	if o.size > 0 {
		return fmt.Errorf("%s: %w", o.name, errNotEmpty)
	}
	return nil
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
	if o.stream {
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

// cutTo takes what stands beyond size off a regular file, which is then written from there on.
func (o *output) cutTo(size int64) error {
	if !o.regular {
		return nil
	}
	o.size = size
	if err := o.file.Truncate(size); err != nil {
		return err
	}
	_, err := o.file.Seek(size, io.SeekStart)
	return err
}

// finish makes a file durable, its name too where this run made it, and closes it. After a run that failed, a file that the
// run made and wrote nothing to goes again.
func (o *output) finish(failed bool) error {
	if !o.regular {
		return nil
	}
	if o.created && failed && o.size == 0 && o.inPlace() {
		return discard(o.file, o.name)
	}
	err := o.file.Sync()
	if o.created {
		err = errors.Join(err, syncDir(filepath.Dir(o.name)))
	}
	if o.stream {
		return errors.Join(err, unlock(o.file))
	}
	return errors.Join(err, o.file.Close())
}
