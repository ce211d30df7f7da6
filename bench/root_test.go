package bench

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/encseal/encseal/merkle"
)

// BenchmarkRoot computes the root over leaf hashes; an op is one leaf. All work in place: from the second time on the hashes
// are what the time before left behind, which no implementation minds.
func BenchmarkRoot(b *testing.B) {
	for _, leaves := range []int{1024, 65536, 1 << 20} {
		hashes := leafHashes(leaves)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("leaves=%d/workers=%d/impl=encseal", leaves, workers), func(b *testing.B) {
				builder := merkle.Builder{Workers: workers}
				each(b, workers, 32*leaves, leaves, func() { builder.Root(hashes) })
			})
		}
		b.Run(fmt.Sprintf("leaves=%d/workers=1/impl=lukechampine", leaves), func(b *testing.B) {
			each(b, 1, 32*leaves, leaves, func() { naiveRoot(hashes) })
		})
	}
}

func leafHashes(count int) [][32]byte {
	hashes := make([][32]byte, count)
	for i := range hashes {
		binary.LittleEndian.PutUint64(hashes[i][:], uint64(i))
	}
	return hashes
}
