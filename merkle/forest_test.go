package merkle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkRoots compares Roots over trees of the given sizes with Root over each.
func checkRoots(t *testing.T, b *Builder, sizes []int) {
	t.Helper()
	total := 0
	for _, size := range sizes {
		total += size
	}
	const spare = 3 // hashes behind the last tree, which belong to none
	hashes := numbered(total + spare)
	var want []Hash
	var ends []int
	var alone Builder
	at := 0
	for _, size := range sizes {
		want = append(want, alone.Root(slices.Clone(hashes[at:at+size])))
		at += size
		ends = append(ends, at)
	}
	behind := slices.Clone(hashes[total:])
	before := Hash{1, 2, 3}
	got := b.Roots([]Hash{before}, hashes, ends)
	if len(got) != len(sizes)+1 || got[0] != before {
		t.Fatalf("sizes %v: got %d roots behind %x, want %d behind %x", sizes, len(got)-1, got[0], len(sizes), before)
	}
	for i := range want {
		if got[i+1] != want[i] {
			t.Fatalf("tree %d of sizes %v, %d workers: got %x, want %x", i, sizes, b.Workers, got[i+1], want[i])
		}
	}
	if !slices.Equal(hashes[total:], behind) {
		t.Fatalf("sizes %v: hashes behind the last tree were written to", sizes)
	}
}

// numbered returns n hashes, no two alike.
func numbered(n int) []Hash {
	hashes := make([]Hash, n)
	for i := range hashes {
		hashes[i] = Hash{byte(i), byte(i >> 8), byte(i >> 16), 0xed}
	}
	return hashes
}

func TestRootsOfTwo(t *testing.T) {
	var b Builder
	for first := range 70 {
		for second := range 70 {
			checkRoots(t, &b, []int{first, second})
		}
	}
}

func TestRootsOfAlike(t *testing.T) {
	var b Builder
	for size := range 301 {
		for _, trees := range []int{1, 3, 16} {
			checkRoots(t, &b, slices.Repeat([]int{size}, trees))
		}
	}
}

func TestRootsOfRandomGroups(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var edges []int // powers of two and their neighbours
	for k := range 10 {
		edges = append(edges, 1<<k-1, 1<<k, 1<<k+1)
	}
	for range 300 {
		b := Builder{Workers: 1 + random.IntN(3)}
		sizes := make([]int, 1+random.IntN(64))
		for i := range sizes {
			sizes[i] = 1 + random.IntN(300)
			if random.IntN(3) == 0 {
				sizes[i] = edges[random.IntN(len(edges))]
			}
		}
		for range 2 { // again with what the first call left behind
			checkRoots(t, &b, sizes)
		}
	}
}

// Trees that are hashed alone or fill several pieces, small ones before, between and behind.
func TestRootsOfLargeGroups(t *testing.T) {
	for _, sizes := range [][]int{
		nil,
		{0},
		{0, 0, 5, 0},
		{pieceHashes},
		{pieceHashes, 0},
		{pieceHashes + 1},
		{0, pieceHashes, pieceHashes, 0, 3, 0},
		{7, pieceHashes + 1, 7},
		{1, 2*pieceHashes + 5, 0, 3, pieceHashes - 1, 100, pieceHashes, 1, 3 * pieceHashes, 2},
		slices.Repeat([]int{1000}, 64),
		slices.Repeat([]int{0, 1, 100, 3000}, 20),
	} {
		for _, workers := range []int{0, 1, 2, 16} {
			b := Builder{Workers: workers}
			checkRoots(t, &b, sizes)
		}
	}
}

func TestRootsPanicsOnBadEnds(t *testing.T) {
	for _, ends := range [][]int{{11}, {-1}, {5, 4}, {5, 11}} {
		var b Builder
		hashes := numbered(10)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("ends %v of 10 hashes: no panic", ends)
				}
			}()
			b.Roots(nil, hashes, ends)
		}()
		if !slices.Equal(hashes, numbered(10)) {
			t.Errorf("ends %v: hashes were written to", ends)
		}
	}
}

func TestRootsAllocatesNothing(t *testing.T) {
	b := Builder{Workers: 1}
	hashes := numbered(64 * 300)
	var ends []int
	for i := range 64 {
		ends = append(ends, 250*i+3*i)
	}
	roots := b.Roots(nil, hashes, ends)
	if got := testing.AllocsPerRun(5, func() { roots = b.Roots(roots[:0], hashes, ends) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

// BenchmarkRoots has the trees of a group of blocks, together and one after the other.
func BenchmarkRoots(b *testing.B) {
	const trees = 16
	for _, n := range []int{1, 10, 100, 128, 1000} {
		hashes := make([]Hash, trees*n)
		var ends []int
		for i := range trees {
			ends = append(ends, (i+1)*n)
		}
		builder := Builder{Workers: 1}
		roots := make([]Hash, 0, trees)
		for _, together := range []bool{true, false} {
			b.Run(fmt.Sprintf("leaves=%d/together=%v", n, together), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					roots = roots[:0]
					if together {
						roots = builder.Roots(roots, hashes, ends)
						continue
					}
					for i, end := range ends {
						roots = append(roots, builder.Root(hashes[i*n:end]))
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(hashes)), "ns/leaf")
			})
		}
	}
}
