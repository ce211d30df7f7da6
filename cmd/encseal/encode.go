package main

import (
	"bufio"
	"encoding/hex"
	"io"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/merkle"
)

type encodeCmd struct {
	Hash     bool   `help:"Print the leaf hash of each receipt instead."`
	Receipts string `arg:"" optional:"" help:"NDJSON file of StepReceipts; - is standard input, also without it."`
}

func (*encodeCmd) Help() string {
	return `
Prints the canonical encoding of each receipt in hexadecimal, a line each; with --hash its leaf hash, which any BLAKE3 tool
makes from that encoding:

	encseal encode receipts.ndjson | head -n 1 | xxd -r -p |
	  b3sum --derive-key 'encseal 2026-11-23 leaf v1' --no-names

Stops at the first line that is refused, with 1.

Examples:

	encseal encode receipts.ndjson
	encseal encode --hash receipts.ndjson
`
}

func (c *encodeCmd) Run(con *console) error {
	in, err := con.open(c.Receipts, "receipts")
	if err != nil {
		return err
	}
	defer in.Close()
	out := bufio.NewWriterSize(con.out, readSize)
	err = c.encode(out, in)
	if failed := out.Flush(); failed != nil {
		return failed // whatever stands in a later line: the output lacks what stands before it
	}
	return err
}

func (c *encodeCmd) encode(out io.Writer, in *input) error {
	var parser receipt.Parser
	var r receipt.Receipt
	var enc, text []byte
	lines := receipt.NewLines(in)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = parser.Parse(line, &r)
		}
		if err == nil {
			enc, err = r.AppendCanonical(enc[:0])
		}
		if err != nil {
			return badLine(in, lines, err)
		}
		if c.Hash {
			leaf := merkle.HashLeaf(enc)
			text = hex.AppendEncode(text[:0], leaf[:])
		} else {
			text = hex.AppendEncode(text[:0], enc)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return err
		}
	}
}
