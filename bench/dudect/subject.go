package main

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"

	"github.com/encseal/encseal/engine/sign"
)

// secretsPerClass is how many objects hold the secrets of a class, the fixed one as many as the random ones, made in
// random order. Were there one fixed object, or all made before the others, caches would tell the classes apart.
const secretsPerClass = 500

// kinds are what can differ between the classes, by the name that -secret has for it.
var kinds = []kind{
	{"key", "seed of the signing key, digests fixed", keySubject},
	{"nonce", "nonces, by way of the digests, key fixed", nonceSubject},
	{"control", "no secret: a loop that is longer in the fixed class, which must be found", controlSubject},
}

type kind struct {
	name, what string
	make       func(backend sign.Backend, n int, rng *mathrand.Rand) (subject, error)
}

// keySubject signs the same n digests with a fixed key and with random ones.
func keySubject(backend sign.Backend, n int, rng *mathrand.Rand) (subject, error) {
	var signers [2][secretsPerClass]*sign.Signer
	err := eachSecret(rng, func(class, i int) (err error) {
		signers[class][i], err = newSigner(backend, seedOf(class))
		return err
	})
	digests, sigs := make([][32]byte, n), make([][64]byte, n)
	for i := range digests {
		rand.Read(digests[i][:])
	}
	return subject{secretsPerClass, func(class, i int) { mustSign(signers[class][i], digests, sigs) }, sigs}, err
}

// nonceSubject signs the same n digests, and n random ones, with one key: a nonce is a hash of a secret and the digest.
// (Digest, R and S differ between the classes too. They are public, and so more may be found than is a leak.)
func nonceSubject(backend sign.Backend, n int, rng *mathrand.Rand) (subject, error) {
	signer, err := newSigner(backend, seedOf(random))
	if err != nil {
		return subject{}, err
	}
	same := make([][32]byte, n)
	for i := range same {
		rand.Read(same[i][:])
	}
	var digests [2][secretsPerClass][][32]byte
	err = eachSecret(rng, func(class, i int) error {
		digests[class][i] = make([][32]byte, n)
		copy(digests[class][i], same)
		if class == random {
			for j := range digests[class][i] {
				rand.Read(digests[class][i][j][:])
			}
		}
		return nil
	})
	sigs := make([][64]byte, n)
	return subject{secretsPerClass, func(class, i int) { mustSign(signer, digests[class][i], sigs) }, sigs}, err
}

// controlSubject runs a loop whose count depends on the class, by two parts in a hundred.
func controlSubject(_ sign.Backend, n int, _ *mathrand.Rand) (subject, error) {
	x := uint64(n) | 1
	return subject{secrets: secretsPerClass, do: func(class, _ int) {
		count := 5000
		if class == fixed {
			count += 100
		}
		for range count {
			x *= x
		}
		if x == 0 { // never, as powers of an odd number are odd; so the loop is not left out
			panic("dudect: an odd number has an even power")
		}
	}}, nil
}

// eachSecret calls f for every secret of both classes, a coin saying which class comes first.
func eachSecret(rng *mathrand.Rand, f func(class, i int) error) error {
	for i := range secretsPerClass {
		first := rng.IntN(2)
		for turn := range 2 {
			if err := f(first^turn, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func seedOf(class int) (seed [32]byte) {
	rand.Read(seed[:]) // of both, that both take as long to make
	if class == fixed {
		return [32]byte{1}
	}
	return seed
}

// newSigner makes a signer that does not check what it made: verifying takes a time that depends on the signature, which is
// public, and would be found.
func newSigner(backend sign.Backend, seed [32]byte) (*sign.Signer, error) {
	return sign.NewSigner(&seed).With(sign.SignerConfig{Backend: backend, NoSelfCheck: true})
}

func mustSign(s *sign.Signer, digests [][32]byte, sigs [][64]byte) {
	if err := s.SignBatch(digests, sigs); err != nil {
		panic(fmt.Sprintf("dudect: a signer that checks nothing: %v", err))
	}
}
