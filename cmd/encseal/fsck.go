package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
)

type fsckCmd struct {
	Dir      string `required:"" placeholder:"DIR" help:"Data directory to check."`
	Pub      string `required:"" placeholder:"KEY" help:"The notary's public key that you trust: ed25519:HEX or a PEM file."`
	HeadFile string `placeholder:"FILE" help:"The head file of DIR: check that DIR is no old copy, and of the same history."`
	JSON     bool   `name:"json" help:"Print one JSON object instead of text."`
}

func (*fsckCmd) Help() string {
	return `
Reads every byte of a data directory and says if it holds: no byte is damaged, and what was written is a history that a notary with
the key that you trust can have made. Each app's receipts follow each other, each LogBlock was cut before it was signed, links
to the one before, and is what its receipts come to. It changes nothing, and the notary may be running.

A crash, or a notary at work, leaves receipts that are in no LogBlock and cuts that are not signed: they are counted, and no
fault. So is a torn tail, which nobody was told of. Of receipts whose segments were pruned, the LogBlocks in DIR/pruned are checked:
that they are all there, link and are signed. DIR/pruned is named in front of its segments.

--head-file is read before the directory is, and the directory may be ahead of it, as with a notary at work; where it is behind, or
of another history, it is an old copy or not the one that the head file goes with.

What does not hold ends it with 1, and is named by its first place: segment, byte, app, block, receipt: reason.

Examples:

	encseal fsck --dir data --pub notary.pem
	encseal fsck --dir data --pub ed25519:… --json
`
}

func (c *fsckCmd) Run(con *console) error {
	key, err := publicKey("--pub", c.Pub)
	if err != nil {
		return err
	}
	dir, err := dataDir(c.Dir)
	if err != nil {
		return err
	}
	if c.HeadFile != "" {
		if _, err := os.Stat(c.HeadFile); err != nil {
			return err
		}
	}
	bar := con.newBytesBar()
	report, err := checkDir(c.Dir, dir, ledger.CheckConfig{Key: key, Legacy: bpi1.Rules{}, Progress: bar.moved})
	bar.stop()
	bad := dirFault(err)
	switch {
	case err != nil && bad == nil:
		return fmt.Errorf("%s: %w", c.Dir, err)
	case err == nil && report.Segments == 0:
		return noJournal(c.Dir)
	}
	v := &fsckOutcome{cmd: c, report: &report, bad: bad}
	if c.HeadFile != "" && bad == nil {
		if err := v.checkHead(); err != nil {
			return err
		}
	}
	for i := range report.Apps {
		if report.Apps[i].Scheme == logblock.BPI1 {
			warnWeak(con, logblock.BPI1)
			break
		}
	}
	text := v.text()
	if c.JSON {
		text = v.json()
	}
	if err := con.print(text); err != nil {
		return err
	}
	if bad != nil || v.badHead != "" {
		return &exitError{code: exitRefused}
	}
	return nil
}

// dirFault is what a check found wrong; nil where err is no verdict.
func dirFault(err error) *ledger.CheckError {
	if pruned, ok := errors.AsType[*ledger.ArchiveError](err); ok {
		return prunedFault(pruned)
	}
	if bad, ok := errors.AsType[*ledger.CheckError](err); ok {
		return bad
	}
	if bad, ok := errors.AsType[*journal.CorruptError](err); ok {
		return &ledger.CheckError{Segment: bad.Segment, Offset: bad.At, Receipt: -1, Reason: "damaged: " + bad.Reason}
	}
	return nil
}
