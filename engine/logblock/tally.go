package logblock

import (
	"fmt"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/merkle"
)

// tally sums the receipts of one block up to compare them with what the block says. Its memory does not depend on the
// count that a block claims. The zero value is ready; it is reused from block to block.
type tally struct {
	block LogBlock
	got   uint32 // receipts so far, at most block.Count
	usage Usage
	span  Span

	// Leaves waiting to be hashed, leaf i is arena[ends[i-1]:ends[i]], and where their hashes go.
	arena  []byte
	ends   []int
	hashes []merkle.Hash
	build  merkle.Builder
	root   merkle.Accumulator

	legacyHashes [][32]byte // in scheme bpi-1 all leaf hashes
}

// Leaves are hashed together when there are so many, or so many bytes of them.
const (
	batchLeaves = 256
	batchBytes  = 128 << 10
)

func (t *tally) start(b *LogBlock) {
	t.block = *b
	t.got = 0
	t.usage, t.span = Usage{}, Span{}
	t.arena, t.ends = t.arena[:0], t.ends[:0]
	t.root.Reset()
	t.legacyHashes = t.legacyHashes[:0]
}

// add takes the next receipt, which is borrowed for the call, if it keeps its rules.
func (t *tally) add(r *receipt.Receipt, legacy Legacy) error {
	var err error
	if legacy != nil {
		err = t.addLegacy(r, legacy)
	} else {
		err = t.addLeaf(r)
	}
	if err != nil {
		return err
	}
	t.usage.Add(&r.Resource)
	t.got++
	return nil
}

func (t *tally) addLeaf(r *receipt.Receipt) error {
	var at receipt.Instant
	var err error
	if t.arena, at, err = r.AppendCanonicalInstant(t.arena); err != nil {
		return err
	}
	t.ends = append(t.ends, len(t.arena))
	if len(t.ends) == batchLeaves || len(t.arena) >= batchBytes {
		t.hashLeaves()
	}
	t.span.Add(r.TS, at)
	return nil
}

func (t *tally) hashLeaves() {
	t.hashes = t.build.HashLeaves(t.hashes[:0], t.arena, t.ends)
	for _, h := range t.hashes {
		t.root.Add(h)
	}
	t.arena, t.ends = t.arena[:0], t.ends[:0]
}

func (t *tally) addLegacy(r *receipt.Receipt, legacy Legacy) error {
	var err error
	if t.arena, err = legacy.AppendLeaf(t.arena[:0], r); err != nil {
		return err
	}
	t.legacyHashes = append(t.legacyHashes, legacy.HashLeaf(t.arena))
	t.span.AddText(r.TS)
	return nil
}

// compare returns a *FieldError for the first thing that the block says and its receipts do not come to.
func (t *tally) compare(legacy Legacy) error {
	root := merkle.Hash{}
	if legacy != nil {
		root = legacy.Root(t.legacyHashes)
	} else {
		t.hashLeaves()
		root = t.root.Root()
	}
	b := &t.block
	switch {
	case root != b.MerkleRoot:
		return &FieldError{"merkle_root", "not the root of the block's receipts: one is altered, missing, extra or out of place"}
	case t.span.From() != b.FromTS:
		return &FieldError{"range.from_ts", fmt.Sprintf("%s, but the receipts start at %s", b.FromTS, t.span.From())}
	case t.span.To() != b.ToTS:
		return &FieldError{"range.to_ts", fmt.Sprintf("%s, but the receipts end at %s", b.ToTS, t.span.To())}
	}
	if legacy != nil {
		return nil
	}
	for _, total := range [...]struct {
		key       string
		says, sum uint64
	}{
		{"usage.cpu_ms", b.Usage.CPUms, t.usage.CPUms},
		{"usage.memory_mb_s", b.Usage.MemoryMBs, t.usage.MemoryMBs},
		{"usage.storage_ugb_day", b.Usage.StorageUGBDay, t.usage.StorageUGBDay},
		{"usage.egress_umb", b.Usage.EgressUMB, t.usage.EgressUMB},
	} {
		if total.says != total.sum {
			return &FieldError{total.key, fmt.Sprintf("%d, but the receipts add up to %d", total.says, total.sum)}
		}
	}
	return nil
}
