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
// # Backends
//
// Three ways lead to the same bytes and verdicts, and Backends says which of them this CPU can run:
//
//	ifma      AVX-512 with IFMA: eight signatures side by side; whole groups of eight cost least
//	portable  filippo.io/edwards25519, with the expanded key kept and one inversion for a batch
//	stdlib    crypto/ed25519, one after the other; alone in FIPS 140 mode (crypto/fips140), where all else is off. The
//	          digests that the house signs are BLAKE3, which is no approved hash, in that mode too
//
// Builds with the tag purego, and all but amd64, have no ifma. A batch of any size is cut into parts of 128 signatures.
//
// A Verifier of backend ifma remembers the last 256 keys that it met, and makes a table for one that it met 64 times: with
// it a signature costs a quarter. It keeps at most 32 tables of 165,120 bytes, 5.3 MB; what lies unused longest makes
// room. All signers and verifiers share one table of the generator, and a part in work takes some 80 KB.
//
// # The check after signing
//
// A fault in computing, a flipped bit, is worse in a signature than elsewhere: whoever sees a faulty and a good signature
// of one digest computes the private key from them. So each part of a batch is verified before SignBatch returns, under the
// public key that the seed gave, from copies of key and digest that signing did not use where they can be others; a batch
// with one bad signature is zeroed whole and ErrFault returned. It makes a signer two to three times as slow, and
// SignerConfig.NoSelfCheck turns it off. Its table, on backend ifma, is made at a signer's first check and stays, 165,120
// bytes for each seed.
//
// # Secrets
//
// Nothing here branches on a secret, or reads memory at an address that depends on one, on any backend; package
// internal/ed25519x8 argues it kernel by kernel for ifma, the two libraries say it of themselves, and bench/dudect measures
// all three. Verifying is exempt: it sees public values only. Each digest is copied once, and both hashes of signing read the copy: two signatures of one
// nonce would tell the key.
//
// Nonces and what tells them lie on the heap, in memory from pools that is wiped before it goes back, and backend ifma
// leaves none in vector registers. It cannot wipe what a signal handler saved of them, nor what the two libraries keep
// on the stack while they compute. A Signer's own key stays in memory as long as the Signer.
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
	"errors"
	"fmt"
)

// ErrFault is returned when a signature of a batch did not pass its self-check: hardware or memory failed, or a bug is
// here. The whole batch is zero then. Signing it again is safe, and telling an operator is wise.
var ErrFault = errors.New("sign: a signature failed its check after signing")

// Signer holds one private key. It is safe for concurrent use.
type Signer struct {
	key ed25519.PrivateKey // seed ‖ public key; never changed, never handed out
	pub PublicKey          // derived from the seed
	exp *expandedKey
	cfg SignerConfig // Backend is resolved
}

// SignerConfig says how a Signer works. The zero value is what a Signer has from the start.
type SignerConfig struct {
	Backend Backend // what computes; Auto takes the fastest

	// NoSelfCheck leaves out that each batch is verified before SignBatch returns it: signing is some three times as fast.
	// What it risks is the key. Two signatures of one digest that differ by a computing fault tell the private key to
	// anyone who has both, and one faulty signature does so to whoever knows the digest.
	NoSelfCheck bool
}

// NewSigner makes the signer whose RFC 8032 private key is seed: 32 bytes from a good source of randomness. seed is
// borrowed for the call; the caller may wipe it.
func NewSigner(seed *[32]byte) *Signer {
	s := &Signer{exp: expand(seed)}
	s.pub = s.exp.pub
	s.key = append(append(make(ed25519.PrivateKey, 0, ed25519.PrivateKeySize), seed[:]...), s.pub[:]...)
	s.cfg.Backend = backends[0]
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

// With returns a signer with the same key that works as cfg says. s is unchanged.
func (s *Signer) With(cfg SignerConfig) (*Signer, error) {
	b, ok := cfg.Backend.resolve()
	if !ok {
		return nil, fmt.Errorf("sign: SignerConfig.Backend: %s does not run here", cfg.Backend)
	}
	other := *s
	other.cfg = cfg
	other.cfg.Backend = b
	return &other, nil
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
// After an error no signature of the batch may be used, and sigs is zero throughout. A caller must handle it: the signer
// verifies what it made and withholds it on ErrFault, because a faulty signature tells the private key.
func (s *Signer) SignBatch(digests [][32]byte, sigs [][64]byte) error {
	one := [1]*Signer{s}
	return SignMany(one[:], digests, sigs)
}

// SignMany is SignBatch with a key for each digest: signers[i] signs digests[i]. A single signer stands for all. It
// panics unless there are as many signers as digests, or one. The first signer's Backend computes; the batch goes
// unchecked only where every signer has NoSelfCheck.
func SignMany(signers []*Signer, digests [][32]byte, sigs [][64]byte) error {
	n := len(digests)
	if len(sigs) != n || len(signers) != n && len(signers) != 1 {
		panic(fmt.Sprintf("sign: %d signers of %d digests into %d signatures", len(signers), n, len(sigs)))
	}
	for from := 0; from < n; from += maxBatch {
		to := min(from+maxBatch, n)
		part := signers
		if len(signers) > 1 {
			part = signers[from:to]
		}
		if err := signPart(part, digests[from:to], sigs[from:to]); err != nil {
			clear(sigs)
			return err
		}
	}
	return nil
}

// maxBatch is how many signatures share one inversion, one scratch and one self-check.
const maxBatch = 128

// signPart signs at most maxBatch digests. On an error sigs holds what nobody may see.
func signPart(signers []*Signer, digests [][32]byte, sigs [][64]byte) error {
	checked := false
	for _, s := range signers {
		checked = checked || !s.cfg.NoSelfCheck
	}
	good := false
	switch signers[0].cfg.Backend {
	case IFMA:
		good = signIFMA(signers, digests, sigs, checked)
	case Portable:
		good = signPortable(signers, digests, sigs, checked)
	default:
		good = signStdLib(signers, digests, sigs, checked)
	}
	if !good {
		return ErrFault
	}
	return nil
}

// signerOf returns the signer of digest i.
func signerOf(signers []*Signer, i int) *Signer {
	if len(signers) == 1 {
		return signers[0]
	}
	return signers[i]
}

// signStdLib signs with crypto/ed25519. Like its siblings it returns false where a signature fails its check.
func signStdLib(signers []*Signer, digests [][32]byte, sigs [][64]byte, checked bool) bool {
	for i := range digests {
		// Signing hashes the message twice. Were the digest to change between the two, by a caller's race, the two
		// signatures of one nonce would give the key away: both hashes read this copy.
		digest := digests[i]
		s := signerOf(signers, i)
		sig := ed25519.Sign(s.key, digest[:])
		if checked && !ed25519.Verify(s.pub[:], digest[:], sig) {
			return false
		}
		copy(sigs[i][:], sig)
	}
	return true
}
