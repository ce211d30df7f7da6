package main

import (
	"fmt"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

type proveCmd struct {
	Blocks   string  `required:"" placeholder:"FILE" help:"LogBlocks of one app, in order of height; they may begin at any height."`
	Receipts string  `required:"" placeholder:"FILE" help:"The receipts that these LogBlocks seal, all of them in order, from the first LogBlock's first."`
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
	if err := bothStdin(c.Blocks, c.Receipts); err != nil || byPlace {
		return hash, err
	}
	hash, err := receipt.ParseHash(c.Hash)
	if err != nil {
		return hash, usage("--hash: %w", err)
	}
	return hash, nil
}

func (c *proveCmd) Run(con *console) error {
	hash, err := c.validate()
	if err != nil {
		return err
	}
	blocks, err := con.open(c.Blocks, "LogBlocks")
	if err != nil {
		return err
	}
	defer blocks.Close()
	receipts, err := con.open(c.Receipts, "receipts")
	if err != nil {
		return err
	}
	defer receipts.Close()

	w := newWalk(blocks, receipts)
	var proof *logblock.Proof
	if c.Hash != "" {
		proof, err = w.byHash(hash)
	} else {
		proof, err = w.byPlace(*c.Height, *c.Index)
	}
	if err != nil {
		return err
	}
	if err := proof.Check(proof.Block.Key); err != nil {
		return refused("%s:%d: the receipt is there, but the LogBlock does not hold: %s", w.blocks.name, w.blockLines.Line(), detail(err))
	}
	text, err := proof.AppendJSON(nil)
	if err != nil {
		return fmt.Errorf("printing the proof: %w", err)
	}
	return con.print(string(text) + "\n")
}
