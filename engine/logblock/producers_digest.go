package logblock

import (
	"github.com/encseal/encseal/engine/lanes"
	"github.com/encseal/encseal/engine/receipt"
)

// receiptKey holds the key words of receipt.DigestContext; it is never written.
var receiptKey = lanes.NewKey(receipt.DigestContext)

// A part of a call's receipts is digested at once: partSize of them, or fewer once their encodings reach partBytes. So the
// arena of one holds less than partBytes + receipt.MaxEncoding.
const (
	partSize  = 128
	partBytes = 192 << 10
)

// digests are those of one part.
type digests struct {
	arena []byte // what they cover, back to back
	ends  []int  // digest i is that of arena[ends[i-1]:ends[i]]
	sums  [][32]byte
}

// of returns the digests of the first receipts, at least one of them; they are good until the next call. With err they are
// those before the receipt that broke a rule, perhaps none.
func (d *digests) of(receipts []*receipt.Receipt, legacy Legacy) (sums [][32]byte, err error) {
	receipts = receipts[:min(len(receipts), partSize)]
	d.sums = d.sums[:0]
	if legacy != nil {
		return d.ofLegacy(receipts, legacy)
	}
	d.arena, d.ends = d.arena[:0], d.ends[:0]
	for _, r := range receipts {
		if len(d.arena) >= partBytes {
			break
		}
		if d.arena, err = r.AppendSigned(d.arena); err != nil {
			break
		}
		d.ends = append(d.ends, len(d.arena))
	}
	if cap(d.sums) < len(d.ends) {
		d.sums = make([][32]byte, partSize)
	}
	d.sums = d.sums[:len(d.ends)]
	lanes.HashArena(&receiptKey, d.arena, 0, d.ends, d.sums)
	return d.sums, err
}

func (d *digests) ofLegacy(receipts []*receipt.Receipt, legacy Legacy) ([][32]byte, error) {
	for _, r := range receipts {
		sum, err := legacy.ReceiptDigest(r)
		if err != nil {
			return d.sums, err
		}
		d.sums = append(d.sums, sum)
	}
	return d.sums, nil
}
