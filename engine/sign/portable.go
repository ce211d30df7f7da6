package sign

import (
	"bytes"
	"crypto/sha512"
	"sync"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// portableScratch is what a batch needs between its steps. It comes from a pool, so that nonces and what tells them lie in
// memory that is wiped after use, and not on a goroutine's stack, which grows by being copied. What the two libraries keep
// on the stack while they compute is out of our hands, as it is under crypto/ed25519.
type portableScratch struct {
	digests [maxBatch][32]byte
	nonces  [maxBatch]edwards25519.Scalar
	points  [maxBatch]edwards25519.Point // R, or what R must be
	encoded [maxBatch][32]byte
	usable  [maxBatch]bool // by signature: A is a point and S is below ℓ

	x, y, z, before [maxBatch]field.Element

	message   [96]byte // what SHA-512 reads
	k, s      edwards25519.Scalar
	minus     edwards25519.Point // −A of the key at hand
	inv, term field.Element
}

var portablePool = sync.Pool{New: func() any { return new(portableScratch) }}

// release wipes what a batch of n left that could be secret and gives the scratch back.
func (p *portableScratch) release(n int) {
	clear(p.nonces[:n])
	clear(p.points[:n])
	clear(p.x[:n])
	clear(p.y[:n])
	clear(p.z[:n])
	clear(p.before[:n])
	clear(p.message[:])
	p.s = edwards25519.Scalar{}
	p.inv, p.term = field.Element{}, field.Element{}
	portablePool.Put(p)
}

// signPortable signs in three steps: all nonces and R = r·B, their encodings with one inversion, all S = r + k·a.
func signPortable(signers []*Signer, digests [][32]byte, sigs [][64]byte, checked bool) bool {
	p := portablePool.Get().(*portableScratch)
	defer p.release(len(digests))
	n := copy(p.digests[:], digests) // both hashes read this copy, whatever happens to the caller's
	for i := range n {
		key := signerOf(signers, i).exp
		copy(p.message[:32], key.prefix[:])
		copy(p.message[32:], p.digests[i][:])
		hashToScalar(&p.nonces[i], p.message[:64])
		p.points[i].ScalarBaseMult(&p.nonces[i])
	}
	p.encode(n)
	for i := range n {
		key := signerOf(signers, i).exp
		p.challenge(&p.encoded[i], &key.pub, &p.digests[i])
		p.s.MultiplyAdd(&p.k, &key.scalar, &p.nonces[i])
		copy(sigs[i][:32], p.encoded[i][:])
		copy(sigs[i][32:], p.s.Bytes())
	}
	return !checked || p.check(signers, n, sigs)
}

// check verifies the first n signatures of the batch under the keys that the seeds gave, by other copies of them than
// signing used: a signature that hashed a damaged public key gives the private one away.
func (p *portableScratch) check(signers []*Signer, n int, sigs [][64]byte) bool {
	for i := range n {
		signer := signerOf(signers, i)
		p.usable[i] = p.expect(i, &signer.exp.minus, &signer.pub, &sigs[i])
	}
	p.encode(n)
	for i := range n {
		if !p.usable[i] || !bytes.Equal(p.encoded[i][:], sigs[i][:32]) {
			return false
		}
	}
	return true
}

// verifyPortable gives crypto/ed25519's verdicts by the same steps and the same library, but for the encodings: they share
// one inversion. Keys, digests and signatures are public, so nothing here minds the time that it takes.
func verifyPortable(keys []PublicKey, digests [][32]byte, sigs [][64]byte, ok []bool) {
	p := portablePool.Get().(*portableScratch)
	defer p.release(0)
	var last *PublicKey // p.minus is minus the point of this key, if onCurve
	onCurve := false
	for from := 0; from < len(digests); from += maxBatch {
		n := copy(p.digests[:], digests[from:])
		for i := range n {
			key, sig := keyOfBatch(keys, from+i), &sigs[from+i]
			if last == nil || *key != *last {
				last = key
				p.minus.Set(identity)
				_, err := p.minus.SetBytes(key[:])
				p.minus.Negate(&p.minus)
				onCurve = err == nil
			}
			p.usable[i] = p.expect(i, &p.minus, key, sig) && onCurve
		}
		p.encode(n)
		for i := range n {
			ok[from+i] = p.usable[i] && bytes.Equal(p.encoded[i][:], sigs[from+i][:32])
		}
	}
}

// expect sets points[i] to [S]B + [k](−A), whose encoding R must be, and reports whether S is below ℓ.
func (p *portableScratch) expect(i int, minus *edwards25519.Point, key *PublicKey, sig *[64]byte) bool {
	p.points[i].Set(identity)
	if _, err := p.s.SetCanonicalBytes(sig[32:]); err != nil {
		return false
	}
	p.challenge((*[32]byte)(sig[:32]), key, &p.digests[i])
	p.points[i].VarTimeDoubleScalarBaseMult(&p.k, minus, &p.s)
	return true
}

var identity = edwards25519.NewIdentityPoint()

// challenge sets k to SHA-512(R ‖ A ‖ M) modulo ℓ.
func (p *portableScratch) challenge(r *[32]byte, key *PublicKey, digest *[32]byte) {
	copy(p.message[:32], r[:])
	copy(p.message[32:64], key[:])
	copy(p.message[64:], digest[:])
	hashToScalar(&p.k, p.message[:])
}

// hashToScalar sets s to SHA-512(message) modulo ℓ, as a little-endian number.
func hashToScalar(s *edwards25519.Scalar, message []byte) {
	h := sha512.Sum512(message)
	if _, err := s.SetUniformBytes(h[:]); err != nil {
		panic("sign: " + err.Error()) // 64 bytes are the right length
	}
	clear(h[:])
}

// encode writes the canonical encodings of points[:n] to encoded[:n]. It inverts the product of all Z and takes the
// single inverses out of that (Montgomery): with before[i] = Z0·…·Z(i−1) and inv = 1/(Z0·…·Zi), 1/Zi = inv·before[i].
// No Z is 0, by the completeness of the addition law.
func (p *portableScratch) encode(n int) {
	if n == 0 {
		return
	}
	p.inv.One()
	for i := range n {
		x, y, z, _ := p.points[i].ExtendedCoordinates()
		p.x[i].Set(x)
		p.y[i].Set(y)
		p.z[i].Set(z)
		p.before[i].Set(&p.inv)
		p.inv.Multiply(&p.inv, z)
	}
	p.inv.Invert(&p.inv)
	for i := n - 1; i >= 0; i-- {
		p.term.Multiply(&p.inv, &p.before[i])
		p.inv.Multiply(&p.inv, &p.z[i])
		p.x[i].Multiply(&p.x[i], &p.term)
		p.y[i].Multiply(&p.y[i], &p.term)
		copy(p.encoded[i][:], p.y[i].Bytes())
		p.encoded[i][31] |= byte(p.x[i].IsNegative()) << 7
	}
}
