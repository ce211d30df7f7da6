package receipt

import (
	"crypto/ed25519"
	"fmt"

	"github.com/encseal/encseal/engine/internal/derive"
)

// DigestContext is the derive_key context of a receipt digest.
const DigestContext = "encseal 2026-11-23 receipt v1"

// receiptKey holds the key words of DigestContext; it is never written.
var receiptKey = derive.NewKey(DigestContext)

// Digest returns the receipt digest, which covers everything but Hash and Sig.
// Rules and errors are those of [Receipt.AppendSigned].
func (r *Receipt) Digest() ([32]byte, error) {
	digest, _, err := r.digest()
	return digest, err
}

// digest returns the receipt digest and the number of bytes that it covers.
func (r *Receipt) digest() (digest [32]byte, size int, err error) {
	var buf [2 * usualSize]byte // a receipt of usual size is hashed without allocating
	signed, err := r.AppendSigned(buf[:0])
	if err != nil {
		return digest, 0, err
	}
	return receiptKey.Sum(signed), len(signed), nil
}

// Sign sets Hash to the receipt digest and Sig to key's signature over it. On
// error, a [FieldError] or a key of the wrong length, r is unchanged.
func (r *Receipt) Sign(key ed25519.PrivateKey) error {
	if len(key) != ed25519.PrivateKeySize {
		return fmt.Errorf("receipt: private key of %d bytes, want %d", len(key), ed25519.PrivateKeySize)
	}
	digest, size, err := r.digest()
	if err != nil {
		return err
	}
	const hashAndSig = 1 + 2 + digestSize + 1 + 2 + sigSize
	if size+hashAndSig > MaxEncoding {
		return refuse("", reasonEncoding)
	}
	r.Hash = Digest(digest)
	r.Sig = Signature([sigSize]byte(ed25519.Sign(key, digest[:])))
	return nil
}

// Verify checks that Hash is the receipt digest and Sig a signature of key over
// it, by the rules of crypto/ed25519. The error is a [FieldError] for hash, for
// sig, or for the field that makes a digest impossible; or it says that key has
// the wrong length. It does not look at PrevHash beyond its form: a chain is
// its holder's matter.
func (r *Receipt) Verify(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("receipt: public key of %d bytes, want %d", len(key), ed25519.PublicKeySize)
	}
	digest, err := r.Digest()
	if err != nil {
		return err
	}
	if r.Hash != Digest(digest) {
		return refuse(fieldHash, "not the receipt digest")
	}
	if !r.Sig.is {
		return refuse(fieldSig, "not an Ed25519 signature")
	}
	if !ed25519.Verify(key, digest[:], r.Sig.bytes[:]) {
		return refuse(fieldSig, "not a valid signature of the producer key")
	}
	return nil
}
