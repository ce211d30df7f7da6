package engine

import (
	"errors"
	"fmt"

	"github.com/encseal/encseal/engine/logblock"
)

var (
	// ErrEmpty is returned by Seal when no receipt is pending.
	ErrEmpty = errors.New("engine: nothing pending to seal")
	// ErrBacklog is returned by TryAppend when the queue is full or others wait for room; nothing was taken.
	ErrBacklog = errors.New("engine: queue is full")
	// ErrClosed is returned after Close was called; nothing was taken.
	ErrClosed = errors.New("engine: notary is closed")
	// ErrForgotten is returned by Wait for a sequence number whose block is further back than PositionHistory.
	ErrForgotten = errors.New("engine: position no longer remembered")
	// ErrTooManyApps is returned by Engine.Notary for a new app when there are Config.MaxApps.
	ErrTooManyApps = errors.New("engine: too many apps")
	// ErrMemory is returned by WaitDurable of an Engine without a Store: nothing there is durable.
	ErrMemory = errors.New("engine: memory only, nothing is durable")
	// ErrFull is returned by Append while the Store's disk has no room for more; nothing was taken. What was taken before is
	// still sealed, and Append works again by itself when there is room.
	ErrFull = errors.New("engine: the disk is full")
	// ErrDuplicate is returned by Append, with the sequence number of the first time, for a receipt that was taken already,
	// within Config.DedupWindow. It was not taken again.
	ErrDuplicate = errors.New("engine: receipt was taken already")
	// ErrRolledBack is returned by Open when the head file knows of more than the journal, or of another history: the data
	// directory is an old copy, and going on would sign other blocks at heights that are used up.
	ErrRolledBack = errors.New("engine: the data directory is behind its head file")
	// ErrOtherJournal is returned by Open and Adopt when the head file goes with another data directory than this one, as one
	// that is empty in place of one that is lost.
	ErrOtherJournal = errors.New("engine: the head file is of another journal")
	// ErrHeadMissing is returned by Open when a journal had a head file and is opened without.
	ErrHeadMissing = errors.New("engine: head file is missing")
	// ErrForeign is returned by Open and Adopt when the data directory has blocks of another key or scheme than asked for.
	ErrForeign = errors.New("engine: the data directory is of another notary")
	// ErrPermanent, wrapped by a Sink's error, ends delivery: the Notary stops and Close returns what was not delivered.
	ErrPermanent = errors.New("engine: sink failed for good")
)

// RefusedError is returned when a receipt breaks a rule. Nothing of its call was taken and no producer's head moved.
type RefusedError struct {
	Index int   // place in the batch, from 0
	Err   error // a *receipt.FieldError or *logblock.ProducerError
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("engine: receipt %d refused: %v", e.Index, e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }

// AdoptError is returned by Adopt when it refuses a block. Nothing was changed.
type AdoptError struct {
	Index int // place among the blocks, from 0
	Block *logblock.LogBlock
	Err   error // *logblock.FieldError where a field is wrong by itself
}

func (e *AdoptError) Error() string {
	return fmt.Sprintf("engine: block %d of %q, number %d of those to adopt: %v", e.Block.Height, e.Block.App, e.Index+1, e.Err)
}

func (e *AdoptError) Unwrap() error { return e.Err }

// UndeliveredError is returned by Close when LogBlocks were signed that the Sink has not taken, or receipts accepted that
// are in no LogBlock. It holds all of them: with what the Sink took, nothing is missing.
type UndeliveredError struct {
	Blocks []*logblock.LogBlock // signed, in order of height; their heights are used up
	Leaves [][]byte             // of receipts in no block, in order; in scheme encseal-1 receipt.Decode reads them
	Err    error                // what stopped delivery or sealing
}

func (e *UndeliveredError) Error() string {
	return fmt.Sprintf("engine: %d LogBlocks not delivered, %d receipts not sealed: %v", len(e.Blocks), len(e.Leaves), e.Err)
}

func (e *UndeliveredError) Unwrap() error { return e.Err }

// refusedProducer turns what Producers refused into a RefusedError.
func refusedProducer(err error) error {
	if err == nil {
		return nil
	}
	index := 0
	var p *logblock.ProducerError
	if errors.As(err, &p) {
		index = p.Index
	}
	return &RefusedError{Index: index, Err: err}
}
