package lanes

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"lukechampine.com/blake3"
)

// equal returns n messages of size bytes in one arena.
func equal(n, size int) (arena []byte, ends []int) {
	arena = make([]byte, n*size)
	newRand().Read(arena)
	for i := range n {
		ends = append(ends, (i+1)*size)
	}
	return arena, ends
}

// receiptLike returns n messages of 5 to 8 blocks.
func receiptLike(n int) (arena []byte, ends []int) {
	source := newRand()
	lengths := rand.New(source)
	size := 0
	for range n {
		size += 280 + lengths.IntN(200)
		ends = append(ends, size)
	}
	arena = make([]byte, size)
	source.Read(arena)
	return arena, ends
}

func BenchmarkHashArena(b *testing.B) {
	for _, size := range []int{64, 256, 320, 1024} {
		arena, ends := equal(1024, size)
		benchmarkArena(b, fmt.Sprintf("size=%dB", size), arena, ends)
	}
	for _, n := range []int{2, 4, 8, 16, 32, 100, 300} {
		arena, ends := receiptLike(n)
		benchmarkArena(b, fmt.Sprintf("size=mixed/n=%d", n), arena, ends)
	}
	arena, ends := equal(1<<16, 300)
	benchmarkArena(b, "size=300B/n=65536", arena, ends)
}

// benchmarkArena runs every backend and lukechampine.com/blake3, one message after the other, over the same messages.
func benchmarkArena(b *testing.B, name string, arena []byte, ends []int) {
	run := func(impl string, hash func()) {
		b.Run(name+"/impl="+impl, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(arena)))
			for b.Loop() {
				hash()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(ends)), "ns/msg")
		})
	}
	k, out := NewKey(context), make([][Size]byte, len(ends))
	for _, backend := range Backends() {
		run(backend.String(), func() { backend.HashArena(&k, arena, 0, ends, out) })
	}
	run("lukechampine", func() {
		start := 0
		for i, end := range ends {
			out[i] = blake3.Sum256(arena[start:end])
			start = end
		}
	})
}

func BenchmarkHashPairs(b *testing.B) {
	const pairs = 32768
	in := digests(2 * pairs)
	out := make([][Size]byte, pairs)
	k := NewKey(context)
	run := func(impl string, hash func()) {
		b.Run("digests=65536/impl="+impl, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				hash()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pairs, "ns/pair")
		})
	}
	for _, backend := range Backends() {
		run(backend.String(), func() { backend.HashPairs(&k, in, out) })
	}
	run("lukechampine", func() {
		for i := range out {
			var pair [64]byte
			copy(pair[:32], in[2*i][:])
			copy(pair[32:], in[2*i+1][:])
			out[i] = blake3.Sum256(pair[:])
		}
	})
}
