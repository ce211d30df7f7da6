package receipt

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// A maker makes random receipts that are valid, with a bias to the limits.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 7))} }

// text returns UTF-8 of lo to hi bytes.
func (m maker) text(lo, hi int) string {
	alphabet := []rune("abcXYZ019 -_/\"\\\x00\x01\x1f\b\f\n\r\t\x7f<>&é߿\u2028日￿🚀\U0010ffff")
	n := lo + m.IntN(hi-lo+1)
	switch m.IntN(8) {
	case 0:
		n = lo
	case 1:
		n = hi
	}
	var b []byte
	for len(b) < n {
		c := string(alphabet[m.IntN(len(alphabet))])
		if m.IntN(3) > 0 || len(b)+len(c) > n {
			c = string('a' + rune(m.IntN(26)))
		}
		b = append(b, c...)
	}
	return string(b)
}

func (m maker) integer() uint64 {
	edges := []uint64{0, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64}
	if m.IntN(2) == 0 {
		return edges[m.IntN(len(edges))]
	}
	return m.Uint64() >> m.IntN(64)
}

// float returns an amount: of 16, 32 or 64 bits, of few digits, or at an edge.
func (m maker) float() float64 {
	edges := []float64{0, 1, 5.960464477539063e-08, 6.097555160522461e-05, 6.103515625e-05, 65504, 65505, 65520, 65536,
		math.SmallestNonzeroFloat32, math.MaxFloat32, math.SmallestNonzeroFloat64, math.MaxFloat64, 1.1754943508222875e-38,
		1e-5, 9.999999999999999e-6, 1e16, 9999999999999998, 1e15, 0.1, 0.30000000000000004}
	switch m.IntN(5) {
	case 0:
		return edges[m.IntN(len(edges))]
	case 1:
		return float64(m.IntN(100000)) / 100
	case 2:
		if f := float16value(uint16(m.Uint32()) & 0x7fff); checkFloat(f) == "" {
			return f
		}
	case 3:
		if f := float64(math.Float32frombits(m.Uint32() & math.MaxInt32)); checkFloat(f) == "" {
			return f
		}
	default:
		if f := math.Float64frombits(m.Uint64() & math.MaxInt64); checkFloat(f) == "" {
			return f
		}
	}
	return 0
}

func (m maker) ts() string {
	list := []string{"2026-01-15T10:00:00Z", "0000-02-29T00:00:00Z", "9999-12-31T23:59:59.999999999-23:59", "2024-02-29T12:00:00-00:00"}
	return list[m.IntN(len(list))]
}

func (m maker) hash() Hash {
	switch m.IntN(4) {
	case 0:
		return Genesis()
	case 1:
		h, err := ParseHash("blake3:" + m.text(1, 248))
		if err != nil {
			panic(err)
		}
		return h
	}
	var d [32]byte
	for i := range d {
		d[i] = byte(m.Uint32())
	}
	return Digest(d)
}

func (m maker) sig() Sig {
	if m.IntN(3) == 0 {
		s, err := ParseSig("ed25519:" + m.text(1, 247))
		if err != nil {
			panic(err)
		}
		return s
	}
	var b [64]byte
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return Signature(b)
}

func (m maker) labels() []Label {
	n, longest := m.IntN(4), 40
	switch m.IntN(12) {
	case 0:
		n = MaxLabels
	case 1:
		longest = 300
	case 2:
		longest = 15000 // the value of one label then needs a head of three bytes
	}
	have := map[string]bool{}
	var l []Label
	for range n {
		if key := m.text(0, min(longest, 300)); !have[key] {
			have[key] = true
			l = append(l, Label{key, m.text(0, min(longest, 40000/n))})
		}
	}
	SortLabels(l)
	return l
}

func (m maker) receipt() Receipt {
	r := Receipt{
		App: m.text(1, 255), Container: m.text(1, 255), Op: m.text(1, 255), TS: m.ts(),
		Resource: Resource{CPUms: m.integer(), MemoryMBs: m.integer(), StorageGBDay: m.float(), EgressMB: m.float()},
		Labels:   m.labels(), PrevHash: m.hash(), Hash: m.hash(), Sig: m.sig(),
	}
	if m.IntN(3) == 0 {
		r.Resource.HasReceiptsCount, r.Resource.ReceiptsCount = true, m.integer()
	}
	return r
}

// oracle encodes r with fxamacker/cbor in core deterministic mode.
func oracle(t testing.TB, r *Receipt, signed bool) []byte {
	t.Helper()
	resource := []any{r.Resource.CPUms, r.Resource.MemoryMBs, r.Resource.StorageGBDay, r.Resource.EgressMB}
	if r.Resource.HasReceiptsCount {
		resource = append(resource, r.Resource.ReceiptsCount)
	}
	hash := func(h Hash) any {
		if d, ok := h.Digest(); ok {
			return d[:]
		}
		return h.String()
	}
	m := map[uint64]any{
		1: 1, 2: r.App, 3: r.Container, 4: r.Op, 5: r.TS, 6: resource, 8: hash(r.PrevHash),
	}
	if !signed {
		m[9] = hash(r.Hash)
		m[10] = r.Sig.String()
		if b, ok := r.Sig.Bytes(); ok {
			m[10] = b[:]
		}
	}
	if len(r.Labels) > 0 {
		labels := map[string]string{}
		for _, l := range r.Labels {
			labels[l.Key] = l.Value
		}
		m[7] = labels
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	enc, err := mode.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return enc
}

// TestRandomReceipts: the encodings are the oracle's, and both forms read back
// to what was written.
func TestRandomReceipts(t *testing.T) {
	m := newMaker(1)
	var (
		p         Parser
		enc, line []byte
		back      Receipt
	)
	for i := range 2000 {
		r := m.receipt()
		var err error
		if enc, err = r.AppendCanonical(enc[:0]); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if want := oracle(t, &r, false); !bytes.Equal(enc, want) {
			t.Fatalf("%d: got %x, want %x", i, enc, want)
		}
		signed, err := r.AppendSigned(nil)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if want := oracle(t, &r, true); !bytes.Equal(signed, want) {
			t.Fatalf("%d: signed part: got %x, want %x", i, signed, want)
		}
		if err := Decode(enc, &back); err != nil {
			t.Fatalf("%d: decode %x: %v", i, enc, err)
		}
		if !same(&back, &r) {
			t.Fatalf("%d: decoded %+v, want %+v", i, back, r)
		}
		if line, err = r.AppendJSON(line[:0]); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if err := p.Parse(line, &back); err != nil {
			t.Fatalf("%d: parse %s: %v", i, line, err)
		}
		if !same(&back, &r) {
			t.Fatalf("%d: parsed %+v, want %+v", i, back, r)
		}
		again, err := back.AppendJSON(nil)
		if err != nil || !bytes.Equal(again, line) {
			t.Fatalf("%d: printed again %s (%v), want %s", i, again, err, line)
		}
	}
}

// TestMutations changes each byte of encodings to every value: what is not
// refused encodes to the changed bytes, so that no second encoding exists.
func TestMutations(t *testing.T) {
	m := newMaker(2)
	accepted, refused := 0, 0
	var again []byte
	for done := 0; done < 6; {
		r := m.receipt()
		r.Labels = r.Labels[:min(len(r.Labels), 3)]
		src, err := r.AppendCanonical(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(src) > 500 {
			continue
		}
		done++
		var back Receipt
		for at := range src {
			was := src[at]
			for delta := 1; delta < 256; delta++ {
				src[at] = was + byte(delta)
				if Decode(src, &back) != nil {
					refused++
					continue
				}
				accepted++
				if again, err = back.AppendCanonical(again[:0]); err != nil || !bytes.Equal(again, src) {
					t.Fatalf("byte %d: accepted %x, which encodes as %x (%v)", at, src, again, err)
				}
			}
			src[at] = was
		}
	}
	if accepted == 0 || refused == 0 {
		t.Errorf("got %d accepted and %d refused, want some of both", accepted, refused)
	}
}

// TestCuts: an encoding is refused at each length but its own, and nothing
// behind its end is read.
func TestCuts(t *testing.T) {
	r := sample(t)
	enc, err := r.AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back Receipt
	for n := range enc {
		if err := Decode(enc[:n:n], &back); err == nil {
			t.Errorf("the first %d bytes were accepted", n)
		}
	}
	if err := Decode(append(bytes.Clone(enc), 0), &back); fieldOf(t, err) != "" {
		t.Errorf("got %v, want a refusal of the whole", err)
	}
	two := append(bytes.Clone(enc), enc...)
	rest, err := DecodeFirst(two, &back)
	if err != nil || !bytes.Equal(rest, enc) {
		t.Errorf("got %x (%v), want the second encoding", rest, err)
	}
	if rest, err = DecodeFirst(rest, &back); err != nil || len(rest) != 0 || !same(&back, &r) {
		t.Errorf("got %x (%v) and %+v, want nothing left of %+v", rest, err, back, r)
	}
	if rest, err = DecodeFirst(enc[1:], &back); err == nil || len(rest) != len(enc)-1 {
		t.Errorf("got %d bytes (%v), want the source and an error", len(rest), err)
	}
}

func TestDecodeRandomBytes(t *testing.T) {
	m := newMaker(3)
	r := sample(t)
	enc, err := r.AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back Receipt
	for range 50000 {
		src := bytes.Clone(enc[:m.IntN(len(enc))])
		for range 40 {
			src = append(src, byte(m.Uint32()))
		}
		if err := Decode(src, &back); err == nil {
			again, err := back.AppendCanonical(nil)
			if err != nil || !bytes.Equal(again, src) {
				t.Fatalf("accepted %x, which encodes as %x (%v)", src, again, err)
			}
		}
	}
}
