package bench

import (
	"encoding/json"
	"testing"
)

// BenchmarkEncode takes line 1 of the real receipts from memory to the bytes that are hashed. impl=naive is encoding/json,
// which checks no rule.
func BenchmarkEncode(b *testing.B) {
	r, s := receipts(b)[0], steps(b)[0]
	b.Run("impl=encseal", func(b *testing.B) {
		var enc []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if enc, err = r.AppendCanonical(enc[:0]); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(enc)))
		report(b, "receipts")
	})
	b.Run("impl=naive", func(b *testing.B) {
		var enc []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if enc, err = json.Marshal(&s); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(enc)))
		report(b, "receipts")
	})
}
