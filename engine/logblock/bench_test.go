package logblock

import (
	"bytes"
	"testing"
)

func BenchmarkVerify(b *testing.B) {
	v := readVector(b, "my-app")
	blocks, receipts := readFile(b, "my-app.blocks.ndjson"), readFile(b, "my-app.receipts.ndjson")
	cfg := v.config(b)
	b.SetBytes(int64(len(blocks) + len(receipts)))
	b.ReportAllocs()
	var checked uint64
	for b.Loop() {
		result, err := Verify(cfg, bytes.NewReader(blocks), bytes.NewReader(receipts))
		if err != nil {
			b.Fatal(err)
		}
		checked += result.Receipts
	}
	b.ReportMetric(float64(checked)/b.Elapsed().Seconds(), "receipts/s")
}

func BenchmarkParse(b *testing.B) {
	line := []byte(readLines(b, "my-app.blocks.ndjson")[0])
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(line, EncSeal1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	block := readBlocks(b, "my-app", EncSeal1)[0]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := block.Hash(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUsageAdd(b *testing.B) {
	r := readReceipts(b, "my-app")[0]
	var u Usage
	for b.Loop() {
		u.Add(&r.Resource)
	}
}
