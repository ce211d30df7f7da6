package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/fips140"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestBackends holds the list against ENCSEAL_SIGN_BACKENDS, the backends that must be live on this machine, separated by
// spaces or commas: without it, a CPU or a build that has lost one would skip its tests and nobody would see it.
func TestBackends(t *testing.T) {
	all := Backends()
	want := strings.FieldsFunc(os.Getenv("ENCSEAL_SIGN_BACKENDS"), func(r rune) bool { return r == ' ' || r == ',' })
	for _, name := range want {
		if !slices.ContainsFunc(all, func(b Backend) bool { return b.String() == name }) {
			t.Errorf("%s does not run here: Backends is %v", name, all)
		}
	}
	if all[len(all)-1] != StdLib {
		t.Errorf("Backends is %v, want stdlib at the end", all)
	}
	if fips140.Enabled() && len(all) != 1 {
		t.Errorf("FIPS 140 mode: Backends is %v, want stdlib alone", all)
	}
	all[0] = 77
	if Backends()[0] == 77 {
		t.Error("Backends returns its own array")
	}
	t.Logf("backends: %v", Backends())
}

func TestBackendThatDoesNotRun(t *testing.T) {
	s := NewSigner(&[32]byte{1})
	if _, err := s.With(SignerConfig{Backend: 200}); err == nil || !strings.Contains(err.Error(), "SignerConfig.Backend") {
		t.Errorf("With: got %v, want an error that names SignerConfig.Backend", err)
	}
	defer func() {
		if msg, _ := recover().(string); !strings.HasPrefix(msg, "sign: Verifier.Backend") {
			t.Errorf("VerifyBatch: got %q, want a panic that names Verifier.Backend", msg)
		}
	}()
	v := Verifier{Backend: 200}
	v.VerifyBatch(nil, nil, nil, nil)
}

// brief asks for fewer cases: under the race detector, which makes arithmetic twenty times as slow and which more cases on one
// goroutine tell nothing.
func brief() bool { return testing.Short() || raceDetector }

// eachConfig runs f for every backend, checked and unchecked.
func eachConfig(t *testing.T, f func(t *testing.T, cfg SignerConfig)) {
	for _, backend := range Backends() {
		for _, unchecked := range []bool{true, false} {
			t.Run(fmt.Sprintf("backend=%s/unchecked=%v", backend, unchecked), func(t *testing.T) {
				f(t, SignerConfig{Backend: backend, NoSelfCheck: unchecked})
			})
		}
	}
}

func with(t testing.TB, seed [32]byte, cfg SignerConfig) *Signer {
	t.Helper()
	s, err := NewSigner(&seed).With(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSignBatch compares batches of every size to 200 with crypto/ed25519, byte for byte: with one key, and with one key for
// each. What is checked after signing is slow on the backends without lanes: there, some sizes stand for all unless
// ENCSEAL_LONG=1.
func TestSignBatch(t *testing.T) {
	const most = 200
	long := os.Getenv("ENCSEAL_LONG") == "1"
	digests := randomDigests(most, 1)
	seeds := randomDigests(most, 2)
	one := ed25519.NewKeyFromSeed(seeds[0][:])
	var wantOne, wantMany [][]byte
	for i := range most {
		wantOne = append(wantOne, ed25519.Sign(one, digests[i][:]))
		wantMany = append(wantMany, ed25519.Sign(ed25519.NewKeyFromSeed(seeds[i][:]), digests[i][:]))
	}
	eachConfig(t, func(t *testing.T, cfg SignerConfig) {
		var signers []*Signer
		for i := range most {
			signers = append(signers, with(t, seeds[i], cfg))
		}
		for n := range most + 1 {
			few := cfg.Backend != IFMA && (brief() || !cfg.NoSelfCheck && !long)
			if few && n > 20 && n%64 > 1 {
				continue
			}
			sigs := make([][64]byte, n)
			if err := signers[0].SignBatch(digests[:n], sigs); err != nil {
				t.Fatal(err)
			}
			compare(t, sigs, wantOne)
			if err := SignMany(signers[:n], digests[:n], sigs); err != nil {
				t.Fatal(err)
			}
			compare(t, sigs, wantMany)
		}
	})
}

func compare(t *testing.T, got [][64]byte, want [][]byte) {
	t.Helper()
	for i := range got {
		if !bytes.Equal(got[i][:], want[i]) {
			t.Fatalf("batch of %d, signature %d: got %x, want %x", len(got), i, got[i], want[i])
		}
	}
}

// TestRandomPairs signs 10,000 random digests with 10,000 random keys and compares with crypto/ed25519, byte for byte. With
// ENCSEAL_LONG=1 there are a million, but not for stdlib, which is compared with itself.
func TestRandomPairs(t *testing.T) {
	for _, backend := range Backends() {
		pairs := 10_000
		switch {
		case brief():
			pairs = 1000
		case os.Getenv("ENCSEAL_LONG") == "1" && backend != StdLib:
			pairs = 1_000_000
		}
		t.Run("backend="+backend.String(), func(t *testing.T) {
			rng := rand.NewChaCha8([32]byte{byte(backend)})
			const n = 100
			for range pairs / n {
				var digests [n][32]byte
				var sigs [n][64]byte
				var signers [n]*Signer
				var want [][]byte
				for i := range n {
					var seed [32]byte
					rng.Read(seed[:])
					rng.Read(digests[i][:])
					signers[i] = with(t, seed, SignerConfig{Backend: backend, NoSelfCheck: true})
					want = append(want, ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), digests[i][:]))
				}
				if err := SignMany(signers[:], digests[:], sigs[:]); err != nil {
					t.Fatal(err)
				}
				compare(t, sigs[:], want)
			}
		})
	}
}

// TestSignManyMixed signs with few keys in changing order, so that some are checked with their tables and some without.
func TestSignManyMixed(t *testing.T) {
	eachConfig(t, func(t *testing.T, cfg SignerConfig) {
		rng := rand.New(rand.NewPCG(1, 2))
		const n = 150
		var signers []*Signer
		var want [][]byte
		digests, sigs := randomDigests(n, 3), make([][64]byte, n)
		for i := range n {
			seed := [32]byte{byte(min(rng.IntN(30), rng.IntN(30)))}
			signers = append(signers, with(t, seed, cfg))
			if i > 0 && rng.IntN(2) == 0 {
				signers[i] = signers[rng.IntN(i)]
			}
			want = append(want, ed25519.Sign(signers[i].key, digests[i][:]))
		}
		if err := SignMany(signers, digests, sigs); err != nil {
			t.Fatal(err)
		}
		compare(t, sigs, want)
	})
}

// TestFaults signs with keys that a fault has touched. A checked signer must notice and withhold the batch; that an
// unchecked one does not shows that the faults are such.
func TestFaults(t *testing.T) {
	faults := map[string]func(*Signer){
		"scalar": func(s *Signer) {
			s.exp.lanes.Scalar[7] ^= 1
			s.exp.scalar.Add(&s.exp.scalar, &s.exp.scalar)
		},
		"public key in the hash": func(s *Signer) {
			s.exp.pub[3] ^= 4
			s.exp.lanes.Public[3] ^= 4
		},
	}
	for name, fault := range faults {
		eachConfig(t, func(t *testing.T, cfg SignerConfig) {
			if cfg.Backend == StdLib {
				t.Skip("crypto/ed25519 keeps its own copies")
			}
			for _, n := range []int{1, 20, 300} {
				good, bad := with(t, [32]byte{1}, cfg), with(t, [32]byte{2}, cfg)
				fault(bad)
				digests := randomDigests(n, 1)
				for kind, signers := range map[string][]*Signer{"one": {bad}, "many": append(slices.Repeat([]*Signer{good}, n-1), bad)} {
					sigs := make([][64]byte, n)
					err := SignMany(signers, digests, sigs)
					wrong := !ed25519.Verify(bad.pub[:], digests[n-1][:], sigs[n-1][:])
					switch {
					case !wrong:
						t.Errorf("%s, %s, batch of %d: the fault has no effect", name, kind, n)
					case cfg.NoSelfCheck && err != nil:
						t.Errorf("%s, %s, batch of %d: got %v, want no check", name, kind, n, err)
					case !cfg.NoSelfCheck && !errors.Is(err, ErrFault):
						t.Errorf("%s, %s, batch of %d: got %v, want ErrFault", name, kind, n, err)
					case !cfg.NoSelfCheck && slices.ContainsFunc(sigs, func(s [64]byte) bool { return s != [64]byte{} }):
						t.Errorf("%s, %s, batch of %d: not all of it is zero", name, kind, n)
					}
				}
			}
		})
	}
}

func TestSignBatchAllocations(t *testing.T) {
	const n = 70
	digests, ok := randomDigests(n, 1), make([]bool, n)
	one, sigs := make([][64]byte, n), make([][64]byte, n)
	many, keys := make([]*Signer, n), make([]PublicKey, n)
	eachConfig(t, func(t *testing.T, cfg SignerConfig) {
		for i := range many {
			many[i] = with(t, [32]byte{byte(i % 40)}, cfg)
			keys[i] = many[i].PublicKey()
		}
		v := Verifier{Backend: cfg.Backend}
		many[0].SignBatch(digests, one)
		SignMany(many, digests, sigs)
		for range 3 { // tables are made
			v.VerifyBatch(keys, digests, sigs, ok)
			v.VerifyBatch(keys[:1], digests, one, ok)
		}
		for name, f := range map[string]func(){
			"SignBatch":              func() { many[0].SignBatch(digests, one) },
			"SignMany":               func() { SignMany(many, digests, sigs) },
			"VerifyBatch, one key":   func() { v.VerifyBatch(keys[:1], digests, one, ok) },
			"VerifyBatch, many keys": func() { v.VerifyBatch(keys, digests, sigs, ok) },
		} {
			// A collection may take what a pool holds, so the least of a few counts.
			least := testing.AllocsPerRun(3, f)
			for range 3 {
				least = min(least, testing.AllocsPerRun(3, f))
			}
			if least != 0 {
				t.Errorf("%s: got %v allocations, want 0", name, least)
			}
		}
	})
}

// TestOneKeySizes verifies every batch size under one key, before it has a table and after.
func TestOneKeySizes(t *testing.T) {
	s := NewSigner(&[32]byte{9})
	digests, sigs := randomDigests(300, 9), make([][64]byte, 300)
	if err := s.SignBatch(digests, sigs); err != nil {
		t.Fatal(err)
	}
	for _, backend := range Backends() {
		v := Verifier{Backend: backend}
		for n := range 300 {
			if n > 20 && n%128 > 1 && (backend != IFMA || brief()) {
				continue
			}
			var all []triple
			want := make([]bool, n)
			for i := range n {
				all = append(all, triple{s.PublicKey(), digests[i], sigs[i]})
				want[i] = i%17 != n%17
				if !want[i] {
					all[i].sig[i%64] ^= 0x10
				}
			}
			checkVerdicts(t, &v, all, want, n > 0)
		}
	}
}
