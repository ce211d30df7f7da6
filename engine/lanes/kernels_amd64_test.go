//go:build !purego

package lanes

import (
	"math/rand/v2"
	"testing"
)

// TestBothPasses runs the kernels of 32 and of 16 lanes whatever this CPU would choose, over messages of every count
// and mix.
func TestBothPasses(t *testing.T) {
	if !hasAVX512 {
		t.Skip("no AVX-512; TestBackendsAreLive fails where it must be here")
	}
	key := NewKey(context)
	source := newRand()
	draw := rand.New(source)
	data := make([]byte, 4096)
	source.Read(data)
	for name, passes := range map[string]func(*window, *Key, int){
		"lanes=32": (*window).passesOf32,
		"lanes=16": (*window).passesOf16,
	} {
		t.Run(name, func(t *testing.T) {
			for n := 1; n <= windowSize; n += 1 + n/70*50 {
				for _, longest := range []int{1, 64, 130, 400, chunkSize} {
					var room windows512
					w, ordered := room.at(0), room.at(1)
					msgs, out := make([][]byte, n), make([][Size]byte, n)
					for i := range msgs {
						msgs[i] = data[draw.IntN(2048):][:draw.IntN(longest+1)]
					}
					w.listSlices(&key, msgs, out)
					if w.sort(n, &ordered) {
						w = ordered
					}
					passes(&w, &key, n)
					for i, msg := range msgs {
						if want := key.Sum(msg); out[i] != want {
							t.Fatalf("%d bytes, message %d of %d: got %x, want %x", len(msg), i, n, out[i], want)
						}
					}
				}
			}
		})
	}
}

// TestSortsAlike holds the generated sorting against the plain one: the same kinds, each message once, in places of its
// kind.
func TestSortsAlike(t *testing.T) {
	if !hasAVX512 {
		t.Skip("no AVX-512; TestBackendsAreLive fails where it must be here")
	}
	key := NewKey(context)
	draw := rand.New(newRand())
	data := make([]byte, chunkSize)
	for n := 1; n <= windowSize; n++ {
		var room, plain windows512
		w, got, want := room.at(0), room.at(1), plain.at(1)
		msgs, out := make([][]byte, n), make([][Size]byte, n)
		most := 1 + draw.IntN(chunkSize)
		for i := range msgs {
			msgs[i] = data[:draw.IntN(most+1)]
		}
		w.listSlices(&key, msgs, out)
		kinds := sortAVX512(n, &w.msgs[0], &w.lens[0], &w.outs[0], &got.msgs[0], &got.lens[0], &got.outs[0])
		if !w.sort(n, &want) {
			if kinds&(kinds-1) != 0 {
				t.Fatalf("%d messages of one kind: got kinds %b", n, kinds)
			}
			continue
		}
		for i := range n {
			if got.msgs[i] != want.msgs[i] || got.lens[i] != want.lens[i] || got.outs[i] != want.outs[i] {
				t.Fatalf("place %d of %d: got %d bytes, want %d", i, n, got.lens[i], want.lens[i])
			}
		}
	}
}
