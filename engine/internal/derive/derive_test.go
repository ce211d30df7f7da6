package derive

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"lukechampine.com/blake3"
)

// pattern is the input of the vectors: byte i is i mod 251.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// lengths are all short lengths and, up to 1 MiB, those where the chunk tree changes its shape.
func lengths() []int {
	var all []int
	for n := range 3001 {
		all = append(all, n)
	}
	for _, n := range []int{4096, 7168, 8192, 16384, 17 * 1024, 31 * 1024, 32 * 1024, 33 * 1024, 64 * 1024, 1 << 20} {
		all = append(all, n-1, n, n+1)
	}
	return append(all, 5000, 50000, 100000)
}

func TestSumAgreesWithBLAKE3(t *testing.T) {
	data := pattern(1<<20 + 1)
	for _, context := range []string{"encseal 2026-11-23 leaf v1", "", "x", strings.Repeat("long context ", 300)} {
		k := NewKey(context)
		for _, n := range lengths() {
			var want [32]byte
			blake3.DeriveKey(want[:], context, data[:n])
			if got := k.Sum(data[:n]); got != want {
				t.Fatalf("context of %d bytes, message of %d: got %x, want %x", len(context), n, got, want)
			}
		}
	}
}

// TestContextLengths runs the context itself through every shape of the tree.
func TestContextLengths(t *testing.T) {
	msg := []byte("message")
	for n := range 2100 {
		context := string(pattern(n))
		k := NewKey(context)
		var want [32]byte
		blake3.DeriveKey(want[:], context, msg)
		if got := k.Sum(msg); got != want {
			t.Fatalf("context of %d bytes: got %x, want %x", n, got, want)
		}
	}
}

// TestOfficialVectors holds derive_key answers of the BLAKE3 authors' test_vectors.json, 32 bytes of each.
func TestOfficialVectors(t *testing.T) {
	k := NewKey("BLAKE3 2019-12-27 16:29:52 test vectors context")
	for n, want := range map[int]string{
		0:      "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d",
		1:      "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c",
		1023:   "74a16c1c3d44368a86e1ca6df64be6a2f64cce8f09220787450722d85725dea5",
		1024:   "7356cd7720d5b66b6d0697eb3177d9f8d73a4a5c5e968896eb6a689684302706",
		1025:   "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb",
		2048:   "7b2945cb4fef70885cc5d78a87bf6f6207dd901ff239201351ffac04e1088a23",
		2049:   "2ea477c5515cc3dd606512ee72bb3e0e758cfae7232826f35fb98ca1bcbdf273",
		3073:   "72613c9ec9ff7e40f8f5c173784c532ad852e827dba2bf85b2ab4b76f7079081",
		8193:   "af1e0346e389b17c23200270a64aa4e1ead98c61695d917de7d5b00491c9b0f1",
		31744:  "39772aef80e0ebe60596361e45b061e8f417429d529171b6764468c22928e28e",
		100000: "039c0c0d76eacefea9c8d042698bd012d3cef4091ed5c5a7e32a30e4d5171893",
	} {
		got := k.Sum(pattern(n))
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%d bytes: got %x, want %s", n, got, want)
		}
	}
}

func TestLeafVectors(t *testing.T) {
	data, err := os.ReadFile("../../../testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Leaves map[string]string `json:"leaf_of_pattern"`
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Leaves) == 0 {
		t.Fatal("vectors.json holds no leaf_of_pattern")
	}
	k := NewKey("encseal 2026-11-23 leaf v1")
	for length, want := range vectors.Leaves {
		n, err := strconv.Atoi(length)
		if err != nil {
			t.Fatal(err)
		}
		got := k.Sum(pattern(n))
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%d bytes: got %x, want %s", n, got, want)
		}
	}
}

// TestKeyWords checks what kernels are given: the key words are the context's hash in its own mode, read little-endian.
func TestKeyWords(t *testing.T) {
	a, b := NewKey("a"), NewKey("b")
	if a.Words() == b.Words() {
		t.Errorf("two contexts share key words %x", a.Words())
	}
	if again := NewKey("a"); again != a {
		t.Errorf("got %x, want %x: a context has one key", again.Words(), a.Words())
	}
	const deriveKeyMaterial = 1 << 6
	if got := a.Flags(); got != deriveKeyMaterial {
		t.Errorf("flags: got %#x, want %#x", got, deriveKeyMaterial)
	}
}

func TestSumDoesNotAllocate(t *testing.T) {
	k := NewKey("encseal 2026-11-23 leaf v1")
	data := pattern(1 << 20)
	var sink [32]byte
	for _, n := range []int{0, 1, 64, 320, 1024, 1025, 2048, 65535, 1 << 20} {
		if got := testing.AllocsPerRun(3, func() { sink = k.Sum(data[:n]) }); got != 0 {
			t.Errorf("%d bytes: got %v allocations, want 0", n, got)
		}
	}
	_ = sink
}

func TestSumLeavesMessageAlone(t *testing.T) {
	k := NewKey("x")
	for _, n := range []int{1, 63, 64, 65, 1024, 5000} {
		msg := pattern(n + 8)
		k.Sum(msg[:n])
		if string(msg) != string(pattern(n+8)) {
			t.Errorf("%d bytes: the message or what follows it was written to", n)
		}
	}
}

func BenchmarkSum(b *testing.B) {
	for _, n := range []int{64, 256, 1024, 4096, 65535} {
		b.Run("size="+strconv.Itoa(n)+"B", func(b *testing.B) {
			k, msg := NewKey("encseal 2026-11-23 leaf v1"), pattern(n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				k.Sum(msg)
			}
		})
	}
}
