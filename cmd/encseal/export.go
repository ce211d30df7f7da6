package main

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
)

type exportCmd struct {
	Dir        string  `required:"" placeholder:"DIR" help:"Data directory to read; the notary may be running."`
	App        string  `placeholder:"APP" help:"App to export; may be left out where there is one alone."`
	FromHeight *uint64 `placeholder:"H" help:"First LogBlock; without it, the first whose receipts are there."`
	ToHeight   *uint64 `placeholder:"H" help:"Last LogBlock; without it, the last that is signed."`
	BlocksOnly bool    `help:"Write LogBlocks alone, those too whose receipts were pruned."`
	Output     string  `short:"o" required:"" placeholder:"PREFIX" help:"Write PREFIX.blocks.ndjson and PREFIX.receipts.ndjson. They must not exist."`
}

func (*exportCmd) Help() string {
	return `
Writes the LogBlocks of one app, and the receipts that they seal, as the two files that verify and prove take. Receipts that are in
no LogBlock yet are left out. Of segments that were pruned the LogBlocks alone are left, and --blocks-only writes them. The files get their names when they are whole and durable. What they say is not checked: verify does.

Examples:

	encseal export --dir data -o my-app
	encseal export --dir data --blocks-only -o my-app
	encseal export --dir data --app my-app --from-height 100 --to-height 199 -o my-app.100-199
`
}

func (c *exportCmd) Run(con *console) error {
	if err := checkApp(c.App); err != nil {
		return err
	}
	from, to := uint64(0), uint64(math.MaxUint64)
	if c.FromHeight != nil {
		from = *c.FromHeight
	}
	if c.ToHeight != nil {
		to = *c.ToHeight
	}
	switch {
	case c.FromHeight != nil && from == 0:
		return usage("--from-height starts at 1")
	case from > to:
		return usage("--from-height %d is above --to-height %d", from, to)
	}
	r, err := con.openLedger(c.Dir)
	if err != nil {
		return err
	}
	defer r.Close()
	app, err := pickApp(r, c.Dir, c.App)
	if err != nil {
		return err
	}
	if app.Last == 0 {
		return refused("%s: no signed LogBlock of app %q", c.Dir, app.Name)
	}
	if c.FromHeight != nil && from < app.First || c.ToHeight != nil && to > app.Last || from > app.Last || to < app.First {
		return refused("%s: the LogBlocks of app %q are those of height %d to %d", c.Dir, app.Name, app.First, app.Last)
	}
	if !c.BlocksOnly && c.FromHeight == nil {
		if app.Pruned >= min(to, app.Last) {
			return refused("%s: the receipts of LogBlocks 1 to %d of app %q were pruned; --blocks-only writes LogBlocks alone",
				c.Dir, app.Pruned, app.Name)
		}
		from = app.Pruned + 1
	}
	e := &export{con: con, cmd: c, reader: r, app: app}
	return e.run(max(from, app.First), min(to, app.Last))
}

// export is one run of the command.
type export struct {
	con    *console
	cmd    *exportCmd
	reader *ledger.Reader
	app    ledger.AppBlocks

	blocks, receipts *draft
	written          uint64 // LogBlocks
	sealed           uint64 // receipts
	first            *logblock.LogBlock

	parser  receipt.Parser
	receipt receipt.Receipt
	line    []byte
}

func (e *export) run(from, to uint64) (err error) {
	if e.blocks, err = newDraft(e.cmd.Output + ".blocks.ndjson"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.blocks.discard()) }()
	drafts := []*draft{e.blocks}
	if !e.cmd.BlocksOnly {
		if e.receipts, err = newDraft(e.cmd.Output + ".receipts.ndjson"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.receipts.discard()) }()
		// Receipts get their name first: LogBlocks without them would look like a log that lost them.
		drafts = []*draft{e.receipts, e.blocks}
	}
	if err := e.reader.Blocks(e.app.Name, from, to, e.block); err != nil {
		return err
	}
	if e.written == 0 {
		return refused("%s: the receipts of LogBlocks %d to %d of app %q are not in it; --blocks-only writes LogBlocks alone",
			e.cmd.Dir, from, to, e.app.Name)
	}
	for _, d := range drafts {
		if err := d.publish(); err != nil {
			return err
		}
	}
	if err := syncDir(filepath.Dir(e.cmd.Output)); err != nil {
		return err
	}
	e.sum()
	return nil
}

// block writes one LogBlock and its receipts. Those at the beginning that have none are passed over where nobody asked
// for them.
func (e *export) block(b *ledger.Block) error {
	if e.cmd.BlocksOnly {
		return e.logBlock(b)
	}
	err := e.reader.Leaves(b, func(i int, leaf []byte) error {
		if err := readLeaf(b.Scheme, leaf, &e.parser, &e.receipt); err != nil {
			return fmt.Errorf("%s: block %d, receipt %d: %w", e.cmd.Dir, b.Height, i, err)
		}
		line, err := e.receipt.AppendJSON(e.line[:0])
		if err != nil {
			return fmt.Errorf("%s: block %d, receipt %d: %w", e.cmd.Dir, b.Height, i, err)
		}
		e.line = append(line, '\n')
		e.sealed++
		return e.receipts.write(e.line)
	})
	if errors.Is(err, ledger.ErrNoLeaves) {
		if e.written == 0 && e.sealed == 0 && e.cmd.FromHeight == nil {
			return nil
		}
		what := "are not in it"
		if errors.Is(err, journal.ErrPruned) {
			what = "were pruned"
		}
		return refused("%s: the receipts of LogBlock %d of app %q %s; --from-height and --to-height choose others, --blocks-only none",
			e.cmd.Dir, b.Height, e.app.Name, what)
	}
	if err != nil {
		return err
	}
	return e.logBlock(b)
}

// logBlock writes one LogBlock.
func (e *export) logBlock(b *ledger.Block) error {
	if e.first == nil {
		e.first = b.LogBlock
	}
	e.written++
	line, err := b.AppendJSON(e.line[:0])
	if err != nil {
		return fmt.Errorf("%s: block %d: %w", e.cmd.Dir, b.Height, err)
	}
	e.line = append(line, '\n')
	return e.blocks.write(e.line)
}

func (e *export) sum() {
	receipts := fmt.Sprintf("%d receipts", e.sealed)
	if e.cmd.BlocksOnly {
		receipts = "without receipts"
	}
	e.con.say("%s: %d LogBlocks of app %q from height %d, %s", e.cmd.Output, e.written, e.app.Name, e.first.Height, receipts)
	if e.first.Height > 1 && e.first.Scheme == logblock.EncSeal1 {
		before := logblock.Head{Height: e.first.Height - 1, Hash: e.first.Prev}
		e.con.say("to check them, verify takes --after %v", before)
	}
}
