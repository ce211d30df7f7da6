// Package sign signs and verifies 32-byte digests with Ed25519 (RFC 8032, the pure variant, no context, no prehash), a
// batch at a time, and keeps Ed25519 keys in files.
//
// In the house it knows no receipts and no LogBlocks: it imports none of our packages, and whoever holds a digest that
// it computed itself can use it.
//
// # What is accepted
//
// Acceptance is crypto/ed25519's, bit for bit, and a batch gives every signature the verdict that it gets alone. For a
// public key A, a digest M and a signature R ‖ S:
//
//   - A is the encoding of a point on the curve; its y is taken modulo p = 2^255 − 19, so a non-canonical encoding, small
//     order and mixed order pass here (PublicKey.Check refuses the first two, once, when a key is configured);
//   - S is below the group order ℓ = 2^252 + 27742317777372353535851937790883648493, so no signature has a second form;
//   - R equals, compared as bytes, the canonical encoding of [S]B − [k]A, with k = SHA-512(R ‖ A ‖ M) modulo ℓ over the
//     bytes of R and A as they came; there is no multiplication by the cofactor.
//
// What fails a rule is "false", never an error: keys and signatures of a Verify call may be any bytes at all.
//
// # Keys
//
// One key, one role, one scheme. A notary key is never a producer's, and a key that signs for one scheme signs for no
// other: what is signed is a bare digest, and nothing in a signature says what the digest was of. Every key that somebody
// trusts comes in through ParsePublicKey, ReadPublicKey or Check, which refuse keys under which a signature binds nobody.
//
// # Key files
//
// A private key file is one PEM block "PRIVATE KEY" that holds PKCS#8 (RFC 5958) with the key of RFC 8410 §7; a public
// one is one block "PUBLIC KEY" that holds a SubjectPublicKeyInfo (RFC 8410 §4). OpenSSL 1.1.1 and later write and read
// both:
//
//	openssl genpkey -algorithm ed25519 -out notary.pem
//	openssl pkey -in notary.pem -pubout -out notary.pub.pem
//
// A file holds its one block and, around it, white space alone; it is a regular file of at most 64 KiB. The private half
// is the 32-byte seed, and the public half is always computed from it: one that a file holds beside it is not used.
package sign

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
)

// Signer holds one private key. It is safe for concurrent use.
type Signer struct {
	key ed25519.PrivateKey // seed ‖ public key; never changed, never handed out
	pub PublicKey          // derived from the seed
}

// NewSigner makes the signer whose RFC 8032 private key is seed: 32 bytes from a good source of randomness. seed is
// borrowed for the call; the caller may wipe it.
func NewSigner(seed *[32]byte) *Signer {
	s := &Signer{key: ed25519.NewKeyFromSeed(seed[:])}
	copy(s.pub[:], s.key[ed25519.SeedSize:])
	return s
}

// GenerateSigner makes a signer with a new key from the system's randomness.
func GenerateSigner() (*Signer, error) {
	var seed [32]byte
	defer clear(seed[:])
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("sign: no randomness for a key: %w", err)
	}
	return NewSigner(&seed), nil
}

// PublicKey returns the public half. It satisfies PublicKey.Check.
func (s *Signer) PublicKey() PublicKey { return s.pub }

// Format prints the public half whatever the verb, so that no log line can hold the private one.
func (s Signer) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "signer of %s", s.pub)
}

// SignBatch signs digests[i] into sigs[i], each as RFC 8032 §5.1.6 has it: the same key and digest always give the same
// 64 bytes. It keeps neither slice. The two must have one length; it panics otherwise. An empty batch is a batch.
//
// After an error no signature of the batch may be used, and sigs is zero throughout. A caller must handle it: a signer
// is allowed to verify what it made and to withhold it, because a faulty signature tells the private key.
func (s *Signer) SignBatch(digests [][32]byte, sigs [][64]byte) error {
	if len(digests) != len(sigs) {
		panic(fmt.Sprintf("sign: SignBatch of %d digests into %d signatures", len(digests), len(sigs)))
	}
	for i := range digests {
		// Signing hashes the message twice. Were the digest to change between the two, by a caller's race, the two
		// signatures of one nonce would give the key away: both hashes read this copy.
		digest := digests[i]
		copy(sigs[i][:], ed25519.Sign(s.key, digest[:]))
	}
	return nil
}

// Verify reports whether sig is a signature of digest under key by the rules above.
func Verify(key *PublicKey, digest *[32]byte, sig *[64]byte) bool {
	return ed25519.Verify(key[:], digest[:], sig[:])
}

// Verifier verifies batches. The zero value works. It is not safe for concurrent use: each goroutine has its own.
type Verifier struct{}

// VerifyBatch sets ok[i] to what Verify says of keys[i], digests[i] and sigs[i]; a single key stands for all. It keeps
// no slice. digests, sigs and ok must have one length, and keys that length or one; it panics otherwise.
func (v *Verifier) VerifyBatch(keys []PublicKey, digests [][32]byte, sigs [][64]byte, ok []bool) {
	n := len(digests)
	if len(sigs) != n || len(ok) != n || len(keys) != n && len(keys) != 1 {
		panic(fmt.Sprintf("sign: VerifyBatch of %d keys, %d digests, %d signatures into %d verdicts",
			len(keys), n, len(sigs), len(ok)))
	}
	for i := range digests {
		key := &keys[0]
		if len(keys) > 1 {
			key = &keys[i]
		}
		ok[i] = Verify(key, &digests[i], &sigs[i])
	}
}
