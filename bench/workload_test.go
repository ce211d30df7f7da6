package bench

import (
	"bytes"
	"os"
	"testing"

	"github.com/encseal/encseal/engine/receipt"
)

// receipts reads the receipts of testdata/my-app.receipts.ndjson: real ones, signed and chained.
func receipts(b testing.TB) []*receipt.Receipt {
	b.Helper()
	var p receipt.Parser
	var all []*receipt.Receipt
	for _, line := range receiptLines(b) {
		var r receipt.Receipt
		if err := p.Parse(line, &r); err != nil {
			b.Fatal(err)
		}
		own := r.Clone()
		all = append(all, &own)
	}
	return all
}

func receiptLines(b testing.TB) [][]byte {
	b.Helper()
	raw, err := os.ReadFile("../testdata/my-app.receipts.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n"))
}

// realLeaves returns the canonical encodings of the receipts, back to back, and where each ends.
func realLeaves(b testing.TB) (arena []byte, ends []int) {
	b.Helper()
	for _, r := range receipts(b) {
		var err error
		if arena, err = r.AppendCanonical(arena); err != nil {
			b.Fatal(err)
		}
		ends = append(ends, len(arena))
	}
	return arena, ends
}

// evenLeaves returns count messages of size bytes each.
func evenLeaves(count, size int) (arena []byte, ends []int) {
	arena = make([]byte, count*size)
	for i := range arena {
		arena[i] = byte(i % 251)
	}
	for i := range count {
		ends = append(ends, (i+1)*size)
	}
	return arena, ends
}

// report turns the time of b.N operations into a rate.
func report(b *testing.B, unit string) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit+"/s")
}
