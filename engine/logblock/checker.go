package logblock

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// CheckerConfig says what a chain is checked against. Key must be given; everything else works at its zero value.
type CheckerConfig struct {
	// Key is the notary's public key that is trusted for the first block, from elsewhere than the log. From a block with
	// next_key on, that one takes its place.
	Key sign.PublicKey

	App string // of every block; "" takes the first block's

	Scheme string // EncSeal1 or BPI1; "" is EncSeal1
	Legacy Legacy // needed for BPI1, and not used else

	// After is the block before the first, for a slice of a log; nil where the log starts at height 1. Key is then the key
	// for the heights after it. In scheme bpi-1 blocks are not linked and only After.Height counts.
	After *Head

	Heads []Head // blocks that must be in the chain; in scheme bpi-1 the hash is the signed digest

	WithReceipts bool       // each Block is followed by its receipts
	Producers    *Producers // if not nil, the chains that the receipts must follow; needs WithReceipts
}

// Result is what a chain came to, as far as it holds: blocks count once they and, where they are checked, all their receipts
// hold.
type Result struct {
	App      string
	Head     Head           // last block: what to keep for the next check
	Key      sign.PublicKey // what the next block must be signed by
	Blocks   uint64
	Receipts uint64 // receipts that were checked; 0 without WithReceipts
}

// Checker checks a chain of LogBlocks of one app as it passes by, in constant memory (scheme bpi-1: 32 bytes for each
// receipt of a block). Blocks come in their order through Block; with receipts, each is followed by as many calls
// of Receipt as its count says; Finish ends it. The first error is final: every later call returns it.
//
// Every block must keep the rules of FORMAT §3, be of the scheme and the app that are expected, follow the block
// before by height and by hash, name the key that is trusted and carry its valid signature. With receipts, these must be
// of the app, keep the rules of FORMAT §1 and give the root, the range and the usage of their block; and with
// producers, follow their chains. What a chain that passes does not say is in the package doc.
//
// A Checker is not safe for concurrent use.
type Checker struct {
	cfg  CheckerConfig // Scheme and Heads settled; Heads holds those that are still to come, lowest first
	last Head          // block before the next one; Height 0 before height 1
	key  sign.PublicKey

	sum    tally // of the open block
	open   bool  // the last block lacks receipts
	result Result
	err    error
}

// NewChecker returns a checker for one chain. It copies cfg. The error is a *FieldError that names the field of cfg: a key
// that [sign.PublicKey.Check] refuses or that is also a producer's, an unknown scheme, a head that cannot be in the chain.
func NewChecker(cfg CheckerConfig) (*Checker, error) {
	if cfg.Scheme == "" {
		cfg.Scheme = EncSeal1
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Checker{key: cfg.Key, result: Result{App: cfg.App, Key: cfg.Key}}
	if cfg.After != nil {
		c.last = *cfg.After
		c.result.Head = c.last
		cfg.After = nil // the caller's
	}
	heads, err := headsToCome(cfg.Heads, c.last, cfg.Scheme)
	if err != nil {
		return nil, err
	}
	cfg.Heads = heads
	c.cfg = cfg
	return c, nil
}

func (cfg *CheckerConfig) check() error {
	if cfg.Scheme != EncSeal1 && cfg.Scheme != BPI1 {
		return &FieldError{"Scheme", fmt.Sprintf("%q is neither %q nor %q", cfg.Scheme, EncSeal1, BPI1)}
	}
	if cfg.Scheme == BPI1 && cfg.Legacy == nil {
		return &FieldError{"Legacy", "missing: scheme bpi-1 is judged by its own rules"}
	}
	if cfg.Scheme == EncSeal1 {
		cfg.Legacy = nil
	}
	if err := cfg.Key.Check(); err != nil {
		return &FieldError{"Key", err.Error()}
	}
	if cfg.App != "" {
		if err := CheckApp(cfg.App); err != nil {
			_, reason := fieldOf(err)
			return &FieldError{"App", reason}
		}
	}
	if cfg.After != nil && cfg.After.Height == 0 {
		return &FieldError{"After", "height 0, but heights start at 1"}
	}
	if cfg.Producers == nil {
		return nil
	}
	if !cfg.WithReceipts {
		return &FieldError{"Producers", "given, but there are no receipts to check them by"}
	}
	if cfg.Producers.Has(cfg.Key) {
		return &FieldError{"Producers", "the notary's key is among them"}
	}
	return nil
}

// headsToCome returns the heads that blocks after last must meet, each height once, the lowest first.
func headsToCome(heads []Head, last Head, scheme string) ([]Head, error) {
	heads = slices.Clone(heads)
	slices.SortFunc(heads, func(a, b Head) int { return cmp.Compare(a.Height, b.Height) })
	heads = slices.Compact(heads)
	for i, h := range heads {
		switch {
		case h.Height == 0:
			return nil, &FieldError{"Heads", "height 0, but heights start at 1"}
		case i > 0 && heads[i-1].Height == h.Height:
			return nil, &FieldError{"Heads", fmt.Sprintf("%v and %v are one height", heads[i-1], h)}
		case h.Height < last.Height:
			return nil, &FieldError{"Heads", fmt.Sprintf("%v is before the slice, which starts after height %d", h, last.Height)}
		case h.Height == last.Height && scheme == BPI1:
			return nil, &FieldError{"Heads", fmt.Sprintf("%v is before the slice, and scheme bpi-1 does not link blocks to it", h)}
		case h.Height == last.Height && h != last:
			return nil, &FieldError{"Heads", fmt.Sprintf("%v is not %v, which the slice starts after", h, last)}
		}
	}
	if len(heads) > 0 && heads[0] == last {
		heads = heads[1:]
	}
	return heads, nil
}

// Block takes the next block. b is borrowed for the call. The error is a *CheckError.
func (c *Checker) Block(b *LogBlock) error {
	if c.err != nil {
		return c.err
	}
	if c.open {
		return c.failMissing()
	}
	digest, err := c.judge(b)
	if err != nil {
		return c.fail(b.Height, -1, err)
	}
	c.cfg.App = b.App
	c.last = Head{Height: b.Height, Hash: digest}
	if b.Scheme == EncSeal1 && b.HasNextKey {
		c.key = b.NextKey
	}
	if len(c.cfg.Heads) > 0 && c.cfg.Heads[0].Height == b.Height {
		c.cfg.Heads = c.cfg.Heads[1:]
	}
	if c.cfg.WithReceipts {
		c.sum.start(b)
		c.open = true
		return nil
	}
	c.blockHolds()
	return nil
}

// judge returns the signed digest of a block that holds by itself and where it stands.
func (c *Checker) judge(b *LogBlock) (digest [32]byte, err error) {
	if b.Scheme != c.cfg.Scheme {
		return digest, &FieldError{"scheme", fmt.Sprintf("%q, want %q", b.Scheme, c.cfg.Scheme)}
	}
	if err := b.check(); err != nil {
		return digest, err
	}
	if c.cfg.App != "" && b.App != c.cfg.App {
		return digest, &FieldError{"app", fmt.Sprintf("%q, want %q", b.App, c.cfg.App)}
	}
	if err := c.checkPlace(b); err != nil {
		return digest, err
	}
	if b.Scheme == EncSeal1 && b.Key != c.key {
		return digest, &FieldError{"key", fmt.Sprintf("%s, but the key trusted here is %s", b.Key, c.key)}
	}
	if digest, err = b.checkSignature(&c.key, c.cfg.Legacy); err != nil {
		return digest, err
	}
	if len(c.cfg.Heads) > 0 && c.cfg.Heads[0].Height == b.Height && c.cfg.Heads[0].Hash != digest {
		return digest, &FieldError{"", fmt.Sprintf("not the block that must be in the chain, %v", c.cfg.Heads[0])}
	}
	return digest, c.checkContent(b)
}

// checkPlace refuses a block that does not follow c.last.
func (c *Checker) checkPlace(b *LogBlock) error {
	if c.last.Height == math.MaxUint64 {
		return &FieldError{"height", fmt.Sprintf("no height follows %d", c.last.Height)}
	}
	if b.Height != c.last.Height+1 {
		return &FieldError{"height", fmt.Sprintf("%d, want %d", b.Height, c.last.Height+1)}
	}
	if b.Scheme == EncSeal1 && b.Prev != c.last.Hash {
		return &FieldError{"prev", fmt.Sprintf("not the block hash of height %d", c.last.Height)}
	}
	return nil
}

// checkContent refuses what no honest notary signs, and blocks whose receipts cannot be checked.
func (c *Checker) checkContent(b *LogBlock) error {
	if b.Scheme == BPI1 {
		if b.FromTS > b.ToTS {
			return &FieldError{"range", "from_ts is after to_ts"}
		}
		return nil
	}
	if c.cfg.WithReceipts && !b.HasUsage {
		return &FieldError{"usage", "missing: the leaves of this block are not receipts, so it can only be checked without"}
	}
	from, to, err := b.instants()
	if err != nil {
		return err
	}
	// Without usage the range is the writer's clock, which may have been set back.
	if b.HasUsage && from.Compare(to) > 0 {
		return &FieldError{"range", "from_ts is after to_ts"}
	}
	if !b.HasNextKey || b.NextKey == c.key {
		return nil
	}
	if err := b.NextKey.Check(); err != nil {
		return &FieldError{"next_key", err.Error()}
	}
	if c.cfg.Producers != nil && c.cfg.Producers.Has(b.NextKey) {
		return &FieldError{"next_key", "a producer's key"}
	}
	return nil
}

// Receipt takes the next receipt of the block that Block took last. r is borrowed for the call. With the last receipt of a
// block, root, range and usage are compared. The error is a *CheckError; its Receipt is −1 where the fault is in what the
// receipts come to.
func (c *Checker) Receipt(r *receipt.Receipt) error {
	if c.err != nil {
		return c.err
	}
	if !c.cfg.WithReceipts {
		return c.fail(c.last.Height, -1, &FieldError{"", "a receipt, but the chain is checked without receipts"})
	}
	if !c.open {
		return c.fail(c.last.Height, -1, &FieldError{"", "a receipt more than the block's count"})
	}
	index := int64(c.sum.got)
	if err := c.judgeReceipt(r); err != nil {
		return c.fail(c.last.Height, index, err)
	}
	if c.sum.got < c.sum.block.Count {
		return nil
	}
	if err := c.sum.compare(c.cfg.Legacy); err != nil {
		return c.fail(c.last.Height, -1, err)
	}
	c.open = false
	c.blockHolds()
	return nil
}

func (c *Checker) judgeReceipt(r *receipt.Receipt) error {
	if r.App != c.cfg.App {
		return &FieldError{"app", fmt.Sprintf("%q, but the block's is %q", r.App, c.cfg.App)}
	}
	if err := c.sum.add(r, c.cfg.Legacy); err != nil {
		return err
	}
	if c.cfg.Producers == nil {
		return nil
	}
	return c.cfg.Producers.Check(r)
}

func (c *Checker) blockHolds() {
	c.result.App = c.cfg.App
	c.result.Head = c.last
	c.result.Key = c.key
	c.result.Blocks++
	if c.cfg.WithReceipts {
		c.result.Receipts += uint64(c.sum.block.Count)
	}
}

// Finish says what the chain came to. The error is the first one that there was, or a *CheckError for a chain without
// blocks, a last block without all its receipts, or a head that is not in the chain; the Result then tells how far it holds.
// No other call may follow.
func (c *Checker) Finish() (Result, error) {
	switch {
	case c.err != nil:
	case c.open:
		c.failMissing()
	case c.result.Blocks == 0:
		c.fail(0, -1, &FieldError{"", "no block"})
	case len(c.cfg.Heads) > 0:
		c.fail(0, -1, &FieldError{"", fmt.Sprintf("the chain ends at height %d, before the block that must be in it, %v",
			c.last.Height, c.cfg.Heads[0])})
	default:
		c.err = &CheckError{Receipt: -1, Reason: "the chain is finished"}
		return c.result, nil
	}
	return c.result, c.err
}

func (c *Checker) fail(height uint64, index int64, err error) error {
	field, reason := fieldOf(err)
	c.err = &CheckError{Height: height, Receipt: index, Field: field, Reason: reason}
	return c.err
}

func (c *Checker) failMissing() error {
	return c.fail(c.last.Height, int64(c.sum.got),
		&FieldError{"", fmt.Sprintf("missing: %d of the block's %d receipts are there", c.sum.got, c.sum.block.Count)})
}
