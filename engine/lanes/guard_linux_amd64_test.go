//go:build !purego

package lanes

import (
	"fmt"
	"os"
	"testing"
)

// TestBothPassesReadNothingBesides brings the kernels of 32 and of 16 lanes, whichever this CPU would choose, against
// unmapped pages with messages of every length, at their end and at their begin.
func TestBothPassesReadNothingBesides(t *testing.T) {
	if !hasAVX512 {
		t.Skip("no AVX-512; TestBackendsAreLive fails where it must be here")
	}
	key := NewKey(context)
	room := guarded(t, os.Getpagesize())
	newRand().Read(room)
	for lanes, passes := range map[int]func(*window, *Key, int){
		32: (*window).passesOf32,
		16: (*window).passesOf16,
	} {
		for _, count := range []int{33, 65} {
			t.Run(fmt.Sprintf("lanes=%d/count=%d", lanes, count), func(t *testing.T) {
				for n := range chunkSize + 1 {
					msgs, out := make([][]byte, count), make([][Size]byte, count)
					for i := range msgs {
						if msgs[i] = room[len(room)-n:]; i%2 != 0 {
							msgs[i] = room[:n]
						}
					}
					var w windows128
					list := w.at(0)
					list.listSlices(&key, msgs, out)
					passes(&list, &key, count)
					for _, i := range []int{0, 1, 31, 32, count - 1} {
						if want := key.Sum(msgs[i]); out[i] != want {
							t.Fatalf("%d bytes, message %d of %d: got %x, want %x", n, i, count, out[i], want)
						}
					}
				}
			})
		}
	}
}
