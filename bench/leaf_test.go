package bench

import (
	"fmt"
	"runtime"
	"testing"

	"lukechampine.com/blake3"

	"github.com/encseal/encseal/engine/lanes"
	"github.com/encseal/encseal/merkle"
)

// BenchmarkLeaf hashes a batch of messages as leaves; an op is one message. size=real are the 300 real receipts, the others
// 1,024 messages.
func BenchmarkLeaf(b *testing.B) {
	for _, size := range []int{64, 256, 1024} {
		arena, ends := evenLeaves(1024, size)
		benchmarkLeaf(b, fmt.Sprintf("size=%dB", size), arena, ends)
	}
	arena, ends := realLeaves(b)
	benchmarkLeaf(b, "size=real", arena, ends)
}

func benchmarkLeaf(b *testing.B, size string, arena []byte, ends []int) {
	out := make([][32]byte, len(ends))
	key := lanes.NewKey(merkle.LeafContext)
	for _, backend := range lanes.Backends() {
		b.Run(fmt.Sprintf("%s/impl=%s", size, backend), func(b *testing.B) {
			each(b, 1, len(arena), len(ends), func() { backend.HashArena(&key, arena, 0, ends, out) })
		})
	}
	b.Run(size+"/impl=lukechampine", func(b *testing.B) {
		each(b, 1, len(arena), len(ends), func() {
			start := 0
			for i, end := range ends {
				out[i] = blake3.Sum256(arena[start:end])
				start = end
			}
		})
	})
}

// each runs work, which does count ops on size bytes in all, until b.N ops are done, on one core, and reports the time of
// one. (b.Loop would count a whole batch as one op; and b.N is seldom a whole number of batches, so that the time is divided
// by what was done.)
func each(b *testing.B, cores, size, count int, work func()) {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	b.ReportAllocs()
	work()
	b.ResetTimer()
	done := 0
	for ; done < b.N; done += count {
		work()
	}
	elapsed := b.Elapsed()
	b.ReportMetric(float64(elapsed.Nanoseconds())/float64(done), "ns/op")
	b.ReportMetric(float64(size)*float64(done)/float64(count)/1e6/elapsed.Seconds(), "MB/s")
}
