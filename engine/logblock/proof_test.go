package logblock

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/merkle"
)

// prove makes the proof of one receipt of a block.
func prove(t testing.TB, b *LogBlock, receipts []*receipt.Receipt, index int) *Proof {
	t.Helper()
	hashes := make([]merkle.Hash, len(receipts))
	for i, r := range receipts {
		leaf, err := r.AppendCanonical(nil)
		if err != nil {
			t.Fatal(err)
		}
		hashes[i] = merkle.HashLeaf(leaf)
	}
	path, err := merkle.NewTree(hashes).AppendPath([]merkle.Hash{}, uint64(index))
	if err != nil {
		t.Fatal(err)
	}
	return &Proof{Receipt: receipts[index], Index: uint32(index), Path: path, Block: *b}
}

// blockReceipts returns the receipts of block i of a vector.
func blockReceipts(v *vector, receipts []*receipt.Receipt, i int) []*receipt.Receipt {
	return receipts[i*v.MaxReceipts : min((i+1)*v.MaxReceipts, len(receipts))]
}

func TestProofVectors(t *testing.T) {
	v := readVector(t, "encseal-1")
	key := publicKey(t, v.NotaryKey)
	receipts, blocks := readReceipts(t, "encseal-1"), readBlocks(t, "encseal-1", EncSeal1)
	for i, line := range readLines(t, "encseal-1.proofs.ndjson") {
		p, err := ParseProof([]byte(line))
		if err != nil {
			t.Fatalf("proof %d: %v", i, err)
		}
		if err := p.Check(key); err != nil {
			t.Errorf("proof %d: %v", i, err)
		}
		at := int(p.Block.Height) - 1
		made := prove(t, blocks[at], blockReceipts(&v, receipts, at), int(p.Index))
		if diff := cmp.Diff(made.Path, p.Path); diff != "" {
			t.Errorf("proof %d: path (-made +vector):\n%s", i, diff)
		}
		if diff := cmp.Diff(made.Block, p.Block); diff != "" {
			t.Errorf("proof %d: block (-made +vector):\n%s", i, diff)
		}
		back, err := ParseProof([]byte(mustJSON(t, p)))
		if err != nil {
			t.Fatalf("proof %d printed: %v", i, err)
		}
		if got, want := mustJSON(t, back), mustJSON(t, made); got != want {
			t.Errorf("proof %d: printed\ngot  %s\nwant %s", i, got, want)
		}
		checkField(t, p.Check(testSigner(9).PublicKey()), "logblock.key", "not the trusted key")
	}
}

// Every receipt of every block can be proved, and in another place no proof holds.
func TestProveAll(t *testing.T) {
	for _, name := range []string{"encseal-1", "edge"} {
		v := readVector(t, name)
		key := publicKey(t, v.NotaryKey)
		receipts, blocks := readReceipts(t, name), readBlocks(t, name, EncSeal1)
		for i, b := range blocks {
			leaves := blockReceipts(&v, receipts, i)
			for j := range leaves {
				p := prove(t, b, leaves, j)
				if err := p.Check(key); err != nil {
					t.Errorf("%s: block %d, receipt %d: %v", name, i+1, j, err)
				}
				if name == "encseal-1" { // edge has receipts that are the same
					p.Index = uint32((j + 1) % len(leaves))
					checkField(t, p.Check(key), "path", "does not lead")
				}
			}
		}
	}
}

func TestProofRefusedVectors(t *testing.T) {
	v := readVector(t, "encseal-1")
	key := publicKey(t, v.NotaryKey)
	why := readLines(t, "encseal-1.proofs.refused.why.txt")
	want := map[string]struct{ field, words string }{
		"index: another leaf":                                  {"path", "does not lead from the leaf at this index"},
		"index: not below count":                               {"index", "leaves"},
		"index: negative":                                      {"index", "digits alone"},
		"index: fraction":                                      {"index", "digits alone"},
		"path: one short":                                      {"path", "too short"},
		"path: one long":                                       {"path", "too long"},
		"path: swapped":                                        {"path", "another root"},
		"path: upper-case hex":                                 {"path[0]", "lower-case"},
		"path: empty":                                          {"path", "too short"},
		"path: over 32 items":                                  {"path", "over 32"},
		"receipt: altered":                                     {"path", "from the leaf"},
		"receipt: app differs":                                 {"receipt.app", "the block's is"},
		"receipt: unknown key":                                 {"receipt.", "unknown"},
		"logblock: count altered":                              {"logblock.sig_notary", "not a signature"},
		"logblock: height altered":                             {"logblock.prev", "zero at height 2"},
		"logblock: only seven keys":                            {"logblock.scheme", "bpi-1"},
		"logblock: scheme altered":                             {"logblock.scheme", "is not"},
		"logblock: signature altered":                          {"logblock.sig_notary", "not a signature"},
		"logblock: S plus the group order":                     {"logblock.sig_notary", "not a signature"},
		"logblock: another notary, validly signed":             {"logblock.key", "not the trusted key"},
		"logblock: prev not zero at height 1":                  {"logblock.prev", "not zero"},
		"leaf beside receipt":                                  {"leaf", "beside"},
		"leaf in place of receipt, though the block has usage": {"receipt", "missing"},
		"v: not 1":                                             {"v", "want 1"},
		"extra key":                                            {"", "unknown key"},
		"duplicate key":                                        {"", "duplicate key"},
		"trailing data":                                        {"", "trailing data"},
	}
	lines := readLines(t, "encseal-1.proofs.refused.ndjson")
	if len(lines) != len(why) {
		t.Fatalf("%d lines, %d reasons", len(lines), len(why))
	}
	for i, line := range lines {
		p, err := ParseProof([]byte(line))
		if err == nil {
			err = p.Check(key)
		}
		w, ok := want[why[i]]
		if !ok {
			t.Errorf("no expectation for %q (got %v)", why[i], err)
			continue
		}
		own, ok := err.(*FieldError)
		if !ok {
			t.Errorf("%s: got %v, want a *FieldError", why[i], err)
			continue
		}
		fieldFits := own.Field == w.field ||
			strings.HasSuffix(w.field, ".") && strings.HasPrefix(own.Field, w.field) ||
			w.words == "unknown key" || w.words == "duplicate key"
		if !fieldFits || !strings.Contains(own.Reason, w.words) {
			t.Errorf("%s: got %q: %q, want %q: …%s…", why[i], own.Field, own.Reason, w.field, w.words)
		}
	}
}

func TestOpaqueProofVectors(t *testing.T) {
	v := readVector(t, "encseal-1")
	key := publicKey(t, v.NotaryKey)
	var hashes []merkle.Hash
	proofs := readLines(t, "opaque.proofs.ndjson")
	for i, line := range proofs {
		p, err := ParseProof([]byte(line))
		if err != nil {
			t.Fatalf("proof %d: %v", i, err)
		}
		if err := p.Check(key); err != nil {
			t.Errorf("proof %d: %v", i, err)
		}
		if p.Receipt != nil || p.Leaf == nil || p.Block.HasUsage {
			t.Errorf("proof %d: got receipt %v, leaf %v, usage %v, want a leaf alone", i, p.Receipt, p.Leaf, p.Block.HasUsage)
		}
		if got := mustJSON(t, p); got != line {
			t.Errorf("proof %d: printed\ngot  %s\nwant %s", i, got, line)
		}
		hashes = append(hashes, merkle.HashLeaf(p.Leaf))
		p.Leaf = append(p.Leaf, 0)
		checkField(t, p.Check(key), "path", "another root")
	}
	tree := merkle.NewTree(hashes)
	for i, line := range proofs {
		p, err := ParseProof([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		path, err := tree.AppendPath([]merkle.Hash{}, uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(path, p.Path); diff != "" {
			t.Errorf("proof %d: path (-tree +vector):\n%s", i, diff)
		}
	}
}

// Each byte of a proof file changed once, in two ways: the file is refused.
func TestFlipEachByteOfAProof(t *testing.T) {
	v := readVector(t, "encseal-1")
	key := publicKey(t, v.NotaryKey)
	files := []string{readLines(t, "encseal-1.proofs.ndjson")[2], readLines(t, "opaque.proofs.ndjson")[3]}
	for n, file := range files {
		data := []byte(file)
		if err := checkProof(data, key); err != nil {
			t.Fatal(err)
		}
		for i := range data {
			for _, bit := range []byte{1 << (i % 8), 0x20} {
				data[i] ^= bit
				if err := checkProof(data, key); err == nil {
					t.Errorf("file %d, byte %d (%q): accepted: %s", n, i, file[i], data)
				}
				data[i] ^= bit
			}
		}
	}
}

func checkProof(data []byte, key sign.PublicKey) error {
	p, err := ParseProof(data)
	if err != nil {
		return err
	}
	return p.Check(key)
}

// A proof file cut short anywhere is refused.
func TestCutProof(t *testing.T) {
	file := readLines(t, "encseal-1.proofs.ndjson")[0]
	for i := range file {
		if _, err := ParseProof([]byte(file[:i])); err == nil {
			t.Errorf("the first %d bytes of %d: accepted", i, len(file))
		}
	}
	if _, err := ParseProof([]byte(" \n" + file + "\r\n\t ")); err != nil {
		t.Errorf("with white space around it: %v", err)
	}
}

func TestProofRefusals(t *testing.T) {
	opaque := readLines(t, "opaque.proofs.ndjson")[2]
	withReceipt := readLines(t, "encseal-1.proofs.ndjson")[1]
	for _, test := range []struct{ name, file, old, new, field, words string }{
		{"leaf without padding", opaque, `"AgI="`, `"AgI"`, "leaf", "padded base64"},
		{"leaf with bits left over", opaque, `"AgI="`, `"AgJ="`, "leaf", "padded base64"},
		{"leaf in base64url", opaque, `"AgI="`, `"_-8="`, "leaf", "padded base64"},
		{"leaf with a line break", opaque, `"AgI="`, `"AgI=\n"`, "leaf", "line breaks"},
		{"leaf with a carriage return", opaque, `"AgI="`, `"Ag\rI="`, "leaf", "line breaks"},
		{"leaf with a space", opaque, `"AgI="`, `"Ag I="`, "leaf", "padded base64"},
		{"leaf with more padding", opaque, `"AgI="`, `"AgI=="`, "leaf", "padded base64"},
		{"leaf null", opaque, `"AgI="`, `null`, "leaf", "null"},
		{"leaf over the bound", opaque, `"AgI="`, `"` + base64.StdEncoding.EncodeToString(make([]byte, MaxLeaf+1)) + `"`, "leaf", "over 65535"},
		{"leaf far over the bound", opaque, `"AgI="`, `"` + strings.Repeat("A", 400000) + `"`, "leaf", "over 65535"},
		{"no leaf", opaque, `"leaf":"AgI=",`, ``, "leaf", "missing"},
		{"two leaves", opaque, `"leaf":"AgI=",`, `"leaf":"AgI=","leaf":"AgI=",`, "leaf", "duplicate"},
		{"no v", opaque, `{"v":1,"leaf"`, `{"leaf"`, "v", "missing"},
		{"no index", opaque, `"index":2,`, ``, "index", "missing"},
		{"index 2^32", opaque, `"index":2,`, `"index":4294967296,`, "index", "over 4294967295"},
		{"index as text", opaque, `"index":2,`, `"index":"2",`, "index", "a string"},
		{"path null", opaque, `"path":[`, `"path":null,"x":[`, "path", "null"},
		{"path with null", opaque, `"path":[`, `"path":[null,`, "path[0]", "null"},
		{"path with a number", opaque, `"path":[`, `"path":[1,`, "path[0]", "a number"},
		{"path with a comma too many", opaque, `],"logblock"`, `,],"logblock"`, "path[3]", "not JSON"},
		{"block null", opaque, `"logblock":{`, `"logblock":null,"x":{`, "logblock", "null"},
		{"unknown key in the block", opaque, `"logblock":{`, `"logblock":{"x":1,`, "logblock.x", "unknown"},
		{"range in the block", opaque, `"to_ts":"2026-01-15`, `"to_ts":"2026-13-15`, "logblock.range.to_ts", "month"},
		{"evidence key", opaque, `{"v":1,"leaf"`, `{"v":1,"evidence":[],"leaf"`, "evidence", "unknown"},
		{"receipt given for a block without usage", opaque, `"leaf":"AgI="`,
			withReceipt[strings.Index(withReceipt, `"receipt":`):strings.Index(withReceipt, `,"index":`)], "receipt", "not receipts"},
		{"no receipt", withReceipt, withReceipt[strings.Index(withReceipt, `"receipt":`):strings.Index(withReceipt, `"index":`)], ``, "receipt", "missing"},
		{"receipt null", withReceipt, `"receipt":{`, `"receipt":null,"x":{`, "receipt", ""},
		{"duplicate in the receipt", withReceipt, `"op":`, `"op":"x","op":`, "receipt.op", "duplicate"},
		{"wrong field in the receipt", withReceipt, `"cpu_ms":`, `"cpu_ms":-1,"x":`, "receipt.resource.cpu_ms", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(test.file, test.old) {
				t.Fatalf("%q is not in the file", test.old)
			}
			_, err := ParseProof([]byte(strings.Replace(test.file, test.old, test.new, 1)))
			checkField(t, err, test.field, test.words)
		})
	}
	t.Run("too large", func(t *testing.T) {
		_, err := ParseProof([]byte(opaque + strings.Repeat(" ", MaxText)))
		checkField(t, err, "", "over")
	})
}

// opaqueBlock returns a signed block of leaves that are no receipts, and the tree of them.
func opaqueBlock(t testing.TB, signer *sign.Signer, leaves [][]byte) (*LogBlock, *merkle.Tree) {
	t.Helper()
	hashes := make([]merkle.Hash, len(leaves))
	for i := range leaves {
		hashes[i] = merkle.HashLeaf(leaves[i])
	}
	tree := merkle.NewTree(hashes)
	b := &LogBlock{
		App: "opaque", Height: 1, MerkleRoot: tree.Root(), Count: uint32(len(leaves)),
		FromTS: "2026-01-15T10:00:01Z", ToTS: "2026-01-15T10:00:00Z", Scheme: EncSeal1, Key: signer.PublicKey(),
	}
	signBlock(t, b, signer)
	return b, tree
}

// All sizes to 40 and every leaf hold, at every other index the proof does not; so do the largest and the empty leaf.
func TestProofSizes(t *testing.T) {
	signer := testSigner(1)
	key := signer.PublicKey()
	for n := 1; n <= 40; n++ {
		leaves := make([][]byte, n)
		for i := range leaves {
			leaves[i] = fmt.Appendf(nil, "leaf %d", i)
		}
		leaves[n/2] = nil
		leaves[n-1] = make([]byte, MaxLeaf)
		b, tree := opaqueBlock(t, signer, leaves)
		for i := range leaves {
			path, err := tree.AppendPath(nil, uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			p := &Proof{Leaf: leaves[i], Index: uint32(i), Path: path, Block: *b}
			parsed, err := ParseProof([]byte(mustJSON(t, p)))
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
			if err := parsed.Check(key); err != nil {
				t.Errorf("leaf %d of %d: %v", i, n, err)
			}
			parsed.Block.Count++
			checkField(t, parsed.Check(key), "logblock.sig_notary", "not a signature")
		}
	}
}

// The checks beyond the vectors, on blocks that the notary really signed.
func TestProofCheck(t *testing.T) {
	v := readVector(t, "encseal-1")
	signer := v.signer(t)
	key := signer.PublicKey()
	receipts := readReceipts(t, "encseal-1")[:4]
	seal := func(change func(b *LogBlock)) *Proof {
		b := fill(t, &v, receipts)
		b.Height, b.Key = 1, key
		change(b)
		signBlock(t, b, signer)
		return prove(t, b, receipts, 2)
	}
	p := seal(func(*LogBlock) {})
	if err := p.Check(key); err != nil {
		t.Fatal(err)
	}
	p = seal(func(b *LogBlock) { b.FromTS, b.ToTS = receipts[2].TS, receipts[2].TS })
	if err := p.Check(key); err != nil {
		t.Errorf("range of one instant: %v", err)
	}
	p = seal(func(b *LogBlock) { b.FromTS = "2026-01-15T23:00:00Z"; b.ToTS = b.FromTS })
	checkField(t, p.Check(key), "receipt.ts", "outside")
	p = seal(func(b *LogBlock) { b.FromTS = "2025-01-15T10:00:00Z"; b.ToTS = b.FromTS })
	checkField(t, p.Check(key), "receipt.ts", "outside")
	p = seal(func(b *LogBlock) { b.App = "other" })
	checkField(t, p.Check(key), "receipt.app", "other")
	p = seal(func(b *LogBlock) { b.Count = 3 })
	checkField(t, p.Check(key), "path", "too ")
	p = seal(func(b *LogBlock) { b.Count = 2 })
	checkField(t, p.Check(key), "index", "2 leaves")
	p = seal(func(b *LogBlock) { b.Key = testSigner(2).PublicKey() })
	checkField(t, p.Check(key), "logblock.key", "not the trusted")
	checkField(t, p.Check(sign.PublicKey{}), "", "trusted key")

	p = seal(func(*LogBlock) {})
	p.Path = make([][32]byte, MaxPath+1)
	checkField(t, p.Check(key), "path", "over 32")
	_, err := p.AppendJSON(nil)
	checkField(t, err, "path", "over 32")
	p = seal(func(*LogBlock) {})
	p.Leaf = []byte{}
	checkField(t, p.Check(key), "leaf", "beside")
	p = seal(func(*LogBlock) {})
	p.Receipt = nil
	checkField(t, p.Check(key), "receipt", "missing")
	p = seal(func(*LogBlock) {})
	broken := *p.Receipt
	broken.Op = ""
	p.Receipt = &broken
	checkField(t, p.Check(key), "receipt.op", "")
	dst, err := p.AppendJSON([]byte("kept"))
	checkField(t, err, "receipt.op", "")
	if string(dst) != "kept" {
		t.Errorf("got %q after an error, want dst as it came", dst)
	}
	p = &Proof{Leaf: make([]byte, MaxLeaf+1), Block: *goodBlock()}
	p.Block.HasUsage = false
	checkField(t, p.Check(key), "leaf", "over 65535")
	p.Block.Scheme = BPI1
	checkField(t, p.Check(key), "logblock.scheme", "bpi-1")
}
