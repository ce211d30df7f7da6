//go:build amd64 && !purego

package sign

import (
	"filippo.io/edwards25519"

	"github.com/encseal/encseal/engine/sign/internal/ed25519x8"
)

const noEntry = int32(-1)

// keyTables remembers the keys that a Verifier met last, and holds tables of the multiples of −A for those that it met
// often. What it forgets first is what was in no batch for longest; it never forgets a key of the batch at hand.
type keyTables struct {
	index   map[PublicKey]int32
	entries []keyEntry
	batch   uint64  // number of the batch at hand
	present []int32 // entries that are in it
	tables  int     // tables made, at most maxTables; each is an entry's
}

type keyEntry struct {
	key   PublicKey
	seen  int              // signatures since the key was met, or since it lost its table
	last  uint64           // the batch that had it last
	table *ed25519x8.Table // nil, or of −A
	first int32            // the batch's last signature of this key, head of a list
	links int              // length of that list
}

// begin starts a batch.
func (k *keyTables) begin() {
	if k.index == nil {
		k.index = make(map[PublicKey]int32)
	}
	k.batch++
	k.present = k.present[:0]
}

// find returns the entry of a key, a new one where it is met for the first time, or noEntry where the batch at hand has
// more keys than are remembered.
func (k *keyTables) find(key *PublicKey) int32 {
	e, ok := k.index[*key]
	if !ok {
		if e = k.room(); e == noEntry {
			return noEntry
		}
		k.index[*key] = e
		k.entries[e] = keyEntry{key: *key}
	}
	if entry := &k.entries[e]; entry.last != k.batch {
		entry.last = k.batch
		entry.first, entry.links = noEntry, 0
		k.present = append(k.present, e)
	}
	return e
}

// room returns an entry for a new key, and forgets another where it must.
func (k *keyTables) room() int32 {
	if len(k.entries) < maxKeys {
		k.entries = append(k.entries, keyEntry{})
		return int32(len(k.entries) - 1)
	}
	e := k.oldest(false)
	if e != noEntry {
		delete(k.index, k.entries[e].key)
	}
	return e
}

// oldest returns the entry that was in no batch for longest, among those with a table or among those without, and
// noEntry where the batch at hand has them all. There are more entries than tables.
func (k *keyTables) oldest(withTable bool) int32 {
	oldest := noEntry
	for e := range k.entries {
		entry := &k.entries[e]
		if entry.last == k.batch || (entry.table != nil) != withTable {
			continue
		}
		if oldest == noEntry || entry.last < k.entries[oldest].last {
			oldest = int32(e)
		}
	}
	return oldest
}

// link puts signature i before those of entry e, and returns what was first.
func (k *keyTables) link(e, i int32) int32 {
	entry := &k.entries[e]
	next := entry.first
	entry.first = i
	entry.links++
	return next
}

// table returns the table of entry e, nil where there is none.
func (k *keyTables) table(e int32) *ed25519x8.Table {
	if e == noEntry {
		return nil
	}
	return k.entries[e].table
}

// count notes n signatures of entry e, and makes its table when they are enough.
func (k *keyTables) count(e int32, n int) {
	if e == noEntry {
		return
	}
	entry := &k.entries[e]
	entry.seen += n
	if entry.table != nil || entry.seen < tableAfter {
		return
	}
	var minus edwards25519.Point
	if _, err := minus.SetBytes(entry.key[:]); err != nil {
		entry.seen = 0 // no point: its signatures are refused without a table
		return
	}
	table := k.freeTable()
	if table == nil {
		return
	}
	minus.Negate(&minus)
	table.Fill(&minus)
	entry.table = table
}

// freeTable returns a table to fill: a new one, or that of another key, which starts to count again.
func (k *keyTables) freeTable() *ed25519x8.Table {
	if k.tables < maxTables {
		k.tables++
		return new(ed25519x8.Table)
	}
	e := k.oldest(true)
	if e == noEntry {
		return nil
	}
	entry := &k.entries[e]
	table := entry.table
	entry.table, entry.seen = nil, 0
	return table
}
