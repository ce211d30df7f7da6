package sign

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// smallOrderKeys are the canonical encodings of the eight points of small order, as the literature lists them.
func smallOrderKeys() []string {
	return []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	}
}

// otherSmallOrderKeys are their non-canonical encodings.
func otherSmallOrderKeys() []string {
	return []string{
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	}
}

func keyOf(t *testing.T, digits string) PublicKey {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 32 {
		t.Fatalf("bad key in the test: %q", digits)
	}
	return PublicKey(b)
}

// wantReason fails unless err is of the package and says the reason.
func wantReason(t *testing.T, what string, err error, reason string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: got no error, want %q", what, reason)
	} else if !strings.HasPrefix(err.Error(), "sign: ") || !strings.Contains(err.Error(), reason) {
		t.Errorf("%s: got %q, want sign: … %q", what, err, reason)
	}
}

func TestCheckSmallOrder(t *testing.T) {
	c := newCurve()
	listed := map[PublicKey]bool{}
	for _, digits := range smallOrderKeys() {
		k := keyOf(t, digits)
		listed[k] = true
		wantReason(t, digits, k.Check(), "small order")
	}
	for i, p := range c.torsion(t) {
		k := PublicKey(c.encode(p))
		if !listed[k] {
			t.Errorf("torsion point %d: %s is not in the list", i, k)
		}
		delete(listed, k)
	}
	if len(listed) != 0 {
		t.Errorf("listed keys that are no torsion points: %v", listed)
	}
}

func TestCheckNonCanonical(t *testing.T) {
	for _, digits := range otherSmallOrderKeys() {
		wantReason(t, digits, keyOf(t, digits).Check(), "not canonical")
	}
	wantReason(t, "(0, 1), sign bit", keyOf(t, otherSmallOrderKeys()[0]).Check(), "x is zero and its sign bit is set")
	wantReason(t, "(0, -1), sign bit", keyOf(t, otherSmallOrderKeys()[1]).Check(), "x is zero and its sign bit is set")
	// y from p to 2^255 − 1, on the curve or not, with both signs.
	p := newCurve().p
	for i := range int64(19) {
		k := PublicKey(scalarBytes(new(big.Int).Add(p, big.NewInt(i))))
		wantReason(t, k.String(), k.Check(), "y is not below 2^255-19")
		k[31] |= 0x80
		wantReason(t, k.String(), k.Check(), "y is not below 2^255-19")
	}
	// p − 2 is the largest y whose verdict is the curve's.
	k := PublicKey(scalarBytes(new(big.Int).Sub(p, big.NewInt(2))))
	if err := k.Check(); err != nil && strings.Contains(err.Error(), "canonical") {
		t.Errorf("y = p-2: got %q, want no word of its encoding", err)
	}
}

// TestCheckAgainstArithmetic holds Check to decompression by square root and to multiplication by 8.
func TestCheckAgainstArithmetic(t *testing.T) {
	c := newCurve()
	rng := rand.NewChaCha8([32]byte{1})
	var keys []PublicKey
	for y := range byte(60) {
		keys = append(keys, PublicKey{0: y}, PublicKey{0: y, 31: 0x80})
	}
	for range 300 {
		var k PublicKey
		rng.Read(k[:])
		keys = append(keys, k)
	}
	good, off := 0, 0
	for _, k := range keys {
		p, onCurve := c.decode(k, true)
		small := onCurve && c.isIdentity(c.times(big.NewInt(8), p))
		err := k.Check()
		if got, want := err == nil, onCurve && !small; got != want {
			t.Errorf("%s: got %v, want accepted = %v", k, err, want)
		}
		if onCurve && !small {
			good++
		}
		if !onCurve && !strings.Contains(err.Error(), "canonical") {
			off++
			wantReason(t, k.String(), err, "no point of the curve")
		}
	}
	if good < 100 || off < 100 {
		t.Errorf("%d keys accepted, %d off the curve: the test has lost its range", good, off)
	}
}

func TestCheckMixedOrder(t *testing.T) {
	c := newCurve()
	for i, torsion := range c.torsion(t) {
		p := c.add(c.times(big.NewInt(int64(1000+i)), c.base()), torsion)
		if mixed := !c.isIdentity(c.times(c.order, p)); mixed != (i != 0) {
			t.Fatalf("point %d: mixed order is %v", i, mixed)
		}
		if err := PublicKey(c.encode(p)).Check(); err != nil {
			t.Errorf("point %d: got %q, want no error", i, err)
		}
	}
}

func TestCheckAcceptsSignersKeys(t *testing.T) {
	for range 50 {
		s, err := GenerateSigner()
		if err != nil {
			t.Fatal(err)
		}
		k := s.PublicKey()
		if err := k.Check(); err != nil {
			t.Errorf("%s: got %q, want no error", k, err)
		}
		if got, err := ParsePublicKey(k.String()); got != k || err != nil {
			t.Errorf("parsed again: got %s, %v, want %s", got, err, k)
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	const good = "2e518c81e963c324df5198eb3494b312baf3f68b56015a5beb410eacfe46f3c5"
	for _, c := range []struct{ text, reason string }{
		{"", `not "ed25519:"`},
		{good, `not "ed25519:"`},
		{"ED25519:" + good, `not "ed25519:"`},
		{" ed25519:" + good, `not "ed25519:"`},
		{"ed25519:", "0 characters"},
		{"ed25519:" + good[1:], "63 characters"},
		{"ed25519:" + good + "\n", "65 characters"},
		{"ed25519:" + good + good, "128 characters"},
		{"ed25519:" + strings.ToUpper(good), "lower case"},
		{"ed25519:" + good[:63] + "g", "no hexadecimal digit"},
		{"ed25519:" + good[:62] + "é", "no hexadecimal digit"},
		{"ed25519:" + smallOrderKeys()[4], "small order"},
		{"ed25519:" + otherSmallOrderKeys()[2], "not canonical"},
		{"ed25519:02" + strings.Repeat("00", 31), "no point of the curve"},
	} {
		k, err := ParsePublicKey(c.text)
		wantReason(t, c.text, err, c.reason)
		if k != (PublicKey{}) {
			t.Errorf("%q: got the key %s beside its error, want none", c.text, k)
		}
		if err != nil && strings.Contains(err.Error(), good[8:32]) {
			t.Errorf("%q: its error repeats it: %q", c.text, err)
		}
	}
	if _, err := ParsePublicKey("ed25519:" + good); err != nil {
		t.Errorf("good key: got %q, want no error", err)
	}
}

func TestPublicKeyText(t *testing.T) {
	k := keyOf(t, "2e518c81e963c324df5198eb3494b312baf3f68b56015a5beb410eacfe46f3c5")
	const want = "ed25519:2e518c81e963c324df5198eb3494b312baf3f68b56015a5beb410eacfe46f3c5"
	if got := k.String(); got != want {
		t.Errorf("String: got %q, want %q", got, want)
	}
	if got := string(k.AppendText([]byte("key="))); got != "key="+want {
		t.Errorf("AppendText: got %q, want %q", got, "key="+want)
	}
	buf := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() { k.AppendText(buf) }); n != 0 {
		t.Errorf("AppendText: %v allocations, want 0", n)
	}
}

func TestAppendPEM(t *testing.T) {
	s := NewSigner(&[32]byte{1})
	k := s.PublicKey()
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	want := append([]byte("x\n"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...)
	if got := k.AppendPEM([]byte("x\n")); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkCheck(b *testing.B) {
	k := NewSigner(&[32]byte{1}).PublicKey()
	for b.Loop() {
		if k.Check() != nil {
			b.Fatal("refused")
		}
	}
}
