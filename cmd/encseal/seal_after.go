package main

import (
	"errors"
	"io"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

// chain is a file of LogBlocks that a run continues, checked whole.
type chain struct {
	name string
	// unterminated: the last line is whole but lacks its line feed.
	unterminated bool

	first  logblock.LogBlock
	result logblock.Result
}

// resume checks the file of --after and sets what the new LogBlocks follow from it.
func (s *sealing) resume(in *input) (*chain, error) {
	c := &chain{name: in.name}
	if err := c.read(in, s.checkerConfig()); err != nil {
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
	c.describe(s.con, s.cmd.Scheme == logblock.EncSeal1 && c.first.Key != own)
	return c, nil
}

// checkerConfig is what the chain is checked against before its first block is known. A bpi-1 block names no key, so
// that all of it must be under ours.
func (s *sealing) checkerConfig() logblock.CheckerConfig {
	return logblock.CheckerConfig{Key: s.config.Signer.PublicKey(), Scheme: s.cmd.Scheme, Legacy: legacy(s.cmd.Scheme)}
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
			c.first = *b
			if checker, err = logblock.NewChecker(c.startingAt(cfg)); err != nil {
				return refused("%s:%d: %s", in.name, lines.Line(), detail(err))
			}
		}
		if err := checker.Block(b); err != nil {
			return refused("%s:%d: %s", in.name, lines.Line(), detail(err))
		}
	}
	if checker == nil {
		return refused("%s: no LogBlock in it to continue after", in.name)
	}
	c.unterminated = end.torn()
	var err error
	c.result, err = checker.Finish()
	return err
}

// startingAt lets the first block begin the check. Its own word for its key and for the block before it is enough here:
// what matters is that all of it leads, signed block by signed block, to a head whose successor is ours to sign.
func (c *chain) startingAt(cfg logblock.CheckerConfig) logblock.CheckerConfig {
	if c.first.Scheme == logblock.EncSeal1 {
		cfg.Key = c.first.Key
	}
	if c.first.Height > 1 {
		cfg.After = &logblock.Head{Height: c.first.Height - 1, Hash: c.first.Prev}
	}
	return cfg
}

// badBlock tells a line that was cut off while it was written from one that was never a LogBlock.
func (c *chain) badBlock(lines *receipt.Lines, end *lastByte, err error) error {
	line := lines.Line()
	if _, next := lines.Next(); next == io.EOF && end.torn() {
		return refused("%s:%d: the last line is torn, it ends in the middle of a LogBlock: take it off to continue after the one before",
			c.name, line)
	}
	return refused("%s:%d: %s", c.name, line, detail(err))
}

// describe says what is continued.
func (c *chain) describe(con *console, handedOver bool) {
	con.say("%s: app %q, continues after height %d", c.name, c.result.App, c.result.Head.Height)
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
