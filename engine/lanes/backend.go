package lanes

import "fmt"

// Backend is one way to hash a batch. All give the same digests; the functions of this package use the fastest that the
// CPU can run. The zero Backend is the portable one; [Backends] has the others.
type Backend struct {
	kind kind
}

type kind uint8

const (
	kindGeneric kind = iota
	kindAVX2
	kindAVX512
)

// best is what the package's functions use.
var best = Backends()[0]

// Backends lists what this CPU can run, fastest first, the portable one last.
func Backends() []Backend {
	var all []Backend
	if hasAVX512 {
		all = append(all, Backend{kindAVX512})
	}
	if hasAVX2 {
		all = append(all, Backend{kindAVX2})
	}
	return append(all, Backend{kindGeneric})
}

// String returns "avx512", "avx2" or "generic".
func (b Backend) String() string {
	switch b.kind {
	case kindAVX512:
		return "avx512"
	case kindAVX2:
		return "avx2"
	}
	return "generic"
}

// HashSlices is the function of that name on this backend.
func (b Backend) HashSlices(k *Key, msgs [][]byte, out [][Size]byte) {
	if len(out) != len(msgs) {
		panic(fmt.Sprintf("lanes: HashSlices: room for %d digests, want %d", len(out), len(msgs)))
	}
	switch b.kind {
	case kindAVX512:
		hashSlicesAVX512(k, msgs, out)
	case kindAVX2:
		hashSlicesAVX2(k, msgs, out)
	default:
		hashSlicesGeneric(k, msgs, out)
	}
}

// HashArena is the function of that name on this backend.
func (b Backend) HashArena(k *Key, arena []byte, start int, ends []int, out [][Size]byte) {
	if len(out) != len(ends) {
		panic(fmt.Sprintf("lanes: HashArena: room for %d digests, want %d", len(out), len(ends)))
	}
	CheckEnds(start, ends, len(arena))
	one := [1]Arena{{arena, start, ends}}
	b.hashArenas(k, one[:], out)
}

// HashArenas is the function of that name on this backend.
func (b Backend) HashArenas(k *Key, arenas []Arena, out [][Size]byte) {
	n := 0
	for i := range arenas {
		CheckEnds(arenas[i].Start, arenas[i].Ends, len(arenas[i].Bytes))
		n += len(arenas[i].Ends)
	}
	if len(out) != n {
		panic(fmt.Sprintf("lanes: HashArenas: room for %d digests, want %d", len(out), n))
	}
	b.hashArenas(k, arenas, out)
}

// hashArenas is HashArenas where all has been checked.
func (b Backend) hashArenas(k *Key, arenas []Arena, out [][Size]byte) {
	switch b.kind {
	case kindAVX512:
		hashArenasAVX512(k, arenas, out)
	case kindAVX2:
		hashArenasAVX2(k, arenas, out)
	default:
		hashArenasGeneric(k, arenas, out)
	}
}

// HashPairs is the function of that name on this backend.
func (b Backend) HashPairs(k *Key, in [][Size]byte, out [][Size]byte) {
	if len(in)%2 != 0 {
		panic(fmt.Sprintf("lanes: HashPairs: %d digests are no pairs", len(in)))
	}
	if len(out) != len(in)/2 {
		panic(fmt.Sprintf("lanes: HashPairs: room for %d digests, want %d", len(out), len(in)/2))
	}
	switch b.kind {
	case kindAVX512:
		hashPairsAVX512(k, in, out)
	case kindAVX2:
		hashPairsAVX2(k, in, out)
	default:
		hashPairsGeneric(k, in, out)
	}
}

// CheckEnds panics unless 0 ≤ start ≤ ends[0] ≤ ends[1] ≤ … ≤ size, as HashArena does with size the length of its
// arena. It is for who hashes a batch in parts and wants the panic before the first.
func CheckEnds(start int, ends []int, size int) {
	// Both differences are at least 0 for an end that is in order. For the first that is not, one of them is below:
	// end-start, unless it wraps around, and then size-end is, for it wraps around as well.
	sign, last := start|(size-start), start
	for _, end := range ends {
		sign |= (end - last) | (size - end)
		last = end
	}
	if sign >= 0 {
		return
	}
	if start < 0 || start > size {
		panic(fmt.Sprintf("lanes: HashArena: start is %d, want it in [0, %d]", start, size))
	}
	for i, end := range ends {
		if end < start || end > size {
			panic(fmt.Sprintf("lanes: HashArena: end %d is %d, want it in [%d, %d]", i, end, start, size))
		}
		start = end
	}
}
