package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// buffer is a batch that is being filled, or written. Guarded by Journal.mu until it is taken, then owned by who writes
// it.
type buffer struct {
	b      []byte // aligned
	n      int    // filled, with the batch's header
	frames int
	seg    uint64 // where it goes: byte base of segment seg
	base   int64
	epoch  uint64
	limit  int // n stays at or below; may be too low for any frame at the end of a segment
	sum    sum
}

// reset makes b the empty batch at base of a segment.
func (b *buffer) reset(seg uint64, base int64, epoch uint64, segmentSize int64) {
	b.n, b.frames = batchHeader, 0
	b.seg, b.base, b.epoch = seg, base, epoch
	b.limit = int(min(int64(len(b.b)), dataEnd(segmentSize)-base))
}

func (b *buffer) fits(payload int) bool { return b.n+frameHeader+payload <= b.limit }

// end is where the batch after b starts.
func (b *buffer) end() int64 { return b.base + roundUp(int64(b.n)) }

// add appends a frame that fits and returns the byte in the segment where it starts.
func (b *buffer) add(typ byte, payload int, parts [][]byte) int64 {
	f := b.b[b.n : b.n+frameHeader+payload]
	binary.LittleEndian.PutUint32(f, uint32(payload))
	binary.LittleEndian.PutUint32(f[4:], uint32(typ))
	binary.LittleEndian.PutUint32(f[8:], uint32(b.epoch))
	at := frameHeader
	for _, p := range parts {
		at += copy(f[at:], p)
	}
	off := b.base + int64(b.n)
	binary.LittleEndian.PutUint32(f[12:], b.sum.frame(f[:12], off, b.epoch, f[frameHeader:]))
	b.n += len(f)
	b.frames++
	return off
}

// Append puts a frame behind all earlier ones and returns where it lies, [at, end). Its payload is the parts one after
// another; they are copied. typ is not 0. Nothing is written before Kick is called or the batch is full: while there is
// no room, Append waits for the writer.
//
// It returns ErrTooLarge for more than MaxPayload bytes, ErrClosed, and the first failure; nothing is appended then.
func (j *Journal) Append(typ byte, parts ...[]byte) (at, end Offset, err error) {
	return j.append(0, typ, parts)
}

// AppendIn is Append into a segment of that number: where the next frame comes to lie in another, it appends nothing and
// returns ErrSegment. So a frame that must come first in each segment can.
func (j *Journal) AppendIn(segment uint64, typ byte, parts ...[]byte) (at, end Offset, err error) {
	return j.append(segment, typ, parts)
}

// append is AppendIn, and for segment 0 Append.
func (j *Journal) append(segment uint64, typ byte, parts [][]byte) (at, end Offset, err error) {
	payload := 0
	for _, p := range parts {
		payload += len(p)
	}
	if most := MaxPayload(j.size); payload > most {
		return 0, 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, payload, most)
	}
	if typ == 0 {
		return 0, 0, errors.New("journal: frame type 0")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		if err := j.refusal(); err != nil {
			return 0, 0, err
		}
		if j.open.fits(payload) {
			break
		}
		j.makeRoom()
	}
	b := j.open
	if segment != 0 && b.seg != segment {
		return 0, 0, ErrSegment
	}
	off := b.add(typ, payload, parts)
	at = j.offset(b.seg, off)
	return at, at + Offset(frameHeader+payload), nil
}

// refusal is why nothing can be appended, for the holder of mu.
func (j *Journal) refusal() error {
	switch {
	case j.failure != nil:
		return j.failure
	case j.closing:
		return ErrClosed
	}
	return nil
}

// makeRoom is for the holder of mu who finds no room in the open buffer. Afterwards there may be some.
func (j *Journal) makeRoom() {
	switch {
	case j.open.frames == 0: // the segment's end
		j.open.reset(j.open.seg+1, block, newEpoch(), j.size)
		j.updateFull()
	case j.gathering && !j.writing:
		// This is the writing goroutine itself, in Gather, or another while that one may wait for us.
		j.flush()
	default:
		j.pressed = true
		j.work.Signal()
		j.room.Wait()
	}
}

// Kick says that something is to be written, in the buffer or held back for Config.Gather. It does not wait, and costs
// one atomic load while an earlier Kick is not served yet.
func (j *Journal) Kick() {
	if j.kicked.Load() {
		return
	}
	j.mu.Lock()
	if !j.kicked.Load() {
		j.kicked.Store(true)
		j.work.Signal()
	}
	j.mu.Unlock()
}

// Wait kicks and returns when all before end is durable. It returns the journal's failure, ErrClosed or ctx's error
// where that comes first.
func (j *Journal) Wait(ctx context.Context, end Offset) error {
	if j.Durable() >= end {
		return nil
	}
	j.Kick()
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() {
			j.mu.Lock()
			j.settled.Broadcast()
			j.mu.Unlock()
		})()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		switch {
		case j.Durable() >= end:
			return nil
		case j.failure != nil:
			return j.failure
		case j.ended:
			return ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		}
		j.settled.Wait()
	}
}
