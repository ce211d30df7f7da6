//go:build amd64 && !purego

package ed25519x8

import (
	"encoding/binary"
	"math/bits"
)

// MaxBatch is how many signatures a Scratch has room for.
const MaxBatch = groupCount * lanes

const groupCount = 16

// Scratch is the memory of one call of Sign or Verify: some 60 KB, allocated and not on a stack. It lies at a multiple
// of 64 bytes where the allocator puts large objects, at the start of a page; elsewhere the kernels are slower, no more.
type Scratch struct {
	sums    [groupCount]sums // R, or what R must be
	before  [groupCount]element
	encoded [groupCount]words
	scalars [groupCount]words // nonces; S
	nonce   block             // prefix ‖ M
	message block             // R ‖ A ‖ M
	hash    [8][lanes]uint64
	k, a, x words
	inv     element
	t       [4]element
	entry   [4]element
	table   [8]cached

	digits  [groupCount][windows][lanes]int8
	digits2 [groupCount][windows][lanes]int8
	digits4 [64][lanes]int8
	valid   [MaxBatch]bool
}

// wipe zeroes what Sign left of a batch. What was public goes with it.
func (s *Scratch) wipe(groups int) {
	clear(s.sums[:groups])
	clear(s.before[:groups])
	clear(s.encoded[:groups])
	clear(s.scalars[:groups])
	clear(s.digits[:groups])
	clear(s.nonce[:])
	clear(s.hash[:])
	clear(s.k[:])
	clear(s.a[:])
	clear(s.x[:])
	clear(s.inv[:])
	clear(s.t[:])
	clear(s.entry[:])
}

// groupsOf returns how many groups of eight hold n signatures. In the last, spare lanes repeat signature n−1.
func groupsOf(n int) int { return (n + lanes - 1) / lanes }

func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// block is one block of SHA-512 in each lane, as words.
type block [16][lanes]uint64

func (b *block) words() *[16][lanes]uint64 { return (*[16][lanes]uint64)(b) }

// put writes 32 bytes as words at, at+1, at+2 and at+3 of lane l.
func (b *block) put(at, l int, bytes *[32]byte) {
	w := (*[4][lanes]uint64)(b[at:])
	l %= lanes
	w[0][l] = binary.BigEndian.Uint64(bytes[0:])
	w[1][l] = binary.BigEndian.Uint64(bytes[8:])
	w[2][l] = binary.BigEndian.Uint64(bytes[16:])
	w[3][l] = binary.BigEndian.Uint64(bytes[24:])
}

// putWords writes little-endian words as words 0 to 3 of all lanes.
func (b *block) putWords(w *words) {
	for i := range w {
		for l := range lanes {
			b[i][l] = bits.ReverseBytes64(w[i][l])
		}
	}
}

// pad ends a message of at bytes, a multiple of 8 below 112, in all lanes.
func (b *block) pad(at int) {
	clear(b[at/8:])
	for l := range lanes {
		b[at/8][l] = 1 << 63
		b[15][l] = uint64(8 * at)
	}
}
