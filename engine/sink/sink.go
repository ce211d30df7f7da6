// Package sink holds the places where a notary's LogBlocks go: a Go channel, an io.Writer as NDJSON, an HTTP receiver,
// nowhere.
//
// A notary offers one block at a time, in order of height, and offers it again after an error, until it is taken. What a
// Sink here promises is about that repetition: Writer never writes a line twice or half a line in the midst, whatever
// part of it the failed attempt has written; HTTP names each block by a key, so that a receiver knows it again.
//
// An error that offering the block again does not mend has a method Permanent() bool that returns true, somewhere along its
// chain of Unwrap.
package sink

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/encseal/encseal/engine/logblock"
)

// Channel sends each block on a channel. A block is taken when it was sent; the receiver may keep it and must not
// change it. The channel is not closed.
type Channel chan<- *logblock.LogBlock

// Deliver waits until b is sent or ctx ends.
func (c Channel) Deliver(ctx context.Context, b *logblock.LogBlock) error {
	select {
	case c <- b:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sink: block %d of %q not sent: %w", b.Height, b.App, ctx.Err())
	}
}

// Discard takes every block and forgets it.
type Discard struct{}

// Deliver returns nil.
func (Discard) Deliver(context.Context, *logblock.LogBlock) error { return nil }

// Func makes a Sink of a function, which must keep to what engine.Sink says of Deliver.
type Func func(ctx context.Context, b *logblock.LogBlock) error

// Deliver calls f.
func (f Func) Deliver(ctx context.Context, b *logblock.LogBlock) error { return f(ctx, b) }

// Writer writes each block as one line of JSON, one Write a line. It is used by one goroutine at a time.
type Writer struct {
	w      io.Writer
	line   []byte // of the block that is being written
	rest   []byte // what of line is not written yet
	begun  bool   // the line is not acknowledged: its first Write is done, no Write has returned nil
	height uint64
	app    string
}

// NewWriter returns a Writer to w. Whether a written line is durable is w's matter.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Deliver writes b's line. When an attempt failed after a part of the line, the next attempt at the same block goes on
// behind that part (with an empty Write where only the error was left); until it succeeds w may end in an unfinished
// line, and another block is refused. When ctx ends, a Write that blocks is ended by the writer's SetWriteDeadline, which
// pipes and connections have; a writer without one holds Deliver up.
func (w *Writer) Deliver(ctx context.Context, b *logblock.LogBlock) error {
	same := w.height == b.Height && w.app == b.App
	switch {
	case w.begun && same:
	case w.begun && len(w.rest) < len(w.line):
		return fmt.Errorf("sink: block %d of %q: the line of block %d of %q is unfinished", b.Height, b.App, w.height, w.app)
	default:
		line, err := b.AppendJSON(w.line[:0])
		if err != nil {
			return fmt.Errorf("sink: block %d of %q: %w", b.Height, b.App, err)
		}
		w.line = append(line, '\n')
		w.rest, w.begun, w.height, w.app = w.line, true, b.Height, b.App
	}
	if d, ok := w.w.(interface{ SetWriteDeadline(time.Time) error }); ok {
		// An error means a writer that has no deadlines after all, as files of a disk.
		defer context.AfterFunc(ctx, func() { _ = d.SetWriteDeadline(time.Unix(0, 0)) })()
	}
	n, err := w.w.Write(w.rest)
	if n < 0 || n > len(w.rest) {
		return fmt.Errorf("sink: block %d of %q: writer reports %d of %d bytes", b.Height, b.App, n, len(w.rest))
	}
	w.rest = w.rest[n:]
	if err == nil && len(w.rest) > 0 {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("sink: block %d of %q: %w", b.Height, b.App, err)
	}
	w.begun = false
	return nil
}
