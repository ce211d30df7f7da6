package fuzz

import (
	"testing"

	"lukechampine.com/blake3"

	"github.com/encseal/encseal/engine/lanes"
	"github.com/encseal/encseal/merkle"
)

// FuzzRoot: however leaves are split into calls, whatever the backend and the number of workers, they have the root that
// the plain recursive definition of RFC 9162 §2.1 gives them.
//
// The input is cut into leaves by its own bytes: a byte n says that the next leaf has n bytes, or 16·n for every fourth; it
// is repeated to come to a few thousand leaves when times is large. split says how many leaves a call takes.
func FuzzRoot(f *testing.F) {
	f.Add([]byte("\x03abc\x00\x01z"), uint16(1), uint16(1))
	f.Add([]byte{0}, uint16(9000), uint16(7))
	f.Add([]byte("\x40 short \x41 and longer ones \x3f"), uint16(300), uint16(33))
	f.Add([]byte("\x05abcde\x00\x01z\x08 sixteen times eight, as far as it goes"), uint16(1500), uint16(60000))
	f.Fuzz(func(t *testing.T, data []byte, times uint16, split uint16) {
		arena, ends := cutLeaves(data, int(times))
		if len(ends) == 0 || len(ends) > 20_000 || len(arena) > 8<<20 {
			return
		}
		var want []merkle.Hash
		start := 0
		for _, end := range ends {
			want = append(want, derived(merkle.LeafContext, arena[start:end]))
			start = end
		}
		root := recursiveRoot(want)

		var sum merkle.Accumulator
		for _, h := range want {
			sum.Add(h)
		}
		if got := sum.Root(); got != root {
			t.Fatalf("accumulator: got %x, want %x", got, root)
		}
		for _, workers := range []int{1, 2, 5} {
			b := merkle.Builder{Workers: workers}
			hashes := inCalls(&b, arena, ends, max(int(split), 1))
			if got := merkle.NewTree(hashes).Root(); got != root {
				t.Fatalf("tree: got %x, want %x", got, root)
			}
			if got := b.Root(hashes); got != root {
				t.Fatalf("builder, %d workers: got %x, want %x", workers, got, root)
			}
		}
		for _, backend := range lanes.Backends() {
			if got := backendRoot(backend, arena, ends); got != root {
				t.Fatalf("%v: got %x, want %x", backend, got, root)
			}
		}
	})
}

func cutLeaves(data []byte, times int) (arena []byte, ends []int) {
	for range max(times, 1) {
		for rest := data; len(rest) > 0; {
			n := int(rest[0])
			if n%4 == 0 {
				n *= 16
			}
			n = min(n, len(rest)-1)
			arena = append(arena, rest[1:1+n]...)
			ends = append(ends, len(arena))
			rest = rest[1+n:]
		}
	}
	return arena, ends
}

// inCalls hashes the leaves a few at a time, as they might arrive.
func inCalls(b *merkle.Builder, arena []byte, ends []int, few int) (hashes []merkle.Hash) {
	start := 0
	for lo := 0; lo < len(ends); lo += few {
		part := make([]int, 0, few)
		for _, end := range ends[lo:min(lo+few, len(ends))] {
			part = append(part, end-start)
		}
		end := start + part[len(part)-1]
		hashes = b.HashLeaves(hashes, arena[start:end], part)
		start = end
	}
	return hashes
}

// recursiveRoot is the definition itself.
func recursiveRoot(hashes []merkle.Hash) merkle.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	k := 1
	for 2*k < len(hashes) {
		k *= 2
	}
	l, r := recursiveRoot(hashes[:k]), recursiveRoot(hashes[k:])
	return derived(merkle.NodeContext, append(l[:], r[:]...))
}

func backendRoot(b lanes.Backend, arena []byte, ends []int) merkle.Hash {
	leafKey, nodeKey := lanes.NewKey(merkle.LeafContext), lanes.NewKey(merkle.NodeContext)
	level := make([]merkle.Hash, len(ends))
	b.HashArena(&leafKey, arena, 0, ends, level)
	for len(level) > 1 {
		pairs := len(level) / 2
		next := level[:pairs]
		last := level[len(level)-1]
		odd := len(level)%2 != 0
		b.HashPairs(&nodeKey, level[:2*pairs], next)
		if level = next; odd {
			level = append(level, last)
		}
	}
	return level[0]
}

// derived is derive_key by the independent implementation.
func derived(context string, msg []byte) (sum [32]byte) {
	blake3.DeriveKey(sum[:], context, msg)
	return sum
}

// FuzzLanes: every backend gives every message of a batch the digest that lukechampine.com/blake3 gives it alone.
func FuzzLanes(f *testing.F) {
	f.Add([]byte("\x03abc\x00\x01z"), uint16(3))
	f.Add(make([]byte, 5000), uint16(40))
	f.Fuzz(func(t *testing.T, data []byte, times uint16) {
		arena, ends := cutLeaves(data, int(times))
		if len(ends) > 3000 || len(arena) > 1<<20 {
			return
		}
		key := lanes.NewKey(merkle.LeafContext)
		var slices [][]byte
		start := 0
		for _, end := range ends {
			slices = append(slices, arena[start:end])
			start = end
		}
		for _, backend := range lanes.Backends() {
			fromArena, fromSlices := make([][32]byte, len(ends)), make([][32]byte, len(ends))
			backend.HashArena(&key, arena, 0, ends, fromArena)
			backend.HashSlices(&key, slices, fromSlices)
			for i, msg := range slices {
				if want := derived(merkle.LeafContext, msg); fromArena[i] != want || fromSlices[i] != want {
					t.Fatalf("%v, message %d of %d, %d bytes: got %x and %x, want %x",
						backend, i, len(slices), len(msg), fromArena[i], fromSlices[i], want)
				}
			}
		}
	})
}
