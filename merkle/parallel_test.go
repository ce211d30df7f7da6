package merkle

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// u32Leaves returns leaves i as four bytes, and where each ends.
func u32Leaves(n int) (arena []byte, ends []int) {
	for i := range n {
		arena = binary.LittleEndian.AppendUint32(arena, uint32(i))
		ends = append(ends, len(arena))
	}
	return arena, ends
}

// Neither the number of workers nor the cut into pieces shows in leaf hashes and root.
func TestWorkersDoNotShow(t *testing.T) {
	sizes := []int{
		0, 1, 2, worthSharing - 1, worthSharing, worthSharing + 1, pieceHashes - 1, pieceHashes, pieceHashes + 1,
		2*pieceHashes - 1, 2 * pieceHashes, 2*pieceHashes + 1, 3*pieceHashes + 17, 5*pieceHashes + pieceHashes/2,
	}
	for _, n := range sizes {
		arena, ends := u32Leaves(n)
		var want []Hash
		var sum Accumulator
		for i := range n {
			h := HashLeaf(arena[4*i : 4*i+4])
			want = append(want, h)
			sum.Add(h)
		}
		for _, workers := range []int{0, 1, 2, 3, 16} {
			t.Run(fmt.Sprintf("leaves=%d/workers=%d", n, workers), func(t *testing.T) {
				b := Builder{Workers: workers}
				for range 2 { // again with what the first call left behind
					hashes := b.HashLeaves(nil, arena, ends)
					if !slices.Equal(hashes, want) {
						t.Fatal("other leaf hashes than one by one")
					}
					if got := b.Root(hashes); got != sum.Root() {
						t.Fatalf("got root %x, want %x", got, sum.Root())
					}
				}
			})
		}
	}
}

func TestParallelBuilderAllocatesNothing(t *testing.T) {
	arena, ends := u32Leaves(3 * pieceHashes)
	b := Builder{Workers: 2}
	var hashes []Hash
	work := func() {
		hashes = b.HashLeaves(hashes[:0], arena, ends)
		b.Root(hashes)
	}
	work()
	// The runtime may need a new goroutine descriptor now and then, when it cannot reuse one.
	if got := testing.AllocsPerRun(20, work); got > 1 {
		t.Errorf("%v allocations for %d leaves on two workers, want none", got, len(ends))
	}
}

// Ends that are a bug panic on the caller's goroutine, whoever would have met them, and leave the Builder fit for use.
func TestBadEndsPanicWhereTheyWereGiven(t *testing.T) {
	const n = 3 * pieceHashes
	arena, good := u32Leaves(n)
	for _, at := range []int{0, n / 2, n - 1} {
		for _, workers := range []int{1, 2, 16} {
			bad := slices.Clone(good)
			bad[at] = len(arena) + 1
			b := Builder{Workers: workers}
			dst := make([]Hash, 0, n)
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("end %d beyond the arena, %d workers: no panic", at, workers)
					}
				}()
				b.HashLeaves(dst, arena, bad)
			}()
			if !slices.Equal(dst[:n], make([]Hash, n)) {
				t.Errorf("end %d, %d workers: dst was written to", at, workers)
			}
			if got := b.HashLeaves(dst, arena, good); got[n-1] != HashLeaf(arena[4*n-4:]) {
				t.Errorf("end %d, %d workers: the Builder does not work any more", at, workers)
			}
		}
	}
}
