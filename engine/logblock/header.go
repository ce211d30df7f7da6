package logblock

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// ParseHeader reads hdr(b) back, FORMAT §3: it accepts the very bytes that [LogBlock.AppendHeader] writes, and no others.
// A header carries no signature: Sig is zero. hdr is borrowed for the call. Errors are *FieldError, with the names of the
// JSON's keys.
//
// ParseHeader checks no key.
func ParseHeader(hdr []byte) (*LogBlock, error) {
	if len(hdr) > maxHeader {
		return nil, &FieldError{"", fmt.Sprintf("over %d bytes", maxHeader)}
	}
	r := headerReader{rest: hdr}
	b := r.block()
	if r.err != nil {
		return nil, r.err
	}
	// Whatever the reader let pass, that AppendHeader writes these bytes for b is all there is to prove.
	var room [maxHeader]byte
	again, err := b.AppendHeader(room[:0])
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, hdr) {
		return nil, &FieldError{"", "not in core deterministic encoding"}
	}
	return b, nil
}

// headerReader walks one header. Once it has an error it stands still and returns zeros.
type headerReader struct {
	rest  []byte // not read yet
	field string // that is being read, as FieldError names it
	err   *FieldError
}

// block reads the whole header. AppendHeader's rules are not checked yet.
func (r *headerReader) block() *LogBlock {
	b := &LogBlock{Scheme: EncSeal1}
	pairs := r.head(majorMap, "a map")
	r.key(1, "v")
	if v := r.uint(1<<64 - 1); v != 1 {
		r.fail(fmt.Sprintf("%d, want 1", v))
	}
	r.key(2, "app")
	b.App = string(r.text())
	r.key(3, "height")
	b.Height = r.uint(1<<64 - 1)
	r.key(4, "merkle_root")
	r.hash(&b.MerkleRoot)
	r.key(5, "count")
	b.Count = uint32(r.uint(1<<32 - 1))
	r.key(6, "range.from_ts")
	b.FromTS = string(r.text())
	r.key(7, "range.to_ts")
	b.ToTS = string(r.text())
	r.key(8, "prev")
	r.hash(&b.Prev)
	r.key(9, "key")
	r.hash((*[32]byte)(&b.Key))
	if b.HasUsage = r.next(10); b.HasUsage {
		r.key(10, "usage")
		r.usage(&b.Usage)
	}
	r.key(11, "scheme")
	if scheme := r.text(); string(scheme) != EncSeal1 {
		r.fail(fmt.Sprintf("%q is not %q", scheme, EncSeal1))
	}
	if b.HasNextKey = r.next(12); b.HasNextKey {
		r.key(12, "next_key")
		r.hash((*[32]byte)(&b.NextKey))
	}
	r.field = ""
	if len(r.rest) > 0 {
		r.fail("data after the last key")
	}
	if want := b.headerKeys(); pairs != want {
		r.fail(fmt.Sprintf("a map of %d keys that holds %d", pairs, want))
	}
	return b
}

func (r *headerReader) usage(u *Usage) {
	if n := r.head(majorArray, "an array"); n != 4 {
		r.fail(fmt.Sprintf("%d totals, want 4", n))
	}
	r.field = "usage.cpu_ms"
	u.CPUms = r.uint(1<<64 - 1)
	r.field = "usage.memory_mb_s"
	u.MemoryMBs = r.uint(1<<64 - 1)
	r.field = "usage.storage_ugb_day"
	u.StorageUGBDay = r.uint(1<<64 - 1)
	r.field = "usage.egress_umb"
	u.EgressUMB = r.uint(1<<64 - 1)
}

// fail keeps the first reason.
func (r *headerReader) fail(reason string) {
	if r.err == nil {
		r.err, r.rest = &FieldError{r.field, reason}, nil
	}
}

// next reports whether the next pair has this key.
func (r *headerReader) next(key byte) bool { return len(r.rest) > 0 && r.rest[0] == key }

// key reads the key of the next pair; field is what it stands for.
func (r *headerReader) key(key byte, field string) {
	r.field = field
	if got := r.take(1); got != nil && got[0] != key {
		r.fail("missing, or not in its place")
	}
}

// uint reads an unsigned integer in [0, limit].
func (r *headerReader) uint(limit uint64) uint64 {
	n := r.head(majorUint, "an unsigned integer")
	if n > limit {
		r.fail(fmt.Sprintf("over %d", limit))
		return 0
	}
	return n
}

// text reads a text string. It is still the header's memory.
func (r *headerReader) text() []byte { return r.take(r.head(majorText, "text")) }

// hash reads a byte string of 32.
func (r *headerReader) hash(dst *[32]byte) {
	if n := r.head(majorBytes, "a byte string"); n != uint64(len(dst)) {
		r.fail(fmt.Sprintf("%d bytes, want %d", n, len(dst)))
	}
	copy(dst[:], r.take(uint64(len(dst))))
}

// head reads a head of the given major type, whose name is for the error, and returns its argument.
func (r *headerReader) head(major byte, name string) uint64 {
	first := r.take(1)
	if first == nil {
		return 0
	}
	if first[0]&^31 != major {
		r.fail("not " + name)
		return 0
	}
	info := first[0] & 31
	if info < 24 {
		return uint64(info)
	}
	if info > 27 {
		r.fail("neither a value nor a length") // 28 to 30 are reserved, 31 is an indefinite length
		return 0
	}
	size := 1 << (info - 24) // bytes of the argument, big-endian
	var wide [8]byte
	copy(wide[8-size:], r.take(uint64(size)))
	n := binary.BigEndian.Uint64(wide[:])
	if least := [...]uint64{24, 1 << 8, 1 << 16, 1 << 32}; n < least[info-24] {
		r.fail("not the shortest head")
		return 0
	}
	return n
}

// take reads n bytes; nil, and an error, where there are not as many.
func (r *headerReader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail("the header is cut off")
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
