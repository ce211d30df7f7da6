package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/merkle"
)

// fromDir proves a receipt of a data directory.
func (c *proveCmd) fromDir(con *console, hash receipt.Hash) (proof *logblock.Proof, place string, err error) {
	r, err := con.openLedger(c.Dir)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	app, err := pickApp(r, c.Dir, c.App)
	if err != nil {
		return nil, "", err
	}
	if app.Scheme != logblock.EncSeal1 {
		return nil, "", refused("%s: app %q is of scheme %s, which has no proofs", c.Dir, app.Name, app.Scheme)
	}
	d := dirProof{reader: r, dir: c.Dir, app: app}
	if c.Hash != "" {
		err = d.byHash(hash)
	} else {
		err = d.byPlace(*c.Height, *c.Index)
	}
	if err != nil {
		return nil, "", err
	}
	return d.proof, fmt.Sprintf("%s: block %d", c.Dir, d.proof.Block.Height), nil
}

// dirProof makes one proof of what a data directory holds.
type dirProof struct {
	reader *ledger.Reader
	dir    string
	app    ledger.AppBlocks
	proof  *logblock.Proof // nil until it is made
}

// byPlace proves leaf index of the LogBlock at height.
func (d *dirProof) byPlace(height uint64, index uint32) error {
	err := d.reader.Blocks(d.app.Name, height, height, func(b *ledger.Block) error {
		if index >= b.Count {
			return refused("LogBlock %d has %d receipts: the last --index is %d", height, b.Count, b.Count-1)
		}
		err := d.prove(b, index)
		switch {
		case errors.Is(err, journal.ErrPruned):
			err = refused("%s: the receipts of LogBlock %d of app %q were pruned", d.dir, height, d.app.Name)
		case errors.Is(err, ledger.ErrNoLeaves):
			err = refused("%s: the receipts of LogBlock %d of app %q are not in it", d.dir, height, d.app.Name)
		}
		return err
	})
	if err == nil && d.proof == nil {
		err = refused("%s: no signed LogBlock of height %d of app %q", d.dir, height, d.app.Name)
	}
	return err
}

// byHash proves the first receipt with this hash. LogBlocks whose receipts are elsewhere are passed over.
func (d *dirProof) byHash(hash receipt.Hash) error {
	var r receipt.Receipt
	err := d.reader.Blocks(d.app.Name, d.app.Pruned+1, math.MaxUint64, func(b *ledger.Block) error {
		index := -1
		err := d.reader.Leaves(b, func(i int, leaf []byte) error {
			if err := receipt.Decode(leaf, &r); err != nil {
				return d.badLeaf(b, i, err)
			}
			if r.Hash == hash {
				index = i
				return journal.ErrStop
			}
			return nil
		})
		if errors.Is(err, ledger.ErrNoLeaves) {
			return nil
		}
		if err != nil || index < 0 {
			return err
		}
		if err := d.prove(b, uint32(index)); err != nil {
			return err
		}
		return journal.ErrStop
	})
	switch {
	case err != nil || d.proof != nil:
		return err
	case d.app.Pruned > 0:
		return refused("%s: no receipt under the LogBlocks of app %q that are in it has this hash; those of LogBlocks 1 to %d were pruned",
			d.dir, d.app.Name, d.app.Pruned)
	}
	return refused("%s: no receipt under the LogBlocks of app %q that are in it has this hash", d.dir, d.app.Name)
}

// prove hashes all leaves of a LogBlock and proves one.
func (d *dirProof) prove(b *ledger.Block, index uint32) error {
	var found receipt.Receipt
	var hashes []merkle.Hash
	err := d.reader.Leaves(b, func(i int, leaf []byte) error {
		hashes = append(hashes, merkle.HashLeaf(leaf))
		if i != int(index) {
			return nil
		}
		var r receipt.Receipt
		if err := receipt.Decode(leaf, &r); err != nil {
			return d.badLeaf(b, i, err)
		}
		found = r.Clone()
		return nil
	})
	if err != nil {
		return err
	}
	tree := merkle.NewTree(hashes)
	if tree.Root() != b.MerkleRoot {
		return refused("%s: LogBlock %d: its %d receipts do not hash to its merkle_root: one is altered, missing or out of order",
			d.dir, b.Height, b.Count)
	}
	d.proof = &logblock.Proof{Receipt: &found, Index: index, Block: *b.LogBlock}
	d.proof.Path, err = tree.AppendPath(nil, uint64(index))
	return err
}

func (d *dirProof) badLeaf(b *ledger.Block, i int, err error) error {
	return refused("%s: block %d, receipt %d: %s", d.dir, b.Height, i, detail(err))
}
