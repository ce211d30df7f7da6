package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sink"
)

// sealing is one run of seal: lines in, LogBlocks out. Its methods but Deliver run on the command's goroutine.
type sealing struct {
	con    *console
	cmd    *sealCmd
	config engine.Config

	trusted logblock.CheckerConfig // what the chain of --after must agree with
	after   *input                 // nil without --after; open, and locked, for the whole run

	in      *input
	stop    *interrupts
	lines   *receipt.Lines
	out     *output
	blocks  engine.Sink
	rejects *rejects // nil without --on-bad skip
	bar     *progress
	notary  *engine.Notary // nil until an app is known
	refused uint64

	dir     *journaled // nil without --dir, and before it is open
	retain  int64
	printed *printed // nil where the output holds nothing yet
	broken  error    // why LogBlocks cannot be written any more; set before giveUp is called
	giveUp  context.CancelFunc

	started time.Time
}

// run opens what is needed, in the order in which a refusal leaves least behind, and seals.
func (s *sealing) run() error {
	warnWeak(s.con, s.cmd.Scheme)
	var err error
	if s.in, err = s.con.open(s.cmd.Receipts, "receipts"); err != nil {
		return err
	}
	defer s.in.Close()
	defer s.closeAfter()
	if err := s.openOutputs(); err != nil {
		return errors.Join(err, s.finish(err))
	}
	if s.cmd.Key != "" && s.cmd.After == "" && s.cmd.Dir == "" {
		s.con.say("no --after: the app starts at height 1; a second such run with this key and app would equivocate")
	}
	s.stop = catchInterrupts(s.con)
	defer s.stop.release()
	return s.stream()
}

// stream seals line by line, then closes everything and sums up. Of several things that went wrong it returns the one
// that says most of what is missing.
func (s *sealing) stream() error {
	reader := newStoppable(s.in, s.stop.stop)
	defer reader.Close()
	s.started = time.Now()
	s.bar = newProgress(s.con, s.in, s.out)
	s.lines = receipt.NewLines(s.bar.count(reader))
	s.blocks = sink.NewWriter(s.out)

	var err error
	if s.cmd.Dir != "" {
		err = s.openDir()
	}
	if err == nil {
		err = s.readLines()
	}
	closing := s.closeNotary()
	if closing != nil {
		err = closing // it says what is not delivered, and the writing came before whatever reading met
	}
	s.bar.stop()
	if n := reader.late(); n > 0 && s.in.size < 0 && s.stop.err() != nil {
		s.con.say("%s: %d bytes that came after the signal were read, neither sealed nor refused", s.in.name, n)
	}
	if err == nil || errors.Is(err, errInterrupted) {
		err = s.stop.err()
	}
	finish := s.finish(err)
	if finish != nil && !isFailure(err) {
		err = finish // a refusal or a signal says that all before it is sealed: not so
	}
	if s.cmd.Dir != "" {
		s.sumDir()
	} else {
		s.sum(err)
	}
	if s.cmd.Dir == "" && closing == nil && finish == nil { // else producers stand beyond what was written
		s.sayProducers()
	}
	return err
}

// finish makes what was written durable, once the run ended with runErr.
func (s *sealing) finish(runErr error) error {
	stopped := s.stop != nil && s.stop.err() != nil
	failed := runErr != nil && !stopped
	var err error
	if s.out != nil {
		err = s.out.finish(failed)
	}
	if s.rejects != nil {
		err = errors.Join(err, s.rejects.out.finish(failed))
	}
	return err
}

// readLines hands every receipt on until the input ends. It returns nil at the end of the input.
func (s *sealing) readLines() error {
	var parser receipt.Parser
	var r receipt.Receipt
	for {
		line, err := s.lines.Next()
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, receipt.ErrLineTooLong):
			err = s.refuse(nil, refusal(err))
		case errors.Is(err, errInterrupted):
			s.cutOff(s.lines.Line() + 1)
			return err
		case err != nil:
			return s.in.unreadable(err)
		default:
			if err = parser.Parse(line, &r); err == nil {
				err = s.seal(&r)
			}
			if reason := refusal(err); reason != nil {
				err = s.refuse(line, reason)
			}
		}
		if err != nil {
			if errors.Is(err, errInterrupted) { // inside a line too long to hold
				s.cutOff(s.lines.Line())
			}
			return err
		}
	}
}

// cutOff says which line a signal came into the middle of.
func (s *sealing) cutOff(line int64) {
	if s.stop.err() != nil && s.lines.Partial() {
		s.con.say("%s:%d: cut off by the signal, neither sealed nor refused", s.in.name, line)
	}
}

// seal hands one receipt to the notary, which starts with the first.
func (s *sealing) seal(r *receipt.Receipt) error {
	if s.dir != nil {
		return s.take(r)
	}
	if s.notary == nil {
		if s.config.App == "" {
			s.config.App = strings.Clone(r.App) // r's strings live until the next line
		}
		s.config.Sink = s
		notary, err := engine.New(s.config)
		if err != nil {
			return err
		}
		s.notary = notary
	}
	_, err := s.notary.Append(context.Background(), r)
	return err
}

// Deliver hands a block to the output. It is called by one goroutine of the engine.
func (s *sealing) Deliver(ctx context.Context, b *logblock.LogBlock) error {
	done, err := s.printed.deliver(b)
	if err == nil && !done {
		err = s.blocks.Deliver(ctx, b)
	}
	if err != nil {
		if errors.Is(err, engine.ErrPermanent) {
			s.stop.halt() // an input that is idle must not put off the end
			if s.giveUp != nil {
				s.broken = fmt.Errorf("%w (what is in no LogBlock that was written is in %s, and the next run begins with it)", err, s.cmd.Dir)
				s.giveUp()
			}
		}
		return err
	}
	s.bar.blocks.Add(1)
	s.bar.receipts.Add(uint64(b.Count))
	return nil
}

// refuse stops at a refused line or keeps it, as the caller asked. A nil line is too long to hold.
func (s *sealing) refuse(line []byte, reason error) error {
	if s.rejects == nil {
		s.refused++
		return refused("%w", at(s.in.name, s.lines.Line(), reason))
	}
	var err error
	if line == nil {
		err = s.rejects.addLong(s.lines.Line(), reason, s.lines.Overlong())
	} else {
		err = s.rejects.add(s.lines.Line(), reason, line)
	}
	if err == nil {
		s.refused++
	}
	return err
}

// closeNotary seals and delivers what is pending, without a limit of time: a reader of the output may be slow. The error
// says what was not delivered.
func (s *sealing) closeNotary() error {
	if s.dir != nil {
		return s.closeDir()
	}
	if s.notary == nil {
		return nil
	}
	err := s.notary.Close(context.Background())
	var lost *engine.UndeliveredError
	if !errors.As(err, &lost) {
		return err
	}
	text := fmt.Sprintf("%d LogBlocks were written before", s.bar.blocks.Load())
	if n := len(lost.Blocks); n > 0 {
		text += fmt.Sprintf("; signed and not written: %d from height %d", n, lost.Blocks[0].Height)
	}
	if len(lost.Leaves) > 0 {
		text += fmt.Sprintf("; read and not sealed: %d receipts", len(lost.Leaves))
	}
	return fmt.Errorf("%w (%s)", lost.Err, text)
}
