package logblock

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

// Blocks made from the receipts and the seed are the vectors' blocks, byte for byte.
func TestSealVectors(t *testing.T) {
	for _, name := range []string{"encseal-1", "my-app", "edge", "bpi-1"} {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			want := readLines(t, name+".blocks.ndjson")
			blocks := seal(t, &v, readReceipts(t, name))
			if len(blocks) != len(want) {
				t.Fatalf("got %d blocks, want %d", len(blocks), len(want))
			}
			for i, b := range blocks {
				if diff := cmp.Diff(want[i], mustJSON(t, b)); diff != "" {
					t.Errorf("block %d (-want +got):\n%s", i+1, diff)
				}
				parsed, err := Parse([]byte(want[i]), v.Scheme)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(b, parsed); diff != "" {
					t.Errorf("block %d parsed (-made +parsed):\n%s", i+1, diff)
				}
			}
		})
	}
}

func TestHeaderVectors(t *testing.T) {
	headers := readLines(t, "encseal-1.hdr.hex")
	hashes := readLines(t, "encseal-1.block_hash.hex")
	blocks := readBlocks(t, "encseal-1", EncSeal1)
	if len(blocks) != len(headers) || len(blocks) != len(hashes) {
		t.Fatalf("got %d blocks, %d headers, %d hashes", len(blocks), len(headers), len(hashes))
	}
	for i, b := range blocks {
		hdr, err := b.AppendHeader([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := hex.EncodeToString(hdr), hex.EncodeToString([]byte("before"))+headers[i]; got != want {
			t.Errorf("block %d: header\ngot  %s\nwant %s", i+1, got, want)
		}
		hash, err := b.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(hash[:]); got != hashes[i] {
			t.Errorf("block %d: hash: got %s, want %s", i+1, got, hashes[i])
		}
	}
}

// The header is what a general encoder in core deterministic mode makes of the same map.
func TestHeaderAgainstOracle(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	number := func() uint64 {
		edges := []uint64{0, 1, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxInt64, math.MaxUint64}
		return edges[rng.IntN(len(edges))]
	}
	for i := range 2000 {
		b := &LogBlock{
			App: strings.Repeat("é", 1+rng.IntN(127)), Height: max(number(), 2), Count: uint32(max(number(), 1)),
			FromTS: "2026-01-15T10:00:00Z", ToTS: "9999-12-31T23:59:59.999999999-23:59",
			Usage:  Usage{number(), number(), number(), number()},
			Scheme: EncSeal1, HasUsage: rng.IntN(2) == 0, HasNextKey: rng.IntN(2) == 0,
		}
		if b.Count == 0 {
			b.Count = math.MaxUint32
		}
		for _, field := range [][]byte{b.MerkleRoot[:], b.Prev[:], b.Key[:], b.NextKey[:]} {
			for j := range field {
				field[j] = byte(rng.Uint32())
			}
		}
		fields := map[uint64]any{
			1: uint64(1), 2: b.App, 3: b.Height, 4: b.MerkleRoot[:], 5: b.Count, 6: b.FromTS, 7: b.ToTS,
			8: b.Prev[:], 9: b.Key[:], 11: b.Scheme,
		}
		if b.HasUsage {
			fields[10] = []uint64{b.Usage.CPUms, b.Usage.MemoryMBs, b.Usage.StorageUGBDay, b.Usage.EgressUMB}
		}
		if b.HasNextKey {
			fields[12] = b.NextKey[:]
		}
		want, err := mode.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		got, err := b.AppendHeader(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("block %d: %+v\ngot  %x\nwant %x", i, b, got, want)
		}
		if len(got) > maxHeader {
			t.Fatalf("block %d: header of %d bytes, want at most %d", i, len(got), maxHeader)
		}
		back, err := Parse([]byte(mustJSON(t, b)), EncSeal1)
		if err != nil {
			t.Fatal(err)
		}
		if !b.HasUsage {
			b.Usage = Usage{}
		}
		if !b.HasNextKey {
			b.NextKey = [32]byte{}
		}
		if diff := cmp.Diff(b, back); diff != "" {
			t.Fatalf("block %d (-printed +parsed):\n%s", i, diff)
		}
		if back, err = ParseHeader(got); err != nil {
			t.Fatalf("block %d: its header: %v", i, err)
		}
		if diff := cmp.Diff(b, back); diff != "" {
			t.Fatalf("block %d (-encoded +parsed):\n%s", i, diff)
		}
	}
}

func goodBlock() *LogBlock {
	return &LogBlock{
		App: "my-app", Height: 2, MerkleRoot: [32]byte{1}, Count: 3, Sig: [64]byte{2},
		FromTS: "2026-01-15T10:00:00Z", ToTS: "2026-01-15T10:05:00Z",
		Usage: Usage{1236, 795, 300000, 3600000}, HasUsage: true,
		Scheme: EncSeal1, Prev: [32]byte{3}, Key: [32]byte{4},
	}
}

// No encoder lets a block pass that could not be read again.
func TestRulesOnEncoding(t *testing.T) {
	for _, test := range []struct {
		name         string
		change       func(b *LogBlock)
		field, words string
	}{
		{"no app", func(b *LogBlock) { b.App = "" }, "app", "empty"},
		{"long app", func(b *LogBlock) { b.App = strings.Repeat("a", 256) }, "app", "256 bytes"},
		{"app not UTF-8", func(b *LogBlock) { b.App = "a\xff" }, "app", "UTF-8"},
		{"surrogate in app", func(b *LogBlock) { b.App = "\xed\xa0\x80" }, "app", "UTF-8"},
		{"height 0", func(b *LogBlock) { b.Height = 0 }, "height", "start at 1"},
		{"count 0", func(b *LogBlock) { b.Count = 0 }, "count", "0"},
		{"from_ts", func(b *LogBlock) { b.FromTS = "2026-01-15T10:00:00" }, "range.from_ts", ""},
		{"to_ts", func(b *LogBlock) { b.ToTS = "2026-02-29T10:00:00Z" }, "range.to_ts", ""},
		{"prev at height 1", func(b *LogBlock) { b.Height = 1 }, "prev", "not zero"},
		{"no prev", func(b *LogBlock) { b.Prev = [32]byte{} }, "prev", "zero at height 2"},
		{"no scheme", func(b *LogBlock) { b.Scheme = "" }, "scheme", "neither"},
		{"other scheme", func(b *LogBlock) { b.Scheme = "encseal-2" }, "scheme", "neither"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := goodBlock()
			test.change(b)
			dst := []byte("kept")
			got, err := b.AppendHeader(dst)
			checkField(t, err, test.field, test.words)
			if string(got) != "kept" {
				t.Errorf("AppendHeader: got %q after an error, want dst as it came", got)
			}
			got, err = b.AppendJSON(dst)
			checkField(t, err, test.field, test.words)
			if string(got) != "kept" {
				t.Errorf("AppendJSON: got %q after an error, want dst as it came", got)
			}
			_, err = b.Hash()
			checkField(t, err, test.field, test.words)
		})
	}
	b := goodBlock()
	b.Scheme = BPI1
	_, err := b.AppendHeader(nil)
	checkField(t, err, "scheme", "no header")
	_, err = b.SignedDigest(nil)
	checkField(t, err, "scheme", "only when asked for")
}

func TestHeaderAllocatesNothing(t *testing.T) {
	b := goodBlock()
	b.HasNextKey = true
	room := make([]byte, 0, maxHeader)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := b.AppendHeader(room); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("AppendHeader: got %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := b.Hash(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Hash: got %v allocations, want 0", n)
	}
}

func TestPrintStrings(t *testing.T) {
	var all, want strings.Builder
	for c := range 0x80 {
		all.WriteByte(byte(c))
	}
	want.WriteByte('"')
	for c := range 0x20 {
		switch c {
		case '\b':
			want.WriteString(`\b`)
		case '\t':
			want.WriteString(`\t`)
		case '\n':
			want.WriteString(`\n`)
		case '\f':
			want.WriteString(`\f`)
		case '\r':
			want.WriteString(`\r`)
		default:
			fmt.Fprintf(&want, `\u%04x`, c)
		}
	}
	for c := 0x20; c < 0x80; c++ {
		if c == '"' || c == '\\' {
			want.WriteByte('\\')
		}
		want.WriteByte(byte(c))
	}
	want.WriteByte('"')
	if got := string(appendString(nil, all.String())); got != want.String() {
		t.Errorf("got  %s\nwant %s", got, want.String())
	}
	const plain = "/</>&'\u2028\u2029\ufeff\U0001f680é"
	if got, want := string(appendString(nil, plain)), `"`+plain+`"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	b := goodBlock()
	b.App = all.String() + plain
	back, err := Parse([]byte(mustJSON(t, b)), EncSeal1)
	if err != nil {
		t.Fatal(err)
	}
	if back.App != b.App {
		t.Errorf("got app %q, want %q", back.App, b.App)
	}
}
