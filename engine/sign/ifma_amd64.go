//go:build amd64 && !purego

package sign

import (
	"sync"

	"github.com/encseal/encseal/engine/sign/internal/ed25519x8"
)

func haveIFMA() bool { return ed25519x8.Available() }

// laneScratch is what one batch of the IFMA backend needs, some 80 KB from a pool: the memory of the eight-lane
// arithmetic, which wipes it, and the copies and lists that it reads.
type laneScratch struct {
	scratch ed25519x8.Scratch
	keys    [maxBatch]*ed25519x8.Key
	digests [maxBatch][32]byte
	items   [maxBatch]ed25519x8.Item
	picked  [maxBatch]ed25519x8.Item // of one signer
	few     [maxBatch]ed25519x8.Item // of signers that have few
	ok      [maxBatch]bool
}

var lanePool = sync.Pool{New: func() any { return new(laneScratch) }}

// release drops the pointers of a batch of n and gives the scratch back.
func (p *laneScratch) release(n int) {
	clear(p.keys[:n])
	clear(p.items[:n])
	clear(p.picked[:n])
	clear(p.few[:n])
	lanePool.Put(p)
}

func signIFMA(signers []*Signer, digests [][32]byte, sigs [][64]byte, checked bool) bool {
	p := lanePool.Get().(*laneScratch)
	defer p.release(len(digests))
	n := copy(p.digests[:], digests) // both hashes read this copy, whatever happens to the caller's
	for i, s := range signers {
		p.keys[i] = &s.exp.lanes
	}
	ed25519x8.Sign(&p.scratch, p.keys[:len(signers)], p.digests[:n], sigs)
	return !checked || p.check(signers, n, sigs)
}

// checkTable is the table of −A with which a signer checks what it signed: 165 KB, made once and kept.
type checkTable struct {
	once  sync.Once
	table *ed25519x8.Table
}

func (k *expandedKey) checkTable() *ed25519x8.Table {
	k.check.once.Do(func() {
		table := new(ed25519x8.Table)
		table.Fill(&k.minus)
		k.check.table = table
	})
	return k.check.table
}

// tableShare is from how many signatures of one batch on a signer's are checked with its own table. Below, they share
// groups of eight with others' signatures, which costs no table and no spare lanes.
const tableShare = 6

// check verifies the first n signatures under the keys that the seeds gave, by other copies of them than Sign used: a
// signature that hashed a damaged public key gives the private one away.
func (p *laneScratch) check(signers []*Signer, n int, sigs [][64]byte) bool {
	clear(p.ok[:n])
	for i := range n {
		key := (*[32]byte)(&signerOf(signers, i).pub)
		p.items[i] = ed25519x8.Item{Key: key, Digest: &p.digests[i], Sig: &sigs[i], OK: &p.ok[i]}
	}
	if len(signers) == 1 {
		ed25519x8.VerifyFixed(&p.scratch, signers[0].exp.checkTable(), p.items[:n])
	} else {
		p.checkMany(signers)
	}
	for _, ok := range p.ok[:n] {
		if !ok {
			return false
		}
	}
	return true
}

// checkMany verifies items signer by signer, and together those of signers that have few. Every pass takes the first
// signer that is left.
func (p *laneScratch) checkMany(signers []*Signer) {
	few := 0
	for from := 0; from < len(signers); from++ {
		if p.keys[from] == nil {
			continue // taken by an earlier pass
		}
		own, exp := 0, signers[from].exp
		for i := from; i < len(signers); i++ {
			if signers[i].exp == exp {
				p.picked[own] = p.items[i]
				p.keys[i] = nil
				own++
			}
		}
		if own >= tableShare {
			ed25519x8.VerifyFixed(&p.scratch, exp.checkTable(), p.picked[:own])
			continue
		}
		few += copy(p.few[few:], p.picked[:own])
	}
	if few > 0 {
		ed25519x8.VerifyEach(&p.scratch, p.few[:few])
	}
}
