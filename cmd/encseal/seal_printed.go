package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// printed is what the file of -o holds already, beside a data directory. That hands LogBlocks over at least once: here each
// becomes one line. A last line that a kill cut short is completed by the LogBlock that it is the beginning of, so that
// nothing is ever taken off the file that was not written by this run.
type printed struct {
	out   *output
	lines int64
	heads map[string]logblock.Head // last LogBlock of each app
	torn  string                   // what the last line has of a LogBlock; "" is none
}

// readPrinted goes through what the output holds. nil is nothing.
func (s *sealing) readPrinted() (*printed, error) {
	if s.out.stream || s.out.size == 0 {
		return nil, nil
	}
	f, err := os.Open(s.cmd.Output)
	if err != nil {
		return nil, err
	}
	in := newInput(f, s.cmd.Output)
	defer in.Close()
	p := &printed{out: s.out, heads: make(map[string]logblock.Head)}
	return p, p.read(in, s.cmd.Scheme)
}

func (p *printed) read(in *input, scheme string) error {
	end := &lastByte{Reader: in}
	lines := receipt.NewLines(end)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			break
		}
		if err != nil && !errors.Is(err, receipt.ErrLineTooLong) {
			return in.unreadable(err)
		}
		p.lines = lines.Line()
		var b *logblock.LogBlock
		if err == nil {
			text := string(line)
			if b, err = logblock.Parse(line, scheme); err != nil {
				// The next line may be none because this one is not ended.
				if _, next := lines.Next(); next == io.EOF && end.torn() {
					p.torn = text
					return nil
				}
			}
		}
		if err != nil {
			return refused("%s:%d: not one of the LogBlocks that would be added to: %s", in.name, p.lines, detail(err))
		}
		if err := p.add(b); err != nil {
			return refused("%s:%d: %w", in.name, p.lines, err)
		}
	}
	if end.torn() { // a whole LogBlock, and no line feed
		_, err := p.out.Write([]byte("\n"))
		return err
	}
	return nil
}

// add takes the next LogBlock of the file.
func (p *printed) add(b *logblock.LogBlock) error {
	digest, err := b.SignedDigest(bpi1.Rules{})
	if err != nil {
		return err
	}
	if last, ok := p.heads[b.App]; ok && b.Height != last.Height+1 {
		return fmt.Errorf("block %d of %q follows block %d", b.Height, b.App, last.Height)
	}
	p.heads[b.App] = logblock.Head{Height: b.Height, Hash: digest}
	return nil
}

// deliver takes a LogBlock that the file has, in part or whole. Its errors are for good.
func (p *printed) deliver(b *logblock.LogBlock) (done bool, err error) {
	if p == nil {
		return false, nil
	}
	last, ok := p.heads[b.App]
	switch {
	case ok && b.Height < last.Height:
		return true, nil
	case ok && b.Height == last.Height:
		if digest, err := b.SignedDigest(bpi1.Rules{}); err != nil || digest != last.Hash {
			return false, p.fault("its block %d of %q is not the one of the data directory", b.Height, b.App)
		}
		return true, nil
	case ok && b.Height > last.Height+1:
		return false, p.fault("it ends with block %d of %q, and block %d is next: those between were printed elsewhere; export writes all, and -o with a new file goes on",
			last.Height, b.App, b.Height)
	}
	if p.torn != "" {
		if err := p.complete(b); err != nil {
			return false, err
		}
		done = true
	}
	if err := p.add(b); err != nil {
		return false, p.fault("%w", err)
	}
	return done, nil
}

// complete writes the rest of the last line.
func (p *printed) complete(b *logblock.LogBlock) error {
	line, err := b.AppendJSON(nil)
	if err != nil {
		return p.fault("block %d of %q: %w", b.Height, b.App, err)
	}
	n := len(p.torn)
	if n > len(line) || string(line[:n]) != p.torn {
		return &writeError{fmt.Errorf("%s:%d: the last line is cut short, and is not the beginning of block %d of %q, which is next",
			p.out.name, p.lines, b.Height, b.App)}
	}
	if _, err := p.out.Write(append(line[n:], '\n')); err != nil {
		return err
	}
	p.torn = ""
	return nil
}

func (p *printed) fault(format string, args ...any) error {
	return &writeError{fmt.Errorf("%s: %w", p.out.name, fmt.Errorf(format, args...))}
}
