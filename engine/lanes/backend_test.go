package lanes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"lukechampine.com/blake3"
)

// TestBackendsAreLive fails where a backend that must be here is not: a machine that is expected to test a kernel must
// not leave it out in silence. ENCSEAL_BACKENDS is a list like "avx512,avx2,generic".
func TestBackendsAreLive(t *testing.T) {
	var live []string
	for _, b := range Backends() {
		live = append(live, b.String())
	}
	t.Logf("live: %s", strings.Join(live, ","))
	for _, want := range strings.FieldsFunc(os.Getenv("ENCSEAL_BACKENDS"), func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(live, want) {
			t.Errorf("backend %s must be live here, got %s", want, strings.Join(live, ","))
		}
	}
	if last := live[len(live)-1]; last != "generic" {
		t.Errorf("got %s last, want generic", last)
	}
	if got := (Backend{}).String(); got != "generic" {
		t.Errorf("zero Backend: got %s, want generic", got)
	}
}

func onEveryBackend(t *testing.T, test func(t *testing.T, b Backend)) {
	for _, b := range Backends() {
		t.Run("backend="+b.String(), func(t *testing.T) { test(t, b) })
	}
}

func TestEveryLength(t *testing.T) {
	key := NewKey(context)
	data := make([]byte, 1200)
	newRand().Read(data)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for n := range 1101 {
			msg := data[n%7:][:n]
			want := reference(msg)
			// A pass of nothing but this length, with a lane to spare and without.
			for _, count := range []int{8, 15, 32} {
				msgs, out := slices.Repeat([][]byte{msg}, count), make([][Size]byte, count)
				b.HashSlices(&key, msgs, out)
				for i, got := range out {
					if got != want {
						t.Fatalf("%d bytes, message %d of %d: got %x, want %x", n, i, count, got, want)
					}
				}
			}
		}
	})
}

// TestEveryCount hashes batches of all sizes in which lengths differ, as an arena and as slices, under other keys.
func TestEveryCount(t *testing.T) {
	onEveryBackend(t, func(t *testing.T, b Backend) {
		source := newRand()
		draw := rand.New(source)
		counts := []int{95, 96, 97, 127, 128, 129, 255, 256, 257, 300, 511, 512, 513, 1100}
		for n := range 71 {
			counts = append(counts, n)
		}
		for _, n := range counts {
			for _, longest := range []int{3, 64, 320, 1030} {
				context := fmt.Sprintf("context %d of %d", n, draw.Uint64())
				k := NewKey(context)
				var msgs [][]byte
				var arena []byte
				var ends []int
				for range n {
					msg := make([]byte, draw.IntN(longest+1))
					source.Read(msg)
					msgs, arena = append(msgs, msg), append(arena, msg...)
					ends = append(ends, len(arena))
				}
				fromSlices, fromArena := make([][Size]byte, n), make([][Size]byte, n)
				b.HashSlices(&k, msgs, fromSlices)
				b.HashArena(&k, arena, 0, ends, fromArena)
				for i, msg := range msgs {
					want := k.Sum(msg)
					if fromSlices[i] != want {
						t.Fatalf("HashSlices, %d bytes, message %d of %d: got %x, want %x", len(msg), i, n, fromSlices[i], want)
					}
					if fromArena[i] != want {
						t.Fatalf("HashArena, %d bytes, message %d of %d: got %x, want %x", len(msg), i, n, fromArena[i], want)
					}
				}
				if n > 0 {
					var oracle [Size]byte
					blake3.DeriveKey(oracle[:], context, msgs[n/2])
					if fromSlices[n/2] != oracle {
						t.Fatalf("message %d of %d: got %x, want %x", n/2, n, fromSlices[n/2], oracle)
					}
				}
			}
		}
	})
}

// TestEveryAlignment moves messages, pairs and digests over all places in a cache line, even and odd, each against the
// other. 289 messages of one length are a multiple of 32 and one: enough for the kernel of 32 lanes on every CPU.
func TestEveryAlignment(t *testing.T) {
	key := NewKey(context)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		const n = 289
		source := newRand()
		in, out := make([]byte, n*200+64), make([]byte, n*Size+64)
		source.Read(in)
		for at := range 64 {
			for _, to := range []int{at, 63 - at} { // the parity of at, and the other one
				moved := digestsAt(out[to:], n)
				for _, size := range []int{1, 63, 64, 65, 200} {
					for _, n := range []int{33, n} {
						var ends []int
						for i := range n {
							ends = append(ends, (i+1)*size)
						}
						clear(out)
						b.HashArena(&key, in[at:], 0, ends, moved[:n])
						for i := 0; i < n; i += 1 + i/33*30 {
							if want := key.Sum(in[at+i*size:][:size]); moved[i] != want {
								t.Fatalf("%d bytes from %d to %d, message %d of %d: got %x, want %x", size, at, to, i, n, moved[i], want)
							}
						}
					}
				}
				pairs := digestsAt(in[at:], 2*n)
				clear(out)
				b.HashPairs(&key, pairs, moved)
				kept := slices.Clone(in)
				b.HashPairs(&key, pairs, pairs[:n])
				if !slices.Equal(pairs[:n], moved) {
					t.Fatalf("pairs at %d: other digests in place than at %d", at, to)
				}
				copy(in, kept)
				for i := 0; i < n; i += 1 + i/70*30 {
					if want := key.Sum(in[at+64*i:][:64]); moved[i] != want {
						t.Fatalf("pair %d from %d to %d: got %x, want %x", i, at, to, moved[i], want)
					}
				}
			}
		}
	})
}

// digestsAt looks at the first n·Size bytes of b as digests, whatever their address.
func digestsAt(b []byte, n int) [][Size]byte {
	return unsafe.Slice((*[Size]byte)(b[:n*Size]), n)
}

func TestEveryPairCount(t *testing.T) {
	key := NewKey(context)
	in := digests(2 * 300)
	want := make([][Size]byte, 300)
	for i := range want {
		want[i] = reference(slices.Concat(in[2*i][:], in[2*i+1][:]))
	}
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for n := range 301 {
			kept := slices.Clone(in[:2*n])
			room := digests(n + 2)
			guard := slices.Clone(room)
			b.HashPairs(&key, kept, room[1:n+1])
			if !slices.Equal(room[1:n+1], want[:n]) || room[0] != guard[0] || room[n+1] != guard[n+1] {
				t.Fatalf("%d pairs: digests differ, or more than they was written", n)
			}
			if !slices.Equal(kept, in[:2*n]) {
				t.Fatalf("%d pairs: the input was written to", n)
			}
			b.HashPairs(&key, kept, kept[:n])
			if !slices.Equal(kept[:n], want[:n]) {
				t.Fatalf("%d pairs in place: digests differ", n)
			}
		}
	})
}

// TestLongMessagesAmongShortOnes has every third message be a tree of chunks, in batches of less and more than a
// window.
func TestLongMessagesAmongShortOnes(t *testing.T) {
	key := NewKey(context)
	data := make([]byte, 4000)
	newRand().Read(data)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for _, n := range []int{1, 2, 3, 31, 32, 100, 600} {
			var msgs [][]byte
			var arena []byte
			var ends []int
			for i := range n {
				msg := data[i%50:][:i%300]
				if i%3 == 0 {
					msg = data[i%50:][:1020+i]
				}
				msgs, arena = append(msgs, msg), append(arena, msg...)
				ends = append(ends, len(arena))
			}
			fromSlices, fromArena := make([][Size]byte, n), make([][Size]byte, n)
			b.HashSlices(&key, msgs, fromSlices)
			b.HashArena(&key, arena, 0, ends, fromArena)
			for i, msg := range msgs {
				if want := key.Sum(msg); fromSlices[i] != want || fromArena[i] != want {
					t.Fatalf("%d bytes, message %d of %d: got %x and %x, want %x", len(msg), i, n, fromSlices[i], fromArena[i], want)
				}
			}
		}
	})
}

// TestCheckEnds holds the one comparison of all ends against the plain rule, extremes included.
func TestCheckEnds(t *testing.T) {
	values := []int{math.MinInt, math.MinInt + 1, -5, -1, 0, 1, 4, 5, 6, math.MaxInt - 1, math.MaxInt}
	for _, size := range []int{0, 1, 5, math.MaxInt} {
		for _, start := range values {
			for _, a := range values {
				for _, b := range values {
					want := 0 <= start && start <= a && a <= b && b <= size
					got := func() (fine bool) {
						defer func() { fine = recover() == nil }()
						CheckEnds(start, []int{a, b}, size)
						return
					}()
					if got != want {
						t.Errorf("start %d, ends %d, %d in %d: got %v, want %v", start, a, b, size, got, want)
					}
				}
			}
		}
	}
}

// A part of a batch, begun in the midst of the arena, has the digests that it has in the whole.
func TestHashArenaFromTheMiddle(t *testing.T) {
	key := NewKey(context)
	arena, ends, _ := batch(300)
	whole := make([][Size]byte, len(ends))
	hashArenasGeneric(&key, []Arena{{arena, 0, ends}}, whole)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for lo := 1; lo < len(ends); lo += 37 {
			part := make([][Size]byte, len(ends)-lo)
			b.HashArena(&key, arena, ends[lo-1], ends[lo:], part)
			if !slices.Equal(part, whole[lo:]) {
				t.Errorf("from message %d on: other digests than in the whole", lo)
			}
		}
	})
}

// Arenas of all sizes, none, one that starts in its midst and one with long messages among them, have the digests that
// they have one by one.
func TestHashArenasIsHashArenaForEach(t *testing.T) {
	key := NewKey(context)
	arena, ends, _ := batch(600)
	long := append(slices.Clone(arena), make([]byte, 5000)...)
	longEnds := append(slices.Clone(ends[:200]), ends[199]+1024, ends[199]+1024+1025, len(arena)+5000)
	for _, sizes := range [][]int{nil, {0}, {1, 1, 1}, {0, 3, 0}, {100, 100, 100, 100, 100, 100}, {511, 1, 1, 600}, {512, 512, 31}, {7, 250, 0, 255, 90}} {
		arenas := []Arena{}
		for i, n := range sizes {
			a := Arena{arena, 0, ends[:n]}
			if i%2 == 1 && n < len(ends) {
				a = Arena{arena, ends[0], ends[1 : n+1]}
			}
			arenas = append(arenas, a)
		}
		arenas = append(arenas, Arena{long, ends[0], longEnds[1:]})
		var want [][Size]byte
		for _, a := range arenas {
			start := a.Start
			for _, end := range a.Ends {
				want = append(want, key.Sum(a.Bytes[start:end]))
				start = end
			}
		}
		onEveryBackend(t, func(t *testing.T, b Backend) {
			got := make([][Size]byte, len(want))
			b.HashArenas(&key, arenas, got)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("sizes %v, message %d: got %x, want %x", sizes, i, got[i], want[i])
				}
			}
		})
	}
}

func TestNoBackendAllocates(t *testing.T) {
	key := NewKey(context)
	arena, ends, msgs := batch(300)
	out, pairs := make([][Size]byte, 300), digests(600)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for name, call := range map[string]func(){
			"HashArena":  func() { b.HashArena(&key, arena, 0, ends, out) },
			"HashArenas": func() { b.HashArenas(&key, []Arena{{arena, 0, ends[:40]}, {arena, ends[39], ends[40:]}}, out) },
			"HashSlices": func() { b.HashSlices(&key, msgs, out) },
			"HashPairs":  func() { b.HashPairs(&key, pairs, pairs[:300]) },
			"few":        func() { b.HashSlices(&key, msgs[:3], out[:3]); b.HashPairs(&key, pairs[:6], pairs[:3]) },
		} {
			if got := testing.AllocsPerRun(5, call); got != 0 {
				t.Errorf("%s: got %v allocations, want 0", name, got)
			}
		}
	})
}

// TestHashPairsInParts crosses the border between two calls of a kernel, in place and apart.
func TestHashPairsInParts(t *testing.T) {
	key := NewKey(context)
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for _, n := range []int{4095, 4096, 4097, 4096 + 33, 3*4096 + 100} {
			in := digests(2 * n)
			want := make([][Size]byte, n)
			hashPairsGeneric(&key, in, want)
			out := make([][Size]byte, n)
			b.HashPairs(&key, in, out)
			b.HashPairs(&key, in, in[:n])
			if !slices.Equal(out, want) || !slices.Equal(in[:n], want) {
				t.Errorf("%d pairs: other digests than one by one", n)
			}
		}
	})
}

// TestKeyedMode holds the keyed mode, under random keys, against lukechampine.com/blake3.
func TestKeyedMode(t *testing.T) {
	source := newRand()
	onEveryBackend(t, func(t *testing.T, b Backend) {
		for range 20 {
			var secret [32]byte
			source.Read(secret[:])
			key := NewKeyed(&secret)
			arena, ends, msgs := batch(70)
			out := make([][Size]byte, len(ends))
			b.HashArena(&key, arena, 0, ends, out)
			for i, msg := range msgs {
				h := blake3.New(Size, secret[:])
				h.Write(msg)
				if want := h.Sum(nil); string(out[i][:]) != string(want) {
					t.Fatalf("message %d, %d bytes: got %x, want %x", i, len(msg), out[i], want)
				}
			}
		}
	})
}
