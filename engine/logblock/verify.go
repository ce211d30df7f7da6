package logblock

import (
	"errors"
	"fmt"
	"io"

	"github.com/encseal/encseal/engine/receipt"
)

// The files that [Verify] reads, as a *CheckError names them.
const (
	BlocksFile   = "blocks"
	ReceiptsFile = "receipts"
)

// Verify checks a chain from NDJSON: LogBlocks, one a line, and, unless receipts is nil, the receipts of all blocks in
// their order, one a line. It reads both to their ends, with [Checker]'s checks; cfg.WithReceipts is set by it. A line
// more or less in either, or one cut off, is an error.
//
// The error is a *CheckError with file and line where the chain does not hold, a *FieldError for a wrong cfg, and
// otherwise what reading failed with, wrapped. The Result tells how far the chain was found to hold.
func Verify(cfg CheckerConfig, blocks, receipts io.Reader) (Result, error) {
	cfg.WithReceipts = receipts != nil
	checker, err := NewChecker(cfg)
	if err != nil {
		return Result{}, err
	}
	f := files{checker: checker, blocks: receipt.NewLines(blocks)}
	if receipts != nil {
		f.receipts = receipt.NewLines(receipts)
	}
	if err := f.run(); err != nil {
		return checker.result, err
	}
	result, err := checker.Finish()
	if err != nil {
		return result, place(err, BlocksFile, f.blocks.Line())
	}
	return result, nil
}

// files feeds a Checker from two files.
type files struct {
	checker  *Checker
	blocks   *receipt.Lines
	receipts *receipt.Lines // nil without receipts
	parser   receipt.Parser
	receipt  receipt.Receipt // the last one parsed
}

func (f *files) run() error {
	for {
		line, err := f.blocks.Next()
		if err == io.EOF {
			break
		}
		if errors.Is(err, receipt.ErrLineTooLong) {
			return place(errLineTooLong, BlocksFile, f.blocks.Line())
		}
		if err != nil {
			return unreadable(err, BlocksFile)
		}
		b, err := Parse(line, f.checker.cfg.Scheme)
		if err == nil {
			err = f.checker.Block(b)
		}
		if err != nil {
			return place(err, BlocksFile, f.blocks.Line())
		}
		if f.receipts == nil {
			continue
		}
		if err := f.receiptsOf(b); err != nil {
			return err
		}
	}
	if f.receipts == nil || f.checker.result.Blocks == 0 {
		return nil
	}
	return f.noMoreReceipts()
}

// receiptsOf checks the next receipts as those of b, which is the Checker's open block.
func (f *files) receiptsOf(b *LogBlock) error {
	first := int64(0)
	for i := range b.Count {
		line, err := f.receipts.Next()
		if err == io.EOF {
			return place(f.checker.failMissing(), ReceiptsFile, f.receipts.Line())
		}
		if errors.Is(err, receipt.ErrLineTooLong) {
			return place(f.checker.fail(b.Height, int64(i), errLineTooLong), ReceiptsFile, f.receipts.Line())
		}
		if err != nil {
			return unreadable(err, ReceiptsFile)
		}
		if i == 0 {
			first = f.receipts.Line()
		}
		if err := f.parser.Parse(line, &f.receipt); err != nil {
			return place(f.checker.fail(b.Height, int64(i), err), ReceiptsFile, f.receipts.Line())
		}
		if err := f.checker.Receipt(&f.receipt); err != nil {
			return f.placeReceipt(err, first)
		}
	}
	return nil
}

// placeReceipt names where a Checker's error about the last receipt belongs: to its line, or, where the receipts from line
// first on do not come to what their block says, to the block's.
func (f *files) placeReceipt(err error, first int64) error {
	var bad *CheckError
	if errors.As(err, &bad) && bad.Receipt < 0 {
		bad.Reason += fmt.Sprintf(" (receipts lines %d to %d)", first, f.receipts.Line())
		return place(err, BlocksFile, f.blocks.Line())
	}
	return place(err, ReceiptsFile, f.receipts.Line())
}

func (f *files) noMoreReceipts() error {
	_, err := f.receipts.Next()
	if err == io.EOF {
		return nil
	}
	if err == nil || errors.Is(err, receipt.ErrLineTooLong) {
		err = &FieldError{"", fmt.Sprintf("a receipt that no block holds; the last block is %d", f.checker.last.Height)}
		return place(err, ReceiptsFile, f.receipts.Line())
	}
	return unreadable(err, ReceiptsFile)
}

// place makes err a *CheckError that names the file and the line.
func place(err error, file string, line int64) error {
	var bad *CheckError
	if !errors.As(err, &bad) {
		field, reason := fieldOf(err)
		bad = &CheckError{Receipt: -1, Field: field, Reason: reason}
	}
	bad.File, bad.Line = file, line
	return bad
}

var errLineTooLong = &FieldError{"", "over 1 MiB in one line"}

// unreadable is for a reader that failed, which is no verdict on what it holds.
func unreadable(err error, file string) error {
	return fmt.Errorf("logblock: %s: %w", file, err)
}
