package main

import (
	"fmt"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

type proveCmd struct {
	Blocks   string  `placeholder:"FILE" help:"LogBlocks of one app, in order of height; they may begin at any height."`
	Receipts string  `placeholder:"FILE" help:"The receipts that these LogBlocks seal, all of them in order, from the first LogBlock's first."`
	Dir      string  `placeholder:"DIR" help:"Instead of the files: data directory that holds both; the notary may be running."`
	App      string  `placeholder:"APP" help:"App in --dir; may be left out where there is one alone."`
	Height   *uint64 `placeholder:"H" help:"LogBlock that the receipt is in, with --index."`
	Index    *uint32 `placeholder:"I" help:"Place of the receipt in it, from 0."`
	Hash     string  `placeholder:"blake3:HEX" help:"Instead: the hash of the receipt. Of several the first is taken."`
}

func (*proveCmd) Help() string {
	return `
Prints an inclusion proof: one receipt, the LogBlock that it is in, and the hashes that lead from the one to the other. Whoever
holds the notary's public key checks it with "encseal check", without the rest of the log.

Only one LogBlock's leaf hashes are held at a time. Receipts that do not hash to the root of their LogBlock end it with 1. LogBlocks
of scheme bpi-1 have no proofs.

Examples:

	encseal prove --blocks blocks.ndjson --receipts receipts.ndjson --height 2 --index 17 > proof.json
	encseal prove --blocks blocks.ndjson --receipts receipts.ndjson --hash blake3:… > proof.json
	encseal prove --dir data --app my-app --height 2 --index 17 > proof.json
`
}

// validate refuses flags that do not name one receipt, and returns the hash to look for.
func (c *proveCmd) validate() (receipt.Hash, error) {
	var hash receipt.Hash
	byPlace := c.Height != nil && c.Index != nil
	switch {
	case (c.Height != nil) != (c.Index != nil):
		return hash, usage("--height and --index belong together")
	case byPlace == (c.Hash != ""):
		return hash, usage("the receipt is named by --height and --index, or by --hash")
	case byPlace && *c.Height == 0:
		return hash, usage("--height starts at 1")
	}
	if err := c.validateSource(); err != nil || byPlace {
		return hash, err
	}
	hash, err := receipt.ParseHash(c.Hash)
	if err != nil {
		return hash, usage("--hash: %w", err)
	}
	return hash, nil
}

// validateSource refuses flags that do not name one log.
func (c *proveCmd) validateSource() error {
	switch {
	case c.Dir != "" && (c.Blocks != "" || c.Receipts != ""):
		return usage("--dir stands in place of --blocks and --receipts")
	case c.Dir == "" && (c.Blocks == "" || c.Receipts == ""):
		return usage("the log is named by --blocks and --receipts, or by --dir")
	case c.Dir == "" && c.App != "":
		return usage("--app belongs to --dir")
	}
	if err := checkApp(c.App); err != nil {
		return err
	}
	return bothStdin(c.Blocks, c.Receipts)
}

func (c *proveCmd) Run(con *console) error {
	hash, err := c.validate()
	if err != nil {
		return err
	}
	var proof *logblock.Proof
	var place string // of the LogBlock, for messages
	if c.Dir != "" {
		proof, place, err = c.fromDir(con, hash)
	} else {
		proof, place, err = c.fromFiles(con, hash)
	}
	if err != nil {
		return err
	}
	if err := proof.Check(proof.Block.Key); err != nil {
		return refused("%s: the receipt is there, but the LogBlock does not hold: %s", place, detail(err))
	}
	text, err := proof.AppendJSON(nil)
	if err != nil {
		return fmt.Errorf("printing the proof: %w", err)
	}
	return con.print(string(text) + "\n")
}

func (c *proveCmd) fromFiles(con *console, hash receipt.Hash) (proof *logblock.Proof, place string, err error) {
	blocks, err := con.open(c.Blocks, "LogBlocks")
	if err != nil {
		return nil, "", err
	}
	defer blocks.Close()
	receipts, err := con.open(c.Receipts, "receipts")
	if err != nil {
		return nil, "", err
	}
	defer receipts.Close()

	w := newWalk(blocks, receipts)
	if c.Hash != "" {
		proof, err = w.byHash(hash)
	} else {
		proof, err = w.byPlace(*c.Height, *c.Index)
	}
	return proof, fmt.Sprintf("%s:%d", w.blocks.name, w.blockLines.Line()), err
}
