package sign

import (
	"fmt"
	"testing"
)

// BenchmarkSign: an op is one signature.
func BenchmarkSign(b *testing.B) {
	for _, n := range []int{1, 8, 64, 256} {
		for _, impl := range benchImpls() {
			b.Run(fmt.Sprintf("n=%d/impl=%s", n, impl.name), func(b *testing.B) {
				s, err := NewSigner(&[32]byte{1}).With(impl.cfg)
				if err != nil {
					b.Fatal(err)
				}
				digests, sigs := randomDigests(n, 1), make([][64]byte, n)
				b.ReportAllocs()
				for done := 0; done < b.N; done += n {
					if err := s.SignBatch(digests[:min(n, b.N-done)], sigs[:min(n, b.N-done)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

type benchImpl struct {
	name string
	cfg  SignerConfig
}

func benchImpls() []benchImpl {
	var all []benchImpl
	for _, backend := range Backends() {
		all = append(all, benchImpl{backend.String(), SignerConfig{Backend: backend, NoSelfCheck: true}})
		if backend != StdLib {
			all = append(all, benchImpl{backend.String() + "-checked", SignerConfig{Backend: backend}})
		}
	}
	return all
}

// BenchmarkVerify: an op is one signature.
func BenchmarkVerify(b *testing.B) {
	const n = 64
	digests, sigs, ok := randomDigests(n, 1), make([][64]byte, n), make([]bool, n)
	for _, count := range []int{1, n} {
		signers, keys := make([]*Signer, n), make([]PublicKey, n)
		for i := range signers {
			signers[i] = NewSigner(&[32]byte{byte(i % count), 2})
			keys[i] = signers[i].PublicKey()
		}
		if err := SignMany(signers, digests, sigs); err != nil {
			b.Fatal(err)
		}
		for _, backend := range Backends() {
			b.Run(fmt.Sprintf("keys=%d/n=%d/impl=%s", count, n, backend), func(b *testing.B) {
				v := Verifier{Backend: backend}
				v.VerifyBatch(keys, digests, sigs, ok)
				b.ReportAllocs()
				b.ResetTimer()
				for done := 0; done < b.N; done += n {
					m := min(n, b.N-done)
					v.VerifyBatch(keys[:m], digests[:m], sigs[:m], ok[:m])
				}
			})
		}
	}
}
