package receipt

import (
	"strings"
	"testing"
)

func TestParseHash(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	var want [32]byte
	for i := range want {
		want[i] = []byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}[i%8]
	}
	h, err := ParseHash("blake3:" + digits)
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := h.Digest(); !ok || d != want || h != Digest(want) {
		t.Errorf("got %x, %v, want %x", d, ok, want)
	}
	if got := h.String(); got != "blake3:"+digits {
		t.Errorf("got %s, want blake3:%s", got, digits)
	}
	if h.IsZero() || Digest([32]byte{}).IsZero() || Genesis().IsZero() || !(Hash{}).IsZero() || (Hash{}).String() != "" {
		t.Error("only the zero Hash is missing")
	}
	if h == (Hash{}) || Digest([32]byte{}) == (Hash{}) {
		t.Error("a digest equals the missing hash")
	}
	// Each digit spoilt: upper case, neighbours of the digits in ASCII, not ASCII.
	for i := range digits {
		for _, c := range []byte("AFg/:`@ \x00\x80\xb0") {
			text := "blake3:" + digits[:i] + string(c) + digits[i+1:]
			if c >= 0x80 {
				text = "blake3:" + digits[:i] + string([]byte{c}) + digits[i+1:]
			}
			h, err := ParseHash(text)
			if c >= 0x80 {
				if fieldOf(t, err) != "hash" || h != (Hash{}) {
					t.Errorf("%q: got %v (%v), want a refusal", text, h, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			if d, ok := h.Digest(); ok || d != [32]byte{} || h.String() != text {
				t.Errorf("%q: got %x, %v, %s, want text", text, d, ok, h)
			}
		}
	}
	for _, text := range []string{"blake3:genesis", "blake3:x", "blake3:" + digits[1:], "blake3:" + digits + "0",
		"blake3:" + strings.Repeat("é", 124), "blake3:\x00"} {
		h, err := ParseHash(text)
		other, _ := ParseHash(strings.Clone(text))
		if _, ok := h.Digest(); err != nil || ok || h.String() != text || h != other || string(h.AppendText([]byte("x"))) != "x"+text {
			t.Errorf("%q: got %s (%v)", text, h, err)
		}
	}
	if h, err := ParseHash("blake3:" + "genesis"); err != nil || h != Genesis() {
		t.Errorf("got %v (%v), want Genesis", h, err)
	}
	for text, reason := range map[string]string{
		"": "begin with", "blake3": "begin with", "Blake3:x": "begin with", "blake3:": "nothing after", digits: "begin with",
		"blake3:" + strings.Repeat("x", 249): "over 255", "blake3:\xff": "UTF-8", "ed25519:00": "begin with",
	} {
		if h, err := ParseHash(text); fieldOf(t, err) != "hash" || !strings.Contains(err.Error(), reason) || h != (Hash{}) {
			t.Errorf("%q: got %v (%v), want hash: %s", text, h, err, reason)
		}
	}
}

func TestParseSig(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 8)
	s, err := ParseSig("ed25519:" + digits)
	if err != nil {
		t.Fatal(err)
	}
	b, ok := s.Bytes()
	if !ok || s != Signature(b) || s.String() != "ed25519:"+digits || b[0] != 0x01 || b[63] != 0xef || s.IsZero() {
		t.Errorf("got %x, %v, %s", b, ok, s)
	}
	if Signature([64]byte{}).IsZero() || !(Sig{}).IsZero() || Signature([64]byte{}) == (Sig{}) || (Sig{}).String() != "" {
		t.Error("only the zero Sig is missing")
	}
	for _, text := range []string{"ed25519:y", "ed25519:" + strings.ToUpper(digits), "ed25519:" + digits[1:],
		"ed25519:" + digits + "0", "ed25519:" + strings.Repeat("y", 247)} {
		s, err := ParseSig(text)
		if b, ok := s.Bytes(); err != nil || ok || b != [64]byte{} || s.String() != text || string(s.AppendText([]byte("x"))) != "x"+text {
			t.Errorf("%q: got %s (%v)", text, s, err)
		}
	}
	for text, reason := range map[string]string{
		"": "begin with", "rsa:00": "begin with", "ed25519:": "nothing after", "ed25519:\xff": "UTF-8",
		"ed25519:" + strings.Repeat("y", 248): "over 255",
	} {
		if s, err := ParseSig(text); fieldOf(t, err) != "sig" || !strings.Contains(err.Error(), reason) || s != (Sig{}) {
			t.Errorf("%q: got %v (%v), want sig: %s", text, s, err, reason)
		}
	}
}

func TestSortLabels(t *testing.T) {
	l := []Label{{"b", "1"}, {"aa", "2"}, {"é", "3"}, {"a", "4"}, {"", "5"}, {"~", "6"}}
	SortLabels(l)
	got := ""
	for _, x := range l {
		got += x.Value
	}
	if want := "541623"; got != want {
		t.Errorf("got %v, want the values in order %s", l, want)
	}
	order := printedOrder(l)
	got = ""
	for i := range l {
		got += l[order[i]].Value
	}
	if want := "542163"; got != want {
		t.Errorf("printed: got %s, want %s", got, want)
	}
}

func TestClone(t *testing.T) {
	m := newMaker(8)
	for range 200 {
		r := m.receipt()
		enc, err := r.AppendCanonical(nil)
		if err != nil {
			t.Fatal(err)
		}
		var aliased Receipt
		if err := Decode(enc, &aliased); err != nil {
			t.Fatal(err)
		}
		c := aliased.Clone()
		clear(enc)
		clear(aliased.Labels)
		if !same(&c, &r) {
			t.Fatalf("got %+v, want %+v", c, r)
		}
	}
	if got := testing.AllocsPerRun(100, func() { r := Receipt{}; sink = r.Clone() }); got != 0 {
		t.Errorf("got %v allocations for an empty receipt, want 0", got)
	}
}

var sink Receipt
