package logblock

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hex64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// goodText is a block with every key, one value a line, so that a test can change one.
var goodText = strings.Join([]string{
	`{"v":1`,
	`"app":"my-app"`,
	`"height":2`,
	`"merkle_root":"blake3:` + hex64 + `"`,
	`"count":3`,
	`"sig_notary":"ed25519:` + hex64 + hex64 + `"`,
	`"range":{"from_ts":"2026-01-15T10:00:00Z","to_ts":"2026-01-15T10:05:00Z"}`,
	`"usage":{"cpu_ms":1236,"memory_mb_s":795,"storage_ugb_day":300000,"egress_umb":3600000}`,
	`"scheme":"encseal-1"`,
	`"prev":"blake3:` + hex64 + `"`,
	`"key":"ed25519:` + hex64 + `"`,
	goodEnd,
}, ",")

const goodEnd = `"next_key":"ed25519:` + hex64 + `"}`

func TestParseRefusals(t *testing.T) {
	if _, err := Parse([]byte(goodText), EncSeal1); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new, field, words string }{
		{"empty", goodText, ``, "", "no JSON"},
		{"white space alone", goodText, " \n\t", "", "no JSON"},
		{"array", goodText, `[]`, "", "an array, want an object"},
		{"null", goodText, `null`, "", "null, want an object"},
		{"cut", goodEnd, goodEnd[:len(goodEnd)-1], "", "cut off"},
		{"cut in a key", goodText, `{"v`, "", "cut off"},
		{"trailing object", goodEnd, goodEnd + `{}`, "", "trailing data"},
		{"trailing letter", goodEnd, goodEnd + `x`, "", "trailing data"},
		{"two brackets", goodEnd, goodEnd + `}`, "", "trailing data"},
		{"trailing comma", goodEnd, goodEnd[:len(goodEnd)-1] + `,}`, "", "not JSON"},
		{"byte order mark", `{"v"`, "\ufeff" + `{"v"`, "", "not JSON"},
		{"comment", `{"v"`, `/**/{"v"`, "", "not JSON"},
		{"invalid UTF-8", `my-app`, "my\xff", "app", "not JSON"},
		{"lone surrogate", `my-app`, `my\ud800`, "app", "not JSON"},
		{"raw control character", `my-app`, "my\x01", "app", "not JSON"},

		{"unknown key", `"v":1`, `"v":1,"w":1`, "w", "unknown"},
		{"key in upper case", `"app"`, `"App"`, "App", "unknown"},
		{"long key", `"v":1`, `"v":1,"` + strings.Repeat("é", 40) + `":1`, `"` + strings.Repeat("é", 32) + `"…`, "unknown"},
		{"duplicate key", `"v":1`, `"v":1,"v":1`, "v", "duplicate"},
		{"duplicate key, escaped", `"v":1`, `"v":1,"\u0076":1`, "v", "duplicate"},
		{"duplicate in range", `"from_ts":`, `"to_ts":"x","from_ts":`, "range.to_ts", "duplicate"},
		{"unknown in range", `"from_ts":`, `"at":"x","from_ts":`, "range.at", "unknown"},
		{"missing in range", `"from_ts":"2026-01-15T10:00:00Z",`, ``, "range.from_ts", "missing"},
		{"missing at the end of range", `,"to_ts":"2026-01-15T10:05:00Z"`, ``, "range.to_ts", "missing"},
		{"unknown in usage", `"cpu_ms":1236`, `"cpu":1236`, "usage.cpu", "unknown"},
		{"missing in usage", `"cpu_ms":1236,`, ``, "usage.cpu_ms", "missing"},
		{"duplicate in usage", `"cpu_ms":1236`, `"cpu_ms":1236,"cpu_ms":1236`, "usage.cpu_ms", "duplicate"},
		{"null usage", `{"cpu_ms":1236,"memory_mb_s":795,"storage_ugb_day":300000,"egress_umb":3600000}`, `null`, "usage", "null"},
		{"null next_key", `"next_key":"ed25519:` + hex64 + `"`, `"next_key":null`, "next_key", "null"},
		{"range a string", `{"from_ts":"2026-01-15T10:00:00Z","to_ts":"2026-01-15T10:05:00Z"}`, `"x"`, "range", "a string, want an object"},

		{"v 2", `"v":1`, `"v":2`, "v", "want 1"},
		{"v as text", `"v":1`, `"v":"1"`, "v", "a string"},
		{"v with a fraction", `"v":1`, `"v":1.0`, "v", "digits alone"},
		{"v true", `"v":1`, `"v":true`, "v", "a boolean"},
		{"app empty", `my-app`, ``, "app", "empty"},
		{"app long", `my-app`, strings.Repeat("x", 256), "app", "256"},
		{"app long after unescaping", `my-app`, strings.Repeat(`\u00e9`, 128), "app", "256"},
		{"app a number", `"my-app"`, `7`, "app", "a number, want a string"},
		{"height 0", `"height":2`, `"height":0`, "height", "start at 1"},
		{"height negative", `"height":2`, `"height":-2`, "height", "digits alone"},
		{"height negative zero", `"height":2`, `"height":-0`, "height", "digits alone"},
		{"height with exponent", `"height":2`, `"height":2e0`, "height", "digits alone"},
		{"height with leading zero", `"height":2`, `"height":02`, "", "not JSON"},
		{"height 2^64", `"height":2`, `"height":18446744073709551616`, "height", "over 18446744073709551615"},
		{"height long", `"height":2`, `"height":` + strings.Repeat("9", 5000), "height", "over"},
		{"count 0", `"count":3`, `"count":0`, "count", "0"},
		{"count 2^32", `"count":3`, `"count":4294967296`, "count", "over 4294967295"},
		{"usage 2^64", `"cpu_ms":1236`, `"cpu_ms":18446744073709551616`, "usage.cpu_ms", "over"},
		{"usage with a fraction", `"egress_umb":3600000`, `"egress_umb":3600000.5`, "usage.egress_umb", "digits alone"},
		{"root in upper case", `"merkle_root":"blake3:0123456789ab`, `"merkle_root":"blake3:0123456789AB`, "merkle_root", "lower-case"},
		{"root short", `"merkle_root":"blake3:01`, `"merkle_root":"blake3:`, "merkle_root", "64 hex"},
		{"root long", `"merkle_root":"blake3:`, `"merkle_root":"blake3:00`, "merkle_root", "64 hex"},
		{"root without prefix", `"merkle_root":"blake3:`, `"merkle_root":"`, "merkle_root", "blake3:"},
		{"root with another prefix", `"merkle_root":"blake3:`, `"merkle_root":"Blake3:`, "merkle_root", "blake3:"},
		{"root genesis", `"merkle_root":"blake3:` + hex64, `"merkle_root":"blake3:genesis`, "merkle_root", "64 hex"},
		{"root with a character that is none", `"merkle_root":"blake3:01`, `"merkle_root":"blake3:0g`, "merkle_root", "hexadecimal"},
		{"signature short", `"ed25519:` + hex64 + hex64, `"ed25519:` + hex64, "sig_notary", "128 hex"},
		{"key as blake3", `"key":"ed25519:`, `"key":"blake3:`, "key", "ed25519:"},
		{"prev zero", `"prev":"blake3:` + hex64, `"prev":"blake3:` + strings.Repeat("0", 64), "prev", "zero at height 2"},
		{"prev at height 1", `"height":2`, `"height":1`, "prev", "not zero"},
		{"from_ts in lower case", `"from_ts":"2026-01-15T`, `"from_ts":"2026-01-15t`, "range.from_ts", ""},
		{"from_ts without offset", `10:00:00Z`, `10:00:00`, "range.from_ts", ""},
		{"from_ts leap second", `10:00:00Z`, `10:00:60Z`, "range.from_ts", "second"},
		{"to_ts no such day", `"to_ts":"2026-01-15`, `"to_ts":"2026-02-30`, "range.to_ts", "day"},
		{"scheme unknown", `encseal-1`, `encseal-2`, "scheme", "encseal-2"},
		{"scheme bpi-1", `encseal-1`, `bpi-1`, "scheme", "bpi-1"},
		{"scheme empty", `encseal-1`, ``, "scheme", `""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(goodText, test.old) {
				t.Fatalf("%q is not in the text", test.old)
			}
			text := strings.Replace(goodText, test.old, test.new, 1)
			b, err := Parse([]byte(text), EncSeal1)
			if b != nil {
				t.Errorf("got a block beside the error")
			}
			checkField(t, err, test.field, test.words)
		})
	}
}

// Each key but usage and next_key must be there.
func TestParseMissingKeys(t *testing.T) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goodText), &members); err != nil {
		t.Fatal(err)
	}
	for _, key := range blockKeys {
		cut := make(map[string]json.RawMessage)
		for k, v := range members {
			if k != key {
				cut[k] = v
			}
		}
		text, err := json.Marshal(cut)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Parse(text, EncSeal1)
		switch key {
		case "usage", "next_key":
			if err != nil {
				t.Errorf("without %s: %v", key, err)
			} else if b.HasUsage != (key != "usage") || b.HasNextKey != (key != "next_key") {
				t.Errorf("without %s: got HasUsage %v, HasNextKey %v", key, b.HasUsage, b.HasNextKey)
			}
		default:
			checkField(t, err, key, "missing")
		}
	}
}

// Keys come in any order with any JSON white space, and mean the same.
func TestParseAnyOrder(t *testing.T) {
	want, err := Parse([]byte(goodText), EncSeal1)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(goodText), &members); err != nil {
		t.Fatal(err)
	}
	text := " \r\n\t{"
	for i := range blockKeys {
		key := blockKeys[len(blockKeys)-1-i]
		if i > 0 {
			text += "\n,"
		}
		value := strings.NewReplacer(`{`, "{\t", `,`, " ,\r\n", `}`, " }").Replace(string(members[key]))
		text += fmt.Sprintf("\t%q : %s ", key, value)
	}
	text += "}\n \t\r"
	got, err := Parse([]byte(text), EncSeal1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := mustJSON(t, got), goodText; got != want {
		t.Errorf("printed\ngot  %s\nwant %s", got, want)
	}
}

// A block of the other scheme is refused with a hint, whichever was expected.
func TestParseOtherScheme(t *testing.T) {
	seven := goodText[:strings.Index(goodText, `,"usage"`)] + "}"
	_, err := Parse([]byte(seven), EncSeal1)
	checkField(t, err, "scheme", "bpi-1")
	b, err := Parse([]byte(seven), BPI1)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustJSON(t, b); got != seven {
		t.Errorf("printed\ngot  %s\nwant %s", got, seven)
	}
	_, err = Parse([]byte(goodText), BPI1)
	checkField(t, err, "scheme", "encseal-1")
	for _, extra := range []string{`"prev":"blake3:` + hex64 + `"`, `"key":"ed25519:` + hex64 + `"`, `"usage":{"cpu_ms":0,"memory_mb_s":0,"storage_ugb_day":0,"egress_umb":0}`} {
		text := seven[:len(seven)-1] + "," + extra + "}"
		key := strings.Split(extra, `"`)[1]
		_, err := Parse([]byte(text), BPI1)
		checkField(t, err, key, "not a key of this scheme")
		_, err = Parse([]byte(text), EncSeal1)
		checkField(t, err, "scheme", "missing")
	}
	// prev is no part of bpi-1, so its rule is none there.
	b.Prev = [32]byte{}
	if _, err := b.AppendJSON(nil); err != nil {
		t.Error(err)
	}
	_, err = Parse([]byte(goodText), "bpi-2")
	checkField(t, err, "scheme", "neither")
	_, err = Parse([]byte(goodText), "")
	checkField(t, err, "scheme", "neither")
}

func TestParseSize(t *testing.T) {
	room := MaxText - len(goodText)
	if _, err := Parse([]byte(goodText+strings.Repeat(" ", room)), EncSeal1); err != nil {
		t.Errorf("text of MaxText bytes: %v", err)
	}
	_, err := Parse([]byte(goodText+strings.Repeat(" ", room+1)), EncSeal1)
	checkField(t, err, "", "over")
}

// What Parse returned does not change with the line.
func TestParseOwnsItsStrings(t *testing.T) {
	line := []byte(goodText)
	b, err := Parse(line, EncSeal1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range line {
		line[i] = 'x'
	}
	if got := mustJSON(t, b); got != goodText {
		t.Errorf("got %s, want %s", got, goodText)
	}
}

// Whatever byte of a block is changed, it is not read, or its signature does not hold, or nothing that it says is changed.
func TestFlipEachByteOfABlock(t *testing.T) {
	v := readVector(t, "encseal-1")
	key := publicKey(t, v.NotaryKey)
	line := []byte(readLines(t, "encseal-1.blocks.ndjson")[1])
	for i := range line {
		for _, bit := range []byte{1 << (i % 8), 0x20} {
			line[i] ^= bit
			b, err := Parse(line, EncSeal1)
			if err == nil {
				_, err = b.checkSignature(&key, nil)
			}
			if err == nil && b.Key == key {
				t.Errorf("byte %d with bits %#x changed: accepted: %s", i, bit, line)
			}
			line[i] ^= bit
		}
	}
}
