package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
)

// rfc8032 is RFC 8032 §7.1: TEST 1, TEST 2, TEST 3 and TEST SHA(abc).
func rfc8032() []struct{ seed, key, msg, sig string } {
	return []struct{ seed, key, msg, sig string }{
		{
			"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
			"",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		}, {
			"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
			"72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
		}, {
			"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
			"af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		}, {
			"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
			"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
			"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			"dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
		},
	}
}

// TestRFC8032 checks the public keys, and that the key which SignBatch uses makes the standard's signatures; their
// messages have other lengths than ours. What each backend makes of a digest with these keys is crypto/ed25519's.
func TestRFC8032(t *testing.T) {
	for i, v := range rfc8032() {
		seed := [32]byte(keyOf(t, v.seed))
		s := NewSigner(&seed)
		if got := hex.EncodeToString(s.pub[:]); got != v.key {
			t.Errorf("vector %d: public key: got %s, want %s", i, got, v.key)
		}
		msg, err := hex.DecodeString(v.msg)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(ed25519.Sign(s.key, msg)); got != v.sig {
			t.Errorf("vector %d: signature: got %s, want %s", i, got, v.sig)
		}
		digest := randomDigests(1, byte(i))
		want := ed25519.Sign(ed25519.NewKeyFromSeed(seed[:]), digest[0][:])
		for _, backend := range Backends() {
			var sig [1][64]byte
			if err := with(t, seed, SignerConfig{Backend: backend}).SignBatch(digest, sig[:]); err != nil {
				t.Fatal(err)
			}
			compare(t, sig[:], [][]byte{want})
		}
	}
}

// TestLogBlockSignatures makes the signatures of the vectors' LogBlocks from their seed and block hashes.
func TestLogBlockSignatures(t *testing.T) {
	const dir = "../../testdata/"
	var vectors map[string]json.RawMessage
	unmarshal(t, readFile(t, dir+"vectors.json"), &vectors)
	var run struct {
		Seed string `json:"notary_seed"`
		Key  string `json:"notary_key"`
	}
	unmarshal(t, vectors["encseal-1"], &run)
	seed := [32]byte(keyOf(t, run.Seed))
	s := NewSigner(&seed)
	if got := s.PublicKey().String(); got != run.Key {
		t.Fatalf("key: got %s, want %s", got, run.Key)
	}
	var digests [][32]byte
	for _, line := range strings.Fields(string(readFile(t, dir+"encseal-1.block_hash.hex"))) {
		digests = append(digests, [32]byte(keyOf(t, line)))
	}
	sigs := make([][64]byte, len(digests))
	if err := s.SignBatch(digests, sigs); err != nil {
		t.Fatal(err)
	}
	blocks := bytes.Split(bytes.TrimSpace(readFile(t, dir+"encseal-1.blocks.ndjson")), []byte("\n"))
	if len(blocks) != len(sigs) || len(sigs) == 0 {
		t.Fatalf("%d blocks, %d block hashes", len(blocks), len(sigs))
	}
	for i, line := range blocks {
		var block struct {
			Sig string `json:"sig_notary"`
		}
		unmarshal(t, line, &block)
		if got := "ed25519:" + hex.EncodeToString(sigs[i][:]); got != block.Sig {
			t.Errorf("block %d: got %s, want %s", i+1, got, block.Sig)
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func unmarshal(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// randomDigests returns n digests, the same for the same seed.
func randomDigests(n int, seed byte) [][32]byte {
	rng := rand.NewChaCha8([32]byte{seed})
	digests := make([][32]byte, n)
	for i := range digests {
		rng.Read(digests[i][:])
	}
	return digests
}

func TestSignBatchConcurrent(t *testing.T) {
	s, err := GenerateSigner()
	if err != nil {
		t.Fatal(err)
	}
	keys := []PublicKey{s.PublicKey()}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			var v Verifier
			digests := randomDigests(20, byte(g))
			sigs, ok := make([][64]byte, 20), make([]bool, 20)
			if err := s.SignBatch(digests, sigs); err != nil {
				t.Error(err)
			}
			v.VerifyBatch(keys, digests, sigs, ok)
			for i := range ok {
				if !ok[i] {
					t.Errorf("goroutine %d: signature %d does not hold", g, i)
				}
			}
		})
	}
	wg.Wait()
}

func TestLengthMismatchPanics(t *testing.T) {
	s := NewSigner(&[32]byte{1})
	keys := func(n int) []PublicKey { return make([]PublicKey, n) }
	digests := func(n int) [][32]byte { return make([][32]byte, n) }
	sigs := func(n int) [][64]byte { return make([][64]byte, n) }
	ok := func(n int) []bool { return make([]bool, n) }
	var v Verifier
	for name, call := range map[string]func(){
		"SignBatch 1 into 0":   func() { s.SignBatch(digests(1), nil) },
		"SignBatch 0 into 1":   func() { s.SignBatch(nil, sigs(1)) },
		"VerifyBatch sigs":     func() { v.VerifyBatch(keys(2), digests(2), sigs(1), ok(2)) },
		"VerifyBatch verdicts": func() { v.VerifyBatch(keys(2), digests(2), sigs(2), ok(3)) },
		"VerifyBatch no key":   func() { v.VerifyBatch(nil, digests(2), sigs(2), ok(2)) },
		"VerifyBatch two keys": func() { v.VerifyBatch(keys(2), digests(3), sigs(3), ok(3)) },
		"VerifyBatch two of 1": func() { v.VerifyBatch(keys(2), digests(1), sigs(1), ok(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if msg, _ := recover().(string); !strings.HasPrefix(msg, "sign: ") {
					t.Errorf("got %q, want a panic that begins with sign:", msg)
				}
			}()
			call()
		})
	}
	if err := s.SignBatch(nil, nil); err != nil {
		t.Errorf("empty batch: %v", err)
	}
	v.VerifyBatch(nil, nil, nil, nil)
	v.VerifyBatch(keys(1), nil, nil, nil)
}

func TestSignerHidesItsKey(t *testing.T) {
	seed := [32]byte{0xde, 0xad, 0xbe, 0xef, 0x42}
	s := NewSigner(&seed)
	want := "signer of " + s.PublicKey().String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("%s: got %q, want %q", verb, got, want)
		}
		if got := fmt.Sprintf(verb, *s); got != want {
			t.Errorf("%s of the value: got %q, want %q", verb, got, want)
		}
	}
	if got, err := json.Marshal(s); err != nil || string(got) != "{}" {
		t.Errorf("JSON: got %s, %v, want {}", got, err)
	}
}
