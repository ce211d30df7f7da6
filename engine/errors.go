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
