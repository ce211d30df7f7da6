package main

import (
	"fmt"

	"github.com/encseal/encseal/engine/logblock"
)

type evidenceCmd struct {
	Blocks string `arg:"" help:"LogBlocks, one a line, of any app and in any order; - is standard input."`
	Other  string `arg:"" name:"other-blocks" help:"LogBlocks from elsewhere; - is standard input."`
	Pub    string `placeholder:"KEY" help:"Compare the LogBlocks of this notary's key alone: ed25519:HEX or a PEM file. Without it, those of every key."`
	Scheme string `enum:"encseal-1,bpi-1" default:"encseal-1" placeholder:"SCHEME" help:"encseal-1 (default), or bpi-1: LogBlocks of the original pipeline's rules too, which name no key: --pub says whose they are."`
}

func (*evidenceCmd) Help() string {
	return `
Compares what a notary told two parties, or one party twice. Two LogBlocks of one key, app and height that say different things,
both signed, prove that the holder of the key equivocated: they are printed as evidence, one line for each key, app and height,
which "encseal check" reads. It is found within one of the files too, and needs no order: a log cannot hide it by being shuffled.

What cannot be compared is reported with file and line, and is no evidence: a line that is no LogBlock, and a LogBlock whose
signature is not of the key that it names, which anybody can make. That a LogBlock is in one file alone is no contradiction.

Up to some 200 bytes of memory are held for each height of each app. Of pipes, which cannot be read again, each LogBlock's line
is held besides.

Exit codes: 0 no LogBlock contradicts another, and every line was compared; 1 evidence was found and printed; 3 none was found,
but a file could not be read or a line not compared.

Examples:

	encseal evidence ours.ndjson theirs.ndjson > evidence.ndjson
	curl -s https://mirror.example/blocks.ndjson | encseal evidence blocks.ndjson -
`
}

func (c *evidenceCmd) Run(con *console) error {
	w, err := c.witness(con)
	if err != nil {
		return err
	}
	warnWeak(con, c.Scheme)
	for _, arg := range []string{c.Blocks, c.Other} {
		in, err := con.open(arg, "LogBlocks")
		if err != nil {
			return err
		}
		defer in.Close()
		w.sources = append(w.sources, newSource(in))
	}
	for i := range w.sources {
		if err := w.read(i); err != nil {
			return err
		}
	}
	return c.verdict(w)
}

func (c *evidenceCmd) witness(con *console) (*witness, error) {
	w := &witness{con: con, legacy: legacy(c.Scheme), logs: map[logName]uint32{}, said: map[slot]statement{}}
	if err := bothStdin(c.Blocks, c.Other); err != nil {
		return nil, err
	}
	if c.Pub == "" {
		if c.Scheme == logblock.BPI1 {
			return nil, usage("--scheme bpi-1 needs --pub: its LogBlocks name no key")
		}
		return w, nil
	}
	key, err := publicKey("--pub", c.Pub)
	if err != nil {
		return nil, err
	}
	w.pub = &key
	return w, nil
}

// verdict says what was compared, and ends the command with what came of it.
func (c *evidenceCmd) verdict(w *witness) error {
	failed := false
	for _, s := range w.sources {
		words := fmt.Sprintf("%s: %d LogBlocks compared", s.in.name, s.compared)
		if s.others > 0 {
			words += fmt.Sprintf(", %d of other keys left out", s.others)
		}
		if s.refused > 0 {
			words += fmt.Sprintf(", %d lines not compared", s.refused)
		}
		if s.broken {
			words += ", not read to its end"
		}
		w.con.say("%s", words)
		failed = failed || s.broken || s.refused > 0
	}
	w.con.say("%d heights are in both; evidence of equivocation: %d", w.shared, w.proven)
	switch {
	case w.proven > 0:
		return &exitError{code: exitRefused}
	case failed:
		return &exitError{code: exitFailed}
	}
	return nil
}
