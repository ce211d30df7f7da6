package journal

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned by what is called after Close.
	ErrClosed = errors.New("journal: closed")
	// ErrPruned is returned when what is asked for lies in a segment that was dropped.
	ErrPruned = errors.New("journal: pruned")
	// ErrFull is what a *FullError is to errors.Is.
	ErrFull = errors.New("journal: no space for the next segment")
	// ErrStop ends a Scan from its visit function without an error.
	ErrStop = errors.New("journal: stop")
	// ErrSegment is returned by AppendIn where the next frame comes to lie in another segment. Nothing was appended.
	ErrSegment = errors.New("journal: another segment")
	// ErrTooLarge is returned by Append for a payload above MaxPayload. Nothing was appended.
	ErrTooLarge = errors.New("journal: payload is too large")
)

// CorruptError is returned when bytes that were durable once are not what was written. Nothing was changed.
type CorruptError struct {
	Segment string // file name
	At      int64  // byte in the segment
	Reason  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("journal: %s is corrupt at byte %d: %s", e.Segment, e.At, e.Reason)
}

// VersionError is returned when a segment is of a later format than this package knows. Nothing was changed.
type VersionError struct {
	Segment string // file name
	Version uint32
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("journal: %s is of format version %d, known is %d", e.Segment, e.Version, version)
}

// FailedError is what every call returns after a write or sync failed. Whether what was not durable then is on disk is
// known only to the next Open.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return "journal: failed for good: " + e.Err.Error() }
func (e *FailedError) Unwrap() error { return e.Err }

// FullError is returned by Close when there was no space for what was appended last. None of it is in the journal.
type FullError struct {
	Frames int
	Bytes  int64 // of the frames
	Err    error // why no segment could be prepared
}

func (e *FullError) Error() string {
	return fmt.Sprintf("journal: closed with %d frames of %d bytes unwritten, no next segment: %v", e.Frames, e.Bytes, e.Err)
}
func (e *FullError) Unwrap() error        { return e.Err }
func (e *FullError) Is(target error) bool { return target == ErrFull }
