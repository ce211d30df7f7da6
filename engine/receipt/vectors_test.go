package receipt

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const testdata = "../../testdata"

// lines returns the lines of a file in testdata, without their ends.
func lines(t testing.TB, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// parseAll parses every line of a file of receipts through Lines and Parser and
// returns copies.
func parseAll(t testing.TB, name string) []Receipt {
	t.Helper()
	f, err := os.Open(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var (
		all []Receipt
		p   Parser
		r   Receipt
	)
	in := NewLines(f)
	for {
		line, err := in.Next()
		if err != nil {
			break
		}
		if err := p.Parse(line, &r); err != nil {
			t.Fatalf("%s:%d: %v", name, in.Line(), err)
		}
		all = append(all, r.Clone())
	}
	if len(all) == 0 {
		t.Fatalf("%s: no receipts", name)
	}
	return all
}

func TestVectorsPrint(t *testing.T) {
	for _, name := range []string{"encseal-1", "my-app", "edge", "bpi-1"} {
		printed := lines(t, name+".printed.ndjson")
		receipts := parseAll(t, name+".receipts.ndjson")
		if len(receipts) != len(printed) {
			t.Fatalf("%s: got %d receipts, want %d", name, len(receipts), len(printed))
		}
		for i := range receipts {
			got, err := receipts[i].AppendJSON([]byte("before"))
			if err != nil {
				t.Fatalf("%s:%d: %v", name, i+1, err)
			}
			if string(got) != "before"+printed[i] {
				t.Errorf("%s:%d: got %s, want %s", name, i+1, got[len("before"):], printed[i])
			}
		}
	}
}

func TestVectorsEncode(t *testing.T) {
	for _, name := range []string{"encseal-1", "edge"} {
		want := lines(t, name+".enc.hex")
		receipts := parseAll(t, name+".receipts.ndjson")
		if len(receipts) != len(want) {
			t.Fatalf("%s: got %d receipts, want %d", name, len(receipts), len(want))
		}
		var buf []byte
		for i := range receipts {
			var err error
			if buf, err = receipts[i].AppendCanonical(buf[:0]); err != nil {
				t.Fatalf("%s:%d: %v", name, i+1, err)
			}
			if got := hex.EncodeToString(buf); got != want[i] {
				t.Errorf("%s:%d: got %s, want %s", name, i+1, got, want[i])
			}
			var back Receipt
			if err := Decode(buf, &back); err != nil {
				t.Fatalf("%s:%d: decode: %v", name, i+1, err)
			}
			if !same(&back, &receipts[i]) {
				t.Errorf("%s:%d: decoded %+v, want %+v", name, i+1, back, receipts[i])
			}
		}
	}
}

func TestVectorsSigned(t *testing.T) {
	var sets map[string]json.RawMessage
	data, err := os.ReadFile(filepath.Join(testdata, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &sets); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encseal-1", "my-app"} {
		var set struct {
			ProducerKey string `json:"producer_key"`
			Receipts    int    `json:"receipts"`
			NotSigned   []int  `json:"receipts_not_signed"` // line numbers from 1
		}
		if err := json.Unmarshal(sets[name], &set); err != nil {
			t.Fatal(err)
		}
		key, err := hex.DecodeString(strings.TrimPrefix(set.ProducerKey, "ed25519:"))
		if err != nil {
			t.Fatal(err)
		}
		receipts := parseAll(t, name+".receipts.ndjson")
		if len(receipts) != set.Receipts {
			t.Fatalf("%s: got %d receipts, want %d", name, len(receipts), set.Receipts)
		}
		for i := range receipts {
			err := receipts[i].Verify(ed25519.PublicKey(key))
			if slices.Contains(set.NotSigned, i+1) {
				if field := fieldOf(t, err); field != "hash" && field != "sig" {
					t.Errorf("%s:%d: got %v, want a refusal of hash or sig", name, i+1, err)
				}
			} else if err != nil {
				t.Errorf("%s:%d: %v", name, i+1, err)
			}
		}
	}
}

// sense holds words one of which a refusal must use, for the words of why.txt
// that the reasons here do not repeat.
var sense = map[string][]string{
	"v: not an integer":                        {"not an integer"},
	"not JSON: leading zero":                   {"not JSON"},
	"op: not text":                             {"not text"},
	"container: null":                          {"null"},
	"ts: not RFC 3339":                         {"RFC 3339"},
	"ts: month 13":                             {"month"},
	"ts: month 00":                             {"month"},
	"ts: day 00":                               {"day"},
	"ts: 10 fraction digits":                   {"fraction digits"},
	"ts: no offset":                            {"offset", "RFC 3339"},
	"ts: 30 February":                          {"day"},
	"ts: 29 February 2025":                     {"day"},
	"ts: 29 February 1900":                     {"day"},
	"ts: 31 April":                             {"day"},
	"ts: second 60":                            {"second"},
	"ts: minute 60":                            {"minute"},
	"ts: hour 24":                              {"hour"},
	"ts: offset 24:00":                         {"offset"},
	"ts: offset minute 60":                     {"offset"},
	"ts: lower-case t":                         {"RFC 3339"},
	"ts: lower-case z":                         {"offset", "Z"},
	"ts: offset without colon":                 {"offset"},
	"ts: five-digit year":                      {"RFC 3339"},
	"ts: white space":                          {"RFC 3339"},
	"ts: comma fraction":                       {"offset"},
	"resource.cpu_ms: negative":                {"minus"},
	"resource.cpu_ms: 1.0 is no integer":       {"fraction"},
	"resource.cpu_ms: minus zero":              {"minus"},
	"resource.egress_mb: negative":             {"below 0"},
	"resource.storage_gb_day: overflows":       {"too large"},
	"resource.storage_gb_day: NaN is not JSON": {"not JSON"},
	"resource.storage_gb_day: number over 1,100 bytes": {"1,100 bytes"},
	"hash: prefix":                                 {"begin with blake3:"},
	"sig: prefix":                                  {"begin with ed25519:"},
	"sig: empty after the prefix":                  {"nothing after"},
	"prev_hash: empty after the prefix":            {"nothing after"},
	"Op: unknown (case)":                           {"unknown"},
	"labels: duplicate after unescaping":           {"duplicate"},
	"resource: given twice, as resource and usage": {"given twice"},
	"op: lone high surrogate":                      {"surrogate"},
	"op: lone low surrogate":                       {"surrogate"},
	"op: high surrogate and another escape":        {"surrogate"},
	"op: raw control character":                    {"invalid character"},
	"op: unknown escape":                           {"escape"},
	"op: UTF-8 surrogate":                          {"UTF-8"},
	"op: overlong UTF-8":                           {"UTF-8"},
	"trailing data":                                {"data after"},
	"trailing comma":                               {"not JSON"},
	"comment":                                      {"not JSON"},
	"encoding over 65,535 bytes":                   {"over 65,535 bytes"},
}

func TestVectorsRefused(t *testing.T) {
	var p Parser
	why := lines(t, "refused.why.txt")
	refused := lines(t, "refused.ndjson")
	if len(why) != len(refused) {
		t.Fatalf("got %d reasons for %d lines", len(why), len(refused))
	}
	for i, line := range refused {
		var r Receipt
		err := p.Parse([]byte(line), &r)
		field, words, found := strings.Cut(why[i], ": ")
		if !found || field == "not JSON" {
			field, words = "", why[i]
		}
		if got := fieldOf(t, err); got != field {
			t.Errorf("line %d: got %v, want field %q: %s", i+1, err, field, why[i])
		}
		want := sense[why[i]]
		if want == nil {
			want = []string{words}
		}
		if !slices.ContainsFunc(want, func(w string) bool { return strings.Contains(err.Error(), w) }) {
			t.Errorf("line %d: got %v, want the sense of %s", i+1, err, why[i])
		}
		if !same(&r, &Receipt{}) {
			t.Errorf("line %d: the refused receipt is not empty: %+v", i+1, r)
		}
	}
}

func TestVectorsRefusedCBOR(t *testing.T) {
	// The first words of the refusals, in the order of the file.
	want := map[string]string{
		"trailing byte":                        "data after",
		"cut short":                            "sig: encoding cut short",
		"empty":                                "encoding cut short",
		"map head not shortest":                "not a map of 9 or 10",
		"indefinite map":                       "not a map of 9 or 10",
		"keys out of order":                    "v: key",
		"key twice":                            "not a map of 9 or 10",
		"key missing":                          "v: key",
		"unknown key":                          "not a map of 9 or 10",
		"v as two bytes":                       "v: not 1",
		"v not 1":                              "v: not 1",
		"app as bytes":                         "app: not text",
		"text head not shortest":               "app: not the shortest head",
		"text not UTF-8":                       "app: invalid UTF-8",
		"indefinite text":                      "app: neither",
		"ts not a time":                        "ts: not an RFC 3339",
		"float as binary64 that fits binary16": "resource.egress_mb: not the shortest float",
		"float as binary32 that fits binary16": "resource.egress_mb: not the shortest float",
		"float as binary64 that fits binary32": "resource.egress_mb: not the shortest float",
		"negative zero":                        "resource.egress_mb: negative zero",
		"negative float":                       "resource.egress_mb: below 0",
		"NaN":                                  "resource.egress_mb: not finite",
		"infinity":                             "resource.egress_mb: not finite",
		"integer for a float":                  "resource.egress_mb: not a float",
		"float for an integer":                 "resource.cpu_ms: not an unsigned integer",
		"three items":                          "resource: not an array of 4 or 5",
		"six items":                            "resource: not an array of 4 or 5",
		"labels in printed order":              "labels: not sorted",
		"label twice":                          "labels: duplicate",
		"labels empty but present":             "labels: an empty map",
		"label value as bytes":                 "labels: not text",
		"digest as text":                       "hash: a digest as text",
		"31 bytes":                             "hash: not 32 bytes",
		"signature as text":                    "sig: a signature as text",
		"prefix wrong":                         "hash: does not begin with blake3:",
		"prefix alone":                         "hash: nothing after blake3:",
		"tagged":                               "not a map of 9 or 10",
		"null":                                 "op: not text",
	}
	why := lines(t, "refused.cbor.why.txt")
	refused := lines(t, "refused.cbor.hex")
	if len(why) != len(refused) || len(why) != len(want) {
		t.Fatalf("got %d reasons for %d encodings, want %d", len(why), len(refused), len(want))
	}
	for i := range refused {
		src, err := hex.DecodeString(refused[i])
		if err != nil {
			t.Fatal(err)
		}
		var r Receipt
		err = Decode(src, &r)
		fieldOf(t, err)
		if err == nil || want[why[i]] == "" || !strings.HasPrefix(err.Error(), want[why[i]]) {
			t.Errorf("%s: got %v, want %q", why[i], err, want[why[i]])
		}
		if !same(&r, &Receipt{}) {
			t.Errorf("%s: the refused receipt is not empty: %+v", why[i], r)
		}
	}
}

// fieldOf returns the field of a FieldError.
func fieldOf(t testing.TB, err error) string {
	t.Helper()
	var refusal *FieldError
	if !errors.As(err, &refusal) {
		t.Errorf("got %v (%T), want a *FieldError", err, err)
		return "no FieldError"
	}
	if refusal.Reason == "" {
		t.Errorf("got %+v, want a reason", refusal)
	}
	return refusal.Field
}

// same reports whether two receipts say the same, field by field.
func same(a, b *Receipt) bool {
	x, y := *a, *b
	x.Labels, y.Labels = nil, nil
	return slices.Equal(a.Labels, b.Labels) && x.App == y.App && x.Container == y.Container && x.Op == y.Op &&
		x.TS == y.TS && x.Resource == y.Resource && x.PrevHash == y.PrevHash && x.Hash == y.Hash && x.Sig == y.Sig
}

// TestParseLeavesTheLine: the tokenizer reads the line in place and must not
// write into it.
func TestParseLeavesTheLine(t *testing.T) {
	var (
		p Parser
		r Receipt
	)
	for _, name := range []string{"edge.receipts.ndjson", "refused.ndjson"} {
		for i, text := range lines(t, name) {
			line := []byte(text + "tail")
			_ = p.Parse(line[:len(text)], &r)
			if !bytes.Equal(line, []byte(text+"tail")) {
				t.Fatalf("%s:%d: the line was changed", name, i+1)
			}
		}
	}
}
