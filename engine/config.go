package engine

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

// Limits and defaults of a Config.
const (
	DefaultMaxReceipts     = 100
	DefaultMaxWindow       = 300 * time.Second
	DefaultMaxPendingBytes = 256 << 20

	LimitMaxReceipts   = 1 << 20 // largest Config.MaxReceipts
	MinMaxPendingBytes = 4 << 20 // a quarter of it holds any single leaf

	DefaultMaxApps = 1000

	pendingPerBlock = 32      // default of MaxPending, in blocks
	durablePending  = 1 << 16 // default of MaxPending with a Store, at least
	bytesCutShare   = 4       // a block is cut at MaxPendingBytes / bytesCutShare
)

// Signer signs 32-byte digests with one Ed25519 key. [sign.Signer] is one.
type Signer interface {
	PublicKey() sign.PublicKey
	// SignBatch writes the signature of digests[i] to sigs[i]; the slices have one length and are borrowed for the
	// call. After an error no signature may be used.
	SignBatch(digests [][32]byte, sigs [][64]byte) error
}

// Sink takes sealed LogBlocks, in order of height.
//
// Deliver returns nil once the block is taken. After an error the same block is offered again, so a Sink sees a block
// at least once and may tell a repetition by (app, height). Deliver returns soon after ctx ends. The block is shared
// and never changed: a Sink may keep it, not write to it. Deliver is called by one goroutine at a time.
type Sink interface {
	Deliver(ctx context.Context, b *logblock.LogBlock) error
}

// Check says what is asked of a receipt on entry, beside the rules of its format.
type Check uint8

const (
	CheckNone   Check = iota // no cryptographic check of the producer
	CheckStrict              // hash recomputed, signature of a known producer, its chain unbroken
)

// Config describes a Notary by itself, for New, or an Engine of many, for Open, which gives each the same limits. Signer and
// Sink must be given, and App to New; everything else works at its zero value. It is copied.
type Config struct {
	App    string // of New alone: app of every receipt, 1 to 255 bytes of UTF-8
	Signer Signer // notary key; used for no other scheme or process while this lives, nor for one of its apps elsewhere
	Sink   Sink   // of an Engine without Store

	// Store makes it survive crashes. With it blocks go to Sinks, each at its own pace, instead of Sink.
	Store Store
	Sinks []NamedSink

	// Scheme is logblock.EncSeal1 (also the meaning of "") or logblock.BPI1, whose weak points bpi1.Weaknesses lists.
	Scheme string

	MaxReceipts     int           // receipts in a block, 1 to LimitMaxReceipts; 0 is DefaultMaxReceipts
	MaxWindow       time.Duration // longest wait of a pending receipt for its block, above 0; 0 is DefaultMaxWindow
	MaxPending      int           // receipts accepted and not yet sealed, MaxReceipts or more; 0 is 32 × MaxReceipts, and with a Store 65,536 at least
	MaxPendingBytes int64         // bytes of their leaves, MinMaxPendingBytes or more; 0 is DefaultMaxPendingBytes

	MaxApps int // apps of an Engine, 1 or more; 0 is DefaultMaxApps

	Check     Check
	Producers []logblock.ProducerKey // for CheckStrict, and only there: at least one; each may produce for every app

	// DedupWindow is within how many receipts of an app a repetition is known: the same receipt, byte for byte, which a
	// producer sends again when it lost the answer, is not taken twice. Some 100 bytes each; 0 is off.
	DedupWindow int

	// Resume, of New without a Store alone, continues a chain after the block that it names; the zero Head starts at height 1. Two Notaries that
	// start from one Head with one key and app equivocate: in memory nothing prevents it. (In scheme bpi-1 only
	// Resume.Height counts.)
	Resume logblock.Head
}

// settled returns c with its defaults filled in, or an error that names the field that is wrong.
func (c Config) settled() (Config, error) {
	if c.Scheme == "" {
		c.Scheme = logblock.EncSeal1
	}
	if c.MaxReceipts == 0 {
		c.MaxReceipts = DefaultMaxReceipts
	}
	if c.MaxWindow == 0 {
		c.MaxWindow = DefaultMaxWindow
	}
	if c.MaxPending == 0 {
		c.MaxPending = pendingPerBlock * c.MaxReceipts
		if c.Store.durable() { // there is a disk to wait for
			c.MaxPending = max(c.MaxPending, durablePending)
		}
	}
	if c.MaxApps == 0 {
		c.MaxApps = DefaultMaxApps
	}
	if c.MaxPendingBytes == 0 {
		c.MaxPendingBytes = DefaultMaxPendingBytes
	}
	bad := func(field, format string, args ...any) (Config, error) {
		return c, fmt.Errorf("engine: Config.%s: %s", field, fmt.Sprintf(format, args...))
	}
	switch {
	case c.Signer == nil:
		return bad("Signer", "missing")
	case c.Sink == nil && !c.Store.durable():
		return bad("Sink", "missing")
	case c.Sink != nil && c.Store.durable():
		return bad("Sink", "given, but with a Store each sink has a name: use Sinks")
	case len(c.Sinks) > 0 && !c.Store.durable():
		return bad("Sinks", "given, but without a Store there is no cursor to keep for them: use Sink")
	case !c.Store.durable() && c.Store != (Store{}):
		return bad("Store", "Dir is missing")
	case c.Store.NewHead && c.Store.Head == "":
		return bad("Store.NewHead", "given, but Store.Head is missing")
	case c.Store.RetainBytes < 0:
		return bad("Store.RetainBytes", "%d is below zero", c.Store.RetainBytes)
	case c.DedupWindow < 0:
		return bad("DedupWindow", "%d is below zero", c.DedupWindow)
	case c.Store.durable() && c.Resume != (logblock.Head{}):
		return bad("Resume", "given, but the Store knows where each chain stands")
	case c.Scheme != logblock.EncSeal1 && c.Scheme != logblock.BPI1:
		return bad("Scheme", "%q is neither %q nor %q", c.Scheme, logblock.EncSeal1, logblock.BPI1)
	case c.MaxReceipts < 1 || c.MaxReceipts > LimitMaxReceipts:
		return bad("MaxReceipts", "%d is not in 1 to %d", c.MaxReceipts, LimitMaxReceipts)
	case c.MaxWindow < 0:
		return bad("MaxWindow", "%v is below zero", c.MaxWindow)
	case c.MaxPending < c.MaxReceipts:
		return bad("MaxPending", "%d is below MaxReceipts, %d: no block would fill", c.MaxPending, c.MaxReceipts)
	case c.MaxPendingBytes < MinMaxPendingBytes:
		return bad("MaxPendingBytes", "%d is below %d", c.MaxPendingBytes, MinMaxPendingBytes)
	case c.MaxApps < 1:
		return bad("MaxApps", "%d is below 1", c.MaxApps)
	case c.Check > CheckStrict:
		return bad("Check", "unknown value %d", c.Check)
	case c.Check == CheckStrict && len(c.Producers) == 0:
		return bad("Producers", "missing: CheckStrict takes receipts of these keys alone")
	case c.Check == CheckNone && len(c.Producers) != 0:
		return bad("Producers", "given, but Check is CheckNone")
	}
	switch linked := c.Scheme == logblock.EncSeal1; {
	case c.Resume.Height == math.MaxUint64:
		return bad("Resume", "no height follows %d", c.Resume.Height)
	case linked && (c.Resume.Height == 0) != (c.Resume.Hash == [32]byte{}):
		return bad("Resume", "height %d with hash %x: both are zero, or neither is", c.Resume.Height, c.Resume.Hash)
	}
	key := c.Signer.PublicKey()
	if err := key.Check(); err != nil {
		return bad("Signer", "%v", err)
	}
	names := make(map[string]bool)
	for i, s := range c.Sinks {
		switch {
		case s.Name == "" || len(s.Name) > 255:
			return bad("Sinks", "the name of sink %d has %d bytes, not 1 to 255", i, len(s.Name))
		case s.Sink == nil:
			return bad("Sinks", "%q is missing", s.Name)
		case names[s.Name]:
			return bad("Sinks", "two are %q", s.Name)
		}
		names[s.Name] = true
	}
	for _, p := range c.Producers {
		if p.Key == key {
			return bad("Producers", "%v is the notary's own key: one key, one role", p.Key)
		}
	}
	return c, nil
}

// legacy is the rule book of the scheme, nil for encseal-1.
func (c *Config) legacy() logblock.Legacy {
	if c.Scheme == logblock.BPI1 {
		return bpi1.Rules{}
	}
	return nil
}
