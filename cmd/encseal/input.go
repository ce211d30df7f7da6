package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// input is a file or standard input, opened for reading.
type input struct {
	io.Reader
	file *os.File
	name string // as messages call it
	size int64  // -1 where it is not known: a pipe, a terminal
}

// open opens the file that arg names; "-" and "" are standard input. What is expected there is said where somebody would
// otherwise sit before a silent terminal.
func (c *console) open(arg, what string) (*input, error) {
	if arg == "" || arg == "-" {
		if isTerminal(c.in) {
			c.say("reading %s from standard input, to end of file (control-D)", what)
		}
		return newInput(c.in, "<stdin>"), nil
	}
	f, err := os.Open(arg)
	if err != nil {
		return nil, err
	}
	return newInput(f, arg), nil
}

func newInput(f *os.File, name string) *input {
	in := &input{Reader: f, file: f, name: name, size: -1}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		in.size = info.Size()
	}
	return in
}

func (in *input) Close() error {
	if in.file == os.Stdin {
		return nil
	}
	return in.file.Close()
}

// readAll reads an input that must be small whole.
func (in *input) readAll(limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, in.unreadable(err)
	}
	if int64(len(data)) > limit {
		return nil, refused("%s: longer than %d bytes", in.name, limit)
	}
	return data, nil
}

// unreadable names the input that could not be read. The system's error names it too, standard input by a path.
func (in *input) unreadable(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return fmt.Errorf("%s: %w", in.name, err)
}

// bothStdin refuses a command line that gives standard input to two arguments.
func bothStdin(a, b string) error {
	if a == "-" && b == "-" {
		return usage("%s", "only one of the files can be standard input")
	}
	return nil
}
