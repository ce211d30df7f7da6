package logblock

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// producer makes a chain of receipts.
type producer struct {
	private ed25519.PrivateKey
	prev    receipt.Hash
	made    int
}

func newProducer(seed byte) *producer {
	s := [32]byte{0: seed, 1: 0x99}
	return &producer{private: ed25519.NewKeyFromSeed(s[:]), prev: receipt.Genesis()}
}

func (p *producer) key() (k sign.PublicKey) {
	copy(k[:], p.private.Public().(ed25519.PublicKey))
	return k
}

// next returns the next receipt of the chain.
func (p *producer) next(t testing.TB) *receipt.Receipt {
	t.Helper()
	r := p.receipt(t, p.prev)
	p.prev = r.Hash
	return r
}

// receipt returns a signed receipt that goes on from prev, whatever the chain is.
func (p *producer) receipt(t testing.TB, prev receipt.Hash) *receipt.Receipt {
	t.Helper()
	p.made++
	r := &receipt.Receipt{
		App: "my-app", Container: fmt.Sprintf("job-%x", p.private[:4]), Op: fmt.Sprint("op ", p.made),
		TS: "2026-01-15T10:00:00Z", PrevHash: prev,
	}
	if err := r.Sign(p.private); err != nil {
		t.Fatal(err)
	}
	return r
}

func (p *producer) chain(t testing.TB, n int) []*receipt.Receipt {
	t.Helper()
	rs := make([]*receipt.Receipt, n)
	for i := range rs {
		rs[i] = p.next(t)
	}
	return rs
}

func producers(t testing.TB, keys ...ProducerKey) *Producers {
	t.Helper()
	p, err := NewProducers(keys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// checkProducer fails unless err is the refusal of the receipt with the index.
func checkProducer(t testing.TB, err error, index int, field, words string) {
	t.Helper()
	var own *ProducerError
	if !errors.As(err, &own) {
		t.Errorf("got error %v, want a *ProducerError", err)
		return
	}
	if own.Index != index || own.Field != field || !strings.Contains(own.Reason, words) {
		t.Errorf("got receipt %d: %q: %q, want receipt %d: %q: …%s…", own.Index, own.Field, own.Reason, index, field, words)
	}
}

func TestProducersRefusals(t *testing.T) {
	a, b, stranger := newProducer(1), newProducer(2), newProducer(3)
	p := producers(t, ProducerKey{Key: a.key()}, ProducerKey{Key: b.key()})
	first := a.next(t)
	checkProducer(t, p.Check(stranger.receipt(t, receipt.Genesis())), 0, "sig", "has not begun")
	checkProducer(t, p.Check(a.receipt(t, first.Hash)), 0, "prev_hash", NoProducer)
	if err := p.Check(first); err != nil {
		t.Fatal(err)
	}
	err := p.Check(first)
	checkProducer(t, err, 0, "prev_hash", AlreadyTaken)
	if got, want := err.Error(), "prev_hash: already taken"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	checkProducer(t, p.Check(a.receipt(t, receipt.Genesis())), 0, "sig", "has not begun")
	second := a.next(t)

	altered := *second
	altered.Op = "other"
	checkProducer(t, p.Check(&altered), 0, "hash", "not the digest")
	altered = *second
	altered.Hash = first.Hash
	checkProducer(t, p.Check(&altered), 0, "hash", "not the digest")
	altered.Hash, _ = receipt.ParseHash("blake3:words")
	checkProducer(t, p.Check(&altered), 0, "hash", "not the digest")
	altered.Hash = receipt.Hash{}
	checkProducer(t, p.Check(&altered), 0, "hash", "not the digest")
	altered = *second
	altered.Op = ""
	checkProducer(t, p.Check(&altered), 0, "op", "empty")
	altered = *second
	altered.Sig = first.Sig
	checkProducer(t, p.Check(&altered), 0, "sig", "stands at prev_hash")
	altered.Sig, _ = receipt.ParseSig("ed25519:words")
	checkProducer(t, p.Check(&altered), 0, "sig", "not an Ed25519")
	altered.Sig = receipt.Sig{}
	checkProducer(t, p.Check(&altered), 0, "sig", "not an Ed25519")
	begin := b.receipt(t, receipt.Genesis())
	begin.Sig = receipt.Sig{}
	checkProducer(t, p.Check(begin), 0, "sig", "not an Ed25519")

	// Where a's head stands, b cannot go on, and neither from a text that is no digest.
	checkProducer(t, p.Check(b.receipt(t, first.Hash)), 0, "sig", "stands at prev_hash")
	words, _ := receipt.ParseHash("blake3:words")
	checkProducer(t, p.Check(a.receipt(t, words)), 0, "prev_hash", NoProducer)

	if err := p.Check(second, b.next(t)); err != nil {
		t.Fatal(err)
	}
	checkProducer(t, p.Check(a.receipt(t, first.Hash)), 0, "prev_hash", AlreadyTaken)
	checkProducer(t, p.Check(a.receipt(t, receipt.Genesis())), 0, "prev_hash", AlreadyTaken)
	checkProducer(t, p.Check(stranger.receipt(t, receipt.Genesis())), 0, "prev_hash", AlreadyTaken)
	want := []ProducerKey{{a.key(), a.prev}, {b.key(), b.prev}}
	if diff := cmp.Diff(want, p.Keys(), cmp.Comparer(func(x, y receipt.Hash) bool { return x == y })); diff != "" {
		t.Errorf("heads (-want +got):\n%s", diff)
	}
	if err := p.Check(); err != nil {
		t.Errorf("no receipts: %v", err)
	}
}

// A chain entered in its middle; the vectors' own chains, in both schemes.
func TestProducersVectors(t *testing.T) {
	for _, name := range []string{"my-app", "encseal-1", "bpi-1"} {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			receipts := readReceipts(t, name)
			unsigned := map[int]bool{}
			for _, line := range v.ReceiptsNotSigned {
				unsigned[line-1] = true
			}
			key := publicKey(t, v.ProducerKey)
			p, err := NewProducers([]ProducerKey{{Key: key}}, v.legacy())
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range receipts {
				err := p.Check(r)
				if !unsigned[i] {
					if err != nil {
						t.Fatalf("receipt %d: %v", i, err)
					}
					continue
				}
				checkProducer(t, err, 0, "sig", "not an Ed25519")
				if p, err = NewProducers([]ProducerKey{{Key: key, Head: r.Hash}}, v.legacy()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	v := readVector(t, "my-app")
	receipts := readReceipts(t, "my-app")
	key, err := ParseProducerKey(v.ProducerKey + "@" + receipts[99].Hash.String())
	if err != nil {
		t.Fatal(err)
	}
	p := producers(t, key)
	checkProducer(t, p.Check(receipts[0]), 0, "prev_hash", AlreadyTaken) // every producer has begun
	checkProducer(t, p.Check(receipts[99]), 0, "prev_hash", NoProducer)
	if err := p.Check(receipts[100:]...); err != nil {
		t.Error(err)
	}
}

// naive is the rule of the format, receipt by receipt, with copies of everything.
type naive struct {
	heads map[sign.PublicKey]receipt.Hash
	taken map[receipt.Hash]bool
}

func (n *naive) check(order []sign.PublicKey, rs []*receipt.Receipt) (naive, string) {
	heads, taken := map[sign.PublicKey]receipt.Hash{}, map[receipt.Hash]bool{}
	for k, h := range n.heads {
		heads[k] = h
	}
	for h := range n.taken {
		taken[h] = true
	}
	for i, r := range rs {
		refuse := func(field string) (naive, string) { return *n, fmt.Sprint(i, " ", field) }
		if digest, err := r.Digest(); err != nil || receipt.Digest(digest) != r.Hash {
			return refuse("hash")
		}
		want := r.PrevHash
		if want == receipt.Genesis() {
			want = receipt.Hash{}
		}
		var stand []sign.PublicKey
		for _, k := range order {
			if heads[k] == want {
				stand = append(stand, k)
			}
		}
		known := taken[r.Hash]
		for _, h := range heads {
			known = known || h == r.Hash
		}
		if len(stand) == 0 {
			if want.IsZero() || taken[want] {
				return refuse("prev_hash " + AlreadyTaken)
			}
			return refuse("prev_hash " + NoProducer)
		}
		var signer *sign.PublicKey
		for _, k := range stand {
			if r.Verify(k[:]) == nil {
				signer = &k
				break
			}
		}
		switch {
		case signer == nil && want.IsZero() && known:
			return refuse("prev_hash " + AlreadyTaken)
		case signer == nil:
			return refuse("sig")
		}
		if !want.IsZero() {
			taken[want] = true
		}
		heads[*signer] = r.Hash
	}
	return naive{heads, taken}, ""
}

// Batches of good and bad receipts get the verdicts that the naive rule gives, and after a refusal nothing has moved.
func TestProducersAgainstNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for round := range 30 {
		var chains []*producer
		var keys []ProducerKey
		var order []sign.PublicKey
		n := naive{heads: map[sign.PublicKey]receipt.Hash{}, taken: map[receipt.Hash]bool{}}
		for i := range 1 + rng.IntN(4) {
			c := newProducer(byte(10 + i))
			k := ProducerKey{Key: c.key()}
			if rng.IntN(2) == 0 {
				k.Head = c.next(t).Hash
			}
			chains, keys, order = append(chains, c), append(keys, k), append(order, c.key())
			n.heads[k.Key] = k.Head
		}
		p := producers(t, keys...)
		var old []*receipt.Receipt
		for step := range 25 {
			saved := make([]receipt.Hash, len(chains))
			for i, c := range chains {
				saved[i] = c.prev
			}
			batch := make([]*receipt.Receipt, 1+rng.IntN(6))
			for i := range batch {
				c := chains[rng.IntN(len(chains))]
				switch kind := rng.IntN(40); {
				case kind == 0 && len(old) > 0:
					batch[i] = old[rng.IntN(len(old))]
				case kind == 1:
					batch[i] = newProducer(200).receipt(t, c.prev)
				case kind == 2:
					batch[i] = c.receipt(t, receipt.Digest([32]byte{byte(step)}))
				case kind == 3:
					batch[i] = c.next(t)
					batch[i].Sig = receipt.Signature([64]byte{1})
				case kind == 4:
					batch[i] = c.next(t)
					batch[i].Hash = receipt.Digest([32]byte{2})
				case kind == 5 && i > 0:
					batch[i] = batch[i-1]
				case kind == 6 && i > 0:
					batch[i] = c.receipt(t, batch[i-1].PrevHash)
				default:
					batch[i] = c.next(t)
				}
			}
			after, want := n.check(order, batch)
			got := ""
			if err := p.Check(batch...); err != nil {
				e := err.(*ProducerError)
				got = fmt.Sprint(e.Index, " ", e.Field)
				if e.Field == "prev_hash" {
					got += " " + e.Reason
				}
			}
			if got != want {
				t.Fatalf("round %d, step %d: got %q, want %q", round, step, got, want)
			}
			n = after
			if want == "" {
				old = append(old, batch...)
			} else {
				for i, c := range chains {
					c.prev = saved[i]
				}
			}
			for _, k := range p.Keys() {
				if k.Head != n.heads[k.Key] {
					t.Fatalf("round %d, step %d: %v stands at %v, want %v", round, step, k.Key, k.Head, n.heads[k.Key])
				}
			}
		}
	}
}

// The first bad receipt of a batch is named, wherever the parts and the groups of signatures end and whatever comes after it.
func TestProducersLongBatch(t *testing.T) {
	a := newProducer(1)
	rs := a.chain(t, 2*groupSize+10)
	for _, bad := range []int{0, 1, partSize - 1, partSize, groupSize - 1, groupSize, groupSize + 1, 2 * groupSize, len(rs) - 1} {
		p := producers(t, ProducerKey{Key: a.key()})
		sig := rs[bad].Sig
		rs[bad].Sig = receipt.Signature([64]byte{9})
		words := "stands at prev_hash"
		if bad == 0 {
			words = "has not begun"
		}
		checkProducer(t, p.Check(rs...), bad, "sig", words)
		// A later receipt that cannot be placed at all is not what is named.
		if bad+2 < len(rs) {
			hash := rs[bad+1].Hash
			rs[bad+1].Hash = receipt.Hash{}
			checkProducer(t, p.Check(rs...), bad, "sig", words)
			rs[bad+1].Hash = hash
			// Nor one that breaks a rule, unless it comes first.
			op := rs[bad+1].Op
			rs[bad+1].Op = ""
			checkProducer(t, p.Check(rs...), bad, "sig", words)
			rs[bad].Sig = sig
			checkProducer(t, p.Check(rs...), bad+1, "op", "empty")
			rs[bad+1].Op = op
		}
		rs[bad].Sig = sig
		if head := p.Keys()[0].Head; !head.IsZero() {
			t.Errorf("bad receipt %d: head is %v, want none", bad, head)
		}
		if err := p.Check(rs...); err != nil {
			t.Errorf("after bad receipt %d: %v", bad, err)
		}
	}
}

// Receipts of the largest size fill a part before they are many, and the memory that is kept stays small.
func TestProducersLargeReceipts(t *testing.T) {
	a := newProducer(1)
	large := strings.Repeat("x", receipt.MaxEncoding-1000)
	rs := make([]*receipt.Receipt, 20)
	for i := range rs {
		r := *a.receipt(t, a.prev)
		if i%4 != 1 {
			r.Labels = []receipt.Label{{Key: "note", Value: large}}
		}
		if err := r.Sign(a.private); err != nil {
			t.Fatal(err)
		}
		rs[i], a.prev = &r, r.Hash
	}
	p := producers(t, ProducerKey{Key: a.key()})
	altered := *rs[17]
	altered.Op = "other"
	checkProducer(t, p.Check(append(slices.Clone(rs[:17]), &altered)...), 17, "hash", "not the digest")
	if err := p.Check(rs...); err != nil {
		t.Fatal(err)
	}
	if got, limit := cap(p.idle[0].digests.arena), 2*(partBytes+receipt.MaxEncoding); got > limit {
		t.Errorf("got %d bytes of arena kept, want at most %d", got, limit)
	}
}

// Two keys that sign one first receipt: the second is refused, alone and in one batch, and the first goes on.
func TestProducersSharedFirstReceipt(t *testing.T) {
	a, b := newProducer(1), newProducer(2)
	first := a.next(t)
	same := *first
	if err := same.Sign(b.private); err != nil {
		t.Fatal(err)
	}
	if same.Hash != first.Hash || same.Sig == first.Sig {
		t.Fatalf("got hashes %v and %v, want one, and two signatures", first.Hash, same.Hash)
	}
	p := producers(t, ProducerKey{Key: a.key()}, ProducerKey{Key: b.key()})
	checkProducer(t, p.Check(first, &same), 1, "hash", "another producer")
	if err := p.Check(first); err != nil {
		t.Fatal(err)
	}
	checkProducer(t, p.Check(&same), 0, "hash", "another producer")
	// Verified before the other was committed.
	p = producers(t, ProducerKey{Key: a.key()}, ProducerKey{Key: b.key()})
	claims, err := p.Verify(nil, []*receipt.Receipt{&same})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(first); err != nil {
		t.Fatal(err)
	}
	checkProducer(t, p.Commit(claims), 0, "hash", "another producer")
	if err := p.Check(a.next(t), b.receipt(t, receipt.Genesis())); err != nil {
		t.Error(err)
	}
}

func TestProducersVerifyThenCommit(t *testing.T) {
	a, b := newProducer(1), newProducer(2)
	p := producers(t, ProducerKey{Key: a.key()}, ProducerKey{Key: b.key()})
	batch := []*receipt.Receipt{a.next(t), b.next(t), a.next(t), a.next(t)}
	claims, err := p.Verify(make([]Claim, 0, 8), batch)
	if err != nil {
		t.Fatal(err)
	}
	if len(claims) != len(batch) {
		t.Fatalf("got %d claims, want %d", len(claims), len(batch))
	}
	if got := p.Keys()[0].Head; !got.IsZero() {
		t.Errorf("Verify moved a head to %v", got)
	}
	for range 2 {
		if err := p.Standing(claims); err != nil {
			t.Fatal(err)
		}
	}
	// Out of order nothing stands.
	checkProducer(t, p.Standing(claims[2:]), 0, "prev_hash", AlreadyTaken)
	for _, piece := range [][]Claim{claims[:1], claims[1:3], claims[3:]} {
		if err := p.Commit(piece); err != nil {
			t.Fatal(err)
		}
	}
	checkProducer(t, p.Standing(claims), 0, "prev_hash", AlreadyTaken)
	checkProducer(t, p.Commit(claims), 0, "prev_hash", AlreadyTaken)

	// Two that go on from one head: who commits first has it, and the other's whole batch is turned away.
	left, right := a.receipt(t, a.prev), a.receipt(t, a.prev)
	other := b.next(t)
	lost, err := p.Verify(nil, []*receipt.Receipt{other, left})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(right); err != nil {
		t.Fatal(err)
	}
	checkProducer(t, p.Standing(lost), 1, "prev_hash", AlreadyTaken)
	checkProducer(t, p.Commit(lost), 1, "prev_hash", AlreadyTaken)
	if err := p.Check(other); err != nil {
		t.Errorf("after a batch that was turned away: %v", err)
	}
}

func TestProducersTakenMemory(t *testing.T) {
	a := newProducer(1)
	first := a.next(t)
	p := producers(t, ProducerKey{Key: a.key()})
	if err := p.Check(first); err != nil {
		t.Fatal(err)
	}
	// Steps as Verify would claim them; what they cost here is no signature.
	step := func(from [32]byte, i int) Claim {
		return Claim{key: 0, prev: from, hash: [32]byte{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16), 31: 1}}
	}
	at, _ := first.Hash.Digest()
	fork := a.receipt(t, first.Hash)
	for i := range 3 * TakenMemory {
		c := step(at, i)
		if err := p.Commit([]Claim{c}); err != nil {
			t.Fatal(err)
		}
		at = c.hash
		switch i {
		case 0, TakenMemory - 1:
			checkProducer(t, p.Check(fork), 0, "prev_hash", AlreadyTaken)
		case TakenMemory, 3*TakenMemory - 1:
			checkProducer(t, p.Check(fork), 0, "prev_hash", NoProducer)
		}
	}
	if got := len(p.taken.hashes); got != TakenMemory {
		t.Errorf("got %d positions remembered, want %d", got, TakenMemory)
	}
}

func TestNewProducersRefusals(t *testing.T) {
	head := receipt.Digest([32]byte{1})
	words, _ := receipt.ParseHash("blake3:words")
	key := func(i byte) sign.PublicKey { return newProducer(i).key() }
	fresh := make([]ProducerKey, MaxFreshProducers+1)
	for i := range fresh {
		fresh[i].Key = key(byte(i))
	}
	for _, test := range []struct {
		name  string
		keys  []ProducerKey
		words string
	}{
		{"none", nil, "no producer keys"},
		{"small order", []ProducerKey{{Key: sign.PublicKey{1}}}, "small order"},
		{"twice", []ProducerKey{{Key: key(1)}, {Key: key(1), Head: head}}, "twice"},
		{"one head", []ProducerKey{{Key: key(1), Head: head}, {Key: key(2), Head: head}}, "same head"},
		{"head in words", []ProducerKey{{Key: key(1), Head: words}}, "no digest"},
		{"too many without a head", fresh, "at most 64"},
	} {
		p, err := NewProducers(test.keys, nil)
		if p != nil || err == nil || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.words)
		}
	}
	begins := ProducerKey{Key: key(1), Head: receipt.Genesis()} // says what a zero Head says
	if err := producers(t, begins).Check(newProducer(1).receipt(t, receipt.Genesis())); err != nil {
		t.Errorf("first receipt of a key that begins: %v", err)
	}
	p := producers(t, fresh[:MaxFreshProducers]...)
	if !p.Has(key(5)) || p.Has(key(200)) {
		t.Errorf("Has: got %v and %v, want true and false", p.Has(key(5)), p.Has(key(200)))
	}
	// All of them can begin.
	for i := range MaxFreshProducers {
		if err := p.Check(newProducer(byte(i)).receipt(t, receipt.Genesis())); err != nil {
			t.Errorf("producer %d: %v", i, err)
		}
	}
}

func TestParseProducerKey(t *testing.T) {
	key := newProducer(1).key().String()
	for _, text := range []string{key, key + "@blake3:" + hex64, key + "@blake3:genesis"} {
		k, err := ParseProducerKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := k.String(); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	for _, text := range []string{
		"", "@", key + "@", key + "@blake3:Genesis", key + "@blake3:" + hex64[1:], key + "@blake3:A" + hex64[1:], key + "@" + hex64,
		key + "@blake3:" + hex64 + "@", key[1:], "ed25519:" + strings.Repeat("0", 64), " " + key,
	} {
		if k, err := ParseProducerKey(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, k)
		}
	}
}

// Chains of many producers, sent by as many goroutines, each in its order.
func TestProducersConcurrently(t *testing.T) {
	const chains, length = 8, 40
	var keys []ProducerKey
	sent := make([][]*receipt.Receipt, chains)
	for i := range sent {
		c := newProducer(byte(i))
		keys = append(keys, ProducerKey{Key: c.key()})
		sent[i] = c.chain(t, length)
	}
	p := producers(t, keys...)
	var wait sync.WaitGroup
	for _, rs := range sent {
		wait.Go(func() {
			for len(rs) > 0 {
				n := min(1+len(rs)%3, len(rs))
				if err := p.Check(rs[:n]...); err != nil {
					t.Error(err)
					return
				}
				rs = rs[n:]
			}
		})
	}
	wait.Wait()
	for i, k := range p.Keys() {
		if want := sent[i][length-1].Hash; k.Head != want {
			t.Errorf("producer %d: head %v, want %v", i, k.Head, want)
		}
	}
}
