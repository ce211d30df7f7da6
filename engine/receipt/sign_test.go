package receipt

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"lukechampine.com/blake3"
)

func newKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(n)), ed25519.SeedSize)))
}

func TestSign(t *testing.T) {
	key := newKey(1)
	public := key.Public().(ed25519.PublicKey)
	for _, labels := range [][]Label{nil, {{"a", "b"}}, {{"a", strings.Repeat("x", 5000)}}} {
		r := sample(t)
		r.Labels, r.Hash, r.Sig = labels, Hash{}, Sig{}
		if err := r.Verify(public); fieldOf(t, err) != "hash" {
			t.Errorf("unsigned: got %v, want a refusal of hash", err)
		}
		if err := r.Sign(key); err != nil {
			t.Fatal(err)
		}
		var want [32]byte
		blake3.DeriveKey(want[:], "encseal 2026-11-23 receipt v1", oracle(t, &r, true))
		if got, ok := r.Hash.Digest(); !ok || got != want {
			t.Errorf("got %x, want %x", got, want)
		}
		sig, ok := r.Sig.Bytes()
		if !ok || !ed25519.Verify(public, want[:], sig[:]) {
			t.Errorf("got %v, want a signature", r.Sig)
		}
		if err := r.Verify(public); err != nil {
			t.Errorf("verify: %v", err)
		}
		if err := r.Verify(newKey(2).Public().(ed25519.PublicKey)); fieldOf(t, err) != "sig" {
			t.Errorf("other key: got %v, want a refusal of sig", err)
		}
	}
}

func TestVerifyNames(t *testing.T) {
	key := newKey(1)
	public := key.Public().(ed25519.PublicKey)
	for field, spoil := range map[string]func(r *Receipt){
		"hash":      func(r *Receipt) { r.Op += "x" },
		"sig":       func(r *Receipt) { r.Sig.bytes[3] ^= 1 },
		"app":       func(r *Receipt) { r.App = "" },
		"prev_hash": func(r *Receipt) { r.PrevHash = Hash{} },
	} {
		r := sample(t)
		if err := r.Sign(key); err != nil {
			t.Fatal(err)
		}
		spoil(&r)
		if err := r.Verify(public); fieldOf(t, err) != field {
			t.Errorf("got %v, want a refusal of %s", err, field)
		}
	}
	r := sample(t)
	if err := r.Sign(key); err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"blake3:x", strings.ToUpper(r.Hash.String()[7:])} {
		bad := r
		bad.Hash = Hash{text: "blake3:" + strings.TrimPrefix(h, "blake3:")}
		if err := bad.Verify(public); fieldOf(t, err) != "hash" {
			t.Errorf("%s: got %v, want a refusal of hash", h, err)
		}
	}
	bad := r
	bad.Sig, _ = ParseSig("ed25519:y")
	if err := bad.Verify(public); fieldOf(t, err) != "sig" {
		t.Errorf("got %v, want a refusal of sig", err)
	}
}

func TestKeyLengths(t *testing.T) {
	r := sample(t)
	before := r
	if err := r.Sign(make([]byte, 32)); err == nil || !strings.Contains(err.Error(), "32 bytes") || !same(&r, &before) {
		t.Errorf("got %v, want a refusal of the key and the receipt unchanged", err)
	}
	if err := r.Verify(make([]byte, 31)); err == nil || !strings.Contains(err.Error(), "31 bytes") {
		t.Errorf("got %v, want a refusal of the key", err)
	}
	r.App = ""
	before = r
	if err := r.Sign(newKey(1)); fieldOf(t, err) != "app" || !same(&r, &before) {
		t.Errorf("got %v, want a refusal of app and the receipt unchanged", err)
	}
}
