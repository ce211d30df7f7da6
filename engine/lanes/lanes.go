// Package lanes hashes many short independent messages with BLAKE3 in derive_key or keyed mode, 32 bytes out of each.
//
// A receipt is a few hundred bytes: BLAKE3's own tree finds nothing in it to run in parallel, but a block of receipts
// is many such messages, and a level of a Merkle tree is many 64-byte ones. So the calls here take a whole batch, in
// the layouts that callers have:
//
//	HashArena   messages back to back in one slice     receipts as the notary encodes them
//	HashArenas  the same in several slices             receipts of several blocks
//	HashSlices  messages wherever they lie             leaves of a caller's own
//	HashPairs   two digests next to each other         a level of the tree
//
// Digests depend on the key and the messages alone, not on the layout, the batch or the machine. [Backends] lists the
// ways to hash that this CPU has; the functions of this file take the fastest:
//
//	generic   one message after the other: the specification of the others
//	avx2      8 messages side by side
//	avx512    32 or 16 side by side
//
// The last two order a batch by the number of blocks, because a pass takes as long as its longest message. Messages
// over 1,024 bytes, which are trees of chunks, and single ones go through the portable code on every backend. The
// assembly is written by the generators in _asm; the build tag purego leaves it out.
//
// All functions may be called from any number of goroutines at once, one Key shared among them. They borrow every slice
// for the call, write to out alone, and allocate nothing. Arguments that do not fit together are a bug of the caller:
// they panic before anything is hashed or written.
package lanes

import "github.com/encseal/encseal/engine/internal/derive"

// Size is the length of a digest in bytes.
const Size = derive.Size

// Key is a derive_key context, hashed once, or the key of the keyed mode. It is an immutable value; the zero Key is
// neither.
type Key = derive.Key

// NewKey returns the key of a context, a hard-coded string with one purpose.
func NewKey(context string) Key { return derive.NewKey(context) }

// NewKeyed returns the key of BLAKE3's keyed mode, a message authentication code under 32 secret random bytes, which
// are borrowed for the call.
func NewKeyed(key *[32]byte) Key { return derive.NewKeyed(key) }

// Sum returns the digest of one message of any length. A caller with more than one at hand wants the calls below.
func Sum(k *Key, msg []byte) [Size]byte { return k.Sum(msg) }

// HashSlices sets out[i] to the digest of msgs[i]. The messages may have any lengths and may overlap one another; none
// may overlap out. It panics if len(out) is not len(msgs).
func HashSlices(k *Key, msgs [][]byte, out [][Size]byte) { best.HashSlices(k, msgs, out) }

// HashArena sets out[i] to the digest of arena[ends[i-1]:ends[i]], where ends[-1] is start. Messages may have any
// lengths, 0 too; what lies in arena before start and after the last end belongs to none. Arena must not overlap out.
// It panics if len(out) is not len(ends), if an end is smaller than the one before, or if start or one of them lies
// outside arena.
func HashArena(k *Key, arena []byte, start int, ends []int, out [][Size]byte) {
	best.HashArena(k, arena, start, ends, out)
}

// Arena is messages back to back: message i is Bytes[Ends[i-1]:Ends[i]], where Ends[-1] is Start.
type Arena struct {
	Bytes []byte
	Start int
	Ends  []int
}

// HashArenas sets out to the digests of the messages of arenas, one arena after the other: what HashArena for each of
// them does, but that their messages are hashed side by side. It panics if len(out) is not their number, or where
// HashArena would for one of them.
func HashArenas(k *Key, arenas []Arena, out [][Size]byte) { best.HashArenas(k, arenas, out) }

// HashPairs sets out[i] to the digest of the 64 bytes in[2i] ‖ in[2i+1]. It panics if len(in) is odd or len(out) is
// not half of it.
//
// Out may be in[:len(in)/2]: in then holds the next level of a tree in its first half, and its second half is as it was
// or not; nothing may be read from there. This is sound because digest i goes to where in[i] was, a half of pair
// ⌊i/2⌋, which is pair i or one before it. Every backend takes the pairs in ascending order, one or a pass of them at a
// time, and has read a pass when it writes a digest of it: all pairs that digest i falls on have been read by then.
// Any other overlap of out and in is not allowed.
func HashPairs(k *Key, in [][Size]byte, out [][Size]byte) { best.HashPairs(k, in, out) }
