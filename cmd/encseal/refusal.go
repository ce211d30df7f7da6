package main

import (
	"errors"
	"fmt"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// refusal returns "field: reason" where err says that a receipt was not accepted, and nil where it is none or another
// kind of failure.
func refusal(err error) error {
	if errors.Is(err, receipt.ErrLineTooLong) {
		return errors.New("line over 1 MiB")
	}
	if producer, ok := errors.AsType[*logblock.ProducerError](err); ok {
		return fmt.Errorf("%s: %s", producer.Field, producer.Reason)
	}
	if field, ok := errors.AsType[*receipt.FieldError](err); ok {
		return field
	}
	return nil
}

// badLine places the error of a receipt's line in its file. One of the file itself is no refusal.
func badLine(in *input, lines *receipt.Lines, err error) error {
	if reason := refusal(err); reason != nil {
		return refused("%w", at(in.name, lines.Line(), reason))
	}
	return in.unreadable(err)
}

// at names a place in a file the way editors and compilers do.
func at(name string, line int64, err error) error {
	return fmt.Errorf("%s:%d: %w", name, line, err)
}

// detail is the text of an error about a LogBlock without what the place before it says already.
func detail(err error) string {
	if check, ok := errors.AsType[*logblock.CheckError](err); ok {
		return check.Detail()
	}
	if field, ok := errors.AsType[*logblock.FieldError](err); ok {
		if field.Field == "" {
			return field.Reason
		}
		return field.Field + ": " + field.Reason
	}
	return err.Error()
}
