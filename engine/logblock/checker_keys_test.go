package logblock

import (
	"testing"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// link returns a chain of opaque blocks from heights on, each changed before it is signed by the signer that sign names.
func link(t testing.TB, heights []uint64, change func(i int, b *LogBlock) *sign.Signer) []*LogBlock {
	t.Helper()
	var blocks []*LogBlock
	prev := [32]byte{0: 9}
	for i, h := range heights {
		b := &LogBlock{
			App: "opaque", Height: h, Count: 1, FromTS: "2026-01-15T10:00:01Z", ToTS: "2026-01-15T10:00:00Z",
			Scheme: EncSeal1, Prev: prev,
		}
		if h == 1 {
			b.Prev = [32]byte{}
		}
		signer := change(i, b)
		prev = signBlock(t, b, signer)
		blocks = append(blocks, b)
	}
	return blocks
}

func TestCheckerRotation(t *testing.T) {
	a, b, c := testSigner(1), testSigner(2), testSigner(3)
	chain := func(signers []*sign.Signer, next ...*sign.Signer) []*LogBlock {
		heights := []uint64{1, 2, 3, 4}[:len(signers)]
		return link(t, heights, func(i int, block *LogBlock) *sign.Signer {
			block.Key = signers[i].PublicKey()
			if i < len(next) && next[i] != nil {
				block.NextKey, block.HasNextKey = next[i].PublicKey(), true
			}
			return signers[i]
		})
	}
	cfg := CheckerConfig{Key: a.PublicKey()}
	result, err := run(t, cfg, chain([]*sign.Signer{a, b, b, c}, b, nil, c), nil)
	if err != nil || result.Key != c.PublicKey() {
		t.Errorf("got key %v, %v, want %v", result.Key, err, c.PublicKey())
	}
	result, err = run(t, cfg, chain([]*sign.Signer{a, a, b}, a, b, a), nil)
	if err != nil || result.Key != a.PublicKey() {
		t.Errorf("got key %v, %v, want %v", result.Key, err, a.PublicKey())
	}
	_, err = run(t, cfg, chain([]*sign.Signer{a, a}, b), nil)
	checkPlace(t, err, 2, -1, "key", "trusted here is "+b.PublicKey().String())
	_, err = run(t, cfg, chain([]*sign.Signer{a, b}), nil)
	checkPlace(t, err, 2, -1, "key", "trusted here is "+a.PublicKey().String())
	_, err = run(t, cfg, chain([]*sign.Signer{a, b, a}, b), nil)
	checkPlace(t, err, 3, -1, "key", "trusted here is "+b.PublicKey().String())
	// The block that names the next key is itself under the old one.
	_, err = run(t, cfg, chain([]*sign.Signer{b}, b), nil)
	checkPlace(t, err, 1, -1, "key", "trusted here")

	weak := link(t, []uint64{1}, func(_ int, block *LogBlock) *sign.Signer {
		block.Key, block.NextKey, block.HasNextKey = a.PublicKey(), sign.PublicKey{1}, true
		return a
	})
	_, err = run(t, cfg, weak, nil)
	checkPlace(t, err, 1, -1, "next_key", "small order")

	v := readVector(t, "my-app")
	receipts := readReceipts(t, "my-app")[:2]
	block := fill(t, &v, receipts)
	producerKey := publicKey(t, v.ProducerKey)
	block.Height, block.Key, block.NextKey, block.HasNextKey = 1, a.PublicKey(), producerKey, true
	signBlock(t, block, a)
	cfg.WithReceipts = true
	cfg.Producers = producers(t, ProducerKey{Key: producerKey})
	_, err = run(t, cfg, []*LogBlock{block}, receipts)
	checkPlace(t, err, 1, -1, "next_key", "a producer's key")
	cfg.Producers = nil
	if _, err = run(t, cfg, []*LogBlock{block}, receipts); err != nil {
		t.Error(err)
	}
}

func TestCheckerProducers(t *testing.T) {
	v := readVector(t, "my-app")
	receipts, blocks := readReceipts(t, "my-app"), readBlocks(t, "my-app", EncSeal1)
	cfg := v.config(t)
	cfg.WithReceipts = true
	key := ProducerKey{Key: publicKey(t, v.ProducerKey)}
	cfg.Producers = producers(t, key)
	if _, err := run(t, cfg, blocks, receipts); err != nil {
		t.Error(err)
	}
	if head := cfg.Producers.Keys()[0].Head; head != receipts[299].Hash {
		t.Errorf("got head %v, want %v", head, receipts[299].Hash)
	}
	for _, i := range []int{0, 1, 99, 100, 150, 298} {
		cfg.Producers = producers(t, key)
		dropped := append(append([]*receipt.Receipt{}, receipts[:i]...), receipts[i+1:]...)
		_, err := run(t, cfg, blocks, dropped)
		if i == 0 {
			checkPlace(t, err, 1, 0, "prev_hash", NoProducer)
		} else {
			checkPlace(t, err, uint64(i/100)+1, int64(i%100), "prev_hash", NoProducer)
		}
		altered := append([]*receipt.Receipt{}, receipts...)
		r := *receipts[i]
		r.Op = "other"
		altered[i] = &r
		cfg.Producers = producers(t, key)
		_, err = run(t, cfg, blocks, altered)
		checkPlace(t, err, uint64(i/100)+1, int64(i%100), "hash", "not the digest")
	}
	// A slice is entered where the producer stands.
	key.Head = receipts[99].Hash
	cfg.Producers = producers(t, key)
	hash, err := blocks[0].Hash()
	if err != nil {
		t.Fatal(err)
	}
	cfg.After = &Head{1, hash}
	if _, err := run(t, cfg, blocks[1:], receipts[100:]); err != nil {
		t.Error(err)
	}
	// An unsigned receipt in a sealed log is found.
	w := readVector(t, "encseal-1")
	cfg = w.config(t)
	cfg.WithReceipts = true
	cfg.Producers = producers(t, ProducerKey{Key: publicKey(t, w.ProducerKey)})
	_, err = run(t, cfg, readBlocks(t, "encseal-1", EncSeal1), readReceipts(t, "encseal-1"))
	checkPlace(t, err, 1, int64(w.ReceiptsNotSigned[0]-1), "sig", "not an Ed25519")
}
