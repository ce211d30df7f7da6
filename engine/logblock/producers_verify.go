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
	v := verification{p: p, claims: dst, room: p.borrow()}
	if len(receipts) > 1 {
		v.moved = v.room.overlay()
	}
	err := v.receipts(receipts)
	// A signature before a receipt that is wrong may be wrong as well.
	if earlier := v.settle(); earlier != nil {
		err = earlier
	}
	if err != nil {
		return dst, err
	}
	p.giveBack(v.room) // not after an error
	return v.claims, nil
}

// verification is one call of Verify. Heads move in it as if every signature gathered so far were good; they are settled
// in groups, and the first bad one is what the call returns.
type verification struct {
	p      *Producers
	claims []Claim
	room   *verifyRoom

	// moved overlays p.at with the steps of this call: the key that stands at a hash now, or gone where it went on. nil for
	// a single receipt.
	moved map[[32]byte]int32
	begun []int32 // keys whose first receipt is in this call
}

const gone = -1

// receipts verifies all in their order, but for the signatures that it leaves pending, and stops at the first that is wrong.
func (v *verification) receipts(all []*receipt.Receipt) error {
	for done := 0; done < len(all); {
		sums, broken := v.room.digests.of(all[done:], v.p.legacy)
		for i := range sums {
			if err := v.receipt(done+i, all[done+i], &sums[i]); err != nil {
				return err
			}
		}
		done += len(sums)
		if broken != nil {
			field, reason := fieldOf(broken)
			return &ProducerError{Index: done, Field: field, Reason: reason}
		}
	}
	return nil
}

// receipt verifies receipt i, which has the digest, but for a signature that it may leave pending.
func (v *verification) receipt(i int, r *receipt.Receipt, digest *[32]byte) error {
	refuse := func(field, reason string) error {
		return &ProducerError{Index: i, Field: field, Reason: reason}
	}
	if r.Hash != receipt.Digest(*digest) {
		return refuse("hash", reasonHash)
	}
	claim := Claim{first: r.PrevHash == receipt.Genesis(), hash: *digest}
	var reason string
	if claim.first {
		claim.key, reason = v.tryFirst(r, digest)
		if reason == reasonFirstSig || reason == reasonNoSig {
			return refuse("sig", reason)
		}
	} else {
		claim.prev, claim.key, reason = v.keyAt(r.PrevHash)
	}
	if reason != "" {
		return refuse("prev_hash", reason)
	}
	if _, ok := v.standing(*digest); ok {
		return refuse("hash", reasonShared)
	}
	if !claim.first {
		sig, ok := r.Sig.Bytes()
		if !ok {
			return refuse("sig", reasonNoSig)
		}
		if err := v.gather(i, &v.p.keys[claim.key], digest, &sig); err != nil {
			return err
		}
	}
	v.move(&claim)
	return nil
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
