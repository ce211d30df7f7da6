package lanes

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"lukechampine.com/blake3"
)

const context = "encseal lanes test"

func newRand() *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte([]byte("lanes tests draw from this seed.")))
}

// reference is the digest as another implementation's top level gives it.
func reference(msg []byte) [Size]byte {
	var sum [Size]byte
	blake3.DeriveKey(sum[:], context, msg)
	return sum
}

// batch returns n messages of mixed lengths: as an arena with ends, and as slices at odd addresses of their own.
func batch(n int) (arena []byte, ends []int, msgs [][]byte) {
	source := newRand()
	lengths := rand.New(source)
	for i := range n {
		length := lengths.IntN(700)
		switch i % 7 {
		case 3:
			length = 0
		case 5:
			length = 1000 + lengths.IntN(1200)
		}
		room := make([]byte, length+3)
		source.Read(room)
		msg := room[i%3:][:length]
		arena, msgs = append(arena, msg...), append(msgs, msg)
		ends = append(ends, len(arena))
	}
	return arena, ends, msgs
}

func digests(n int) [][Size]byte {
	source, d := newRand(), make([][Size]byte, n)
	for i := range d {
		source.Read(d[i][:])
	}
	return d
}

func TestSum(t *testing.T) {
	k := NewKey(context)
	_, _, msgs := batch(20)
	for _, msg := range msgs {
		if got, want := Sum(&k, msg), reference(msg); got != want {
			t.Errorf("%d bytes: got %x, want %x", len(msg), got, want)
		}
	}
}

func TestEveryCountAndLayout(t *testing.T) {
	k := NewKey(context)
	for n := range 71 {
		arena, ends, msgs := batch(n)
		fromArena, fromSlices := make([][Size]byte, n), make([][Size]byte, n)
		HashArena(&k, append(slices.Clone(arena), "what follows is no message"...), 0, ends, fromArena)
		HashSlices(&k, msgs, fromSlices)
		for i, msg := range msgs {
			want := reference(msg)
			if fromArena[i] != want {
				t.Fatalf("HashArena, message %d of %d: got %x, want %x", i, n, fromArena[i], want)
			}
			if fromSlices[i] != want {
				t.Fatalf("HashSlices, message %d of %d: got %x, want %x", i, n, fromSlices[i], want)
			}
		}
	}
}

func TestHashPairs(t *testing.T) {
	k := NewKey(context)
	for n := range 71 {
		in := digests(2 * n)
		kept := slices.Clone(in)
		apart := make([][Size]byte, n)
		HashPairs(&k, in, apart)
		if !slices.Equal(in, kept) {
			t.Fatalf("%d pairs: the input was written to", n)
		}
		for i := range n {
			if want := reference(slices.Concat(kept[2*i][:], kept[2*i+1][:])); apart[i] != want {
				t.Fatalf("pair %d of %d: got %x, want %x", i, n, apart[i], want)
			}
		}
		HashPairs(&k, in, in[:n])
		if !slices.Equal(in[:n], apart) {
			t.Fatalf("%d pairs: in place and apart differ", n)
		}
	}
}

func TestNothingBesidesOutIsWritten(t *testing.T) {
	k := NewKey(context)
	arena, ends, msgs := batch(33)
	keptArena, keptEnds := slices.Clone(arena), slices.Clone(ends)
	room := digests(35)
	kept := slices.Clone(room)
	HashArena(&k, arena, 0, ends, room[1:34])
	HashSlices(&k, msgs, room[1:34])
	HashPairs(&k, digests(66), room[1:34])
	if room[0] != kept[0] || room[34] != kept[34] {
		t.Error("a digest next to out was written to")
	}
	if !slices.Equal(arena, keptArena) || !slices.Equal(ends, keptEnds) || string(slices.Concat(msgs...)) != string(keptArena) {
		t.Error("an input was written to")
	}
}

func TestEmptyBatches(t *testing.T) {
	k := NewKey(context)
	HashSlices(&k, nil, nil)
	HashArena(&k, nil, 0, nil, nil)
	HashArena(&k, []byte("no message ends in here"), 0, nil, nil)
	HashPairs(&k, nil, nil)

	var got [3][Size]byte
	HashArena(&k, nil, 0, []int{0, 0, 0}, got[:])
	for i := range got {
		if want := reference(nil); got[i] != want {
			t.Errorf("empty message %d: got %x, want %x", i, got[i], want)
		}
	}
}

// TestMisfits panics for each misfit, with out as it was: what a kernel reads must be checked before it reads.
func TestMisfits(t *testing.T) {
	k := NewKey(context)
	arena := make([]byte, 10)
	for _, test := range []struct {
		name string
		outs int
		call func(out [][Size]byte)
	}{
		{"slices: out too short", 1, func(out [][Size]byte) { HashSlices(&k, [][]byte{arena, arena}, out) }},
		{"slices: out too long", 3, func(out [][Size]byte) { HashSlices(&k, [][]byte{arena, arena}, out) }},
		{"arena: out too short", 1, func(out [][Size]byte) { HashArena(&k, arena, 0, []int{3, 10}, out) }},
		{"arena: out too long", 3, func(out [][Size]byte) { HashArena(&k, arena, 0, []int{3, 10}, out) }},
		{"arenas: out too short", 1, func(out [][Size]byte) { HashArenas(&k, []Arena{{arena, 0, []int{3}}, {arena, 3, []int{10}}}, out) }},
		{"arenas: out too long", 3, func(out [][Size]byte) { HashArenas(&k, []Arena{{arena, 0, []int{3}}, {arena, 3, []int{10}}}, out) }},
		{"arenas: second is bad", 2, func(out [][Size]byte) { HashArenas(&k, []Arena{{arena, 0, []int{3}}, {arena, 3, []int{11}}}, out) }},
		{"arena: end beyond arena", 2, func(out [][Size]byte) { HashArena(&k, arena, 0, []int{3, 11}, out) }},
		{"arena: end within capacity only", 2, func(out [][Size]byte) { HashArena(&k, arena[:5], 0, []int{3, 6}, out) }},
		{"arena: ends descend", 3, func(out [][Size]byte) { HashArena(&k, arena, 0, []int{3, 7, 6}, out) }},
		{"arena: negative end", 2, func(out [][Size]byte) { HashArena(&k, arena, 0, []int{-1, 6}, out) }},
		{"pairs: odd input", 1, func(out [][Size]byte) { HashPairs(&k, digests(3), out) }},
		{"pairs: out too short", 1, func(out [][Size]byte) { HashPairs(&k, digests(4), out) }},
		{"pairs: out too long", 3, func(out [][Size]byte) { HashPairs(&k, digests(4), out) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := make([][Size]byte, test.outs)
			defer func() {
				if got, _ := recover().(string); !strings.HasPrefix(got, "lanes: ") {
					t.Errorf("got panic %q, want one of this package", got)
				}
				if !slices.Equal(out, make([][Size]byte, test.outs)) {
					t.Error("out was written to before the panic")
				}
			}()
			test.call(out)
		})
	}
}

func TestNothingAllocates(t *testing.T) {
	k := NewKey(context)
	arena, ends, msgs := batch(64)
	out, pairs := make([][Size]byte, 64), digests(128)
	for name, call := range map[string]func(){
		"Sum":        func() { out[0] = Sum(&k, arena) },
		"HashArena":  func() { HashArena(&k, arena, 0, ends, out) },
		"HashSlices": func() { HashSlices(&k, msgs, out) },
		"HashPairs":  func() { HashPairs(&k, pairs, pairs[:64]) },
	} {
		if got := testing.AllocsPerRun(5, call); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}
