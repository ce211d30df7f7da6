//go:build !race

package sign

import (
	"crypto/ed25519"
	"sync/atomic"
	"testing"
)

// TestDigestsAreCopied changes the digests while they are signed, which is a race of the caller's and left out of race
// builds. Each signature must be that of one of the two digests: one that hashed the first for the nonce and the second
// for the challenge would tell the key.
func TestDigestsAreCopied(t *testing.T) {
	for _, backend := range Backends() {
		s := with(t, [32]byte{4}, SignerConfig{Backend: backend, NoSelfCheck: true})
		const n = 24
		digests, sigs := make([][32]byte, n), make([][64]byte, n)
		var want [2][64]byte
		for i := range want {
			copy(want[i][:], ed25519.Sign(s.key, append([]byte{byte(i)}, make([]byte, 31)...)))
		}
		var stop atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !stop.Load() {
				for i := range digests {
					digests[i][0] ^= 1
				}
			}
		}()
		for range 100 {
			if err := s.SignBatch(digests, sigs); err != nil {
				t.Error(err)
			}
			for i := range sigs {
				if sigs[i] != want[0] && sigs[i] != want[1] {
					t.Fatalf("%s: signature %d is of no digest", backend, i)
				}
			}
		}
		stop.Store(true)
		<-done
	}
}
