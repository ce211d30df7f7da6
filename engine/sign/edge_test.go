package sign

import (
	"crypto/ed25519"
	"encoding/hex"
	"slices"
	"testing"
)

// triple is one question to a verifier.
type triple struct {
	key    PublicKey
	digest [32]byte
	sig    [64]byte
}

// verdicts asks crypto/ed25519, Verify, and VerifyBatch of every backend, and fails where they differ. VerifyBatch is asked in
// batches of several sizes, one by one too, by one Verifier that comes to know the keys, and key by key, with tables where there are any.
func verdicts(t *testing.T, all []triple) []bool {
	t.Helper()
	want := make([]bool, len(all))
	for i, q := range all {
		want[i] = ed25519.Verify(q.key[:], q.digest[:], q.sig[:])
		if got := Verify(&q.key, &q.digest, &q.sig); got != want[i] {
			t.Errorf("Verify %d: got %v, want %v: key %s digest %x sig %x", i, got, want[i], q.key, q.digest, q.sig)
		}
	}
	for _, backend := range Backends() {
		v := Verifier{Backend: backend}
		sizes := []int{1, 7, 64, len(all)}
		if brief() {
			sizes = sizes[1:]
		}
		for _, size := range sizes {
			for from := 0; from < len(all); from += size {
				to := min(from+size, len(all))
				checkVerdicts(t, &v, all[from:to], want[from:to], false)
			}
		}
		byKey := map[PublicKey][]int{}
		for i, q := range all {
			byKey[q.key] = append(byKey[q.key], i)
		}
		for _, indices := range byKey {
			// The same ones again and again: the key has a table then.
			for backend == IFMA && len(indices) < tableAfter {
				indices = append(indices, indices...)
			}
			part, wantPart := make([]triple, len(indices)), make([]bool, len(indices))
			for i, index := range indices {
				part[i], wantPart[i] = all[index], want[index]
			}
			checkVerdicts(t, &v, part, wantPart, true)
		}
	}
	return want
}

// checkVerdicts asks v about all at once; with one, the key of all is given once.
func checkVerdicts(t *testing.T, v *Verifier, all []triple, want []bool, one bool) {
	t.Helper()
	keys := make([]PublicKey, len(all))
	digests, sigs := make([][32]byte, len(all)), make([][64]byte, len(all))
	ok := make([]bool, len(all))
	for i, q := range all {
		keys[i], digests[i], sigs[i] = q.key, q.digest, q.sig
		ok[i] = !want[i] // whatever it held is overwritten
	}
	if one {
		keys = keys[:1]
	}
	v.VerifyBatch(keys, digests, sigs, ok)
	for i := range ok {
		if ok[i] != want[i] {
			t.Fatalf("%s: VerifyBatch of %d with %d keys: verdict %d: got %v, want %v: key %s digest %x sig %x",
				v.Backend, len(all), len(keys), i, ok[i], want[i], all[i].key, all[i].digest, all[i].sig)
		}
	}
}

// TestSpeccheck holds the cases of ed25519-speccheck (Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs, table 6)
// and the verdicts that its authors report for Go.
func TestSpeccheck(t *testing.T) {
	cases := []struct {
		digest, key, sig string
		want             bool
	}{
		// S = 0, A and R of small order.
		{"8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000", true},
		// A of small order, R of mixed order.
		{"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04", true},
		// A of mixed order, R of small order.
		{"aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e", true},
		// A and R of mixed order.
		{"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d", "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009", true},
		// The same, holding only with the cofactor.
		{"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d", "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09", false},
		// The same, with 8k reduced modulo ℓ first.
		{"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d", "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405", false},
		// S above ℓ; S far above ℓ.
		{"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623", "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514", false},
		{"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40", "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623", "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22", false},
		// R of small order, not canonical, hashed reduced; hashed as it came.
		{"fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607", false},
		{"84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1", "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09", false},
		// A of small order, not canonical, hashed reduced; hashed as it came.
		{"e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04", false},
		{"39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04", true},
	}
	var all []triple
	for _, c := range cases {
		sig, err := hex.DecodeString(c.sig)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, triple{keyOf(t, c.key), [32]byte(keyOf(t, c.digest)), [64]byte(sig)})
	}
	for i, got := range verdicts(t, all) {
		if got != cases[i].want {
			t.Errorf("case %d: got %v, want %v", i, got, cases[i].want)
		}
	}
}

// TestFlippedBits flips each bit of a signature and of its digest, and some of its key.
func TestFlippedBits(t *testing.T) {
	s := NewSigner(&[32]byte{6})
	digests, sigs := randomDigests(1, 6), make([][64]byte, 1)
	if err := s.SignBatch(digests, sigs); err != nil {
		t.Fatal(err)
	}
	good := triple{s.PublicKey(), digests[0], sigs[0]}
	all := []triple{good}
	for bit := range 512 {
		q := good
		q.sig[bit/8] ^= 1 << (bit % 8)
		all = append(all, q)
	}
	for bit := range 256 {
		q := good
		q.digest[bit/8] ^= 1 << (bit % 8)
		all = append(all, q)
		q = good
		q.key[bit/8] ^= 1 << (bit % 8)
		all = append(all, q)
	}
	for i, ok := range verdicts(t, all) {
		if ok != (i == 0) {
			t.Errorf("case %d: got %v, want %v", i, ok, i == 0)
		}
	}
}

// TestGarbage asks about keys and signatures of random bytes among valid ones, and about one key for a whole batch.
func TestGarbage(t *testing.T) {
	random := randomDigests(4*60, 8)
	var all []triple
	for i := range 60 {
		seed := [32]byte{byte(i % 5)}
		s := NewSigner(&seed)
		q := triple{key: s.PublicKey(), digest: random[4*i]}
		sigs := make([][64]byte, 1)
		if err := s.SignBatch([][32]byte{q.digest}, sigs); err != nil {
			t.Fatal(err)
		}
		q.sig = sigs[0]
		switch i % 4 {
		case 1:
			q.key = random[4*i+1]
		case 2:
			copy(q.sig[:], random[4*i+1][:])
		case 3:
			copy(q.sig[32:], random[4*i+1][:])
		}
		all = append(all, q)
	}
	got := verdicts(t, all)
	for i, ok := range got {
		if ok != (i%4 == 0) {
			t.Errorf("case %d: got %v, want %v", i, ok, i%4 == 0)
		}
	}
	digests, sigs := make([][32]byte, len(all)), make([][64]byte, len(all))
	ok, want := make([]bool, len(all)), make([]bool, len(all))
	for _, key := range []PublicKey{all[0].key, all[1].key, {2}} {
		for i, q := range all {
			digests[i], sigs[i] = q.digest, q.sig
			want[i] = ed25519.Verify(key[:], q.digest[:], q.sig[:])
		}
		new(Verifier).VerifyBatch([]PublicKey{key}, digests, sigs, ok)
		if !slices.Equal(ok, want) {
			t.Errorf("one key %s: got %v, want %v", key, ok, want)
		}
	}
}
