package ledger_test

import (
	"testing"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/ledger/ledgertest"
	"github.com/encseal/encseal/engine/logblock"
)

// large writes 200 blocks of 512 receipts in frames of 64.
func large(b *testing.B, w *ledgertest.Writer) (receipts int) {
	b.Helper()
	one := w.App(logblock.EncSeal1, "one")
	leaves := ledgertest.Receipts(one, 0, 512)
	for range 200 {
		w.Block(one, 64, leaves...)
		receipts += len(leaves)
	}
	w.Close()
	return receipts
}

func BenchmarkCheck(b *testing.B) {
	fs := directory(b)
	receipts := large(b, ledgertest.OpenSize(fs, signer, journal.DefaultSegmentSize))
	b.ReportAllocs()
	for b.Loop() {
		r, err := ledger.Check(fs, config())
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(r.Bytes)
	}
	b.ReportMetric(float64(receipts)*float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
}

// BenchmarkLeaves reads all leaves, beside what checking costs.
func BenchmarkLeaves(b *testing.B) {
	fs := directory(b)
	receipts := large(b, ledgertest.OpenSize(fs, signer, journal.DefaultSegmentSize))
	r, err := ledger.Open(fs, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := r.Blocks("one", 1, 1<<20, func(block *ledger.Block) error {
			return r.Leaves(block, func(int, []byte) error { n++; return nil })
		}); err != nil || n != receipts {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(receipts)*float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
}
