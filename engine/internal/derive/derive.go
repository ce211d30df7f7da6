// Package derive hashes one message with BLAKE3 in derive_key mode, 32 bytes out.
//
// Every digest of this project is dk(context, message): BLAKE3 keyed with the hash of a literal context string, so that a leaf,
// a node, a receipt and a block can never stand for one another. The context's part of the work is done once, in [NewKey]; a
// [Key] then costs a message nothing over plain BLAKE3. The compression function is package guts of
// lukechampine.com/blake3, whose top level allocates for each hash; the tree of chunks over it is here and allocates nothing.
//
// In the house it stands below everything that hashes: engine/internal/derive hashes single messages for engine/lanes,
// engine/receipt and engine/logblock, and imports nothing of ours. Many messages at once are engine/lanes' business.
//
// Source: BLAKE3 specification (O'Connor, Aumasson, Neves, Wilcox-O'Hearn), sections 2.1 tree structure, 2.3 modes, 2.4 chunk
// chaining values, 2.5 parent node chaining values.
package derive

import (
	"encoding/binary"
	"math/bits"

	"lukechampine.com/blake3/guts"
)

// Size is the length of a digest in bytes.
const Size = 32

// Key is a derive_key context, hashed. It is a value without pointers, never changes, and any number of goroutines may use one.
// The zero Key belongs to no context: make one with [NewKey].
type Key struct {
	words [8]uint32
	flags uint32
}

// NewKey returns the key of a context. A context is a hard-coded string with one purpose; it is no secret and never input.
func NewKey(context string) Key {
	k := Key{flags: guts.FlagDeriveKeyMaterial}
	full := guts.CompressNode(rootNode([]byte(context), &guts.IV, guts.FlagDeriveKeyContext))
	copy(k.words[:], full[:8])
	return k
}

// NewKeyed returns the key of BLAKE3's keyed mode, which is a message authentication code: key is a secret of 32 random bytes,
// borrowed for the call. No format here uses it.
func NewKeyed(key *[32]byte) Key {
	k := Key{flags: guts.FlagKeyedHash}
	for i := range k.words {
		k.words[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	return k
}

// Sum returns dk(context, msg) for a msg of any length. It borrows msg for the call and allocates nothing.
func (k *Key) Sum(msg []byte) [Size]byte {
	words := guts.CompressNode(rootNode(msg, &k.words, k.flags))
	// Word by word: a digest is little-endian on every machine.
	var sum [Size]byte
	for i := range Size / 4 {
		binary.LittleEndian.PutUint32(sum[4*i:], words[i])
	}
	return sum
}

// Words returns the eight key words that take the place of the IV in every chunk and parent.
func (k *Key) Words() [8]uint32 { return k.words }

// Flags returns the mode flags that every compression under this key carries, besides those of its place in the tree.
func (k *Key) Flags() uint32 { return k.flags }

// rootNode returns the root of msg's tree, ready for its last compression. A message of one chunk is its own root.
func rootNode(msg []byte, key *[8]uint32, flags uint32) guts.Node {
	if len(msg) > guts.ChunkSize {
		return rootOfChunks(msg, key, flags)
	}
	root := guts.CompressChunk(msg, key, 0, flags)
	root.Flags |= guts.FlagRoot
	return root
}

// maxDepth bounds the stack of rootOfChunks: a []byte has fewer than 2^63 bytes, so fewer than 2^53 chunks precede the last.
const maxDepth = 53

// rootOfChunks is rootNode for a message of two chunks or more.
//
// BLAKE3 gives the left subtree the largest power of two of chunks that leaves at least one for the right. The stack holds the
// chaining values of complete subtrees, left to right, one for each one bit of the number of chunks so far, largest first.
// A new chunk completes as many of them as that number, counted with it, has trailing zero bits. The last chunk completes none: it
// is the right edge of the tree, and merging it with the stack from the top down gives each subtree on the right edge
// a left child that is a power of two and at least as large as the right one, which is the tree above.
func rootOfChunks(msg []byte, key *[8]uint32, flags uint32) guts.Node {
	var stack [maxDepth][8]uint32
	depth := 0
	chunks := uint64(0)
	for ; len(msg) > guts.ChunkSize; msg = msg[guts.ChunkSize:] {
		cv := guts.ChainingValue(guts.CompressChunk(msg[:guts.ChunkSize], key, chunks, flags))
		chunks++
		for range bits.TrailingZeros64(chunks) {
			depth--
			cv = guts.ChainingValue(guts.ParentNode(stack[depth], cv, key, flags))
		}
		stack[depth] = cv
		depth++
	}
	node := guts.CompressChunk(msg, key, chunks, flags)
	for depth > 0 {
		depth--
		node = guts.ParentNode(stack[depth], guts.ChainingValue(node), key, flags)
	}
	node.Flags |= guts.FlagRoot
	return node
}
