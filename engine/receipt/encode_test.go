package receipt

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestRules: a receipt made by hand that breaks a rule is refused by every
// writer, with the field's name, and dst comes back as it was.
func TestRules(t *testing.T) {
	many := make([]Label, MaxLabels+1)
	for i := range many {
		many[i].Key = fmt.Sprintf("k%02d", i)
	}
	tests := []struct {
		name, field, reason string
		spoil               func(r *Receipt)
	}{
		{"app empty", "app", "empty", func(r *Receipt) { r.App = "" }},
		{"app long", "app", "over 255 bytes", func(r *Receipt) { r.App = strings.Repeat("a", 256) }},
		{"app huge", "app", "over 255 bytes", func(r *Receipt) { r.App = strings.Repeat("a", 1<<20) }},
		{"app not UTF-8", "app", "invalid UTF-8", func(r *Receipt) { r.App = "a\x80" }},
		{"container empty", "container", "empty", func(r *Receipt) { r.Container = "" }},
		{"container surrogate", "container", "invalid UTF-8", func(r *Receipt) { r.Container = "\xed\xa0\x80" }},
		{"op long", "op", "over 255 bytes", func(r *Receipt) { r.Op = strings.Repeat("é", 128) }},
		{"op overlong", "op", "invalid UTF-8", func(r *Receipt) { r.Op = "\xc0\xaf" }},
		{"ts empty", "ts", "RFC 3339", func(r *Receipt) { r.TS = "" }},
		{"ts day", "ts", "day", func(r *Receipt) { r.TS = "2026-02-29T00:00:00Z" }},
		{"storage negative", "resource.storage_gb_day", "below 0", func(r *Receipt) { r.Resource.StorageGBDay = -1 }},
		{"storage minus infinity", "resource.storage_gb_day", "below 0", func(r *Receipt) { r.Resource.StorageGBDay = math.Inf(-1) }},
		{"storage minus zero", "resource.storage_gb_day", "negative zero", func(r *Receipt) { r.Resource.StorageGBDay = math.Copysign(0, -1) }},
		{"egress infinite", "resource.egress_mb", "not finite", func(r *Receipt) { r.Resource.EgressMB = math.Inf(1) }},
		{"egress NaN", "resource.egress_mb", "not finite", func(r *Receipt) { r.Resource.EgressMB = math.NaN() }},
		{"egress minus NaN", "resource.egress_mb", "not finite", func(r *Receipt) { r.Resource.EgressMB = math.Float64frombits(math.MaxUint64) }},
		{"labels many", "labels", "over 64", func(r *Receipt) { r.Labels = many }},
		{"labels unsorted", "labels", "not sorted", func(r *Receipt) { r.Labels = []Label{{"aa", ""}, {"b", ""}} }},
		{"labels unsorted in one length", "labels", "not sorted", func(r *Receipt) { r.Labels = []Label{{"b", ""}, {"a", ""}} }},
		{"labels twice", "labels", "duplicate", func(r *Receipt) { r.Labels = []Label{{"a", "1"}, {"a", "2"}} }},
		{"label key", "labels", "invalid UTF-8", func(r *Receipt) { r.Labels = []Label{{"\xff", ""}} }},
		{"label value", "labels", "invalid UTF-8", func(r *Receipt) { r.Labels = []Label{{"a", "\xff"}} }},
		{"label huge", "", "over 65,535 bytes", func(r *Receipt) { r.Labels = []Label{{"a", strings.Repeat("x", 1<<20)}} }},
		{"label key huge", "", "over 65,535 bytes", func(r *Receipt) { r.Labels = []Label{{strings.Repeat("x", 1<<20), ""}} }},
		{"prev_hash missing", "prev_hash", "missing", func(r *Receipt) { r.PrevHash = Hash{} }},
		{"hash missing", "hash", "missing", func(r *Receipt) { r.Hash = Hash{} }},
		{"hash went bad", "hash", "begin with", func(r *Receipt) { r.Hash = Hash{text: "sha256:00"} }},
		{"sig missing", "sig", "missing", func(r *Receipt) { r.Sig = Sig{} }},
		{"sig went bad", "sig", "invalid UTF-8", func(r *Receipt) { r.Sig = Sig{text: "ed25519:\xff"} }},
	}
	for _, test := range tests {
		r := sample(t)
		test.spoil(&r)
		for _, room := range []int{0, 4096} {
			dst := append(make([]byte, 0, room), "before"...)
			writers := map[string]func([]byte) ([]byte, error){"AppendCanonical": r.AppendCanonical, "AppendJSON": r.AppendJSON}
			if test.field != "hash" && test.field != "sig" {
				writers["AppendSigned"] = r.AppendSigned
			}
			for name, write := range writers {
				got, err := write(dst)
				if err == nil {
					t.Errorf("%s: %s accepted it", test.name, name)
					continue
				}
				if field := fieldOf(t, err); field != test.field || !strings.Contains(err.Error(), test.reason) {
					t.Errorf("%s: %s: got %v, want %s: %s", test.name, name, err, test.field, test.reason)
				}
				if string(got) != "before" || &got[0] != &dst[0] {
					t.Errorf("%s: %s: got %q back, want dst as it was", test.name, name, got)
				}
			}
		}
	}
}

// TestDigestText: a text in digest form that came by another way still encodes
// as bytes.
func TestDigestText(t *testing.T) {
	r := sample(t)
	want, err := r.AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	r.PrevHash = Hash{text: r.PrevHash.String()}
	r.Hash = Hash{text: r.Hash.String()}
	r.Sig = Sig{text: r.Sig.String()}
	got, err := r.AppendCanonical(nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x (%v), want %x", got, err, want)
	}
}

// padded returns a receipt whose encoding has n bytes, which is over 1000.
func padded(t *testing.T, n int) Receipt {
	t.Helper()
	r := sample(t)
	r.Labels = []Label{{"p", strings.Repeat("x", 1000)}}
	enc, err := r.AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Labels[0].Value = strings.Repeat("x", 1000+n-len(enc))
	return r
}

func TestMaxEncoding(t *testing.T) {
	var (
		p    Parser
		back Receipt
	)
	r := padded(t, MaxEncoding)
	enc, err := r.AppendCanonical(nil)
	if err != nil || len(enc) != MaxEncoding {
		t.Fatalf("got %d bytes (%v), want %d", len(enc), err, MaxEncoding)
	}
	line, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Parse(line, &back); err != nil || !same(&back, &r) {
		t.Errorf("parse: %v", err)
	}
	if err := Decode(enc, &back); err != nil || !same(&back, &r) {
		t.Errorf("decode: %v", err)
	}
	if rest, err := DecodeFirst(append(enc, 1), &back); err != nil || len(rest) != 1 {
		t.Errorf("got %d bytes left (%v), want 1", len(rest), err)
	}

	r.Labels[0].Value += "x"
	if _, err := r.AppendCanonical(nil); fieldOf(t, err) != "" {
		t.Errorf("got %v, want a refusal of the whole", err)
	}
	line = bytes.Replace(line, []byte("xx"), []byte("xxx"), 1)
	if err := p.Parse(line, &back); fieldOf(t, err) != "" || !strings.Contains(err.Error(), "65,535") {
		t.Errorf("parse: got %v, want a refusal of the size", err)
	}
	if err := Decode(oracle(t, &r, false), &back); fieldOf(t, err) != "" || !strings.Contains(err.Error(), "65,535") {
		t.Errorf("decode: got %v, want a refusal of the size", err)
	}
	long := r
	long.Labels = []Label{{"p", r.Labels[0].Value + strings.Repeat("x", 200)}}
	if _, err := long.AppendSigned(nil); fieldOf(t, err) != "" {
		t.Errorf("signed part: got %v, want a refusal of the whole", err)
	}
	if _, err := long.Digest(); fieldOf(t, err) != "" {
		t.Errorf("digest: got %v, want a refusal of the whole", err)
	}
	before := r
	if err := r.Sign(newKey(1)); fieldOf(t, err) != "" || !same(&r, &before) {
		t.Errorf("sign: got %v, want a refusal of the size and the receipt unchanged", err)
	}
	r.Labels[0].Value = r.Labels[0].Value[1:]
	if err := r.Sign(newKey(1)); err != nil {
		t.Errorf("sign at the limit: %v", err)
	}
}

func TestAllocations(t *testing.T) {
	r := sample(t)
	r.Resource.HasReceiptsCount = true
	line, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := r.AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	var (
		p    Parser
		back Receipt
		buf  = make([]byte, 0, len(line))
		tidy = make([]byte, 0, len(enc)) // no byte to spare
	)
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range map[string]func(){
		"AppendCanonical": func() { _, err := r.AppendCanonical(tidy); check(err) },
		"AppendSigned":    func() { _, err := r.AppendSigned(tidy); check(err) },
		"AppendJSON":      func() { _, err := r.AppendJSON(buf); check(err) },
		"Digest":          func() { _, err := r.Digest(); check(err) },
		"Parse":           func() { check(p.Parse(line, &back)) },
		"Decode":          func() { check(Decode(enc, &back)) },
		"ParseInstant":    func() { _, err := ParseInstant("9999-12-31T23:59:59.999999999-23:59"); check(err) },
	} {
		f()
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}
