package sign

import (
	"crypto/ed25519"
	"fmt"
)

// Verify reports whether sig is a signature of digest under key by the rules above.
func Verify(key *PublicKey, digest *[32]byte, sig *[64]byte) bool {
	return ed25519.Verify(key[:], digest[:], sig[:])
}

// Verifier verifies batches. The zero value works. It is not safe for concurrent use: each goroutine has its own.
type Verifier struct {
	// Backend is what computes; Auto takes the fastest. VerifyBatch panics where it does not run here.
	Backend Backend

	lanes laneVerifier // what Backend IFMA keeps between batches
}

// VerifyBatch sets ok[i] to what Verify says of keys[i], digests[i] and sigs[i]; a single key stands for all. It keeps
// no slice. digests, sigs and ok must have one length, and keys that length or one; it panics otherwise.
func (v *Verifier) VerifyBatch(keys []PublicKey, digests [][32]byte, sigs [][64]byte, ok []bool) {
	n := len(digests)
	if len(sigs) != n || len(ok) != n || len(keys) != n && len(keys) != 1 {
		panic(fmt.Sprintf("sign: VerifyBatch of %d keys, %d digests, %d signatures into %d verdicts",
			len(keys), n, len(sigs), len(ok)))
	}
	backend, runs := v.Backend.resolve()
	if !runs {
		panic(fmt.Sprintf("sign: Verifier.Backend: %s does not run here", v.Backend))
	}
	switch backend {
	case IFMA:
		v.lanes.verify(keys, digests, sigs, ok)
	case Portable:
		verifyPortable(keys, digests, sigs, ok)
	default:
		for i := range digests {
			ok[i] = Verify(keyOfBatch(keys, i), &digests[i], &sigs[i])
		}
	}
}

// keyOfBatch returns the key of signature i.
func keyOfBatch(keys []PublicKey, i int) *PublicKey {
	if len(keys) == 1 {
		return &keys[0]
	}
	return &keys[i]
}
