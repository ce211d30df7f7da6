package lanes

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns size bytes, a multiple of the page size, between two pages that no access survives.
func guarded(t *testing.T, size int) []byte {
	t.Helper()
	page := os.Getpagesize()
	all, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{all[:page], all[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return all[page : page+size]
}

// TestReadsNothingBesidesMessages puts messages of every length against unmapped pages, at their end and at their
// begin.
func TestReadsNothingBesidesMessages(t *testing.T) {
	key := NewKey(context)
	room := guarded(t, 2*os.Getpagesize())
	newRand().Read(room)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for n := range 1101 {
			atEnd, atBegin := room[len(room)-n:], room[:n]
			half := room[len(room)-n/2:]
			msgs := [][]byte{atEnd, atBegin, half, atEnd, atBegin, atEnd, atBegin, half, atEnd, atEnd, half}
			for count := 1; count <= 33; count += 16 {
				var batch [][]byte
				for i := range count {
					batch = append(batch, msgs[i%len(msgs)])
				}
				out := make([][Size]byte, count)
				b.HashSlices(&key, batch, out)
				for i := range min(count, len(msgs)) {
					if want := key.Sum(batch[i]); out[i] != want {
						t.Fatalf("%d bytes, message %d of %d: got %x, want %x", len(batch[i]), i, count, out[i], want)
					}
				}
			}
		}
	})
}

// TestArenaAgainstUnmappedPages does the same with an arena whose last message ends where the memory does.
func TestArenaAgainstUnmappedPages(t *testing.T) {
	key := NewKey(context)
	room := guarded(t, 4*os.Getpagesize())
	newRand().Read(room)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for size := range 201 {
			for _, n := range []int{1, 7, 16, 33, 70} {
				var ends []int
				for i := range n {
					ends = append(ends, (i+1)*size)
				}
				for _, arena := range [][]byte{room[len(room)-n*size:], room[:n*size]} {
					out := make([][Size]byte, n)
					b.HashArena(&key, arena, 0, ends, out)
					for _, i := range []int{0, n / 2, n - 1} {
						if want := key.Sum(arena[i*size:][:size]); out[i] != want {
							t.Fatalf("%d bytes, message %d of %d: got %x, want %x", size, i, n, out[i], want)
						}
					}
				}
			}
		}
	})
}

// TestEndsAgainstUnmappedPages has the list of ends and the digests fill the memory to its end and from its begin.
func TestEndsAgainstUnmappedPages(t *testing.T) {
	key := NewKey(context)
	endsRoom, outRoom := guarded(t, os.Getpagesize()), guarded(t, os.Getpagesize())
	arena := make([]byte, 70*40)
	newRand().Read(arena)
	const word = int(unsafe.Sizeof(int(0)))
	all := unsafe.Slice((*int)(unsafe.Pointer(unsafe.SliceData(endsRoom))), len(endsRoom)/word)
	digests := asDigests(outRoom)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for n := 1; n <= 70; n++ {
			for _, atEnd := range []bool{false, true} {
				ends, out := all[:n], digests[:n]
				if atEnd {
					ends, out = all[len(all)-n:], digests[len(digests)-n:]
				}
				for i := range ends {
					ends[i] = 40*i + i%40
				}
				b.HashArena(&key, arena, 0, ends, out)
				start := 0
				for i, end := range ends {
					if want := key.Sum(arena[start:end]); out[i] != want {
						t.Fatalf("message %d of %d: got %x, want %x", i, n, out[i], want)
					}
					start = end
				}
			}
		}
	})
}

// TestPairsAgainstUnmappedPages has the digests of every count from 0 to 100 pairs fill the memory to its end and from
// its begin.
func TestPairsAgainstUnmappedPages(t *testing.T) {
	key := NewKey(context)
	room := guarded(t, 4*os.Getpagesize())
	source := newRand()
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for n := range 101 {
			for _, at := range []int{0, len(room) - 2*n*Size} {
				source.Read(room)
				in := asDigests(room[at:][:2*n*Size])
				want := make([][Size]byte, n)
				hashPairsGeneric(&key, in, want)
				out := make([][Size]byte, n)
				b.HashPairs(&key, in, out)
				for i := range want {
					if out[i] != want[i] {
						t.Fatalf("pair %d of %d: got %x, want %x", i, n, out[i], want[i])
					}
				}
				b.HashPairs(&key, in, in[:n])
				for i := range want {
					if in[i] != want[i] {
						t.Fatalf("pair %d of %d in place: got %x, want %x", i, n, in[i], want[i])
					}
				}
			}
		}
	})
}

// asDigests looks at bytes, a multiple of Size of them, as digests.
func asDigests(b []byte) [][Size]byte {
	return unsafe.Slice((*[Size]byte)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/Size)
}
