package merkle

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/transparency-dev/merkle/proof"
)

// maxSize is the largest tree of which every leaf is tried.
const maxSize = 130

// eachLeaf calls f for every leaf of every tree up to maxSize.
func eachLeaf(t *testing.T, f func(t *testing.T, hashes []Hash, index uint64, root Hash, path []Hash)) {
	all := leafHashes(maxSize)
	for n := 1; n <= maxSize && !t.Failed(); n++ {
		tree := NewTree(all[:n])
		for i := range uint64(n) {
			path, err := tree.AppendPath(nil, i)
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
			f(t, all[:n], i, tree.Root(), path)
		}
	}
}

func TestPathsAgreeAndHold(t *testing.T) {
	var want [][]Hash
	eachLeaf(t, func(t *testing.T, hashes []Hash, i uint64, root Hash, path []Hash) {
		n := uint64(len(hashes))
		if i == 0 {
			want = oraclePaths(hashes)
		}
		if !slices.Equal(path, want[i]) {
			t.Fatalf("path of %d in %d: got %x, want %x", i, n, path, want[i])
		}
		if err := Verify(root, hashes[i], i, n, path); err != nil {
			t.Fatalf("leaf %d of %d: %v", i, n, err)
		}
	})
}

// refused fails the test unless the claim is refused for a reason that holds the given words.
func refused(t *testing.T, what, reason string, root, leaf Hash, index, count uint64, path []Hash) {
	t.Helper()
	err := Verify(root, leaf, index, count, path)
	if err == nil {
		t.Fatalf("%s, leaf %d of %d: accepted", what, index, count)
	}
	if !strings.HasPrefix(err.Error(), "merkle: ") || !strings.Contains(err.Error(), reason) {
		t.Fatalf("%s, leaf %d of %d: got %q, want it to say %q", what, index, count, err, reason)
	}
}

const (
	otherRoot = "another root"
	tooLong   = "too long"
	tooShort  = "too short"
	notBelow  = "not below the count"
)

func TestEachByteFlipped(t *testing.T) {
	t.Parallel()
	eachLeaf(t, func(t *testing.T, hashes []Hash, i uint64, root Hash, path []Hash) {
		n := uint64(len(hashes))
		bit := byte(1) << (i % 8)
		for j := range path {
			for k := range path[j] {
				path[j][k] ^= bit
				refused(t, "a byte of the path flipped", otherRoot, root, hashes[i], i, n, path)
				path[j][k] ^= bit
			}
		}
		k := i % 32
		flipped := root
		flipped[k] ^= bit
		refused(t, "a byte of the root flipped", otherRoot, flipped, hashes[i], i, n, path)
		flipped = hashes[i]
		flipped[k] ^= bit
		refused(t, "a byte of the leaf flipped", otherRoot, root, flipped, i, n, path)
	})
}

func TestPathsTamperedWith(t *testing.T) {
	t.Parallel()
	eachLeaf(t, func(t *testing.T, hashes []Hash, i uint64, root Hash, path []Hash) {
		n, leaf := uint64(len(hashes)), hashes[i]
		// Every other hash at hand put on either end, a root that is known included.
		for _, extra := range []Hash{{}, root, leaf} {
			refused(t, "a hash behind", tooLong, root, leaf, i, n, append(slices.Clone(path), extra))
			refused(t, "a hash in front", tooLong, root, leaf, i, n, append([]Hash{extra}, path...))
		}
		for j := range path {
			whole := slices.Clone(path)
			whole[j] = Hash{}
			refused(t, "a hash zeroed", otherRoot, root, leaf, i, n, whole)
			for k := range j {
				swapped := slices.Clone(path)
				swapped[j], swapped[k] = swapped[k], swapped[j]
				refused(t, "two hashes swapped", otherRoot, root, leaf, i, n, swapped)
			}
			refused(t, "a hash left out", tooShort, root, leaf, i, n, slices.Delete(slices.Clone(path), j, j+1))
			refused(t, "cut", tooShort, root, leaf, i, n, path[:j])
			// An inner node in the place of the leaf, with the rest of its path.
			if inner, ok := oracleClimb(leaf, i&1, 2, path[:1]); ok && len(path) > 1 {
				refused(t, "a node for a leaf", tooShort, root, inner, i, n, path[1:])
			}
		}
		refused(t, "another leaf of the tree", otherRoot, root, HashLeaf([]byte("other")), i, n, path)
	})
}

// TestOtherPlaces claims every path for every other index and for every other count. A wrong index of the right count is never
// accepted. A wrong count may be, where both trees have the same shape above the leaf: there the independent verdict decides.
func TestOtherPlaces(t *testing.T) {
	const most = 40
	all := leafHashes(most)
	sameShape := 0
	for n := uint64(1); n <= most; n++ {
		tree := NewTree(all[:n])
		root := tree.Root()
		for i := range n {
			path, err := tree.AppendPath(nil, i)
			if err != nil {
				t.Fatal(err)
			}
			for other := range n {
				if other != i && Verify(root, all[i], other, n, path) == nil {
					t.Fatalf("the path of leaf %d of %d holds for leaf %d", i, n, other)
				}
			}
			for count := range uint64(most + 2) {
				if i >= count {
					refused(t, "index beyond the count", notBelow, root, all[i], i, count, path)
					continue
				}
				climbed, ok := oracleClimb(all[i], i, count, path)
				want := ok && climbed == root
				if got := Verify(root, all[i], i, count, path) == nil; got != want {
					t.Fatalf("the path of leaf %d of %d claimed for %d: accepted %v, want %v", i, n, count, got, want)
				}
				if want && count != n {
					sameShape++
				}
			}
		}
	}
	if sameShape == 0 {
		t.Error("no path held for two counts: leaf 0 of 3 and of 4 must")
	}
}

// TestHugeCounts verifies in trees that exist nowhere: random siblings, the root by the recursive oracle, the length of the path
// and the verdict by transparency-dev/merkle too.
func TestHugeCounts(t *testing.T) {
	random := rand.NewChaCha8([32]byte([]byte("merkle tests draw from this seed")))
	hash := func() (h Hash) { random.Read(h[:]); return h }
	counts := []uint64{1<<20 + 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64 - 1, math.MaxUint64}
	million := make([]Hash, 1<<20)
	for _, count := range counts {
		k := split(count)
		indexes := []uint64{0, 1, 2, k - 2, k - 1, k % count, (k + 1) % count, count / 2, count / 3, count - 3, count - 2, count - 1}
		for _, i := range indexes {
			leaf, path := hash(), []Hash{}
			root, ok := oracleClimb(leaf, i, count, path)
			for !ok {
				path = append(path, hash())
				root, ok = oracleClimb(leaf, i, count, path)
			}
			if err := proof.VerifyInclusion(transparencyHasher{}, i, count, leaf[:], bytesOf(path), root[:]); err != nil {
				t.Fatalf("leaf %d of %d: the oracles disagree: %v", i, count, err)
			}
			if err := Verify(root, leaf, i, count, path); err != nil {
				t.Errorf("leaf %d of %d: %v", i, count, err)
			}
			refused(t, "cut", tooShort, root, leaf, i, count, path[:len(path)-1])
			refused(t, "a hash behind", tooLong, root, leaf, i, count, append(slices.Clone(path), hash()))
			refused(t, "no path", tooShort, root, leaf, i, count, nil)
			for j := range path {
				path[j][j%32] ^= 1
				refused(t, "a hash flipped", otherRoot, root, leaf, i, count, path)
				path[j][j%32] ^= 1
			}
			refused(t, "a million hashes", tooLong, root, leaf, i, count, million)
		}
		refused(t, "index at the count", notBelow, Hash{}, Hash{}, count, count, nil)
		refused(t, "the last index there is", notBelow, Hash{}, Hash{}, math.MaxUint64, count, nil)
	}
}

func TestSmallestTrees(t *testing.T) {
	leaf, other := HashLeaf([]byte("leaf")), HashLeaf([]byte("other"))
	if err := Verify(leaf, leaf, 0, 1, nil); err != nil {
		t.Errorf("the one leaf of a tree: %v", err)
	}
	refused(t, "another leaf", otherRoot, leaf, other, 0, 1, nil)
	refused(t, "one leaf with a path", tooLong, HashNode(&leaf, &other), leaf, 0, 1, []Hash{other})
	refused(t, "a leaf for the root of two", tooShort, leaf, leaf, 0, 2, nil)
	for _, index := range []uint64{0, 1, math.MaxUint64} {
		refused(t, "no leaves", notBelow, EmptyRoot(), EmptyRoot(), index, 0, nil)
	}
}

func TestAppendPath(t *testing.T) {
	before := []Hash{{1}, {2}}
	for n := range 10 {
		tree := NewTree(leafHashes(n))
		for _, index := range []uint64{uint64(n), uint64(n) + 1, 1 << 32, 1<<32 + 1, 1 << 63, math.MaxUint64} {
			got, err := tree.AppendPath(before, index)
			if err == nil || !strings.Contains(err.Error(), notBelow) {
				t.Errorf("index %d of %d: got error %v, want one that says %q", index, n, err, notBelow)
			}
			if !slices.Equal(got, before) {
				t.Errorf("index %d of %d: got %x, want dst as it came", index, n, got)
			}
		}
		for i := range uint64(n) {
			got, err := tree.AppendPath(slices.Clone(before), i)
			if err != nil {
				t.Fatal(err)
			}
			if want := append(slices.Clone(before), oraclePaths(leafHashes(n))[i]...); !slices.Equal(got, want) {
				t.Errorf("leaf %d of %d: got %x, want %x behind what dst held", i, n, got, want)
			}
		}
	}
}
