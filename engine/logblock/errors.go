package logblock

import (
	"errors"
	"strconv"

	"github.com/encseal/encseal/engine/receipt"
)

// FieldError says which key of a LogBlock, a proof, an evidence line or a configuration is wrong, and why.
type FieldError struct {
	Field  string // path in the JSON, as "range.from_ts" or "logblock.height"; a Go field name for a configuration; "" for the whole
	Reason string
}

// Error returns "logblock: field: reason".
func (e *FieldError) Error() string {
	return "logblock: " + joinReason(e.Field, e.Reason)
}

// ProducerError says which receipt of those given to [Producers] was refused, and why.
type ProducerError struct {
	Index  int    // place among the receipts or claims of the call, from 0
	Field  string // "hash", "sig", "prev_hash", or the field of the receipt that breaks a rule of its format
	Reason string // [NoProducer] or [AlreadyTaken] for prev_hash, else words
}

// Error returns "field: reason", as a *receipt.FieldError does: whoever has the receipts names the place.
func (e *ProducerError) Error() string { return joinReason(e.Field, e.Reason) }

// CheckError says where a chain of blocks first fails, and why.
type CheckError struct {
	File string // [BlocksFile] or [ReceiptsFile] where [Verify] read it, else ""
	Line int64  // line of File, from 1; 0 where it is no line's fault

	Height  uint64 // height of the block; 0 where there is none
	Receipt int64  // index of the receipt in its block, from 0; −1 where it is the block's fault

	Field  string // path in the block's or the receipt's JSON; "" for the whole
	Reason string
}

// Error returns "logblock: blocks line 7: block 7, receipt 3: field: reason", as far as each is known.
func (e *CheckError) Error() string {
	place := ""
	if e.File != "" {
		place = e.File + ": "
		if e.Line > 0 {
			place = e.File + " line " + strconv.FormatInt(e.Line, 10) + ": "
		}
	}
	return "logblock: " + place + e.Detail()
}

// Detail returns "block 7, receipt 3: field: reason", as far as each is known: the error without package, file and line.
func (e *CheckError) Detail() string {
	text := joinReason(e.Field, e.Reason)
	if e.Height == 0 {
		return text
	}
	place := "block " + strconv.FormatUint(e.Height, 10)
	if e.Receipt >= 0 {
		place += ", receipt " + strconv.FormatInt(e.Receipt, 10)
	}
	return place + ": " + text
}

func joinReason(field, reason string) string {
	if field == "" {
		return reason
	}
	return field + ": " + reason
}

// fieldOf takes an error about a block or a receipt apart into field and reason.
func fieldOf(err error) (field, reason string) {
	var own *FieldError
	if errors.As(err, &own) {
		return own.Field, own.Reason
	}
	var theirs *receipt.FieldError
	if errors.As(err, &theirs) {
		return theirs.Field, theirs.Reason
	}
	var producer *ProducerError
	if errors.As(err, &producer) {
		return producer.Field, producer.Reason
	}
	return "", err.Error()
}

// under puts an error's field below at: "range.from_ts" becomes "logblock.range.from_ts".
func under(at string, err error) *FieldError {
	field, reason := fieldOf(err)
	return &FieldError{Field: joinPath(at, field), Reason: reason}
}

func joinPath(at, field string) string {
	switch {
	case at == "":
		return field
	case field == "":
		return at
	}
	return at + "." + field
}
