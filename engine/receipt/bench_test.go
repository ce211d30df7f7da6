package receipt

import (
	"crypto/ed25519"
	"testing"
)

// sample returns a signed receipt with three labels, as a producer sends it.
func sample(t testing.TB) Receipt {
	t.Helper()
	r := Receipt{
		App:       "my-app",
		Container: "job-9812",
		Op:        "exec.start",
		TS:        "2026-01-15T10:00:00Z",
		Resource:  Resource{CPUms: 412, MemoryMBs: 265, StorageGBDay: 0.1, EgressMB: 1.2},
		Labels:    []Label{{"tier", "gold"}, {"region", "ca-east"}, {"project", "alpha-7"}},
		PrevHash:  Digest([32]byte{1, 2, 3}),
	}
	SortLabels(r.Labels)
	if err := r.Sign(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))); err != nil {
		t.Fatal(err)
	}
	return r
}

func BenchmarkAppendCanonical(b *testing.B) {
	r := sample(b)
	buf, err := r.AppendCanonical(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = r.AppendCanonical(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	r := sample(b)
	buf, err := r.AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = r.AppendJSON(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	r := sample(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Digest(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	r := sample(b)
	line, err := r.AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	var p Parser
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Parse(line, &r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := sample(b)
	src, err := r.AppendCanonical(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(src, &r); err != nil {
			b.Fatal(err)
		}
	}
}
