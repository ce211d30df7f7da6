package sign

import (
	"crypto/sha512"

	"filippo.io/edwards25519"

	"github.com/encseal/encseal/engine/sign/internal/ed25519x8"
)

// expandedKey is what RFC 8032 §5.1.5 and §5.1.6 derive from a seed before a message is there. All but pub is secret;
// none of it changes after expand, and signers with one seed share it.
type expandedKey struct {
	pub    PublicKey           // the encoding of A = scalar·B
	prefix [32]byte            // the upper half of SHA-512(seed): what the nonce is hashed from, with the digest
	scalar edwards25519.Scalar // the lower half, clamped, modulo ℓ
	minus  edwards25519.Point  // −A
	lanes  ed25519x8.Key       // the same for Backend IFMA
	check  checkTable          // multiples of −A for its self-check
}

// expand derives the key of a seed, the public half too: one that comes from elsewhere could belong to another seed, and
// a signature under the wrong public key gives the private one away.
func expand(seed *[32]byte) *expandedKey {
	k := new(expandedKey)
	h := sha512.Sum512(seed[:])
	defer clear(h[:])
	if _, err := k.scalar.SetBytesWithClamping(h[:32]); err != nil {
		panic("sign: " + err.Error()) // 32 bytes are the right length
	}
	copy(k.prefix[:], h[32:])
	var a edwards25519.Point
	a.ScalarBaseMult(&k.scalar)
	copy(k.pub[:], a.Bytes())
	k.minus.Negate(&a)
	k.lanes.Prefix = k.prefix
	k.lanes.Public = k.pub
	copy(k.lanes.Scalar[:], k.scalar.Bytes())
	return k
}
