package logblock

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/merkle"
)

// vector is one chain of testdata/vectors.json.
type vector struct {
	Name              string `json:"-"`
	Scheme            string `json:"scheme"`
	App               string `json:"app"`
	MaxReceipts       int    `json:"max_receipts"`
	NotarySeed        string `json:"notary_seed"`
	NotaryKey         string `json:"notary_key"`
	ProducerKey       string `json:"producer_key"`
	ReceiptsNotSigned []int  `json:"receipts_not_signed"`
	FirstKey          string `json:"first_key"`
}

func testdata(name string) string { return filepath.Join("..", "..", "testdata", name) }

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(testdata(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// readLines returns the lines of a vector file, none of them empty.
func readLines(t testing.TB, name string) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(readFile(t, name)), "\n"), "\n")
	for i, line := range lines {
		if line == "" {
			t.Fatalf("%s: line %d is empty", name, i+1)
		}
	}
	return lines
}

func readVector(t testing.TB, name string) vector {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(readFile(t, "vectors.json"), &all); err != nil {
		t.Fatal(err)
	}
	v := vector{Name: name}
	if err := json.Unmarshal(all[name], &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *vector) signer(t testing.TB) *sign.Signer {
	t.Helper()
	var seed [32]byte
	copy(seed[:], unhex(t, v.NotarySeed))
	return sign.NewSigner(&seed)
}

func (v *vector) legacy() Legacy {
	if v.Scheme == BPI1 {
		return bpi1.Rules{}
	}
	return nil
}

func (v *vector) config(t testing.TB) CheckerConfig {
	t.Helper()
	key := v.NotaryKey
	if v.FirstKey != "" {
		key = v.FirstKey
	}
	return CheckerConfig{Key: publicKey(t, key), Scheme: v.Scheme, Legacy: v.legacy()}
}

func publicKey(t testing.TB, text string) sign.PublicKey {
	t.Helper()
	key, err := sign.ParsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readReceipts(t testing.TB, name string) []*receipt.Receipt {
	t.Helper()
	var p receipt.Parser
	var all []*receipt.Receipt
	for i, line := range readLines(t, name+".receipts.ndjson") {
		var r receipt.Receipt
		if err := p.Parse([]byte(line), &r); err != nil {
			t.Fatalf("%s: receipt %d: %v", name, i, err)
		}
		own := r.Clone()
		all = append(all, &own)
	}
	return all
}

func readBlocks(t testing.TB, name, scheme string) []*LogBlock {
	t.Helper()
	if scheme == "" {
		scheme = EncSeal1
	}
	var all []*LogBlock
	for i, line := range readLines(t, name+".blocks.ndjson") {
		b, err := Parse([]byte(line), scheme)
		if err != nil {
			t.Fatalf("%s: block %d: %v", name, i, err)
		}
		all = append(all, b)
	}
	return all
}

// seal makes the blocks of receipts, as a notary without state would.
func seal(t testing.TB, v *vector, receipts []*receipt.Receipt) []*LogBlock {
	t.Helper()
	signer := v.signer(t)
	var blocks []*LogBlock
	var prev [32]byte
	for len(receipts) > 0 {
		n := min(v.MaxReceipts, len(receipts))
		b := fill(t, v, receipts[:n])
		receipts = receipts[n:]
		b.Height = uint64(len(blocks)) + 1
		if v.Scheme == EncSeal1 {
			b.Prev, b.Key = prev, signer.PublicKey()
		}
		prev = signBlock(t, b, signer)
		blocks = append(blocks, b)
	}
	return blocks
}

// fill returns a block that says what receipts come to, found out the slow way.
func fill(t testing.TB, v *vector, receipts []*receipt.Receipt) *LogBlock {
	t.Helper()
	legacy := v.legacy()
	b := &LogBlock{App: v.App, Scheme: v.Scheme, Count: uint32(len(receipts)), HasUsage: v.Scheme == EncSeal1}
	var hashes [][32]byte
	for i, r := range receipts {
		if v.Scheme == BPI1 {
			leaf, err := legacy.AppendLeaf(nil, r)
			if err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, legacy.HashLeaf(leaf))
		} else {
			leaf, err := r.AppendCanonical(nil)
			if err != nil {
				t.Fatal(err)
			}
			hashes = append(hashes, merkle.HashLeaf(leaf))
			b.Usage.Add(&r.Resource)
		}
		before := func(a, b string) bool {
			if v.Scheme == BPI1 {
				return a < b
			}
			x, _ := receipt.ParseInstant(a)
			y, _ := receipt.ParseInstant(b)
			return x.Compare(y) < 0
		}
		if i == 0 || before(r.TS, b.FromTS) {
			b.FromTS = r.TS
		}
		if i == 0 || before(b.ToTS, r.TS) {
			b.ToTS = r.TS
		}
	}
	if v.Scheme == BPI1 {
		b.MerkleRoot = legacy.Root(hashes)
	} else {
		b.MerkleRoot = merkle.NewTree(hashes).Root()
	}
	return b
}

// signBlock signs b and returns its signed digest.
func signBlock(t testing.TB, b *LogBlock, signer *sign.Signer) [32]byte {
	t.Helper()
	digest, err := b.SignedDigest(bpi1.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	var sigs [1][64]byte
	if err := signer.SignBatch([][32]byte{digest}, sigs[:]); err != nil {
		t.Fatal(err)
	}
	b.Sig = sigs[0]
	return digest
}

func testSigner(seed byte) *sign.Signer {
	s := [32]byte{0: seed, 31: 0x77}
	return sign.NewSigner(&s)
}

func mustJSON(t testing.TB, v interface{ AppendJSON([]byte) ([]byte, error) }) string {
	t.Helper()
	text, err := v.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkField fails unless err names the field and holds the words.
func checkField(t testing.TB, err error, field, words string) {
	t.Helper()
	var own *FieldError
	if !errors.As(err, &own) {
		t.Errorf("got error %v, want a *FieldError for %q", err, field)
		return
	}
	if own.Field != field || !strings.Contains(own.Reason, words) {
		t.Errorf("got %q: %q, want %q: …%s…", own.Field, own.Reason, field, words)
	}
	if want := "logblock: "; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want it to begin with %q", err, want)
	}
}

func joinLines(lines []string) *bytes.Buffer {
	return bytes.NewBufferString(strings.Join(lines, "\n") + "\n")
}
