package bench

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"runtime"
	"testing"

	"github.com/encseal/encseal/engine/sign"
)

// BenchmarkSign signs n digests with one key; an op is one signature. impl=stdlib is crypto/ed25519, which checks nothing
// after signing, as ifma and portable here; ifma-checked is what a Signer does unless told otherwise.
func BenchmarkSign(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	signer, err := sign.GenerateSigner()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 8, 64, 256} {
		digests, sigs := randomDigests(b, n), make([][64]byte, n)
		for _, backend := range sign.Backends() {
			for _, checked := range []bool{false, true} {
				impl := backend.String()
				if checked {
					impl += "-checked"
				}
				with, err := signer.With(sign.SignerConfig{Backend: backend, NoSelfCheck: !checked})
				if err != nil {
					b.Fatal(err)
				}
				b.Run(fmt.Sprintf("n=%d/impl=%s", n, impl), func(b *testing.B) {
					each(b, 1, 32*n, n, func() {
						if err := with.SignBatch(digests, sigs); err != nil {
							b.Fatal(err)
						}
					})
				})
			}
		}
	}
}

// BenchmarkVerify verifies 64 signatures of 1 or 64 keys; an op is one signature.
func BenchmarkVerify(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const n = 64
	for _, distinct := range []int{1, n} {
		keys, digests, sigs := signatures(b, distinct, n)
		ok := make([]bool, n)
		for _, backend := range sign.Backends() {
			b.Run(fmt.Sprintf("keys=%d/n=%d/impl=%s", distinct, n, backend), func(b *testing.B) {
				v := sign.Verifier{Backend: backend}
				each(b, 1, 32*n, n, func() {
					v.VerifyBatch(keys, digests, sigs, ok)
					for i, good := range ok {
						if !good {
							b.Fatalf("signature %d is refused", i)
						}
					}
				})
			})
		}
	}
}

// signatures returns n valid signatures, by distinct keys in turn.
func signatures(b *testing.B, distinct, n int) (keys []sign.PublicKey, digests [][32]byte, sigs [][64]byte) {
	b.Helper()
	digests, sigs = randomDigests(b, n), make([][64]byte, n)
	signers := make([]ed25519.PrivateKey, distinct)
	for i := range signers {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			b.Fatal(err)
		}
		signers[i] = key
	}
	for i := range n {
		key := signers[i%distinct]
		copy(sigs[i][:], ed25519.Sign(key, digests[i][:]))
		keys = append(keys, sign.PublicKey(key.Public().(ed25519.PublicKey)))
	}
	return keys, digests, sigs
}

func randomDigests(b *testing.B, n int) [][32]byte {
	b.Helper()
	digests := make([][32]byte, n)
	for i := range digests {
		if _, err := rand.Read(digests[i][:]); err != nil {
			b.Fatal(err)
		}
	}
	return digests
}
