package journal

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// windowSize is how much a reader holds of a segment: two batches, so that each byte is read once.
const windowSize = 2 * maxBatch

var windowPool = sync.Pool{New: func() any { return &window{buf: AlignedBuffer(windowSize)} }}

// window reads a segment's blocks in order of offset. What view returns is valid until its next call.
type window struct {
	f      File
	name   string
	buf    []byte // aligned
	lo, hi int64  // buf[:hi-lo] is [lo, hi) of f
	end    bool   // f ends at hi
	sum    sum
}

func (w *window) reset(f File, name string) {
	w.f, w.name = f, name
	w.forget()
}

// forget makes the next view read the file.
func (w *window) forget() { w.lo, w.hi, w.end = 0, 0, false }

// view returns the n bytes at off, a multiple of a block, or what the file has of them. n is at most maxBatch.
func (w *window) view(off int64, n int) ([]byte, error) {
	to := off + int64(n)
	if off >= w.lo && (to <= w.hi || w.end) {
		return w.buf[min(off, w.hi)-w.lo : min(to, w.hi)-w.lo], nil
	}
	kept := 0
	if off >= w.lo && off < w.hi {
		kept = copy(w.buf, w.buf[off-w.lo:w.hi-w.lo])
	}
	w.lo, w.hi, w.end = off, off+int64(kept), false
	for w.hi < to {
		got, err := w.f.ReadAt(w.buf[w.hi-w.lo:], w.hi)
		w.hi += int64(got)
		if errors.Is(err, io.EOF) {
			w.end = true
			break
		}
		if err != nil && w.hi < to {
			return nil, fmt.Errorf("journal: %s at byte %d: %w", w.name, w.hi, err)
		}
	}
	return w.buf[:min(to, w.hi)-w.lo], nil
}

// fault says why no whole batch is at a place.
type fault struct {
	at     int64 // byte in the segment of what is bad: the batch, or a frame of it
	reason string
	wrong  bool // an intact batch is there that cannot be: its number or durable mark is not of this place
}

// batch reads and checks the batch at off of the segment: what it returns was written as a whole. frames is valid until
// the next view.
func (w *window) batch(s segment, size, off int64, number uint64) (m mark, frames []byte, bad *fault, err error) {
	b, err := w.view(off, block)
	if err != nil {
		return m, nil, nil, err
	}
	m, ok := parseMark(b)
	switch {
	case !ok:
		return m, nil, &fault{at: off, reason: "no batch where one must be"}, nil
	case m.epoch != s.epoch:
		return m, nil, &fault{at: off, reason: "batch of another epoch"}, nil
	case m.number != number:
		return m, nil, &fault{at: off, reason: fmt.Sprintf("batch %d where %d must be", m.number, number), wrong: true}, nil
	case m.durable > offset(size, s.number, off) || m.size() > size-off:
		return m, nil, &fault{at: off, reason: "batch header that contradicts its place", wrong: true}, nil
	}
	if b, err = w.view(off, int(m.size())); err != nil {
		return m, nil, nil, err
	}
	frames, bad = w.frames(&m, b, off)
	return m, frames, bad, nil
}

// frames checks all that follows the header of a batch.
func (w *window) frames(m *mark, b []byte, off int64) ([]byte, *fault) {
	end := batchHeader + m.length
	at := batchHeader
	for range m.count {
		_, payload, reason := w.sum.parseFrame(b[min(at, len(b)):min(end, len(b))], off+int64(at), m.epoch)
		if reason != "" {
			return nil, &fault{at: off + int64(at), reason: reason}
		}
		at += frameHeader + len(payload)
	}
	switch {
	case at != end:
		return nil, &fault{at: off + int64(at), reason: "frames end early in their batch"}
	case int64(len(b)) < m.size():
		return nil, &fault{at: off + int64(len(b)), reason: "file ends in a batch"}
	}
	for i, c := range b[end:] {
		if c != 0 {
			return nil, &fault{at: off + int64(end+i), reason: "padding is not zero"}
		}
	}
	return b[batchHeader:end], nil
}

func offset(size int64, number uint64, at int64) Offset {
	return Offset(number*uint64(size) + uint64(at))
}
