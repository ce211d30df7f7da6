package receipt

import (
	"bytes"
	"math"
	"math/big"
	"strings"
	"testing"
)

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// plain is a line without a digest in it, to be altered by tests.
const plain = `{"v":1,"app":"a","container":"c","op":"o","ts":"2026-01-15T10:00:00Z",` +
	`"resource":{"cpu_ms":1,"memory_mb_s":2,"storage_gb_day":3.0,"egress_mb":4.0},` +
	`"labels":{"k":"w"},"prev_hash":"blake3:genesis","hash":"blake3:h","sig":"ed25519:s"}`

// threshold is 2^1024 − 2^970, the least number that rounds to infinity.
var threshold = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 1024), new(big.Int).Lsh(big.NewInt(1), 970)).String()

// altered returns plain with the first old replaced.
func altered(t testing.TB, old, new string) []byte {
	t.Helper()
	if !strings.Contains(plain, old) {
		t.Fatalf("no %s to alter", old)
	}
	return []byte(strings.Replace(plain, old, new, 1))
}

func TestParseRefuses(t *testing.T) {
	deep := strings.Repeat("[", 500000)
	tests := []struct{ old, new, field, reason string }{
		// Unknown keys, their names, and their place before missing ones.
		{`"app":"a"`, `"a/b~c":1`, "a/b~c", "unknown"},
		{`"app":"a"`, `"":1`, `""`, "unknown"},
		{`"app":"a"`, `"x\ny":1`, `"x\ny"`, "unknown"},
		{`"app":"a"`, `"` + strings.Repeat("é", 100) + `":1`, `"` + strings.Repeat("é", 32) + `"…`, "unknown"},
		{`"app":"a"`, `"` + strings.Repeat("日", 100) + `":1`, `"` + strings.Repeat("日", 21) + `"…`, "unknown"},
		{`"cpu_ms":1`, `"a/b~c":1`, "resource.a/b~c", "unknown"},
		{`"app":"a"`, `"App":"a"`, "App", "unknown"},
		{`"cpu_ms":1,`, ``, "resource.cpu_ms", "missing"},
		{`"resource":{"cpu_ms":1,`, `"Resource":{`, "Resource", "unknown"},
		{`"cpu_ms":1,"memory_mb_s":2,"storage_gb_day":3.0,"egress_mb":4.0},`, `"memory_mb_s":2},"extra":1,`, "extra", "unknown"},
		// Duplicates, compared after unescaping.
		{`"app":"a"`, `"app":"a","\u0061pp":"a"`, "app", "duplicate"},
		{`"cpu_ms":1`, `"cpu_ms":1,"cpu_\u006ds":1`, "resource.cpu_ms", "duplicate"},
		{`"k":"w"`, `"k":"w","\u006b":"w"`, "labels", "duplicate key k"},
		{`"k":"w"`, `"k":"w","b":"","k":""`, "labels", "duplicate key k"},
		{`"labels":{"k":"w"}`, `"labels":{},"labels":{}`, "labels", "duplicate"},
		{`"labels":{"k":"w"}`, `"resource":{}`, "resource", "duplicate"},
		{`"labels":{"k":"w"}`, `"usage":{}`, "resource", "given twice"},
		{`"resource"`, `"usage":{},"resource"`, "resource", "given twice"},
		{`"labels":{"k":"w"}`, `"resource":{"cpu_ms":1}`, "resource", "duplicate"},
		// Wrong types, unread however deep they go.
		{`"v":1`, `"v":` + deep, "v", "not an integer but an array"},
		{`"app":"a"`, `"app":` + deep, "app", "not text but an array"},
		{`"app":"a"`, `"app":{"a":` + deep, "app", "not text but an object"},
		{`"app":"a"`, `"x":` + deep, "x", "unknown"},
		{`"app":"a"`, `"app":true`, "app", "not text but true or false"},
		{`{"cpu_ms":1`, `[{"cpu_ms":1`, "resource", "not an object but an array"},
		{`{"k":"w"}`, `[]`, "labels", "not an object but an array"},
		{`{"k":"w"}`, `"k"`, "labels", "not an object but text"},
		{`"k":"w"`, `"k":null`, "labels", "value of k is not text but null"},
		{`"k":"w"`, `"k":{"a":"b"}`, "labels", "value of k is not text but an object"},
		{`"k":"w"`, `"k":None`, "labels", "not JSON"},
		{`"egress_mb":4.0`, `"egress_mb":[4.0]`, "resource.egress_mb", "not a number but an array"},
		{`"ts":"2026-01-15T10:00:00Z"`, `"ts":1`, "ts", "not text but a number"},
		{`"sig":"ed25519:s"`, `"sig":null`, "sig", "not text but null"},
		// Numbers.
		{`"v":1`, `"v":0`, "v", "not 1"},
		{`"v":1`, `"v":-1`, "v", "minus"},
		{`"v":1`, `"v":18446744073709551617`, "v", "over"},
		{`"v":1`, `"v":01`, "", "not JSON"},
		{`"cpu_ms":1`, `"cpu_ms":+1`, "resource.cpu_ms", "not JSON"},
		{`"cpu_ms":1`, `"cpu_ms":18446744073709551616`, "resource.cpu_ms", "over 2^64-1"},
		{`"cpu_ms":1`, `"cpu_ms":99999999999999999999`, "resource.cpu_ms", "over 2^64-1"},
		{`"cpu_ms":1`, `"cpu_ms":99999999999999999999.5`, "resource.cpu_ms", "fraction"},
		{`"cpu_ms":1`, `"cpu_ms":1E2`, "resource.cpu_ms", "exponent"},
		{`"cpu_ms":1`, `"cpu_ms":` + strings.Repeat("1", 1101), "resource.cpu_ms", "1,100 bytes"},
		{`"cpu_ms":1`, `"cpu_ms":` + strings.Repeat("1", 1100), "resource.cpu_ms", "over 2^64-1"},
		{`3.0`, `0.` + strings.Repeat("0", 1099), "resource.storage_gb_day", "1,100 bytes"},
		{`3.0`, `1e309`, "resource.storage_gb_day", "too large"},
		{`3.0`, threshold, "resource.storage_gb_day", "too large"},
		{`3.0`, threshold + ".0e0", "resource.storage_gb_day", "too large"},
		{`3.0`, threshold + strings.Repeat("0", 700) + "e-700", "resource.storage_gb_day", "too large"},
		{`3.0`, `1e` + strings.Repeat("9", 1000), "resource.storage_gb_day", "too large"},
		{`3.0`, "-" + threshold + strings.Repeat("0", 700) + "e-700", "resource.storage_gb_day", "below 0"},
		{`3.0`, `-1e309`, "resource.storage_gb_day", "below 0"},
		{`3.0`, `-5e-324`, "resource.storage_gb_day", "below 0"},
		{`3.0`, `.5`, "resource.storage_gb_day", "not JSON"},
		{`3.0`, `Infinity`, "resource.storage_gb_day", "not JSON"},
		{`3.0`, `0x1p4`, "resource", "not JSON"},
		// Text.
		{`"a"`, `"\ud83d"`, "app", "surrogate"},
		{`"a"`, `"\ud83d\ud83d"`, "app", "surrogate"},
		{`"a"`, `"\u00g0"`, "app", "escape"},
		{`"k"`, "\"\xc3\"", "labels", "UTF-8"},
		{`"w"`, `"\ude80"`, "labels", "surrogate"},
		{`"a"`, `'a'`, "app", "not JSON"},
		{`"a"`, "\"\x7f\xff\"", "app", "UTF-8"},
		{`"blake3:h"`, `"blake4:h"`, "hash", "begin with blake3:"},
		{`"blake3:h"`, `"blake3"`, "hash", "begin with blake3:"},
		{`"blake3:genesis"`, `"Blake3:genesis"`, "prev_hash", "begin with blake3:"},
		{`"ed25519:s"`, `"ed25519:` + strings.Repeat("s", 248) + `"`, "sig", "over 255 bytes"},
		// The line as a whole.
		{plain, ``, "", "cut short"},
		{plain, ` `, "", "cut short"},
		{plain, `{`, "", "cut short"},
		{plain, `{"v"`, "", "cut short"},
		{plain, `{"v":`, "", "cut short"},
		{plain, `}`, "", "not JSON"},
		{plain, `{1:2}`, "", "not JSON"},
		{plain, `{"v":1]`, "", "not JSON"},
		{plain, `{[`, "", "not JSON"},
		{plain, `"v"`, "", "not an object but text"},
		{plain, plain + plain, "", "data after"},
		{plain, plain + "\x00", "", "data after"},
		{plain, "\ufeff" + plain, "", "byte order mark"},
		{plain, `/**/` + plain, "", "not JSON"},
		{plain, plain + `#`, "", "data after"},
		{`"app":"a"`, `"app" "a"`, "app", "not JSON"},
		{`"app":"a",`, `"app":"a"`, "", "not JSON"},
		{`"app":"a",`, `"app":"a",,`, "", "not JSON"},
		{`"k":"w"`, `"k":"w",`, "labels", "not JSON"},
		{plain, plain + strings.Repeat(" ", MaxLine+1-len(plain)), "", "over 1 MiB"},
	}
	var p Parser
	for _, test := range tests {
		var r Receipt
		err := p.Parse(altered(t, test.old, test.new), &r)
		if err == nil {
			t.Errorf("%.60s: accepted, want a refusal of %s", test.new, test.field)
			continue
		}
		if field := fieldOf(t, err); field != test.field || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%.60s: got %.200v, want field %q: %s", test.new, err, test.field, test.reason)
		}
		if !same(&r, &Receipt{}) {
			t.Errorf("%.60s: the refused receipt is not empty", test.new)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	var (
		p Parser
		r Receipt
	)
	parse := func(old, new string) *Receipt {
		t.Helper()
		if err := p.Parse(altered(t, old, new), &r); err != nil {
			t.Fatalf("%.60s: %v", new, err)
		}
		return &r
	}
	// A half between two binary64 goes to the even one, whatever digits it takes; a digit far behind decides.
	const half = "9007199254740993"
	below := threshold[:len(threshold)-1] + string(threshold[len(threshold)-1]-1) // threshold is even
	for text, want := range map[string]float64{
		"0": 0, "-0": 0, "-0.0": 0, "-0e5": 0, "1e-400": 0, "-1e-400": 0, "2e-324": 0, "0e999999999999": 0,
		"3e-324": 5e-324, "1E2": 100, "1e+2": 100, "0.1": 0.1,
		half:                                   9007199254740992,
		half + "." + strings.Repeat("0", 1083): 9007199254740992,
		half + "." + strings.Repeat("0", 1082) + "1": 9007199254740994,
		"0." + strings.Repeat("0", 1094) + "1e9":     0,
		"1" + strings.Repeat("0", 308):               1e308,
		"1" + strings.Repeat("0", 1000) + "e-1000":   1,
		"-0." + strings.Repeat("0", 1000) + "e5":     0,
		"0." + strings.Repeat("0", 1000) + "1e1001":  1,
		"1" + strings.Repeat("0", 1000) + ".0e-1000": 1,
		"1e-" + strings.Repeat("9", 1000):            0,
		"1e+" + strings.Repeat("0", 1000) + "5":      1e5,
		below:                                        math.MaxFloat64,
		below + "." + strings.Repeat("9", 700):       math.MaxFloat64,
		"1.7976931348623157e308":                     math.MaxFloat64,
	} {
		if got := parse("3.0", text).Resource.StorageGBDay; math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%.40s: got %v, want %v", text, got, want)
		}
	}
	if got := parse(`"cpu_ms":1`, `"cpu_ms":18446744073709551615`).Resource.CPUms; got != math.MaxUint64 {
		t.Errorf("got %d, want 2^64-1", got)
	}
	parse(`"egress_mb":4.0`, `"egress_mb":4.0,"receipts_count":0`)
	if !r.Resource.HasReceiptsCount || r.Resource.ReceiptsCount != 0 {
		t.Errorf("got %+v, want a receipts_count of 0", r.Resource)
	}
	if parse(`"v":1`, `"v":1`); r.Resource.HasReceiptsCount {
		t.Errorf("got %+v, want no receipts_count", r.Resource)
	}
	if got := parse(`"labels":{"k":"w"},`, ``).Labels; len(got) != 0 {
		t.Errorf("got %v, want no labels", got)
	}
	if got := parse(`"op":"o"`, "\"\\u006fp\"\t:\r\n \"\\ud83d\\ude80\\/\\u0000\"").Op; got != "🚀/\x00" {
		t.Errorf("got %q, want %q", got, "🚀/\x00")
	}
	if got := parse(`"blake3:h"`, `"blake3:`+zeros+`"`).Hash; got != Digest([32]byte{}) {
		t.Errorf("got %v, want the digest of zeros", got)
	}
	if got := parse(`"blake3:h"`, `"blake3:\u0030`+zeros[1:]+`"`).Hash; got != Digest([32]byte{}) {
		t.Errorf("got %v, want the digest of zeros", got)
	}
	parse(`{"k":"w"}`, `{"b":"1","aa":"2","a":"3","":"4","é":"5"}`)
	want := []Label{{"", "4"}, {"a", "3"}, {"b", "1"}, {"aa", "2"}, {"é", "5"}}
	for i := range want {
		if r.Labels[i] != want[i] {
			t.Errorf("got %v, want %v", r.Labels, want)
			break
		}
	}
	parse(plain, plain+strings.Repeat(" ", MaxLine-len(plain)))
}

// TestParserMemory: texts with escapes live in the parser, whose memory may
// move while a line is read; Clone keeps nothing of it.
func TestParserMemory(t *testing.T) {
	var (
		p Parser
		r Receipt
	)
	line := altered(t, `"k":"w"`, `"k\u0030":"`+strings.Repeat(`\u00e9`, 3000)+`","k\u0031":"`+strings.Repeat(`\n`, 9000)+`"`)
	line = bytes.Replace(line, []byte(`"a"`), []byte(`"\u0061\u0062"`), 1)
	if err := p.Parse(line, &r); err != nil {
		t.Fatal(err)
	}
	want := []Label{{"k0", strings.Repeat("é", 3000)}, {"k1", strings.Repeat("\n", 9000)}}
	clone := r.Clone()
	for _, got := range []*Receipt{&r, &clone} {
		if got.App != "ab" || len(got.Labels) != 2 || got.Labels[0] != want[0] || got.Labels[1] != want[1] {
			t.Errorf("got %+v", got)
		}
	}
	clear(line)
	if err := p.Parse(altered(t, `"a"`, `"\u007a\u007a"`), &r); err != nil {
		t.Fatal(err)
	}
	if clone.App != "ab" || clone.Op != "o" || clone.Labels[0] != want[0] || clone.Hash.String() != "blake3:h" || clone.Sig.String() != "ed25519:s" {
		t.Errorf("the clone changed: %+v", clone)
	}
	if r.App != "zz" || len(r.Labels) != 1 {
		t.Errorf("got %+v", r)
	}
}

// TestErrorKeepsNothing: a refusal does not change with the line it is about.
func TestErrorKeepsNothing(t *testing.T) {
	var (
		p Parser
		r Receipt
	)
	line := altered(t, `"app"`, `"extra"`)
	err := p.Parse(line, &r)
	clear(line)
	if field := fieldOf(t, err); field != "extra" {
		t.Errorf("got %q, want extra", field)
	}
}

// TestParseMutations changes each byte of a line: what is accepted prints and
// parses back to the same.
func TestParseMutations(t *testing.T) {
	var (
		p       Parser
		r, back Receipt
	)
	src := []byte(plain)
	accepted := 0
	for at := range src {
		was := src[at]
		for delta := 1; delta < 256; delta++ {
			src[at] = was + byte(delta)
			if p.Parse(src, &r) != nil {
				continue
			}
			accepted++
			first := r.Clone()
			line, err := first.AppendJSON(nil)
			if err != nil {
				t.Fatalf("%s: %v", src, err)
			}
			if err := p.Parse(line, &back); err != nil || !same(&back, &first) {
				t.Fatalf("%s printed as %s, which parses to %+v (%v)", src, line, back, err)
			}
		}
		src[at] = was
	}
	if accepted == 0 {
		t.Error("nothing was accepted")
	}
}
