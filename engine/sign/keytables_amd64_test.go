//go:build amd64 && !purego

package sign

import (
	"crypto/ed25519"
	"math/rand/v2"
	"testing"
)

// TestKeyTables verifies under more keys than are remembered, some often and some once, some no points, and compares every
// verdict; and holds the cache to its bounds.
func TestKeyTables(t *testing.T) {
	if backends[0] != IFMA {
		t.Skip("no IFMA here")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	const keyCount = maxKeys + 100
	keys := make([]PublicKey, keyCount)
	private := make([]ed25519.PrivateKey, keyCount)
	for i := range keys {
		private[i] = ed25519.NewKeyFromSeed([]byte{30: byte(i >> 8), 31: byte(i)})
		keys[i] = PublicKey(private[i].Public().(ed25519.PublicKey))
	}
	digests := randomDigests(8, 1)
	sign := func(i, d int) (sig [64]byte) {
		copy(sig[:], ed25519.Sign(private[i], digests[d][:]))
		return sig
	}
	sigs := make([][8][64]byte, keyCount)
	for i := range sigs {
		for d := range sigs[i] {
			sigs[i][d] = sign(i, d)
		}
	}
	notOnCurve := PublicKey{2}
	var v Verifier
	ask := func(indices []int) {
		t.Helper()
		var all []triple
		var want []bool
		for _, i := range indices {
			d := rng.IntN(8)
			q := triple{keys[i], digests[d], sigs[i][d]}
			good := true
			switch rng.IntN(8) {
			case 0:
				q.sig[rng.IntN(64)] ^= 1 << rng.IntN(8)
				good = false
			case 1:
				q.key = notOnCurve
				good = false
			}
			all, want = append(all, q), append(want, good)
		}
		checkVerdicts(t, &v, all, want, false)
		k := &v.lanes.known
		tables := 0
		for e := range k.entries {
			if k.entries[e].table != nil {
				tables++
			}
			if k.index[k.entries[e].key] != int32(e) {
				t.Fatalf("entry %d is not where its key points", e)
			}
		}
		if len(k.entries) > maxKeys || len(k.index) != len(k.entries) || tables > maxTables || tables > k.tables {
			t.Fatalf("%d entries, %d keys, %d tables of %d made", len(k.entries), len(k.index), tables, k.tables)
		}
	}
	all := make([]int, keyCount)
	for i := range all {
		all[i] = i
	}
	ask(all) // more keys in one batch than are remembered
	for range 20 {
		var indices []int
		for range 100 + rng.IntN(300) {
			indices = append(indices, min(rng.IntN(keyCount), rng.IntN(keyCount), rng.IntN(keyCount)))
		}
		ask(indices)
	}
	for i := range maxTables + 9 { // each earns a table in turn
		var indices []int
		for range tableAfter + 20 {
			indices = append(indices, i)
		}
		ask(indices)
	}
	if k := &v.lanes.known; k.tables != maxTables {
		t.Errorf("%d tables, want %d", k.tables, maxTables)
	}
	ask(all)
}
