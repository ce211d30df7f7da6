package logblock

import (
	"slices"
	"sync"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// Reasons of a *ProducerError for prev_hash.
const (
	// NoProducer is the reason when no producer's chain has its head at prev_hash, nor left it lately.
	NoProducer = "no producer stands there"
	// AlreadyTaken is the reason when a producer's chain went on from prev_hash with another receipt or with this one: one
	// of the last [TakenMemory] moves, or blake3:genesis when every producer has begun.
	AlreadyTaken = "already taken"
)

// TakenMemory is how many positions that producers' chains went on from are remembered, over all producers. A receipt
// that goes on from an older one is refused too, as [NoProducer].
const TakenMemory = 4096

const (
	reasonHash     = "not the digest of this receipt"
	reasonNoSig    = "not an Ed25519 signature"
	reasonSig      = "not a signature by the producer that stands at prev_hash"
	reasonFirstSig = "not a signature by a producer that has not begun"
	reasonShared   = "another producer's chain stands at this hash"
)

// Producers follows the receipt chains of trusted producers for one app, FORMAT §1. Each key has one head: the hash of its
// last receipt, or none before its first. A receipt belongs to the key whose head is its prev_hash, so one verification
// settles it; one with prev_hash blake3:genesis is tried against the keys without a head. That the receipts are of one app
// is the caller's to check.
//
// Check does everything at once. Who must not hold a lock during the verifications, or may still turn receipts away after
// them, uses its parts: Verify, Standing, Commit. All methods are safe for concurrent use.
type Producers struct {
	legacy Legacy
	keys   []sign.PublicKey         // never changed
	index  map[sign.PublicKey]int32 // into keys; never changed

	mu    sync.Mutex    // guards what follows
	idle  []*verifyRoom // for the next Verify, the last used on top: it has tables of the keys that come back
	heads []producerHead
	at    map[[32]byte]int32 // from each standing head to its key; no two keys share one
	fresh int                // keys whose head does not stand
	taken ring
}

// producerHead is where a chain stands; the zero value is that of a chain without a receipt.
type producerHead struct {
	hash   [32]byte
	stands bool
}

// Claim is a receipt that Verify found genuine: whose it is, and the step that it makes. It is valid for the Producers
// that made it.
type Claim struct {
	key   int32
	first bool     // the step is from blake3:genesis, and prev is zero
	prev  [32]byte // head before
	hash  [32]byte // head after: the receipt digest
}

// Check accepts receipts in their order, and moves the heads past them, or refuses them all and moves none. A receipt may
// go on from one before it in the same call. Receipts are borrowed for the call. The error is a *ProducerError for the
// first receipt that
//
//   - breaks a rule of the format (its field);
//   - has a hash that is not its digest (hash);
//   - goes on from where no head is (prev_hash: [NoProducer] or [AlreadyTaken]);
//   - is not signed by the key that stands there (sig).
func (p *Producers) Check(receipts ...*receipt.Receipt) error {
	var room [1]Claim
	claims, err := p.Verify(room[:0], receipts)
	if err != nil {
		return err
	}
	return p.Commit(claims)
}

// Standing returns nil when Commit of the same claims would succeed now, else the *ProducerError that it would return.
func (p *Producers) Standing(claims []Claim) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.moveAll(claims); err != nil {
		return err
	}
	p.undo(claims)
	return nil
}

// Commit moves the heads past the receipts of claims. It returns a *ProducerError and moves nothing where a head is no
// longer where Verify found it. The claims of one Verify may be committed in pieces, in their order.
func (p *Producers) Commit(claims []Claim) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.moveAll(claims); err != nil {
		return err
	}
	for i := range claims {
		if !claims[i].first {
			p.taken.add(claims[i].prev)
		}
	}
	return nil
}

// moveAll moves the heads past claims, or none of them. p.mu is held.
func (p *Producers) moveAll(claims []Claim) error {
	for i := range claims {
		if field, reason := p.move(&claims[i]); reason != "" {
			p.undo(claims[:i])
			return &ProducerError{Index: i, Field: field, Reason: reason}
		}
	}
	return nil
}

// move makes one step. p.mu is held.
//
// Two chains can come to one hash only where two keys signed the same first receipt: later ones name different
// predecessors. The second to come is refused, so that every head has one key.
func (p *Producers) move(c *Claim) (field, reason string) {
	head := &p.heads[c.key]
	if *head != (producerHead{hash: c.prev, stands: !c.first}) {
		return "prev_hash", AlreadyTaken
	}
	if _, ok := p.at[c.hash]; ok {
		return "hash", reasonShared
	}
	if c.first {
		p.fresh--
	} else {
		delete(p.at, c.prev)
	}
	*head = producerHead{hash: c.hash, stands: true}
	p.at[c.hash] = c.key
	return "", ""
}

// undo takes the steps of claims back, the last first, so that each finds the state that it left. p.mu is held.
func (p *Producers) undo(claims []Claim) {
	for _, c := range slices.Backward(claims) {
		delete(p.at, c.hash)
		p.heads[c.key] = producerHead{hash: c.prev, stands: !c.first}
		if c.first {
			p.fresh++
		} else {
			p.at[c.prev] = c.key
		}
	}
}

// standing returns the key whose head is hash.
func (p *Producers) standing(hash [32]byte) (key int32, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok = p.at[hash]
	return key, ok
}

// wasHead reports whether a chain stands at hash, or went on from it lately.
func (p *Producers) wasHead(hash [32]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.at[hash]
	return ok || p.taken.has(hash)
}

// notBegun appends the keys without a head to dst.
func (p *Producers) notBegun(dst []int32) []int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fresh == 0 {
		return dst
	}
	for i := range p.heads {
		if !p.heads[i].stands {
			dst = append(dst, int32(i))
		}
	}
	return dst
}

// ring remembers the last TakenMemory hashes added. It is searched only for receipts that are refused, so a scan will do.
type ring struct {
	hashes [][32]byte
	oldest int // index of the next to be forgotten, once the ring is full
}

func (r *ring) add(hash [32]byte) {
	if len(r.hashes) < TakenMemory {
		r.hashes = append(r.hashes, hash)
		return
	}
	r.hashes[r.oldest] = hash
	r.oldest = (r.oldest + 1) % TakenMemory
}

func (r *ring) has(hash [32]byte) bool { return slices.Contains(r.hashes, hash) }
