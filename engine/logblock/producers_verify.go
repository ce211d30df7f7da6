package logblock

import (
	"slices"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// Verify recomputes each receipt's digest, finds its producer and verifies its signature, and appends a Claim for each
// receipt to dst. It moves no head: a receipt may go on from one before it in the same call, but not from one that another
// call verified and has not committed. Receipts are borrowed for the call. Errors are Check's, and then dst is returned as
// it came.
func (p *Producers) Verify(dst []Claim, receipts []*receipt.Receipt) ([]Claim, error) {
	v := verification{p: p, claims: dst}
	if len(receipts) > 1 {
		v.moved = make(map[[32]byte]int32, 2*min(len(receipts), 1024))
	}
	v.pending = p.borrow()
	for i, r := range receipts {
		if err := v.receipt(i, r); err != nil {
			// A signature before this receipt may be the one that is wrong.
			if earlier := v.settle(); earlier != nil {
				err = earlier
			}
			return dst, err
		}
	}
	if err := v.settle(); err != nil {
		return dst, err
	}
	p.giveBack(v.pending) // not after an error
	return v.claims, nil
}

// verification is one call of Verify. Heads move in it as if every signature gathered so far were good; they are settled
// in groups, and the first bad one is what the call returns.
type verification struct {
	p       *Producers
	claims  []Claim
	pending *signatures

	// moved overlays p.at with the steps of this call: the key that stands at a hash now, or gone where it went on. nil for
	// a single receipt.
	moved map[[32]byte]int32
	begun []int32 // keys whose first receipt is in this call
}

const gone = -1

// receipt verifies receipt i, but for a signature that it may leave pending.
func (v *verification) receipt(i int, r *receipt.Receipt) error {
	refuse := func(field, reason string) error {
		return &ProducerError{Index: i, Field: field, Reason: reason}
	}
	digest, err := v.p.digest(r)
	if err != nil {
		return refuse(fieldOf(err))
	}
	if r.Hash != receipt.Digest(digest) {
		return refuse("hash", reasonHash)
	}
	claim := Claim{first: r.PrevHash == receipt.Genesis(), hash: digest}
	var reason string
	if claim.first {
		claim.key, reason = v.tryFirst(r, &digest)
		if reason == reasonFirstSig || reason == reasonNoSig {
			return refuse("sig", reason)
		}
	} else {
		claim.prev, claim.key, reason = v.keyAt(r.PrevHash)
	}
	if reason != "" {
		return refuse("prev_hash", reason)
	}
	if _, ok := v.standing(digest); ok {
		return refuse("hash", reasonShared)
	}
	if !claim.first {
		sig, ok := r.Sig.Bytes()
		if !ok {
			return refuse("sig", reasonNoSig)
		}
		if err := v.gather(i, &v.p.keys[claim.key], &digest, &sig); err != nil {
			return err
		}
	}
	v.move(&claim)
	return nil
}

func (p *Producers) digest(r *receipt.Receipt) ([32]byte, error) {
	if p.legacy != nil {
		return p.legacy.ReceiptDigest(r)
	}
	return r.Digest()
}

// standing returns the key whose head is hash, by the steps of this call and the heads before it.
func (v *verification) standing(hash [32]byte) (key int32, ok bool) {
	if key, ok := v.moved[hash]; ok {
		return key, key != gone
	}
	return v.p.standing(hash)
}

// keyAt returns the key that stands at prev.
func (v *verification) keyAt(prev receipt.Hash) (hash [32]byte, key int32, reason string) {
	hash, ok := prev.Digest()
	if !ok {
		return hash, 0, NoProducer
	}
	if key, ok := v.standing(hash); ok {
		return hash, key, ""
	}
	if v.moved[hash] == gone || v.p.wasHead(hash) {
		return hash, 0, AlreadyTaken
	}
	return hash, 0, NoProducer
}

// tryFirst returns the key without a head that signed a first receipt. A signature by none of them on a receipt that is
// known already is a repetition.
func (v *verification) tryFirst(r *receipt.Receipt, digest *[32]byte) (key int32, reason string) {
	var room [MaxFreshProducers]int32
	keys := slices.DeleteFunc(v.p.notBegun(room[:0]), func(key int32) bool {
		return slices.Contains(v.begun, key)
	})
	if len(keys) == 0 {
		return 0, AlreadyTaken
	}
	sig, ok := r.Sig.Bytes()
	if !ok {
		return 0, reasonNoSig
	}
	for _, key := range keys {
		if sign.Verify(&v.p.keys[key], digest, &sig) {
			return key, ""
		}
	}
	if _, ok := v.moved[*digest]; ok || v.p.wasHead(*digest) {
		return 0, AlreadyTaken
	}
	return 0, reasonFirstSig
}

// move makes the step of c in the overlay and keeps the claim.
func (v *verification) move(c *Claim) {
	v.claims = append(v.claims, *c)
	if c.first {
		v.begun = append(v.begun, c.key)
	}
	if v.moved == nil {
		return
	}
	if !c.first {
		v.moved[c.prev] = gone
	}
	v.moved[c.hash] = c.key
}

// signatures are those not yet verified, at most groupSize of them, as [sign.Verifier] takes them.
type signatures struct {
	verifier sign.Verifier
	receipt  []int // index of the receipt that each belongs to
	keys     []sign.PublicKey
	digests  [][32]byte
	sigs     [][64]byte
	ok       []bool
}

const groupSize = 256

// maxIdle is how many are kept for reuse, over all calls of Verify at one time; each holds at most some 5.3 MB of tables. (A
// sync.Pool would let the collector take the tables, which cost as much as 64 verifications each.)
const maxIdle = 8

func (p *Producers) borrow() *signatures {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return new(signatures)
	}
	s := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return s
}

// giveBack takes s, which is empty.
func (p *Producers) giveBack(s *signatures) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) < maxIdle {
		p.idle = append(p.idle, s)
	}
}

func (s *signatures) reset() {
	s.receipt, s.keys, s.digests, s.sigs = s.receipt[:0], s.keys[:0], s.digests[:0], s.sigs[:0]
}

// gather leaves a signature pending, and settles a full group.
func (v *verification) gather(i int, key *sign.PublicKey, digest *[32]byte, sig *[64]byte) error {
	s := v.pending
	s.receipt = append(s.receipt, i)
	s.keys = append(s.keys, *key)
	s.digests = append(s.digests, *digest)
	s.sigs = append(s.sigs, *sig)
	if len(s.sigs) == groupSize {
		return v.settle()
	}
	return nil
}

// settle verifies the signatures that are pending and returns the first that is bad.
func (v *verification) settle() error {
	s := v.pending
	if len(s.sigs) == 0 {
		return nil
	}
	if cap(s.ok) < len(s.sigs) {
		s.ok = make([]bool, groupSize)
	}
	ok := s.ok[:len(s.sigs)]
	s.verifier.VerifyBatch(s.keys, s.digests, s.sigs, ok)
	receipts := s.receipt
	s.reset()
	for i, good := range ok {
		if !good {
			return &ProducerError{Index: receipts[i], Field: "sig", Reason: reasonSig}
		}
	}
	return nil
}
