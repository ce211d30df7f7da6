package engine_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// producer signs a chain of receipts.
type producer struct {
	key  ed25519.PrivateKey
	prev receipt.Hash
	made int
	name string
}

func newProducer(name string) *producer {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return &producer{key: ed25519.NewKeyFromSeed(seed), prev: receipt.Genesis(), name: name}
}

func (p *producer) public() logblock.ProducerKey {
	return logblock.ProducerKey{Key: sign.PublicKey(p.key.Public().(ed25519.PublicKey))}
}

// next makes the next receipt of the chain.
func (p *producer) next(t testing.TB) *receipt.Receipt {
	t.Helper()
	r := plain(p.name, p.made)
	r.PrevHash = p.prev
	if err := r.Sign(p.key); err != nil {
		t.Fatal(err)
	}
	p.prev = r.Hash
	p.made++
	return r
}

func (p *producer) batch(t testing.TB, count int) []*receipt.Receipt {
	batch := make([]*receipt.Receipt, count)
	for i := range batch {
		batch[i] = p.next(t)
	}
	return batch
}

// refusedFor asserts that err refuses receipt index of its batch for "field: reason".
func refusedFor(t *testing.T, err error, index int, want string) {
	t.Helper()
	var refused *engine.RefusedError
	if !errors.As(err, &refused) || refused.Index != index || !strings.Contains(refused.Err.Error(), want) {
		t.Errorf("got %v, want receipt %d refused for %q", err, index, want)
	}
}

func strict(t *testing.T, signer engine.Signer, sink engine.Sink, producers ...*producer) *engine.Notary {
	t.Helper()
	cfg := engine.Config{Signer: signer, Sink: sink, MaxReceipts: 10, Check: engine.CheckStrict}
	for _, p := range producers {
		cfg.Producers = append(cfg.Producers, p.public())
	}
	return start(t, cfg)
}

func TestStrictRefusals(t *testing.T) {
	a, b, stranger := newProducer("a"), newProducer("b"), newProducer("stranger")
	n := strict(t, newSigner(t), new(shelf), a, b)
	one := func(r *receipt.Receipt) error {
		_, err := n.Append(background, r)
		return err
	}
	accepted := func(r *receipt.Receipt) {
		t.Helper()
		if err := one(r); err != nil {
			t.Errorf("got %v, want it accepted", err)
		}
	}

	refusedFor(t, one(stranger.next(t)), 0, "sig: ")
	a1, a2, a3 := a.next(t), a.next(t), a.next(t)
	refusedFor(t, one(a2), 0, "prev_hash: no producer stands there")
	accepted(a1)
	refusedFor(t, one(a1), 0, "prev_hash: already taken")
	altered := a2.Clone()
	altered.Resource.CPUms++
	refusedFor(t, one(&altered), 0, "hash: ")
	forged := a2.Clone()
	forged.Sig = receipt.Signature([64]byte{1})
	refusedFor(t, one(&forged), 0, "sig: ")
	unsigned := a2.Clone()
	unsigned.Sig, _ = receipt.ParseSig("ed25519:none")
	refusedFor(t, one(&unsigned), 0, "sig: ")
	accepted(a2)
	refusedFor(t, one(a2), 0, "prev_hash: already taken")
	accepted(a3)
	refusedFor(t, one(a2), 0, "prev_hash: already taken")
	accepted(b.next(t))
	refusedFor(t, one(a1), 0, "prev_hash: already taken") // nobody is left who may begin
	closeNotary(t, n)
	if s := n.Stats(); s.SealedReceipts != 4 {
		t.Errorf("%d receipts sealed, want the 4 accepted", s.SealedReceipts)
	}
}

func TestStrictBatchIsAllOrNothing(t *testing.T) {
	a, b := newProducer("a"), newProducer("b")
	n := strict(t, newSigner(t), new(shelf), a, b)
	as, bs := a.batch(t, 6), b.batch(t, 3)
	mixed := []*receipt.Receipt{as[0], bs[0], as[1], bs[1], as[2]}

	bad := as[2].Clone()
	bad.Sig = receipt.Signature([64]byte{2})
	_, taken, err := n.AppendBatch(background, append(mixed[:4:4], &bad))
	refusedFor(t, err, 4, "sig: ")
	if taken != 0 {
		t.Errorf("%d of a refused batch taken", taken)
	}
	// The first wrong one is named, though a later one is wrong in a way that shows sooner.
	_, _, err = n.AppendBatch(background, []*receipt.Receipt{as[0], as[1], &bad, as[5]})
	refusedFor(t, err, 2, "sig: ")
	_, _, err = n.AppendBatch(background, []*receipt.Receipt{as[0], as[1], as[1]})
	refusedFor(t, err, 2, "prev_hash: already taken")
	_, _, err = n.AppendBatch(background, []*receipt.Receipt{as[0], as[2]})
	refusedFor(t, err, 1, "prev_hash: no producer stands there")

	// Heads are where they were: the whole of it enters now.
	if _, taken, err = n.AppendBatch(background, mixed); taken != len(mixed) || err != nil {
		t.Errorf("AppendBatch: got (%d, %v), want all %d", taken, err, len(mixed))
	}
	if _, taken, err = n.AppendBatch(background, []*receipt.Receipt{bs[2], as[3]}); taken != 2 || err != nil {
		t.Errorf("AppendBatch after it: got (%d, %v), want 2", taken, err)
	}
	closeNotary(t, n)
}

// Two clients send the same chain: whoever comes second at a place is refused, and the chain is sealed once.
func TestStrictRace(t *testing.T) {
	a, b := newProducer("a"), newProducer("b")
	signer, sink := newSigner(t), new(shelf)
	n := strict(t, signer, sink, a, b)
	chain, other := a.batch(t, 60), b.batch(t, 60)
	order := make([]*receipt.Receipt, 120)
	var wg sync.WaitGroup
	send := func(receipts []*receipt.Receipt) {
		for _, r := range receipts {
			seq, err := n.Append(background, r)
			var refused *engine.RefusedError
			switch {
			case err == nil:
				order[seq-1] = r
			case !errors.As(err, &refused):
				t.Errorf("got %v, want the receipt taken or refused", err)
			}
		}
	}
	for range 2 {
		wg.Go(func() { send(chain) })
	}
	wg.Go(func() { send(other) })
	wg.Wait()
	closeNotary(t, n)
	if s := n.Stats(); s.SealedReceipts != 120 {
		t.Fatalf("%d receipts sealed, want 120", s.SealedReceipts)
	}
	verify(t, signer.PublicKey(), sink.taken(), order)
	inOrder(t, order)
}

// Two arrivals larger than the queue carry one chain: one enters whole, the other is refused whole, though its first piece
// would have had room.
func TestStrictBatchesRace(t *testing.T) {
	for range 20 {
		a := newProducer("a")
		signer, sink := newSigner(t), new(shelf)
		n := start(t, engine.Config{
			Signer: signer, Sink: sink, MaxReceipts: 5, MaxPending: 10,
			Check: engine.CheckStrict, Producers: []logblock.ProducerKey{a.public()},
		})
		chain := a.batch(t, 30)
		var took [2]int
		var errs [2]error
		var wg sync.WaitGroup
		for i := range took {
			wg.Go(func() { _, took[i], errs[i] = n.AppendBatch(background, chain) })
		}
		wg.Wait()
		closeNotary(t, n)
		winner := 0
		if took[0] == 0 {
			winner = 1
		}
		if took[winner] != 30 || errs[winner] != nil || took[1-winner] != 0 {
			t.Fatalf("took %v (%v), want one whole and one refused", took, errs)
		}
		var refused *engine.RefusedError
		if !errors.As(errs[1-winner], &refused) {
			t.Fatalf("got %v, want the second refused", errs[1-winner])
		}
		verify(t, signer.PublicKey(), sink.taken(), chain)
	}
}

// A batch whose second producer's head moves while it waits for room is refused whole.
func TestStrictBatchWhoseHeadMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newProducer("a"), newProducer("b")
		signer, blocks := newSigner(t), make(chan *logblock.LogBlock)
		n := start(t, engine.Config{
			Signer: signer, Sink: chanSink(blocks), MaxReceipts: 2, MaxPending: 2,
			Check: engine.CheckStrict, Producers: []logblock.ProducerKey{a.public(), b.public()},
		})
		as, bs := a.batch(t, 7), b.batch(t, 1)
		if _, _, err := n.AppendBatch(background, as[:4]); err != nil { // one block sealed, the queue full
			t.Fatal(err)
		}
		synctest.Wait()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := n.Append(background, bs[0]); err != nil { // first in line
				t.Error(err)
			}
		})
		synctest.Wait()
		wg.Go(func() { // behind it, with the same receipt at its end
			_, taken, err := n.AppendBatch(background, []*receipt.Receipt{as[4], as[5], as[6], bs[0]})
			refusedFor(t, err, 3, "prev_hash: already taken")
			if taken != 0 {
				t.Errorf("%d of a refused batch taken", taken)
			}
		})
		synctest.Wait()
		var got []*logblock.LogBlock
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			for b := range blocks {
				got = append(got, b)
			}
		}()
		wg.Wait()
		closeNotary(t, n)
		close(blocks)
		<-drained
		verify(t, signer.PublicKey(), got, append(as[:4:4], bs[0]))
	})
}

func TestStrictFromTheMiddle(t *testing.T) {
	a := newProducer("a")
	a.batch(t, 3)
	key := a.public()
	key.Head = a.prev
	n := start(t, engine.Config{Sink: new(shelf), Check: engine.CheckStrict, Producers: []logblock.ProducerKey{key}})
	again := newProducer("a")
	_, err := n.Append(background, again.next(t))
	refusedFor(t, err, 0, "prev_hash: already taken")
	if _, err := n.Append(background, a.next(t)); err != nil {
		t.Errorf("the receipt after the given head: %v", err)
	}
	closeNotary(t, n)
}
