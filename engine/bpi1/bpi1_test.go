package bpi1

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"lukechampine.com/blake3"

	"github.com/encseal/encseal/engine/receipt"
)

// sample is a receipt whose labels print in another order than the canonical one, without Hash and Sig.
func sample(t *testing.T) receipt.Receipt {
	t.Helper()
	prev, err := receipt.ParseHash("blake3:earlier")
	if err != nil {
		t.Fatal(err)
	}
	r := receipt.Receipt{
		App: "app", Container: "box", Op: "run", TS: "2026-01-15T10:00:00Z",
		Resource: receipt.Resource{
			CPUms: 1, MemoryMBs: math.MaxUint64, StorageGBDay: 1.5, ReceiptsCount: 258, HasReceiptsCount: true,
		},
		Labels:   []receipt.Label{{Key: "zz", Value: "1"}, {Key: "aaa", Value: "2"}, {Key: "zza", Value: ""}, {Key: "", Value: "0"}},
		PrevHash: prev,
	}
	receipt.SortLabels(r.Labels)
	if r.Labels[1].Key != "zz" {
		t.Fatalf("canonical order: %v", r.Labels)
	}
	return r
}

// signed gives r a Hash and a Sig of the right form.
func signed(r receipt.Receipt) receipt.Receipt {
	r.Hash, r.Sig = receipt.Digest([32]byte{1}), receipt.Signature([64]byte{2})
	return r
}

func mustDigest(t *testing.T, r receipt.Receipt) [32]byte {
	t.Helper()
	d, err := Rules{}.ReceiptDigest(&r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestReceiptDigestBytes hashes the bytes of FORMAT §5 written out by hand.
func TestReceiptDigestBytes(t *testing.T) {
	r := sample(t)
	labels := slices.Clone(r.Labels)
	bytesOf := "\x01appboxrun2026-01-15T10:00:00Z" +
		"\x01\x00\x00\x00\x00\x00\x00\x00" +
		"\xff\xff\xff\xff\xff\xff\xff\xff" +
		"\x00\x00\x00\x00\x00\x00\xf8\x3f" +
		"\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x02\x01\x00\x00\x00\x00\x00\x00" +
		"0" + "aaa2" + "zz1" + "zza" + "blake3:earlier"
	want := blake3.Sum256([]byte(bytesOf))
	if got := mustDigest(t, r); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
	if !slices.Equal(r.Labels, labels) {
		t.Errorf("the receipt's labels moved: got %v, want %v", r.Labels, labels)
	}
	if got := mustDigest(t, signed(r)); got != want {
		t.Errorf("with hash and sig: got %x, want %x", got, want)
	}
	r.PrevHash = receipt.Digest([32]byte{0xab})
	want = blake3.Sum256([]byte(strings.TrimSuffix(bytesOf, "blake3:earlier") + "blake3:ab" + strings.Repeat("0", 62)))
	if got := mustDigest(t, r); got != want {
		t.Errorf("prev_hash a digest: got %x, want %x", got, want)
	}
	r.Labels, r.Resource.HasReceiptsCount = nil, false // the count's value is still there and does not count
	bytesOf = bytesOf[:len("\x01appboxrun2026-01-15T10:00:00Z")+32] + strings.Repeat("\x00", 8) + "blake3:ab" + strings.Repeat("0", 62)
	want = blake3.Sum256([]byte(bytesOf))
	if got := mustDigest(t, r); got != want {
		t.Errorf("no labels, no count: got %x, want %x", got, want)
	}
}

// TestRulesOfReceipts wants every rule that a receipt breaks refused by digest and leaf, with the field's name.
func TestRulesOfReceipts(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, c := range []struct {
		name, field string
		change      func(*receipt.Receipt)
	}{
		{"no app", "app", func(r *receipt.Receipt) { r.App = "" }},
		{"long app", "app", func(r *receipt.Receipt) { r.App = long }},
		{"container not UTF-8", "container", func(r *receipt.Receipt) { r.Container = "\xff" }},
		{"no op", "op", func(r *receipt.Receipt) { r.Op = "" }},
		{"no ts", "ts", func(r *receipt.Receipt) { r.TS = "yesterday" }},
		{"negative", "resource.storage_gb_day", func(r *receipt.Receipt) { r.Resource.StorageGBDay = -1 }},
		{"negative zero", "resource.egress_mb", func(r *receipt.Receipt) { r.Resource.EgressMB = math.Copysign(0, -1) }},
		{"NaN", "resource.egress_mb", func(r *receipt.Receipt) { r.Resource.EgressMB = math.NaN() }},
		{"label order", "labels", func(r *receipt.Receipt) { slices.Reverse(r.Labels) }},
		{"bytewise labels", "labels", func(r *receipt.Receipt) { r.Labels = bytewise(r.Labels) }},
		{"label twice", "labels", func(r *receipt.Receipt) { r.Labels = []receipt.Label{{Key: "a"}, {Key: "a"}} }},
		{"65 labels", "labels", func(r *receipt.Receipt) { r.Labels = make([]receipt.Label, 65) }},
		{"no prev_hash", "prev_hash", func(r *receipt.Receipt) { r.PrevHash = receipt.Hash{} }},
		{"too large", "", func(r *receipt.Receipt) { r.Labels = []receipt.Label{{Value: strings.Repeat("v", 65536)}} }},
	} {
		r := signed(sample(t))
		c.change(&r)
		digest, err := Rules{}.ReceiptDigest(&r)
		wantField(t, c.name+", digest", err, c.field)
		if digest != ([32]byte{}) {
			t.Errorf("%s: a digest beside an error", c.name)
		}
		leaf, err := Rules{}.AppendLeaf([]byte("before"), &r)
		wantField(t, c.name+", leaf", err, c.field)
		if string(leaf) != "before" {
			t.Errorf("%s: got %q, want dst as it came", c.name, leaf)
		}
	}
	r := sample(t)
	_, err := Rules{}.AppendLeaf(nil, &r)
	wantField(t, "leaf without hash", err, "hash")
	r.Hash = receipt.Genesis()
	_, err = Rules{}.AppendLeaf(nil, &r)
	wantField(t, "leaf without sig", err, "sig")
}

func wantField(t *testing.T, name string, err error, field string) {
	t.Helper()
	fieldErr, ok := errors.AsType[*receipt.FieldError](err)
	if !ok {
		t.Errorf("%s: got %v, want a FieldError of %q", name, err, field)
	} else if fieldErr.Field != field {
		t.Errorf("%s: got field %q (%s), want %q", name, fieldErr.Field, fieldErr.Reason, field)
	}
}

// recursiveRoot is the tree from its top: n leaves fill 2^depth places, and the hashes of whole subtrees that stand
// empty are those of their left neighbours.
func recursiveRoot(leaves [][32]byte) [32]byte {
	n := len(leaves)
	if n == 1 {
		return leaves[0]
	}
	half := 1
	for 2*half < n {
		half *= 2
	}
	return nodeOf(subtree(leaves[:half], half), subtree(leaves[half:], half))
}

// subtree is the root of size places of which the leaves fill the first ones, at least one.
func subtree(leaves [][32]byte, size int) [32]byte {
	if size == 1 {
		return leaves[0]
	}
	half := size / 2
	left := subtree(leaves[:min(half, len(leaves))], half)
	if len(leaves) <= half {
		return nodeOf(left, left)
	}
	return nodeOf(left, subtree(leaves[half:], half))
}

func nodeOf(l, r [32]byte) [32]byte {
	return blake3.Sum256(append(append([]byte{}, l[:]...), r[:]...))
}

func TestRoot(t *testing.T) {
	var leaves [][32]byte
	for n := uint32(1); n <= 130; n++ {
		leaf := binary.LittleEndian.AppendUint32(nil, n)
		if got, want := (Rules{}).HashLeaf(leaf), blake3.Sum256(leaf); got != want {
			t.Fatalf("leaf %d: got %x, want %x", n, got, want)
		}
		leaves = append(leaves, Rules{}.HashLeaf(leaf))
		if got, want := (Rules{}).Root(slices.Clone(leaves)), recursiveRoot(leaves); got != want {
			t.Errorf("%d leaves: got %x, want %x", n, got, want)
		}
	}
	defer func() {
		if msg, _ := recover().(string); !strings.HasPrefix(msg, "bpi1: ") {
			t.Errorf("no leaves: got %q, want a panic that begins with bpi1:", msg)
		}
	}()
	Rules{}.Root(nil)
}

// TestBlockDigestBytes hashes the bytes of FORMAT §5 written out by hand.
func TestBlockDigestBytes(t *testing.T) {
	root := [32]byte{0: 0xab, 31: 0x0c}
	want := blake3.Sum256([]byte("\x01app" + "\x02\x01\x00\x00\x00\x00\x00\x80" +
		"blake3:ab" + strings.Repeat("00", 30) + "0c" + "\x01\x00\x00\xff" + "from" + "to"))
	if got := (Rules{}).BlockDigest("app", 1<<63|0x102, root, 0xff000001, "from", "to"); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

// TestWeaknesses shows each weak point that the package names, so that none is claimed that is not there.
func TestWeaknesses(t *testing.T) {
	a, b, c := [32]byte{1}, [32]byte{2}, [32]byte{3}
	if got, want := (Rules{}).Root([][32]byte{a, b, c, c}), (Rules{}).Root([][32]byte{a, b, c}); got != want {
		t.Errorf("[a,b,c,c]: got %x, want the root of [a,b,c], %x", got, want)
	}
	if got, want := (Rules{}).HashLeaf(slices.Concat(a[:], b[:])), (Rules{}).Root([][32]byte{a, b}); got != want {
		t.Errorf("leaf of two hashes: got %x, want the node over them, %x", got, want)
	}
	base := sample(t)
	want := mustDigest(t, base)
	for name, change := range map[string]func(*receipt.Receipt){
		"app and container": func(r *receipt.Receipt) { r.App, r.Container = "ap", "pbox" },
		"container and op":  func(r *receipt.Receipt) { r.Container, r.Op = "boxru", "n" },
		"labels":            func(r *receipt.Receipt) { r.Labels = []receipt.Label{{Key: "0aaa2zz1z", Value: "za"}} },
	} {
		r := base
		change(&r)
		if got := mustDigest(t, r); got != want {
			t.Errorf("%s split anew: got %x, want %x", name, got, want)
		}
	}
	longPrev, longLabel := base, base
	longPrev.PrevHash, _ = receipt.ParseHash("blake3:xblake3:earlier")
	longLabel.Labels = slices.Clone(base.Labels)
	longLabel.Labels[slices.Index(base.Labels, receipt.Label{Key: "zza"})].Value = "blake3:x"
	if got, want := mustDigest(t, longLabel), mustDigest(t, longPrev); got != want {
		t.Errorf("label and prev_hash split anew: got %x, want %x", got, want)
	}
	none, zero := base, base
	none.Resource.HasReceiptsCount = false
	zero.Resource.ReceiptsCount = 0
	if got, want := mustDigest(t, zero), mustDigest(t, none); got != want {
		t.Errorf("receipts_count 0: got %x, want that of no count, %x", got, want)
	}
}

// TestReceiptThatIsABlock writes a receipt whose digest is a block's: the block's app holds the receipt's fields up to
// the numbers, a label takes the height, and prev_hash the rest.
func TestReceiptThatIsABlock(t *testing.T) {
	root := blake3.Sum256([]byte("a root"))
	const ts = "2026-01-15T10:00:00Z"
	app, height, count := "acd"+ts+strings.Repeat("\x00", 40), uint64(7), uint32(3)
	want := Rules{}.BlockDigest(app, height, root, count, ts, ts)

	number := binary.LittleEndian.AppendUint32(nil, count)
	prev, err := receipt.ParseHash("blake3:" + hex.EncodeToString(root[:]) + string(number) + ts + ts)
	if err != nil {
		t.Fatal(err)
	}
	r := receipt.Receipt{
		App: "a", Container: "c", Op: "d", TS: ts,
		Labels:   []receipt.Label{{Key: "", Value: string(binary.LittleEndian.AppendUint64(nil, height))}},
		PrevHash: prev,
	}
	if got := mustDigest(t, r); got != want {
		t.Errorf("got %x, want the block's digest %x", got, want)
	}
	line, err := Rules{}.AppendLeaf(nil, new(signed(r)))
	if err != nil {
		t.Fatal(err)
	}
	var again receipt.Receipt
	if err := new(receipt.Parser).Parse(line, &again); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if got := mustDigest(t, again); got != want {
		t.Errorf("read from JSON: got %x, want %x", got, want)
	}
}

func TestWeaknessesText(t *testing.T) {
	if strings.HasSuffix(Weaknesses, "\n") {
		t.Error("Weaknesses ends in a line end")
	}
	for line := range bytes.Lines([]byte(Weaknesses)) {
		if n := len(bytes.TrimSuffix(line, []byte("\n"))); n == 0 || n > 80 {
			t.Errorf("line of %d characters: %q", n, line)
		}
	}
}
