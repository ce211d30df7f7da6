package ledger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// CheckError says where a journal first does not hold, and why. Every byte is what was once written: a record is at fault,
// or what records together say.
type CheckError struct {
	Segment string // file name
	Offset  int64  // byte of the segment at which the frame starts
	App     string // "" where it is no app's fault
	Height  uint64 // of the block; 0 where there is none, or none yet
	Receipt int64  // index of the receipt in its block, from 0; −1 where it is none's fault, or in no block yet
	Seq     uint64 // sequence number of that receipt in its app; 0 where Receipt is none's fault
	Reason  string
}

// Error returns "ledger: segment S, byte N, app A, block H, receipt I: reason", as far as each is known.
func (e *CheckError) Error() string { return "ledger: " + e.Detail() }

// Detail is Error without the package.
func (e *CheckError) Detail() string {
	var b strings.Builder
	fmt.Fprintf(&b, "segment %s, byte %d", e.Segment, e.Offset)
	if e.App != "" {
		fmt.Fprintf(&b, ", app %q", e.App)
	}
	if e.Height > 0 {
		fmt.Fprintf(&b, ", block %d", e.Height)
	}
	switch {
	case e.Receipt >= 0:
		fmt.Fprintf(&b, ", receipt %d", e.Receipt)
	case e.Seq > 0:
		fmt.Fprintf(&b, ", receipt with sequence number %d, in no block", e.Seq)
	}
	return b.String() + ": " + e.Reason
}

// ArchiveError says that something is wrong with the archive, where Err is a *CheckError or one of journal.Check, or could
// not be read. Segments that Err names are the archive's.
type ArchiveError struct{ Err error }

// Error returns "ledger: LogBlocks of pruned segments: reason".
func (e *ArchiveError) Error() string {
	return "ledger: LogBlocks of pruned segments: " + reason(e.Err)
}
func (e *ArchiveError) Unwrap() error { return e.Err }

// fault makes an error without a place: the visit function has it.
func fault(format string, args ...any) *CheckError {
	return &CheckError{Receipt: -1, Reason: fmt.Sprintf(format, args...)}
}

// of names the app and the block of a fault; height 0 is none.
func (e *CheckError) of(a *app, height uint64) *CheckError {
	e.App, e.Height = a.Name, height
	return e
}

// reason is the text of an error about a record, a block or a receipt without its package.
func reason(err error) string {
	if e, ok := errors.AsType[*logblock.FieldError](err); ok {
		return strings.TrimPrefix(e.Error(), "logblock: ")
	}
	if e, ok := errors.AsType[*CheckError](err); ok {
		return e.Reason
	}
	if e, ok := errors.AsType[*receipt.FieldError](err); ok {
		return e.Error()
	}
	return strings.TrimPrefix(err.Error(), "ledger: ")
}
