package bench

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"runtime"
	"testing"

	"lukechampine.com/blake3"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/engine/sink"
)

const (
	chainLength = 10_000 // receipts before a new notary begins at genesis again
	arrivalSize = 1000   // receipts that enter together; divides chainLength
)

// BenchmarkSealStrict is BenchmarkSeal with every receipt checked on entry: its hash recomputed, its place in its producer's
// chain, its signature. One producer; 1,000 receipts enter at a time, 100 make a block; an op is one receipt.
//
// Both take the same chain of 10,000, signed ahead, and a notary that has taken it makes room for a new one: a receipt is
// taken once. To set a notary up is not timed; what it learns of the producer's key it learns within the time.
func BenchmarkSealStrict(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, producer, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	public := producer.Public().(ed25519.PublicKey)
	chain := signedChain(b, producer, chainLength)
	b.Run("block=100/impl=encseal", func(b *testing.B) {
		signer, err := sign.GenerateSigner()
		if err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		eachChain(b, func() strictNotary {
			n, err := engine.New(engine.Config{
				App: "my-app", Signer: signer, Sink: sink.Discard{}, MaxReceipts: 100,
				Check: engine.CheckStrict, Producers: []logblock.ProducerKey{{Key: sign.PublicKey(public)}},
			})
			if err != nil {
				b.Fatal(err)
			}
			return strictNotary{
				take: func(from, to int) error {
					_, _, err := n.AppendBatch(ctx, chain[from:to])
					return err
				},
				end: func() error { return n.Close(ctx) },
			}
		})
	})
	b.Run("block=100/impl=naive", func(b *testing.B) {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			b.Fatal(err)
		}
		printed := printedSteps(b, chain)
		eachChain(b, func() strictNotary {
			n := naiveStrict{naiveNotary: naiveNotary{key: key, max: 100, deliver: func([]byte) {}}, producer: public, head: receipt.Genesis()}
			return strictNotary{
				take: func(from, to int) error {
					for i := from; i < to; i++ {
						if err := n.append(chain[i], &printed[i]); err != nil {
							return err
						}
					}
					return nil
				},
				end: func() error { return nil },
			}
		})
	})
}

// strictNotary takes the receipts [from, to) of the chain; end returns when all are sealed.
type strictNotary struct {
	take func(from, to int) error
	end  func() error
}

// eachChain gives the chain to one notary after the other until b.N receipts are taken, and reports the time of one. (b.N is
// seldom a whole number of arrivals: see each.)
func eachChain(b *testing.B, start func() strictNotary) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	done := 0
	for done < b.N {
		b.StopTimer()
		n := start()
		b.StartTimer()
		for from := 0; from < chainLength && done < b.N; from += arrivalSize {
			if err := n.take(from, from+arrivalSize); err != nil {
				b.Fatal(err)
			}
			done += arrivalSize
		}
		if err := n.end(); err != nil {
			b.Fatal(err)
		}
	}
	elapsed := b.Elapsed()
	b.ReportMetric(float64(elapsed.Nanoseconds())/float64(done), "ns/op")
	b.ReportMetric(float64(done)/elapsed.Seconds(), "receipts/s")
}

// signedChain returns the real receipts again and again as one chain of key's.
func signedChain(b testing.TB, key ed25519.PrivateKey, count int) []*receipt.Receipt {
	b.Helper()
	usual := receipts(b)
	chain := make([]*receipt.Receipt, count)
	prev := receipt.Genesis()
	for i := range chain {
		r := usual[i%len(usual)].Clone()
		r.PrevHash = prev
		if err := r.Sign(key); err != nil {
			b.Fatal(err)
		}
		chain[i], prev = &r, r.Hash
	}
	return chain
}

// printedSteps returns the receipts as the original holds them.
func printedSteps(b testing.TB, all []*receipt.Receipt) []step {
	b.Helper()
	printed := make([]step, len(all))
	var line []byte
	for i, r := range all {
		var err error
		if line, err = r.AppendJSON(line[:0]); err != nil {
			b.Fatal(err)
		}
		if err := json.Unmarshal(line, &printed[i]); err != nil {
			b.Fatal(err)
		}
	}
	return printed
}

// naiveStrict checks one producer's receipts before it does what naiveNotary does. It is a strong rival: it holds hashes and
// signatures as bytes, and hashes our canonical encoding in place of encoding/json's output, which takes far longer to make.
type naiveStrict struct {
	naiveNotary
	producer ed25519.PublicKey
	head     receipt.Hash // of the last receipt taken
	signed   []byte
}

var (
	errHash     = errors.New("hash is not the digest")
	errPrevHash = errors.New("prev_hash is not the head of the chain")
	errSig      = errors.New("signature does not hold")
)

// append takes a receipt, given in both forms. After an error nothing was taken.
func (n *naiveStrict) append(r *receipt.Receipt, s *step) error {
	var err error
	if n.signed, err = r.AppendSigned(n.signed[:0]); err != nil {
		return err
	}
	var digest [32]byte
	blake3.DeriveKey(digest[:], "encseal 2026-11-23 receipt v1", n.signed)
	sig, isSig := r.Sig.Bytes()
	switch {
	case r.Hash != receipt.Digest(digest):
		return errHash
	case r.PrevHash != n.head:
		return errPrevHash
	case !isSig || !ed25519.Verify(n.producer, digest[:], sig[:]):
		return errSig
	}
	if err := n.naiveNotary.append(s); err != nil {
		return err
	}
	n.head = r.Hash
	return nil
}

// The rival refuses what a strict notary refuses, takes a whole chain, and seals it as naive does.
func TestNaiveStrict(t *testing.T) {
	producer := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	chain := signedChain(t, producer, 6)
	printed := printedSteps(t, chain)
	var got, want [][]byte
	n := naiveStrict{
		naiveNotary: naiveNotary{key: key, max: 3, deliver: func(line []byte) { got = append(got, line) }},
		producer:    producer.Public().(ed25519.PublicKey), head: receipt.Genesis(),
	}
	unchecked := naiveNotary{key: key, max: 3, deliver: func(line []byte) { want = append(want, line) }}

	wrong := func(change func(r *receipt.Receipt)) *receipt.Receipt {
		r := chain[1].Clone()
		change(&r)
		return &r
	}
	resigned := func(change func(r *receipt.Receipt), key ed25519.PrivateKey) *receipt.Receipt {
		return wrong(func(r *receipt.Receipt) {
			change(r)
			if err := r.Sign(key); err != nil {
				t.Fatal(err)
			}
		})
	}
	refusals := []struct {
		name string
		r    *receipt.Receipt
		want error
	}{
		{"altered", wrong(func(r *receipt.Receipt) { r.Resource.CPUms++ }), errHash},
		{"another's hash", wrong(func(r *receipt.Receipt) { r.Hash = chain[2].Hash }), errHash},
		{"another's signature", wrong(func(r *receipt.Receipt) { r.Sig = chain[2].Sig }), errSig},
		{"one bit of its signature", wrong(func(r *receipt.Receipt) {
			sig, _ := r.Sig.Bytes()
			sig[40] ^= 1
			r.Sig = receipt.Signature(sig)
		}), errSig},
		{"another key", resigned(func(*receipt.Receipt) {}, key), errSig},
		{"a gap", chain[2], errPrevHash},
		{"a repetition", chain[0], errPrevHash},
		{"a second beginning", resigned(func(r *receipt.Receipt) { r.PrevHash = receipt.Genesis() }, producer), errPrevHash},
	}
	for i, r := range chain {
		if i == 1 {
			for _, c := range refusals {
				if err := n.append(c.r, &printed[1]); err != c.want {
					t.Errorf("%s: got %v, want %v", c.name, err, c.want)
				}
			}
		}
		if err := n.append(r, &printed[i]); err != nil {
			t.Errorf("receipt %d: %v", i, err)
		}
		if err := unchecked.append(&printed[i]); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
		t.Errorf("got blocks %q, want %q", got, want)
	}
}
