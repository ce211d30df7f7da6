//go:build amd64 && !purego

package sign

import (
	"slices"

	"github.com/encseal/encseal/engine/sign/internal/ed25519x8"
)

// laneVerifier gathers the signatures of a batch by key: those of keys with a table are verified with it, eight of one key
// side by side, and the rest eight side by side whatever their keys.
type laneVerifier struct {
	known keyTables

	entry []int32 // by signature: its key in known, or noEntry
	next  []int32 // by signature: the next one of its key, or noEntry
}

func (v *laneVerifier) verify(keys []PublicKey, digests [][32]byte, sigs [][64]byte, ok []bool) {
	n := len(digests)
	if n == 0 {
		return
	}
	p := lanePool.Get().(*laneScratch)
	defer p.release(maxBatch)
	b := laneBatch{p: p, keys: keys, digests: digests, sigs: sigs, ok: ok}
	v.known.begin()
	if len(keys) == 1 {
		e := v.known.find(&keys[0])
		v.known.count(e, n)
		for i := range n {
			b.add(i, v.known.table(e))
		}
		b.flush(v.known.table(e))
		return
	}
	v.gather(keys)
	for _, e := range v.known.present {
		v.verifyKey(&b, e)
	}
	for i := range n {
		if v.entry[i] == noEntry {
			b.add(i, nil)
		}
	}
	b.flush(nil)
}

// gather sets entry, and links the signatures of each key.
func (v *laneVerifier) gather(keys []PublicKey) {
	v.entry = slices.Grow(v.entry[:0], len(keys))[:len(keys)]
	v.next = slices.Grow(v.next[:0], len(keys))[:len(keys)]
	for i := range keys {
		if i > 0 && keys[i] == keys[i-1] {
			v.entry[i] = v.entry[i-1]
		} else {
			v.entry[i] = v.known.find(&keys[i])
		}
		if e := v.entry[i]; e != noEntry {
			v.next[i] = v.known.link(e, int32(i))
		}
	}
}

// spareShare is how many signatures must be left over from full groups of eight of one key, to be worth a group that is
// not full: below, they are cheaper beside other keys'.
const spareShare = 3

// verifyKey verifies the signatures of one key, if it has a table or has earned one, and gives the others to the rest.
func (v *laneVerifier) verifyKey(b *laneBatch, e int32) {
	count := v.known.entries[e].links
	v.known.count(e, count)
	table := v.known.table(e)
	fixed := 0
	if table != nil {
		fixed = count
		if left := count % 8; left < spareShare && len(v.known.present) > 1 {
			fixed -= left
		}
	}
	for i := v.known.entries[e].first; i != noEntry; i = v.next[i] {
		if fixed > 0 {
			b.add(int(i), table)
			fixed--
		} else {
			v.entry[i] = noEntry
		}
	}
	b.flush(table)
}

// laneBatch collects signatures, all under one table or all under none, and verifies them maxBatch at a time.
type laneBatch struct {
	p       *laneScratch
	n       int // items collected
	keys    []PublicKey
	digests [][32]byte
	sigs    [][64]byte
	ok      []bool
}

func (b *laneBatch) add(i int, table *ed25519x8.Table) {
	b.p.items[b.n] = ed25519x8.Item{
		Key: (*[32]byte)(keyOfBatch(b.keys, i)), Digest: &b.digests[i], Sig: &b.sigs[i], OK: &b.ok[i],
	}
	b.n++
	if b.n == maxBatch {
		b.flush(table)
	}
}

func (b *laneBatch) flush(table *ed25519x8.Table) {
	items := b.p.items[:b.n]
	b.n = 0
	switch {
	case len(items) == 0:
	case table == nil && len(items) == 1: // a group of eight takes a little longer than one alone
		q := &items[0]
		*q.OK = Verify((*PublicKey)(q.Key), q.Digest, q.Sig)
	case table != nil:
		ed25519x8.VerifyFixed(&b.p.scratch, table, items)
	default:
		ed25519x8.VerifyEach(&b.p.scratch, items)
	}
}
