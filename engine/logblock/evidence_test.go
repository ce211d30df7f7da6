package logblock

import (
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/sign"
)

func TestEvidenceVectors(t *testing.T) {
	v := readVector(t, "encseal-1")
	key := publicKey(t, v.NotaryKey)
	for i, line := range readLines(t, "evidence.ndjson") {
		e, err := ParseEvidence([]byte(line))
		if err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		if err := e.Check(key, nil); err != nil {
			t.Errorf("line %d: %v", i, err)
		}
		if got := mustJSON(t, e); got != line {
			t.Errorf("line %d: printed\ngot  %s\nwant %s", i, got, line)
		}
		checkField(t, e.Check(testSigner(1).PublicKey(), nil), "evidence[0].key", "not the trusted")
		checkField(t, e.Check(sign.PublicKey{}, nil), "", "trusted key")
	}
	want := []struct{ field, words string }{
		{"evidence", "one signed digest twice"},
		{"evidence", "two heights, 1 and 2"},
		{"evidence[1].sig_notary", "not a signature"},
		{"evidence", "fewer than two"},
	}
	lines := readLines(t, "evidence.refused.ndjson")
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d", len(lines), len(want))
	}
	for i, line := range lines {
		e, err := ParseEvidence([]byte(line))
		if err == nil {
			err = e.Check(key, nil)
		}
		checkField(t, err, want[i].field, want[i].words)
	}
}

func TestFlipEachByteOfEvidence(t *testing.T) {
	v := readVector(t, "encseal-1")
	key := publicKey(t, v.NotaryKey)
	line := []byte(readLines(t, "evidence.ndjson")[0])
	for i := range line {
		for _, bit := range []byte{1 << (i % 8), 0x20} {
			line[i] ^= bit
			e, err := ParseEvidence(line)
			if err == nil {
				err = e.Check(key, bpi1.Rules{})
			}
			if err == nil {
				t.Errorf("byte %d: accepted: %s", i, line)
			}
			line[i] ^= bit
		}
	}
}

// Blocks of both schemes under one key are evidence against it, if the bpi-1 rules are at hand.
func TestEvidenceAcrossSchemes(t *testing.T) {
	signer := testSigner(1)
	key := signer.PublicKey()
	mine := func(change func(b *LogBlock)) LogBlock {
		b := goodBlock()
		b.Key = key
		change(b)
		signBlock(t, b, signer)
		return *b
	}
	bpi := func(b *LogBlock) {
		*b = LogBlock{App: b.App, Height: b.Height, MerkleRoot: b.MerkleRoot, Count: b.Count, FromTS: b.FromTS, ToTS: b.ToTS, Scheme: BPI1}
	}
	check := func(a, b LogBlock, legacy Legacy) error {
		e, err := ParseEvidence([]byte(mustJSON(t, &Evidence{[2]LogBlock{a, b}})))
		if err != nil {
			t.Fatal(err)
		}
		return e.Check(key, legacy)
	}
	ours, old := mine(func(*LogBlock) {}), mine(bpi)
	other := mine(func(b *LogBlock) { bpi(b); b.Count++ })
	for i, pair := range [][2]LogBlock{{ours, old}, {old, ours}, {old, other}} {
		if err := check(pair[0], pair[1], bpi1.Rules{}); err != nil {
			t.Errorf("pair %d: %v", i, err)
		}
	}
	checkField(t, check(ours, old, nil), "evidence[1].scheme", "only when asked for")
	checkField(t, check(old, ours, nil), "evidence[0].scheme", "only when asked for")
	checkField(t, check(old, old, bpi1.Rules{}), "evidence", "one signed digest")
	checkField(t, check(ours, mine(func(b *LogBlock) { b.App = "other" }), nil), "evidence", "two apps")
	checkField(t, check(old, mine(func(b *LogBlock) { bpi(b); b.Height++ }), bpi1.Rules{}), "evidence", "two heights")
	// The same header under another signature of the same key is one statement, not two.
	again := ours
	again.Sig[40] ^= 1
	checkField(t, check(ours, again, nil), "evidence[1].sig_notary", "not a signature")
	// A block whose own key is another's says nothing about this one, even signed by it.
	checkField(t, check(ours, mine(func(b *LogBlock) { b.Key = testSigner(2).PublicKey() }), nil), "evidence[1].key", "not the trusted")
}

func TestEvidenceRefusals(t *testing.T) {
	line := readLines(t, "evidence.ndjson")[0]
	block := line[strings.Index(line, "[")+1 : strings.Index(line, "},{")+1]
	for _, test := range []struct{ name, text, field, words string }{
		{"no v", strings.Replace(line, `{"v":1,"evidence"`, `{"evidence"`, 1), "v", "missing"},
		{"v 2", strings.Replace(line, `{"v":1,"evidence"`, `{"v":2,"evidence"`, 1), "v", "want 1"},
		{"v alone", `{"v":1}`, "evidence", "missing"},
		{"no block", `{"v":1,"evidence":[]}`, "evidence", "fewer"},
		{"three blocks", `{"v":1,"evidence":[` + block + `,` + block + `,` + block + `]}`, "evidence", "more than two"},
		{"null for a block", `{"v":1,"evidence":[` + block + `,null]}`, "evidence[1]", "null"},
		{"object", `{"v":1,"evidence":` + block + `}`, "evidence", "an object, want an array"},
		{"unknown key", strings.Replace(line, `{"v":1,"evidence"`, `{"v":1,"x":1,"evidence"`, 1), "x", "unknown"},
		{"twice", strings.Replace(line, `{"v":1,"evidence"`, `{"v":1,"evidence":[`+block+`,`+block+`],"evidence"`, 1), "evidence", "duplicate"},
		{"trailing", line + "1", "", "trailing"},
		{"wrong block", strings.Replace(line, `"height":1`, `"height":0`, 1), "evidence[0].height", "start at 1"},
		{"eight keys", strings.Replace(line, `"scheme":"encseal-1",`, ``, 1), "evidence[0].scheme", "missing"},
		{"too large", line + strings.Repeat("\n", MaxText), "", "over"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseEvidence([]byte(test.text))
			checkField(t, err, test.field, test.words)
		})
	}
}

func TestKind(t *testing.T) {
	for _, test := range []struct {
		text string
		want FileKind
	}{
		{readLines(t, "evidence.ndjson")[0], EvidenceFile},
		{readLines(t, "encseal-1.proofs.ndjson")[0], ProofFile},
		{readLines(t, "opaque.proofs.ndjson")[0], ProofFile},
		{` { "evidence" : 1 }`, EvidenceFile},
		{"{\"v\":[1,{\"receipt\":2}],\n\"logblock\":", ProofFile},
		{`{"v":{"receipt":1},"evidence":`, EvidenceFile},
	} {
		got, err := Kind([]byte(test.text))
		if err != nil || got != test.want {
			t.Errorf("%.60s: got %v, %v, want %v", test.text, got, err, test.want)
		}
	}
	if got := ProofFile.String() + " " + EvidenceFile.String() + " " + FileKind(7).String(); got != "proof evidence FileKind(7)" {
		t.Errorf("got %q, want the kinds named", got)
	}
	for _, test := range []struct{ text, words string }{
		{goodText, "neither a proof nor evidence: its keys are v, app, height"},
		{`{}`, "neither"},
		{``, "no JSON"},
		{`[]`, "an array"},
		{`{"v":1,"v":1}`, "duplicate"},
		{`{"v":`, "cut off"},
		{strings.Repeat(" ", MaxText+1), "over"},
	} {
		kind, err := Kind([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%.60s: got %v, %v, want an error with %q", test.text, kind, err, test.words)
		}
	}
}
