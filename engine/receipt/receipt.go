// Package receipt holds the StepReceipt: what one step of a job used, claimed
// and signed by the producer that ran it. It reads and prints the receipt's
// JSON, writes and reads its canonical encoding, and makes and checks the
// producer's hash and signature. It knows no notary and imports none of ours
// but the digest in engine/internal/derive.
//
// # Two forms
//
// JSON is what producers send: one object a line, keys in any order, read by
// [Parser] and [Lines], printed by [Receipt.AppendJSON] in one way only:
//
//	{"v":1,"app":"my-app","container":"job-9812","op":"exec.start","ts":"2026-01-15T10:00:00Z",
//	 "resource":{"cpu_ms":412,"memory_mb_s":265,"storage_gb_day":0.1,"egress_mb":1.2},
//	 "labels":{"region":"ca-east"},"prev_hash":"blake3:genesis","hash":"blake3:…","sig":"ed25519:…"}
//
// The canonical encoding enc(r) is what is hashed and sealed: CBOR in the core
// deterministic form of RFC 8949 §4.2.1, a map with unsigned integer keys.
//
//	a9/aa                     map of 9 pairs, of 10 with labels
//	01  01                    v
//	02  text                  app            1 to 255 bytes
//	03  text                  container      1 to 255 bytes
//	04  text                  op             1 to 255 bytes
//	05  text                  ts             RFC 3339, as it came
//	06  84/85                 [cpu_ms, memory_mb_s, storage_gb_day, egress_mb(, receipts_count)]
//	07  map text→text         labels, shorter keys first, then bytewise; left out when there are none
//	08  58 20 … or text       prev_hash: 32 bytes when it is a digest, else the whole text
//	09  58 20 … or text       hash
//	0a  58 40 … or text       sig: 64 bytes when it is a signature, else the whole text
//
// Integers and lengths have their shortest head, floats the shortest of 16, 32
// and 64 bits that keeps the value. The mapping is one to one: two receipts
// have the same encoding exactly when they say the same, and [Decode] accepts
// nothing but these bytes.
//
// # Producers
//
// The receipt digest is BLAKE3 in derive_key mode over enc(r) without keys 9
// and 10. The hash is that digest, the signature is RFC 8032 Ed25519 over its
// 32 bytes, and prev_hash is the hash of the same producer's previous receipt
// for the same app, blake3:genesis for its first.
//
// # Rules
//
// However a receipt was made, every encoder enforces every rule of the format
// and refuses with a [FieldError]: what was encoded can be decoded and checked.
//
// # Ownership
//
// Parser and the decoders do not copy: the strings of a receipt they fill may
// point into the line or the encoding, or into the parser's scratch memory.
// Such a receipt is good until that memory changes; [Receipt.Clone] makes one
// that stands alone. Encoders borrow the receipt for the call alone.
package receipt

const (
	// MaxEncoding is the largest canonical encoding, in bytes.
	MaxEncoding = 65535
	// MaxLine is the longest line of JSON, in bytes, its LF not counted.
	MaxLine = 1 << 20
	// MaxLabels is the largest number of labels.
	MaxLabels = 64

	// maxText is the longest app, container, op, prev_hash, hash or sig, in bytes.
	maxText = 255
)

// A Receipt is one StepReceipt of version 1. A copy of the struct shares its
// strings and labels; see [Receipt.Clone].
type Receipt struct {
	App       string // 1 to 255 bytes of UTF-8
	Container string // 1 to 255 bytes of UTF-8
	Op        string // 1 to 255 bytes of UTF-8
	TS        string // RFC 3339 as it came; see ParseInstant

	Resource Resource

	// Labels stand strictly ascending in canonical order, at most MaxLabels of
	// them; nil and empty say the same. SortLabels brings them there.
	Labels []Label

	PrevHash Hash // the producer's previous receipt, or Genesis
	Hash     Hash // the receipt digest, when the producer is honest
	Sig      Sig  // over the receipt digest, when the producer is honest
}

// Resource is what the step used. It prints as "usage" when it has a receipts
// count and as "resource" when not; errors always call it resource.
type Resource struct {
	CPUms        uint64  // CPU time, milliseconds
	MemoryMBs    uint64  // memory held over time, megabyte-seconds
	StorageGBDay float64 // storage held over time, gigabyte-days; finite, not below 0, no negative zero
	EgressMB     float64 // bytes sent out, megabytes; finite, not below 0, no negative zero

	ReceiptsCount    uint64 // counts only where HasReceiptsCount is set
	HasReceiptsCount bool   // absent and 0 are different
}

// reset empties r and keeps the capacity of its labels.
func (r *Receipt) reset() {
	*r = Receipt{Labels: r.Labels[:0]}
}

// Clone returns a deep copy of r: it shares no memory with r, nor with the line
// or encoding that r was read from.
func (r *Receipt) Clone() Receipt {
	c := *r
	n := len(r.App) + len(r.Container) + len(r.Op) + len(r.TS) +
		len(r.PrevHash.text) + len(r.Hash.text) + len(r.Sig.text)
	for i := range r.Labels {
		n += len(r.Labels[i].Key) + len(r.Labels[i].Value)
	}
	a := arena{buf: make([]byte, 0, n)}
	c.App = a.keep(r.App)
	c.Container = a.keep(r.Container)
	c.Op = a.keep(r.Op)
	c.TS = a.keep(r.TS)
	c.PrevHash.text = a.keep(r.PrevHash.text)
	c.Hash.text = a.keep(r.Hash.text)
	c.Sig.text = a.keep(r.Sig.text)
	c.Labels = nil
	if len(r.Labels) > 0 {
		c.Labels = make([]Label, len(r.Labels))
		for i, l := range r.Labels {
			c.Labels[i] = Label{Key: a.keep(l.Key), Value: a.keep(l.Value)}
		}
	}
	return c
}

// An arena copies many strings into one allocation. Its buffer has room for all
// of them from the start, so that strings made earlier keep pointing into it.
type arena struct{ buf []byte }

func (a *arena) keep(s string) string {
	at := len(a.buf)
	a.buf = append(a.buf, s...)
	return alias(a.buf[at:])
}
