package fuzz

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/encseal/encseal/engine/receipt"
)

var opaque = cmp.AllowUnexported(receipt.Hash{}, receipt.Sig{})

// FuzzReceiptJSON: what parses has an encoding and a printed form, the printed form says the same and prints as itself.
func FuzzReceiptJSON(f *testing.F) {
	addLines(f, "*.receipts.ndjson", "refused.ndjson", "*.printed.ndjson")
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		var p receipt.Parser
		var r receipt.Receipt
		err := p.Parse(line, &r)
		if !bytes.Equal(line, before) {
			t.Fatal("the parser wrote into its input")
		}
		if err != nil {
			return
		}
		printed, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatalf("accepted, but does not print: %v", err)
		}
		var q receipt.Receipt
		var p2 receipt.Parser
		if err := p2.Parse(printed, &q); err != nil {
			t.Fatalf("printed form %q refused: %v", printed, err)
		}
		if diff := cmp.Diff(r, q, opaque); diff != "" {
			t.Fatalf("printed form says something else (-read +printed):\n%s", diff)
		}
		again, err := q.AppendJSON(nil)
		if err != nil || !bytes.Equal(again, printed) {
			t.Fatalf("printed twice: %q and %q (%v)", printed, again, err)
		}
		enc, err := r.AppendCanonical(nil)
		if err != nil {
			t.Fatalf("accepted, but does not encode: %v", err)
		}
		decodeBack(t, enc, &r)
	})
}

// FuzzReceiptCBOR: what decodes encodes to the same bytes, and its printed form leads back to them.
func FuzzReceiptCBOR(f *testing.F) {
	addHex(f, "encseal-1.enc.hex", "edge.enc.hex", "refused.cbor.hex")
	f.Fuzz(func(t *testing.T, enc []byte) {
		var r receipt.Receipt
		if err := receipt.Decode(enc, &r); err != nil {
			return
		}
		again, err := r.AppendCanonical(nil)
		if err != nil || !bytes.Equal(again, enc) {
			t.Fatalf("accepted %x\nbut encodes to %x (%v)", enc, again, err)
		}
		printed, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatalf("decoded, but does not print: %v", err)
		}
		var q receipt.Receipt
		var p receipt.Parser
		if len(printed) > receipt.MaxLine {
			return // no line of NDJSON
		}
		if err := p.Parse(printed, &q); err != nil {
			t.Fatalf("printed form %q refused: %v", printed, err)
		}
		if again, err = q.AppendCanonical(nil); err != nil || !bytes.Equal(again, enc) {
			t.Fatalf("by way of JSON %x became %x (%v)", enc, again, err)
		}
	})
}

func decodeBack(t *testing.T, enc []byte, want *receipt.Receipt) {
	t.Helper()
	var r receipt.Receipt
	if err := receipt.Decode(enc, &r); err != nil {
		t.Fatalf("own encoding %x refused: %v", enc, err)
	}
	again, err := r.AppendCanonical(nil)
	if err != nil || !bytes.Equal(again, enc) {
		t.Fatalf("decoded and encoded: %x became %x (%v)", enc, again, err)
	}
	if len(r.Labels) == 0 && len(want.Labels) == 0 {
		r.Labels = want.Labels // nil and empty say the same
	}
	if diff := cmp.Diff(*want, r, opaque); diff != "" {
		t.Fatalf("encoding says something else (-receipt +decoded):\n%s", diff)
	}
}
