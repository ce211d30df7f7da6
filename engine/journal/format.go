package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// Sizes of the format, in bytes.
const (
	block       = 4096    // batches start and end at multiples of it
	maxBatch    = 1 << 20 // header, frames and padding
	batchHeader = 64
	frameHeader = 16
	maxPayload  = 256 << 10

	DefaultSegmentSize = 64 << 20
	MinSegmentSize     = 64 << 10
	MaxSegmentSize     = 1 << 30

	version    = 1
	headerSize = 68 // of a segment's header; the rest of its block is zero
	batchMagic = 0x68637462
)

var (
	segmentMagic = [8]byte{'e', 'n', 'c', 's', 'e', 'g', 'm', 1}
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
	zeroBlock    [block]byte
)

// Offset is a place in a journal: segment number times segment size, plus the byte in the segment. It grows through the
// journal's life. Segments count from 1, so that 0 is before everything.
type Offset uint64

// MaxPayload returns the longest payload of a frame in a journal of segments of the given size: 256 KiB, and less where
// one batch does not fit a small segment.
func MaxPayload(segmentSize int64) int {
	return int(min(maxPayload, dataEnd(segmentSize)-block-batchHeader-frameHeader))
}

// dataEnd is where batches with frames end in a segment. The last block is kept for the empty batch of Close, which
// needs no new segment so.
func dataEnd(segmentSize int64) int64 { return segmentSize - block }

func roundUp(n int64) int64 { return (n + block - 1) &^ (block - 1) }

// header is the first block of a segment.
type header struct {
	size   int64 // of the segment
	id     [16]byte
	number uint64
	epoch  uint64
	first  uint64 // number of the first batch
}

// put writes h to b, a block.
func (h *header) put(b []byte) {
	clear(b)
	copy(b, segmentMagic[:])
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint64(b[16:], uint64(h.size))
	copy(b[24:], h.id[:])
	binary.LittleEndian.PutUint64(b[40:], h.number)
	binary.LittleEndian.PutUint64(b[48:], h.epoch)
	binary.LittleEndian.PutUint64(b[56:], h.first)
	binary.LittleEndian.PutUint32(b[64:], crc32.Checksum(b[:64], castagnoli))
}

// parseHeader reads the first block of segment number. A reason other than "" says why it is none. newer is the version
// of a header that is whole and of a later format, else 0.
func parseHeader(b []byte, number uint64) (h header, newer uint32, reason string) {
	switch {
	case len(b) < block:
		return h, 0, "file ends in the segment header"
	case !bytes.Equal(b[:8], segmentMagic[:]):
		return h, 0, "segment header without its magic"
	case crc32.Checksum(b[:64], castagnoli) != binary.LittleEndian.Uint32(b[64:]):
		return h, 0, "checksum of the segment header"
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v > version {
		return h, v, "newer format"
	}
	h = header{
		size:   int64(binary.LittleEndian.Uint64(b[16:])),
		number: binary.LittleEndian.Uint64(b[40:]),
		epoch:  binary.LittleEndian.Uint64(b[48:]),
		first:  binary.LittleEndian.Uint64(b[56:]),
	}
	copy(h.id[:], b[24:])
	switch {
	case binary.LittleEndian.Uint32(b[8:]) != version || !bytes.Equal(b[headerSize:block], zeroBlock[headerSize:]):
		return h, 0, "segment header of no known format"
	case checkSegmentSize(h.size) != nil:
		return h, 0, "segment size out of range"
	case h.number != number:
		return h, 0, "segment header of another segment"
	}
	return h, 0, ""
}

// mark is a batch's header: a durable mark, and what follows it.
type mark struct {
	epoch   uint64
	number  uint64 // 1, 2, … through all segments
	durable Offset // all before it was durable when this batch was written
	length  int    // of the frames, in bytes
	count   int    // of the frames
}

// size is the batch's length with header and padding.
func (m *mark) size() int64 { return roundUp(batchHeader + int64(m.length)) }

// put writes m to b[:batchHeader].
func (m *mark) put(b []byte) {
	b = b[:batchHeader]
	clear(b)
	binary.LittleEndian.PutUint32(b, batchMagic)
	binary.LittleEndian.PutUint64(b[8:], m.epoch)
	binary.LittleEndian.PutUint64(b[16:], m.number)
	binary.LittleEndian.PutUint64(b[24:], uint64(m.durable))
	binary.LittleEndian.PutUint32(b[32:], uint32(m.length))
	binary.LittleEndian.PutUint32(b[36:], uint32(m.count))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
}

// parseMark reads b[:batchHeader]; ok is false where no batch's header is.
func parseMark(b []byte) (m mark, ok bool) {
	if len(b) < batchHeader || binary.LittleEndian.Uint32(b) != batchMagic {
		return m, false
	}
	if crc32.Checksum(b[8:batchHeader], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return m, false
	}
	m = mark{
		epoch:   binary.LittleEndian.Uint64(b[8:]),
		number:  binary.LittleEndian.Uint64(b[16:]),
		durable: Offset(binary.LittleEndian.Uint64(b[24:])),
	}
	length, count := binary.LittleEndian.Uint32(b[32:]), binary.LittleEndian.Uint32(b[36:])
	if length > maxBatch-batchHeader || count > length/frameHeader {
		return m, false
	}
	m.length, m.count = int(length), int(count)
	return m, true
}

// sum is the room in which a frame's checksum starts: what is passed to crc32 leaves the stack, and an Append allocates
// nothing.
type sum [28]byte

// frame returns the checksum of a frame that lies at byte off of a segment of the given epoch. head is its first 12
// bytes.
func (s *sum) frame(head []byte, off int64, epoch uint64, payload []byte) uint32 {
	copy(s[:12], head)
	binary.LittleEndian.PutUint64(s[12:], uint64(off))
	binary.LittleEndian.PutUint64(s[20:], epoch)
	return crc32.Update(crc32.Checksum(s[:], castagnoli), castagnoli, payload)
}

// parseFrame reads the frame at the beginning of b, which lies at byte off of its segment. A reason other than "" says
// why it is none.
func (s *sum) parseFrame(b []byte, off int64, epoch uint64) (typ byte, payload []byte, reason string) {
	if len(b) < frameHeader {
		return 0, nil, "frame cut short"
	}
	n := binary.LittleEndian.Uint32(b)
	switch {
	case n > maxPayload || int(n) > len(b)-frameHeader:
		return 0, nil, "length of a frame"
	case b[4] == 0 || b[5]|b[6]|b[7] != 0:
		return 0, nil, "type of a frame"
	case binary.LittleEndian.Uint32(b[8:]) != uint32(epoch):
		return 0, nil, "frame of another epoch"
	}
	payload = b[frameHeader : frameHeader+int(n) : frameHeader+int(n)]
	if s.frame(b[:12], off, epoch, payload) != binary.LittleEndian.Uint32(b[12:]) {
		return 0, nil, "checksum of a frame"
	}
	return b[4], payload, ""
}
