// Package bpi1 holds the rules of scheme bpi-1, those of the original Rust pipeline: how it digests a receipt, hashes a
// block's leaves to a root and digests a block. It is plain and slow, for reading what that pipeline sealed and for
// feeding it; a new deployment uses encseal-1.
//
// In the house it stands beside the rest, imported by the notary and the command alone: logblock takes Rules through an
// interface of its own, so an auditor of encseal-1 compiles none of this.
//
// # The rules
//
// Every hash is plain BLAKE3-256, b3; integers and binary64 floats are little-endian; texts stand as their bytes, with
// no length before them.
//
//	receipt digest  b3(01 ‖ app ‖ container ‖ op ‖ ts ‖ cpu_ms u64 ‖ memory_mb_s u64 ‖ storage_gb_day f64 ‖
//	                   egress_mb f64 ‖ receipts_count u64, 0 where absent ‖
//	                   key ‖ value of each label, bytewise by key ‖ prev_hash text)
//	leaf            b3(the receipt as it prints, hash and sig included)
//	node            b3(l ‖ r), level by level; an odd last hash is paired with itself
//	root            the last hash left; of one leaf, that leaf
//	block digest    b3(01 ‖ app ‖ height u64 ‖ merkle_root text ‖ count u32 ‖ from_ts ‖ to_ts)
//
// A receipt's sig and a block's sig_notary are Ed25519 over the 32 bytes of the digest; hash is "blake3:" and the receipt
// digest in hexadecimal. from_ts and to_ts are the smallest and the largest ts of the block as strings.
//
// The rules for what a receipt is, and how it prints, are those of engine/receipt, in this scheme too.
//
// # What it does not give
//
// A signature here says less than it seems to:
//
//   - Leaves [a, b, c] and [a, b, c, c] have one root: the count alone tells them apart, and the count is no part of the
//     tree.
//   - Leaves and nodes share a domain: 64 bytes can be read as a leaf or as a node with two children.
//   - Receipts and blocks share a domain: a receipt can be written whose digest is that of a block, so a key that is both
//     a producer's and a notary's can be made to sign a block that its owner never saw. Give each role its own key.
//   - Nothing separates app, container, op and labels: text can be moved from one to the next under a valid signature.
//     So can text between the labels and prev_hash.
//   - A receipts_count of 0 and none at all have one digest.
//   - Times are compared as text: with an offset other than Z, or fractions of different lengths, the smallest text is
//     not the earliest instant.
//   - Blocks are not linked: a block can be exchanged for another of its height, and no later block shows it.
//   - The key and the scheme are not signed, and there are no inclusion proofs.
//
// Moving to encseal-1 starts at height 1 under a new key.
package bpi1

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"

	"lukechampine.com/blake3"

	"github.com/encseal/encseal/engine/receipt"
)

// Weaknesses is what must be said wherever the scheme is offered: lines of at most 80 characters, the last one without
// its end.
const Weaknesses = `scheme bpi-1 is weak:
- leaves [a,b,c] and [a,b,c,c] share a root; leaves and nodes share a domain
- receipts and blocks share a domain: a key in both roles can be made to sign a
  block
- app, container, op and labels can be split anew under a valid signature
- receipts_count 0 equals absent; ranges compare as text, not as times
- blocks are not linked: one exchanged for another of its height does not show
- key and scheme are not signed; there are no inclusion proofs
new deployments use encseal-1, which starts at height 1 under a new key`

// version is v, in both digests.
const version = 1

// Rules are the rules of the scheme, as methods for whoever takes them through an interface. The zero value is all there
// is of them; they are safe for concurrent use.
type Rules struct{}

// ReceiptDigest returns the digest that the producer signs. It covers neither Hash nor Sig, which may be missing; every
// other rule of a receipt holds, and where one is broken the error is the *receipt.FieldError of AppendSigned.
func (Rules) ReceiptDigest(r *receipt.Receipt) ([32]byte, error) {
	if _, err := r.AppendSigned(nil); err != nil { // for its rules alone
		return [32]byte{}, err
	}
	b := []byte{version}
	b = append(b, r.App...)
	b = append(b, r.Container...)
	b = append(b, r.Op...)
	b = append(b, r.TS...)
	b = binary.LittleEndian.AppendUint64(b, r.Resource.CPUms)
	b = binary.LittleEndian.AppendUint64(b, r.Resource.MemoryMBs)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Resource.StorageGBDay))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Resource.EgressMB))
	var count uint64
	if r.Resource.HasReceiptsCount {
		count = r.Resource.ReceiptsCount
	}
	b = binary.LittleEndian.AppendUint64(b, count)
	for _, l := range bytewise(r.Labels) {
		b = append(b, l.Key...)
		b = append(b, l.Value...)
	}
	b = r.PrevHash.AppendText(b)
	return blake3.Sum256(b), nil
}

// bytewise returns a copy of labels in the order in which they print, which is not the order a receipt holds them in.
func bytewise(labels []receipt.Label) []receipt.Label {
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, func(a, b receipt.Label) int { return strings.Compare(a.Key, b.Key) })
	return sorted
}

// AppendLeaf appends the leaf of a receipt to dst: the receipt as it prints, Hash and Sig included. Where a rule of
// receipts is broken it returns dst as it came and a *receipt.FieldError.
func (Rules) AppendLeaf(dst []byte, r *receipt.Receipt) ([]byte, error) {
	return r.AppendJSON(dst)
}

// HashLeaf returns the hash of a leaf, which is borrowed for the call.
func (Rules) HashLeaf(leaf []byte) [32]byte {
	return blake3.Sum256(leaf)
}

// Root returns the root over leaf hashes, of which there is at least one; it panics on none, since no block has none. It
// overwrites hashes.
func (Rules) Root(hashes [][32]byte) [32]byte {
	if len(hashes) == 0 {
		panic("bpi1: Root of no leaves")
	}
	for len(hashes) > 1 {
		above := hashes[:(len(hashes)+1)/2]
		for i := range above {
			// Pair i is read before hash i is written, and nothing below 2i is read after it.
			left := hashes[2*i]
			right := left
			if 2*i+1 < len(hashes) {
				right = hashes[2*i+1]
			}
			above[i] = node(&left, &right)
		}
		hashes = above
	}
	return hashes[0]
}

func node(l, r *[32]byte) [32]byte {
	var pair [64]byte
	copy(pair[:32], l[:])
	copy(pair[32:], r[:])
	return blake3.Sum256(pair[:])
}

// BlockDigest returns the digest that the notary signs. It enforces no rule: the parts are those of a LogBlock that keeps
// the rules of its own.
func (Rules) BlockDigest(app string, height uint64, root [32]byte, count uint32, fromTS, toTS string) [32]byte {
	b := []byte{version}
	b = append(b, app...)
	b = binary.LittleEndian.AppendUint64(b, height)
	b = append(b, "blake3:"...)
	b = hex.AppendEncode(b, root[:])
	b = binary.LittleEndian.AppendUint32(b, count)
	b = append(b, fromTS...)
	b = append(b, toTS...)
	return blake3.Sum256(b)
}
