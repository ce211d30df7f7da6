package merkle

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/compact"
)

func accumulate(hashes []Hash) Hash {
	var a Accumulator
	for _, h := range hashes {
		a.Add(h)
	}
	return a.Root()
}

func TestRootsAgree(t *testing.T) {
	var b Builder
	var a Accumulator
	for n := range 131 {
		hashes := leafHashes(n)
		want := oracleRoot(hashes)
		tree := NewTree(hashes)
		if got := tree.Root(); got != want {
			t.Errorf("Tree of %d leaves: got %x, want %x", n, got, want)
		}
		if got := tree.Len(); got != uint64(n) {
			t.Errorf("Tree of %d leaves: got length %d", n, got)
		}
		// One Accumulator grows through all sizes, asked at each.
		if got := a.Root(); got != want {
			t.Errorf("Accumulator of %d leaves: got %x, want %x", n, got, want)
		}
		if got := a.Count(); got != uint64(n) {
			t.Errorf("Accumulator of %d leaves: got count %d", n, got)
		}
		a.Add(HashLeaf([]byte{byte(n), 0, 0, 0}))
		if !slices.Equal(hashes, leafHashes(n)) {
			t.Errorf("%d leaves: NewTree wrote to its argument", n)
		}
		if got := b.Root(hashes); got != want {
			t.Errorf("Builder, %d leaves: got %x, want %x", n, got, want)
		}
		clear(hashes)
		if got := tree.Root(); got != want {
			t.Errorf("%d leaves: the tree changed with the slice that it was made from", n)
		}
	}
}

// TestRootsOfManyLeaves compares with transparency-dev/merkle's compact range where the recursive oracle gets slow.
func TestRootsOfManyLeaves(t *testing.T) {
	sizes := []int{1000, 1023, 1024, 1025, 4095, 4097, 10000, 16385, 20000}
	hashes := leafHashes(slices.Max(sizes))
	var b Builder
	factory := compact.RangeFactory{Hash: transparencyHasher{}.HashChildren}
	for _, n := range sizes {
		r := factory.NewEmptyRange(0)
		for i := range n {
			if err := r.Append(hashes[i][:], nil); err != nil {
				t.Fatal(err)
			}
		}
		want, err := r.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := accumulate(hashes[:n]); !bytes.Equal(got[:], want) {
			t.Errorf("Accumulator of %d leaves: got %x, want %x", n, got, want)
		}
		if got := b.Root(slices.Clone(hashes[:n])); !bytes.Equal(got[:], want) {
			t.Errorf("Builder, %d leaves: got %x, want %x", n, got, want)
		}
	}
}

func TestEmptyRoot(t *testing.T) {
	want := derive("encseal 2026-11-23 node v1")
	for name, got := range map[string]Hash{
		"EmptyRoot":        EmptyRoot(),
		"Builder.Root":     new(Builder).Root(nil),
		"NewTree":          NewTree(nil).Root(),
		"zero Tree":        new(Tree).Root(),
		"zero Accumulator": new(Accumulator).Root(),
	} {
		if got != want {
			t.Errorf("%s: got %x, want %x", name, got, want)
		}
	}
}

// TestLeafIsNoNode takes the 64 bytes under a node for a leaf: another hash.
func TestLeafIsNoNode(t *testing.T) {
	l, r := HashLeaf([]byte("l")), HashLeaf([]byte("r"))
	if node, leaf := HashNode(&l, &r), HashLeaf(slices.Concat(l[:], r[:])); node == leaf {
		t.Errorf("a leaf and a node share the hash %x", node)
	}
	if HashNode(&l, &r) == HashNode(&r, &l) {
		t.Error("a node does not tell its left from its right")
	}
	if HashLeaf(nil) == EmptyRoot() {
		t.Error("an empty leaf and no leaf share a root")
	}
}

func TestHashLeavesAppends(t *testing.T) {
	var b Builder
	arena := []byte("onethree, and no more")
	ends := []int{3, 3, 8} // "one", "", "three"
	before := Hash{1, 2, 3}
	for _, room := range []int{1, 2, 4, 9} {
		dst := append(make([]Hash, 0, room), before)
		got := b.HashLeaves(dst, arena, ends)
		want := []Hash{before, HashLeaf([]byte("one")), HashLeaf(nil), HashLeaf([]byte("three"))}
		if !slices.Equal(got, want) {
			t.Errorf("room for %d: got %x, want %x", room, got, want)
		}
		if inPlace := &got[0] == &dst[0]; inPlace != (room >= 4) {
			t.Errorf("room for %d: appended in place: got %v, want %v", room, inPlace, !inPlace)
		}
	}
	if got := b.HashLeaves(nil, arena, nil); len(got) != 0 {
		t.Errorf("no ends: got %d hashes, want none", len(got))
	}
}

func TestAccumulatorReset(t *testing.T) {
	var a Accumulator
	for n := range 20 {
		hashes := leafHashes(n)
		a.Reset()
		if got := a.Count(); got != 0 {
			t.Fatalf("count after Reset: got %d, want 0", got)
		}
		for _, h := range hashes {
			a.Add(h)
		}
		if got, want := a.Root(), oracleRoot(hashes); got != want {
			t.Errorf("%d leaves after Reset: got %x, want %x", n, got, want)
		}
	}
}

// TestAccumulatorBeyondMemory starts from states that no test can reach leaf by leaf. All leaves have one hash, so that the
// perfect tree of each size is known: perfect[k+1] = node(perfect[k], perfect[k]).
func TestAccumulatorBeyondMemory(t *testing.T) {
	var perfect [64]Hash
	perfect[0] = HashLeaf([]byte("the same leaf"))
	for k := range 63 {
		perfect[k+1] = oracleNode(perfect[k], perfect[k])
	}
	var root func(n uint64) Hash // MTH of §2.1.1 over n such leaves
	root = func(n uint64) Hash {
		if n&(n-1) == 0 {
			return perfect[bits.TrailingZeros64(n)]
		}
		k := split(n)
		return oracleNode(root(k), root(n-k))
	}
	for _, start := range []uint64{1<<20 - 3, 1<<32 - 3, 1<<40 - 2, 1<<63 - 3, 1<<63 + 1<<62 + 5, 1<<64 - 4} {
		a := Accumulator{count: start, peaks: perfect}
		for range 3 {
			if got, want := a.Root(), root(a.Count()); got != want {
				t.Errorf("%d leaves: got %x, want %x", a.Count(), got, want)
			}
			a.Add(perfect[0])
		}
		if got, want := a.Count(), start+3; got != want {
			t.Errorf("count: got %d, want %d", got, want)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	const n = 100
	var b Builder
	var a Accumulator
	arena := make([]byte, 320*n)
	ends := make([]int, n)
	for i := range ends {
		ends[i] = 320 * (i + 1)
	}
	hashes := b.HashLeaves(nil, arena, ends)
	tree := NewTree(hashes)
	path := make([]Hash, 0, 64)
	var root Hash
	for name, call := range map[string]func(){
		"Builder": func() {
			hashes = b.HashLeaves(hashes[:0], arena, ends)
			root = b.Root(hashes)
		},
		"Accumulator": func() {
			a.Reset()
			for range n {
				a.Add(root)
			}
			root = a.Root()
		},
		"AppendPath and Verify": func() {
			p, err := tree.AppendPath(path, 41)
			if err == nil {
				err = Verify(tree.Root(), tree.levels[0][41], 41, n, p)
			}
			if err != nil {
				t.Error(err)
			}
		},
	} {
		if got := testing.AllocsPerRun(5, call); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func BenchmarkRoot(b *testing.B) {
	for _, n := range []int{100, 65536} {
		b.Run(fmt.Sprintf("leaves=%d", n), func(b *testing.B) {
			var builder Builder
			hashes := make([]Hash, n)
			b.ReportAllocs()
			for b.Loop() {
				builder.Root(hashes)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/leaf")
		})
	}
}
