package main

import "fmt"

const (
	exitDone    = 0
	exitRefused = 1
	exitUsage   = 2
	exitFailed  = 3
)

// exitError ends the command with a code of its own. Every other error ends it with exitFailed, so that a fault nobody
// thought of is never taken for a verdict. A nil err means that all has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// refused says that the thing checked is not right or that input was not accepted.
func refused(format string, args ...any) error {
	return &exitError{exitRefused, fmt.Errorf(format, args...)}
}

// usage says that the command line cannot be meant.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}
