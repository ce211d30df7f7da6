package logblock

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

func newChecker(t testing.TB, cfg CheckerConfig) *Checker {
	t.Helper()
	c, err := NewChecker(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run feeds blocks, and receipts as far as blocks count them, to a new Checker.
func run(t testing.TB, cfg CheckerConfig, blocks []*LogBlock, receipts []*receipt.Receipt) (Result, error) {
	t.Helper()
	c := newChecker(t, cfg)
	for _, b := range blocks {
		if err := c.Block(b); err != nil {
			break
		}
		for range b.Count {
			if !cfg.WithReceipts || len(receipts) == 0 || c.Receipt(receipts[0]) != nil {
				break
			}
			receipts = receipts[1:]
		}
	}
	return c.Finish()
}

// checkPlace fails unless err names the block, the receipt in it (−1 for none), the field and the words.
func checkPlace(t testing.TB, err error, height uint64, index int64, field, words string) {
	t.Helper()
	var own *CheckError
	if !errors.As(err, &own) {
		t.Errorf("got error %v, want a *CheckError", err)
		return
	}
	if own.Height != height || own.Receipt != index || own.Field != field || !strings.Contains(own.Reason, words) {
		t.Errorf("got block %d, receipt %d: %q: %q, want block %d, receipt %d: %q: …%s…",
			own.Height, own.Receipt, own.Field, own.Reason, height, index, field, words)
	}
}

var chains = []string{"encseal-1", "my-app", "edge", "rotation", "bpi-1"}

func TestCheckerVectors(t *testing.T) {
	for _, name := range chains {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			cfg := v.config(t)
			receipts, blocks := readReceipts(t, name), readBlocks(t, name, v.Scheme)
			last := blocks[len(blocks)-1]
			digest, err := last.SignedDigest(bpi1.Rules{})
			if err != nil {
				t.Fatal(err)
			}
			want := Result{
				App: last.App, Head: Head{last.Height, digest}, Key: cfg.Key,
				Blocks: uint64(len(blocks)),
			}
			if v.Scheme != BPI1 {
				want.Key = last.Key
			}
			got, err := run(t, cfg, blocks, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("without receipts (-want +got):\n%s", diff)
			}
			cfg.WithReceipts = true
			cfg.App = last.App
			want.Receipts = uint64(len(receipts))
			got, err = run(t, cfg, blocks, receipts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("with receipts (-want +got):\n%s", diff)
			}
		})
	}
}

// Each block left out, repeated, exchanged with the next or changed is found at the block where it shows.
func TestCheckerBlocksOutOfPlace(t *testing.T) {
	for _, name := range chains {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			cfg := v.config(t)
			blocks := readBlocks(t, name, v.Scheme)
			remake := func(head, tail []*LogBlock, between ...*LogBlock) []*LogBlock {
				return append(append(append([]*LogBlock{}, head...), between...), tail...)
			}
			for i, b := range blocks {
				h := b.Height
				if i+1 < len(blocks) {
					_, err := run(t, cfg, remake(blocks[:i], blocks[i+1:]), nil)
					checkPlace(t, err, h+1, -1, "height", "want")
					_, err = run(t, cfg, remake(blocks[:i], blocks[i+2:], blocks[i+1], b), nil)
					checkPlace(t, err, h+1, -1, "height", "want")
				} else {
					got, err := run(t, cfg, blocks[:i], nil)
					if err != nil || got.Head.Height != h-1 {
						t.Errorf("without the last block: got head %v, %v, want height %d", got.Head, err, h-1)
					}
				}
				result, err := run(t, cfg, remake(blocks[:i], blocks[i:], b), nil)
				checkPlace(t, err, h, -1, "height", "want")
				if result.Blocks != uint64(i+1) || result.Head.Height != h {
					t.Errorf("block %d twice: got %d blocks to height %d, want %d to %d", h, result.Blocks, result.Head.Height, i+1, h)
				}
				altered := *b
				altered.Count++
				_, err = run(t, cfg, remake(blocks[:i], blocks[i+1:], &altered), nil)
				checkPlace(t, err, h, -1, "sig_notary", "not a signature")
				altered = *b
				altered.App += "2"
				_, err = run(t, cfg, remake(blocks[:i], blocks[i+1:], &altered), nil)
				if i == 0 {
					checkPlace(t, err, h, -1, "sig_notary", "not a signature")
				} else {
					checkPlace(t, err, h, -1, "app", "want")
				}
				altered = *b
				altered.Sig[63] ^= 0x10
				_, err = run(t, cfg, remake(blocks[:i], blocks[i+1:], &altered), nil)
				checkPlace(t, err, h, -1, "sig_notary", "not a signature")
				if v.Scheme == BPI1 {
					continue
				}
				altered = *b
				altered.Prev[0] ^= 1
				_, err = run(t, cfg, remake(blocks[:i], blocks[i+1:], &altered), nil)
				checkPlace(t, err, h, -1, "prev", "not")
				altered = *b
				altered.Key[0] ^= 1
				_, err = run(t, cfg, remake(blocks[:i], blocks[i+1:], &altered), nil)
				checkPlace(t, err, h, -1, "key", "trusted here")
			}
		})
	}
}

// Each receipt left out, repeated, exchanged with the next or changed is found in its block.
func TestCheckerReceiptsOutOfPlace(t *testing.T) {
	for _, name := range []string{"encseal-1", "bpi-1"} {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			cfg := v.config(t)
			cfg.WithReceipts = true
			receipts, blocks := readReceipts(t, name), readBlocks(t, name, v.Scheme)
			remake := func(head, tail []*receipt.Receipt, between ...*receipt.Receipt) []*receipt.Receipt {
				return append(append(append([]*receipt.Receipt{}, head...), between...), tail...)
			}
			lastHeight := uint64(len(blocks))
			for i, r := range receipts {
				height := uint64(i/v.MaxReceipts) + 1
				_, err := run(t, cfg, blocks, remake(receipts[:i], receipts[i+1:]))
				if height < lastHeight {
					checkPlace(t, err, height, -1, "merkle_root", "not the root")
				} else {
					count := blocks[lastHeight-1].Count
					checkPlace(t, err, height, int64(count)-1, "", "missing")
				}
				repeated := remake(receipts[:i], receipts[i:], r)
				_, err = run(t, cfg, blocks, repeated)
				switch {
				case i == len(receipts)-1:
					if err != nil {
						t.Errorf("all receipts: %v", err)
					}
				case (i+1)%v.MaxReceipts == 0:
					checkPlace(t, err, height+1, -1, "merkle_root", "not the root")
				default:
					checkPlace(t, err, height, -1, "merkle_root", "not the root")
				}
				if i+1 < len(receipts) {
					_, err = run(t, cfg, blocks, remake(receipts[:i], receipts[i+2:], receipts[i+1], r))
					checkPlace(t, err, height, -1, "merkle_root", "not the root")
				}
				altered := *r
				altered.Resource.CPUms++
				_, err = run(t, cfg, blocks, remake(receipts[:i], receipts[i+1:], &altered))
				checkPlace(t, err, height, -1, "merkle_root", "not the root")
				altered = *r
				altered.App = "other"
				_, err = run(t, cfg, blocks, remake(receipts[:i], receipts[i+1:], &altered))
				checkPlace(t, err, height, int64(i%v.MaxReceipts), "app", "the block's is")
				altered = *r
				altered.TS = "2026-01-15"
				_, err = run(t, cfg, blocks, remake(receipts[:i], receipts[i+1:], &altered))
				checkPlace(t, err, height, int64(i%v.MaxReceipts), "ts", "")
			}
		})
	}
}

// A block that its notary signed, but that says something else than its receipts.
func TestCheckerClaims(t *testing.T) {
	v := readVector(t, "my-app")
	signer := v.signer(t)
	receipts := readReceipts(t, "my-app")[:4]
	receipts[0].TS, receipts[3].TS = "2026-01-15T10:00:00Z", "2026-01-15T13:00:00+01:00"
	receipts[1].TS, receipts[2].TS = "2026-01-15T11:00:00+01:00", "2026-01-15T12:00:00.000Z"
	cfg := CheckerConfig{Key: signer.PublicKey(), WithReceipts: true}
	check := func(change func(b *LogBlock)) error {
		b := fill(t, &v, receipts)
		b.Height, b.Key = 1, signer.PublicKey()
		change(b)
		signBlock(t, b, signer)
		_, err := run(t, cfg, []*LogBlock{b}, receipts)
		return err
	}
	if err := check(func(b *LogBlock) {
		if b.FromTS != receipts[0].TS || b.ToTS != receipts[2].TS {
			t.Errorf("got range %s to %s, want the first of each instant", b.FromTS, b.ToTS)
		}
	}); err != nil {
		t.Fatal(err)
	}
	checkPlace(t, check(func(b *LogBlock) { b.FromTS = receipts[1].TS }), 1, -1, "range.from_ts", "start at "+receipts[0].TS)
	checkPlace(t, check(func(b *LogBlock) { b.ToTS = receipts[3].TS }), 1, -1, "range.to_ts", "end at "+receipts[2].TS)
	checkPlace(t, check(func(b *LogBlock) { b.FromTS, b.ToTS = b.ToTS, b.FromTS }), 1, -1, "range", "after")
	checkPlace(t, check(func(b *LogBlock) { b.Usage.CPUms++ }), 1, -1, "usage.cpu_ms", "add up to")
	checkPlace(t, check(func(b *LogBlock) { b.Usage.MemoryMBs-- }), 1, -1, "usage.memory_mb_s", "add up to")
	checkPlace(t, check(func(b *LogBlock) { b.Usage.StorageUGBDay++ }), 1, -1, "usage.storage_ugb_day", "add up to")
	checkPlace(t, check(func(b *LogBlock) { b.Usage.EgressUMB = 0 }), 1, -1, "usage.egress_umb", "add up to")
	checkPlace(t, check(func(b *LogBlock) { b.HasUsage = false }), 1, -1, "usage", "not receipts")
	checkPlace(t, check(func(b *LogBlock) { b.Count++ }), 1, 4, "", "missing: 4 of the block's 5")
	checkPlace(t, check(func(b *LogBlock) { b.App = "other" }), 1, 0, "app", "other")
}

// The range and the usage of bpi-1 go by its own rules: text for the range, nothing for the usage.
func TestCheckerLegacyRange(t *testing.T) {
	v := readVector(t, "bpi-1")
	signer := v.signer(t)
	receipts := readReceipts(t, "bpi-1")[:3]
	cfg := v.config(t)
	cfg.WithReceipts = true
	check := func(change func(b *LogBlock)) error {
		b := fill(t, &v, receipts)
		b.Height = 1
		change(b)
		signBlock(t, b, signer)
		_, err := run(t, cfg, []*LogBlock{b}, receipts)
		return err
	}
	if err := check(func(*LogBlock) {}); err != nil {
		t.Fatal(err)
	}
	checkPlace(t, check(func(b *LogBlock) { b.FromTS = "2000" + b.FromTS[4:] }), 1, -1, "range.from_ts", "start at")
	checkPlace(t, check(func(b *LogBlock) { b.ToTS = "2100" + b.ToTS[4:] }), 1, -1, "range.to_ts", "end at")
	checkPlace(t, check(func(b *LogBlock) { b.ToTS = "2000" + b.ToTS[4:] }), 1, -1, "range", "after")
}

func TestCheckerScheme(t *testing.T) {
	v := readVector(t, "bpi-1")
	old, mine := readBlocks(t, "bpi-1", BPI1), readBlocks(t, "my-app", EncSeal1)
	cfg := v.config(t)
	cfg.Scheme, cfg.Legacy = "", bpi1.Rules{}
	_, err := run(t, cfg, old, nil)
	checkPlace(t, err, 1, -1, "scheme", `want "encseal-1"`)
	cfg.Scheme = BPI1
	_, err = run(t, cfg, mine, nil)
	checkPlace(t, err, 1, -1, "scheme", `want "bpi-1"`)
	// Rules for bpi-1 that are at hand change nothing for encseal-1.
	m := readVector(t, "my-app")
	cfg = m.config(t)
	cfg.Legacy, cfg.WithReceipts = bpi1.Rules{}, true
	if _, err := run(t, cfg, mine, readReceipts(t, "my-app")); err != nil {
		t.Error(err)
	}
}

func TestCheckerHeads(t *testing.T) {
	for _, name := range []string{"encseal-1", "bpi-1"} {
		v := readVector(t, name)
		cfg := v.config(t)
		blocks := readBlocks(t, name, v.Scheme)
		heads := make([]Head, len(blocks))
		for i, b := range blocks {
			digest, err := b.SignedDigest(bpi1.Rules{})
			if err != nil {
				t.Fatal(err)
			}
			heads[i] = Head{b.Height, digest}
		}
		cfg.Heads = []Head{heads[2], heads[0], heads[1], heads[0], heads[2]}
		kept := append([]Head{}, cfg.Heads...)
		if _, err := run(t, cfg, blocks, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(kept, cfg.Heads); diff != "" {
			t.Errorf("%s: the caller's heads changed (-before +after):\n%s", name, diff)
		}
		result, err := run(t, cfg, blocks[:2], nil)
		checkPlace(t, err, 0, -1, "", "ends at height 2")
		if !strings.Contains(err.Error(), heads[2].String()) {
			t.Errorf("%s: got %v, want the head named", name, err)
		}
		if result.Head != heads[1] {
			t.Errorf("%s: got head %v, want %v", name, result.Head, heads[1])
		}
		other := heads[1]
		other.Hash[5] ^= 1
		cfg.Heads = []Head{other}
		_, err = run(t, cfg, blocks, nil)
		checkPlace(t, err, 2, -1, "", "must be in the chain, "+other.String())

		// A slice of the log, after each block.
		for i := 0; i+1 < len(blocks); i++ {
			cfg := v.config(t)
			cfg.After = &heads[i]
			cfg.Heads = []Head{heads[i], heads[i+1]}
			if v.Scheme == BPI1 {
				// Nothing in the slice shows the block before it.
				if _, err := NewChecker(cfg); err == nil || !strings.Contains(err.Error(), "does not link") {
					t.Errorf("%s: a head before the slice: got %v, want it refused", name, err)
				}
				cfg.Heads = heads[i+1 : i+2]
			}
			result, err := run(t, cfg, blocks[i+1:], nil)
			if err != nil || result.Head != heads[len(heads)-1] {
				t.Errorf("%s: after %d: got head %v, %v, want %v", name, i+1, result.Head, err, heads[len(heads)-1])
			}
			_, err = run(t, cfg, blocks[i:], nil)
			checkPlace(t, err, uint64(i+1), -1, "height", "want")
			wrong := heads[i]
			wrong.Hash[0] ^= 1
			cfg.After, cfg.Heads = &wrong, nil
			_, err = run(t, cfg, blocks[i+1:], nil)
			if v.Scheme == EncSeal1 {
				checkPlace(t, err, uint64(i+2), -1, "prev", "not the block hash")
			} else if err != nil {
				t.Errorf("%s: blocks that are not linked: %v", name, err)
			}
		}
	}
}

func TestNewCheckerRefusals(t *testing.T) {
	key := testSigner(1).PublicKey()
	h := func(height uint64, b byte) Head { return Head{height, [32]byte{b}} }
	own, err := NewProducers([]ProducerKey{{Key: key}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name         string
		cfg          CheckerConfig
		field, words string
	}{
		{"no key", CheckerConfig{}, "Key", ""},
		{"small order", CheckerConfig{Key: sign.PublicKey{1}}, "Key", "small order"},
		{"scheme", CheckerConfig{Key: key, Scheme: "x"}, "Scheme", "neither"},
		{"no rules", CheckerConfig{Key: key, Scheme: BPI1}, "Legacy", "missing"},
		{"app", CheckerConfig{Key: key, App: strings.Repeat("x", 256)}, "App", "256"},
		{"after 0", CheckerConfig{Key: key, After: &Head{}}, "After", "height 0"},
		{"head 0", CheckerConfig{Key: key, Heads: []Head{{}}}, "Heads", "height 0"},
		{"heads of one height", CheckerConfig{Key: key, Heads: []Head{h(5, 1), h(3, 1), h(5, 2)}}, "Heads", "one height"},
		{"head before the slice", CheckerConfig{Key: key, After: &Head{Height: 7}, Heads: []Head{h(6, 1)}}, "Heads", "before the slice"},
		{"head against the slice", CheckerConfig{Key: key, After: &Head{Height: 7}, Heads: []Head{h(7, 1)}}, "Heads", "starts after"},
		{"producers without receipts", CheckerConfig{Key: key, Producers: own}, "Producers", "no receipts"},
		{"notary as producer", CheckerConfig{Key: key, Producers: own, WithReceipts: true}, "Producers", "notary's key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := NewChecker(test.cfg)
			if c != nil {
				t.Error("got a checker beside the error")
			}
			checkField(t, err, test.field, test.words)
		})
	}
}

func TestCheckerOrderOfCalls(t *testing.T) {
	v := readVector(t, "my-app")
	receipts, blocks := readReceipts(t, "my-app"), readBlocks(t, "my-app", EncSeal1)
	cfg := v.config(t)
	_, err := newChecker(t, cfg).Finish()
	checkPlace(t, err, 0, -1, "", "no block")
	if got, want := err.Error(), "logblock: no block"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	c := newChecker(t, cfg)
	checkPlace(t, c.Receipt(receipts[0]), 0, -1, "", "without receipts")
	first := c.Block(blocks[0])
	checkPlace(t, first, 0, -1, "", "without receipts")

	cfg.WithReceipts = true
	c = newChecker(t, cfg)
	if err := c.Block(blocks[0]); err != nil {
		t.Fatal(err)
	}
	if err := c.Receipt(receipts[0]); err != nil {
		t.Fatal(err)
	}
	err = c.Block(blocks[1])
	checkPlace(t, err, 1, 1, "", "missing: 1 of the block's 100")
	if got, want := err.Error(), "logblock: block 1, receipt 1: missing: 1 of the block's 100 receipts are there"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// The first error is final.
	if again := c.Receipt(receipts[1]); again != err {
		t.Errorf("got %v, want the first error", again)
	}
	if _, again := c.Finish(); again != err {
		t.Errorf("got %v, want the first error", again)
	}

	c = newChecker(t, cfg)
	if err := c.Block(blocks[0]); err != nil {
		t.Fatal(err)
	}
	for _, r := range receipts[:100] {
		if err := c.Receipt(r); err != nil {
			t.Fatal(err)
		}
	}
	checkPlace(t, c.Receipt(receipts[100]), 1, -1, "", "more than the block's count")

	c = newChecker(t, v.config(t))
	for _, b := range blocks {
		if err := c.Block(b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Finish(); err != nil {
		t.Fatal(err)
	}
	checkPlace(t, c.Block(blocks[0]), 0, -1, "", "finished")
}

// No height follows the last one.
func TestCheckerLastHeight(t *testing.T) {
	a := testSigner(1)
	prev := [32]byte{0: 9}
	blocks := link(t, []uint64{math.MaxUint64 - 1, math.MaxUint64, 1}, func(_ int, b *LogBlock) *sign.Signer {
		b.Key = a.PublicKey()
		return a
	})
	cfg := CheckerConfig{Key: a.PublicKey(), After: &Head{math.MaxUint64 - 2, prev}}
	if _, err := run(t, cfg, blocks[:2], nil); err != nil {
		t.Error(err)
	}
	_, err := run(t, cfg, blocks, nil)
	checkPlace(t, err, 1, -1, "height", "no height follows")
	cfg.After.Height = math.MaxUint64
	_, err = run(t, cfg, blocks[2:], nil)
	checkPlace(t, err, 1, -1, "height", "no height follows")
}

// A count that nobody has receipts for costs no memory.
func TestCheckerHostileCount(t *testing.T) {
	for _, name := range []string{"my-app", "bpi-1"} {
		v := readVector(t, name)
		signer := v.signer(t)
		receipts := readReceipts(t, name)[:3]
		b := fill(t, &v, receipts)
		b.Height, b.Count = 1, math.MaxUint32
		if v.Scheme == EncSeal1 {
			b.Key = signer.PublicKey()
		}
		signBlock(t, b, signer)
		cfg := v.config(t)
		cfg.WithReceipts = true
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := run(t, cfg, []*LogBlock{b}, receipts)
		runtime.ReadMemStats(&after)
		checkPlace(t, err, 1, 3, "", "missing: 3 of the block's 4294967295")
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: got %d bytes allocated, want at most 1 MiB", name, got)
		}
	}
}
