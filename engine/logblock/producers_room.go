package logblock

import "github.com/encseal/encseal/engine/sign"

// verifyRoom is the memory that one call of Verify works in.
type verifyRoom struct {
	digests digests
	pending signatures
	moved   map[[32]byte]int32
}

// maxIdle is how many are kept for reuse, over all calls of Verify at one time; each holds at most some 5.3 MB of tables, and
// less than 1 MB of all else. (A sync.Pool would let the collector take the tables, which cost as much as 64 verifications each.)
const maxIdle = 8

// maxMoved is the largest overlay that is kept, in entries.
const maxMoved = 1 << 12

// borrow returns a room in which nothing is.
func (p *Producers) borrow() *verifyRoom {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return new(verifyRoom)
	}
	m := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return m
}

// giveBack takes m, of which no signature is pending.
func (p *Producers) giveBack(m *verifyRoom) {
	if len(m.moved) > maxMoved {
		m.moved = nil
	}
	clear(m.moved)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) < maxIdle {
		p.idle = append(p.idle, m)
	}
}

// overlay returns an empty map.
func (m *verifyRoom) overlay() map[[32]byte]int32 {
	if m.moved == nil {
		m.moved = make(map[[32]byte]int32)
	}
	return m.moved
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

func (s *signatures) reset() {
	s.receipt, s.keys, s.digests, s.sigs = s.receipt[:0], s.keys[:0], s.digests[:0], s.sigs[:0]
}

// gather leaves a signature pending, and settles a full group.
func (v *verification) gather(i int, key *sign.PublicKey, digest *[32]byte, sig *[64]byte) error {
	s := &v.room.pending
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
	s := &v.room.pending
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
