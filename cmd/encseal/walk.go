package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/merkle"
)

// walk goes through a file of LogBlocks and the file of their receipts side by side, a LogBlock's count at a time.
type walk struct {
	blocks, receipts         *input
	blockLines, receiptLines *receipt.Lines

	block  *logblock.LogBlock // the one that the receipts being read are of; nil before the first
	parser receipt.Parser
	enc    []byte
	leaves []merkle.Hash // of block, as far as they were read
}

func newWalk(blocks, receipts *input) *walk {
	return &walk{
		blocks: blocks, blockLines: receipt.NewLines(blocks),
		receipts: receipts, receiptLines: receipt.NewLines(receipts),
	}
}

// byPlace proves leaf index of the LogBlock at height.
func (w *walk) byPlace(height uint64, index uint32) (*logblock.Proof, error) {
	for {
		err := w.nextBlock()
		if err == io.EOF {
			return nil, refused("%s: no LogBlock of height %d", w.blocks.name, height)
		}
		if err != nil {
			return nil, err
		}
		if w.block.Height == height {
			break
		}
		if w.block.Height > height {
			return nil, refused("%s: begins at height %d, after %d", w.blocks.name, w.block.Height, height)
		}
		if err := w.skipReceipts(); err != nil {
			return nil, err
		}
	}
	if index >= w.block.Count {
		return nil, refused("LogBlock %d has %d receipts: the last --index is %d", height, w.block.Count, w.block.Count-1)
	}
	return w.prove(func(i uint32, _ *receipt.Receipt) bool { return i == index })
}

// byHash proves the first receipt with this hash.
func (w *walk) byHash(hash receipt.Hash) (*logblock.Proof, error) {
	for {
		err := w.nextBlock()
		if err == io.EOF {
			return nil, refused("%s: no receipt under these LogBlocks has this hash", w.receipts.name)
		}
		if err != nil {
			return nil, err
		}
		proof, err := w.prove(func(_ uint32, r *receipt.Receipt) bool { return r.Hash == hash })
		if proof != nil || err != nil {
			return proof, err
		}
	}
}

// nextBlock reads the next LogBlock, which must be the successor of the one before by app and height.
func (w *walk) nextBlock() error {
	line, err := w.blockLines.Next()
	if err == io.EOF {
		if w.block == nil {
			return refused("%s: no LogBlock in it", w.blocks.name)
		}
		return io.EOF
	}
	if err != nil && !errors.Is(err, receipt.ErrLineTooLong) {
		return w.blocks.unreadable(err)
	}
	var b *logblock.LogBlock
	if err == nil {
		b, err = logblock.Parse(line, logblock.EncSeal1)
	}
	last := w.block
	switch {
	case err != nil:
	case !b.HasUsage:
		err = errors.New("the leaves of this LogBlock are not receipts")
	case last != nil && b.App != last.App:
		err = fmt.Errorf("app %q after %q", b.App, last.App)
	case last != nil && b.Height-1 != last.Height:
		err = fmt.Errorf("height %d after %d", b.Height, last.Height)
	}
	if err != nil {
		return refused("%s:%d: %s", w.blocks.name, w.blockLines.Line(), detail(err))
	}
	w.block = b
	return nil
}

// skipReceipts passes over the receipts of the LogBlock without looking at them.
func (w *walk) skipReceipts() error {
	for i := range w.block.Count {
		if _, err := w.receiptLines.Next(); err != nil {
			return w.receiptError(i, err)
		}
	}
	return nil
}

// prove hashes the receipts of the LogBlock and proves the first that is wanted; nil when none is.
func (w *walk) prove(wanted func(i uint32, r *receipt.Receipt) bool) (*logblock.Proof, error) {
	var r receipt.Receipt
	var proof *logblock.Proof
	w.leaves = w.leaves[:0]
	for i := range w.block.Count {
		line, err := w.receiptLines.Next()
		if err == nil {
			err = w.parser.Parse(line, &r)
		}
		if err == nil {
			w.enc, err = r.AppendCanonical(w.enc[:0])
		}
		if err != nil {
			return nil, w.receiptError(i, err)
		}
		w.leaves = append(w.leaves, merkle.HashLeaf(w.enc))
		if proof == nil && wanted(i, &r) {
			found := r.Clone()
			proof = &logblock.Proof{Receipt: &found, Index: i, Block: *w.block}
		}
	}
	if proof == nil {
		return nil, nil
	}
	tree := merkle.NewTree(w.leaves)
	if tree.Root() != w.block.MerkleRoot {
		return nil, refused("LogBlock %d: its %d receipts, to %s:%d, do not hash to its merkle_root: one is altered, missing or out of order",
			w.block.Height, w.block.Count, w.receipts.name, w.receiptLines.Line())
	}
	var err error
	proof.Path, err = tree.AppendPath(nil, uint64(proof.Index))
	return proof, err
}

// receiptError places the error of receipt i of the LogBlock.
func (w *walk) receiptError(i uint32, err error) error {
	if err == io.EOF {
		return refused("%s: ends after %d of the %d receipts of LogBlock %d", w.receipts.name, i, w.block.Count, w.block.Height)
	}
	return badLine(w.receipts, w.receiptLines, err)
}
