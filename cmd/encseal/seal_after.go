package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// chain is a file of LogBlocks that a run continues, checked whole.
type chain struct {
	name string
	// unterminated: the last line is whole but lacks its line feed.
	unterminated bool

	first    logblock.LogBlock
	result   logblock.Result
	last     uint64 // height of the last block read, 0 before the first
	receipts uint64 // what the counts of its blocks come to
}

// resume checks the file of --after and sets what the new LogBlocks follow from it.
func (s *sealing) resume(in *input) (*chain, error) {
	c := &chain{name: in.name}
	if err := c.read(in, s.trusted); err != nil {
		return nil, err
	}
	own, next := s.config.Signer.PublicKey(), c.result.Key
	switch {
	case own != next:
		return nil, refused("%s: the chain requires key %v next, not %v", c.name, next, own)
	case s.config.App == "":
		s.config.App = c.result.App
	case s.config.App != c.result.App:
		return nil, refused("%s holds app %q, not %q", c.name, c.result.App, s.config.App)
	}
	s.config.Resume = c.result.Head
	c.describe(s.con, s.trusted.Key != own)
	return c, nil
}

// read goes through the file from its first block to its last.
func (c *chain) read(in *input, cfg logblock.CheckerConfig) error {
	end := &lastByte{Reader: in}
	lines := receipt.NewLines(end)
	var checker *logblock.Checker
	for {
		line, err := lines.Next()
		if err == io.EOF {
			break
		}
		if errors.Is(err, receipt.ErrLineTooLong) {
			return refused("%s:%d: no LogBlock: line over 1 MiB", in.name, lines.Line())
		}
		if err != nil {
			return in.unreadable(err)
		}
		b, err := logblock.Parse(line, cfg.Scheme)
		if err != nil {
			return c.badBlock(lines, end, err)
		}
		if checker == nil {
			if checker, err = c.begin(*b, cfg); err != nil {
				return refused("%w", at(in.name, lines.Line(), err))
			}
		}
		if err := checker.Block(b); err != nil {
			return refused("%s:%d: %s", in.name, lines.Line(), detail(err))
		}
		c.last = b.Height
		c.receipts += uint64(b.Count)
	}
	if checker == nil {
		return refused("%s: no LogBlock in it to continue after", in.name)
	}
	c.unterminated = end.torn()
	var err error
	if c.result, err = checker.Finish(); err != nil { // a head of --head that is not in it
		return refused("%s:%d: %s", in.name, lines.Line(), detail(err))
	}
	return nil
}

// begin starts the check at the first block. Its own word for the block before it is enough: it is signed by the key that
// is trusted. Its word for its key is not: anybody can sign a block of his own that hands over to our key. (A bpi-1 block
// names no key, and its signature tells.)
func (c *chain) begin(first logblock.LogBlock, cfg logblock.CheckerConfig) (*logblock.Checker, error) {
	c.first = first
	if first.Scheme == logblock.EncSeal1 && first.Key != cfg.Key {
		return nil, fmt.Errorf("the chain begins under key %v, not %v: if that key is known to have handed over to yours, give it to --pub",
			first.Key, cfg.Key)
	}
	if first.Height > 1 {
		cfg.After = &logblock.Head{Height: first.Height - 1, Hash: first.Prev}
	}
	checker, err := logblock.NewChecker(cfg)
	if field, ok := errors.AsType[*logblock.FieldError](err); ok {
		err = fmt.Errorf("%s %s", flagNames.Replace(field.Field), field.Reason)
	}
	return checker, err
}

// badBlock tells a line that was cut off while it was written from one that was never a LogBlock. The torn one may have
// been read by others while it was whole, and what is left of it can still hold its whole signature.
func (c *chain) badBlock(lines *receipt.Lines, end *lastByte, err error) error {
	line := lines.Line()
	if _, next := lines.Next(); next != io.EOF || !end.torn() {
		return refused("%s:%d: %s", c.name, line, detail(err))
	}
	height := ""
	if c.last > 0 {
		height = fmt.Sprintf(" of height %d", c.last+1)
	}
	return refused("%s:%d: the last line is torn, it ends in the middle of a LogBlock%s. Whoever read this file may hold a signed block%s, "+
		"and anything else sealed at that height is equivocation. The safe way on: remove the line, and give first exactly the receipts that "+
		"it sealed, in a run of their own; the same receipts with the same --max-receipts give the same block again", c.name, line, height, height)
}

// describe says what is continued, and how many receipts the input must not hold again.
func (c *chain) describe(con *console, handedOver bool) {
	where := ""
	if c.first.Height > 1 {
		where = " in this file"
	}
	con.say("%s: continuing %q after height %d, %d receipts%s", c.name, c.result.App, c.result.Head.Height, c.receipts, where)
	if c.first.Height > 1 {
		con.say("%s begins at height %d; what came before is not checked", c.name, c.first.Height)
	}
	if handedOver {
		con.say("%s began under key %v, which handed over to ours", c.name, c.first.Key)
	}
}

// lastByte remembers the last byte that went through, which tells a file that ends with a line feed from a torn one.
type lastByte struct {
	io.Reader
	last byte
	any  bool
}

func (l *lastByte) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.last, l.any = p[n-1], true
	}
	return n, err
}

// torn reports that something was read and that it did not end with a line feed.
func (l *lastByte) torn() bool { return l.any && l.last != '\n' }
