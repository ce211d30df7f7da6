package bpi1

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

const testdata = "../../testdata/"

// run is what vectors.json says of the bpi-1 files.
type run struct {
	App         string `json:"app"`
	MaxReceipts int    `json:"max_receipts"`
	NotarySeed  string `json:"notary_seed"`
	NotaryKey   string `json:"notary_key"`
	ProducerKey string `json:"producer_key"`
	Receipts    int    `json:"receipts"`
	NotSigned   []int  `json:"receipts_not_signed"` // line numbers from 1
}

func readRun(t *testing.T) run {
	t.Helper()
	data, err := os.ReadFile(testdata + "vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors map[string]json.RawMessage
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	var v run
	if err := json.Unmarshal(vectors["bpi-1"], &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func readLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(testdata + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func readReceipts(t *testing.T, name string) []receipt.Receipt {
	t.Helper()
	var all []receipt.Receipt
	for i, line := range readLines(t, name) {
		var r receipt.Receipt
		if err := new(receipt.Parser).Parse([]byte(line), &r); err != nil {
			t.Fatalf("%s:%d: %v", name, i+1, err)
		}
		all = append(all, r)
	}
	return all
}

func parseKey(t *testing.T, text string) sign.PublicKey {
	t.Helper()
	k, err := sign.ParsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestVectorReceipts checks printing, hash, chain and signature of every receipt.
func TestVectorReceipts(t *testing.T) {
	v := readRun(t)
	receipts := readReceipts(t, "bpi-1.receipts.ndjson")
	printed := readLines(t, "bpi-1.printed.ndjson")
	if len(receipts) != v.Receipts || len(printed) != v.Receipts {
		t.Fatalf("%d receipts, %d printed, want %d", len(receipts), len(printed), v.Receipts)
	}
	key := parseKey(t, v.ProducerKey)
	prev := receipt.Genesis()
	reordered := 0
	for i := range receipts {
		r := &receipts[i]
		leaf, err := Rules{}.AppendLeaf([]byte("x"), r)
		if err != nil || string(leaf) != "x"+printed[i] {
			t.Errorf("line %d: leaf: got %s, %v, want x%s", i+1, leaf, err, printed[i])
		}
		digest, err := Rules{}.ReceiptDigest(r)
		if err != nil || r.Hash != receipt.Digest(digest) {
			t.Errorf("line %d: hash: got %x, %v, want %s", i+1, digest, err, r.Hash)
		}
		if r.PrevHash != prev {
			t.Errorf("line %d: prev_hash: got %s, want %s", i+1, r.PrevHash, prev)
		}
		prev = r.Hash
		sig, isSig := r.Sig.Bytes()
		want := !slices.Contains(v.NotSigned, i+1)
		if got := isSig && sign.Verify(&key, &digest, &sig); got != want {
			t.Errorf("line %d: signature holds: got %v, want %v", i+1, got, want)
		}
		if !slices.Equal(bytewise(r.Labels), r.Labels) {
			reordered++
		}
	}
	if reordered == 0 || len(v.NotSigned) == 0 {
		t.Errorf("%d receipts with two label orders, %d not signed: the vectors have lost their range", reordered, len(v.NotSigned))
	}
}

// TestVectorBlocks seals the receipts anew and compares every line, signatures included.
func TestVectorBlocks(t *testing.T) {
	v := readRun(t)
	receipts := readReceipts(t, "bpi-1.receipts.ndjson")
	blocks := readLines(t, "bpi-1.blocks.ndjson")
	seed, err := hex.DecodeString(v.NotarySeed)
	if err != nil {
		t.Fatal(err)
	}
	signer := sign.NewSigner((*[32]byte)(seed))
	if got, want := signer.PublicKey(), parseKey(t, v.NotaryKey); got != want {
		t.Fatalf("notary key: got %s, want %s", got, want)
	}
	byInstant := 0
	height := uint64(0)
	for chunk := range slices.Chunk(receipts, v.MaxReceipts) {
		height++
		if height > uint64(len(blocks)) {
			t.Fatalf("%d blocks in the file, more sealed", len(blocks))
		}
		got := seal(t, signer, v.App, height, chunk)
		want := block(t, blocks[height-1])
		if got != want {
			t.Errorf("block %d: got %+v, want %+v", height, got, want)
		}
		if instantRange(t, chunk) != want.Range {
			byInstant++
		}
	}
	if int(height) != len(blocks) {
		t.Errorf("sealed %d blocks, want %d", height, len(blocks))
	}
	if byInstant == 0 {
		t.Error("no block's range differs from the one by instants: the vectors have lost their range")
	}
}

// sealed is a LogBlock of this scheme.
type sealed struct {
	V      int      `json:"v"`
	App    string   `json:"app"`
	Height uint64   `json:"height"`
	Root   string   `json:"merkle_root"`
	Count  uint32   `json:"count"`
	Sig    string   `json:"sig_notary"`
	Range  tsBounds `json:"range"`
}

type tsBounds struct {
	From string `json:"from_ts"`
	To   string `json:"to_ts"`
}

func block(t *testing.T, line string) sealed {
	t.Helper()
	var b sealed
	d := json.NewDecoder(bytes.NewReader([]byte(line)))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		t.Fatal(err)
	}
	return b
}

func seal(t *testing.T, signer *sign.Signer, app string, height uint64, receipts []receipt.Receipt) sealed {
	t.Helper()
	rules := Rules{}
	from, to := receipts[0].TS, receipts[0].TS
	var hashes [][32]byte
	for i := range receipts {
		leaf, err := rules.AppendLeaf(nil, &receipts[i])
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, rules.HashLeaf(leaf))
		if receipts[i].TS < from {
			from = receipts[i].TS
		}
		if receipts[i].TS > to {
			to = receipts[i].TS
		}
	}
	root, count := rules.Root(hashes), uint32(len(receipts))
	digests := [][32]byte{rules.BlockDigest(app, height, root, count, from, to)}
	sigs := make([][64]byte, 1)
	if err := signer.SignBatch(digests, sigs); err != nil {
		t.Fatal(err)
	}
	return sealed{
		1, app, height, "blake3:" + hex.EncodeToString(root[:]), count,
		"ed25519:" + hex.EncodeToString(sigs[0][:]), tsBounds{from, to},
	}
}

// instantRange is the range of encseal-1: the texts of the earliest and of the latest instant.
func instantRange(t *testing.T, receipts []receipt.Receipt) tsBounds {
	t.Helper()
	instant := func(r receipt.Receipt) receipt.Instant {
		at, err := r.Instant()
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	byTime := func(a, b receipt.Receipt) int { return instant(a).Compare(instant(b)) }
	return tsBounds{slices.MinFunc(receipts, byTime).TS, slices.MaxFunc(receipts, byTime).TS}
}
