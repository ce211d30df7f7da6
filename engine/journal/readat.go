package journal

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// firstRead is how much ReadAt reads before it knows a frame's length, at most a block less.
const firstRead = 16 << 10

// reader keeps the file that ReadAt used last.
type reader struct {
	mu   sync.Mutex
	f    File // nil: none
	seg  uint64
	buf  []byte // aligned; holds the longest frame wherever it starts in a block
	sum  sum
	done bool // the journal is closed
}

func (r *reader) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	r.release()
}

// drop closes the file of a segment that goes away.
func (r *reader) drop(seg uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seg == seg {
		r.release()
	}
}

func (r *reader) release() {
	if r.f != nil {
		r.f.Close() // read only
	}
	r.f, r.seg = nil, 0
}

// ReadAt returns the durable frame that starts at an offset that Append, Open or Scan gave. Its payload is in buf if it
// fits, else in new memory. It returns ErrPruned for a frame before First().
func (j *Journal) ReadAt(at Offset, buf []byte) (Frame, error) {
	switch {
	case at < j.First():
		return Frame{}, ErrPruned
	case at >= j.Durable():
		return Frame{}, fmt.Errorf("journal: offset %d is not durable, the end is %d", at, j.Durable())
	}
	s, _, err := j.find(j.Segment(at))
	if err != nil {
		return Frame{}, err
	}
	r := &j.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.done:
		return Frame{}, ErrClosed
	case r.seg != s.number:
		f, err := j.openSegment(s.number)
		if err != nil {
			return Frame{}, err
		}
		r.release()
		r.f, r.seg = f, s.number
	}
	off := int64(at - j.offset(s.number, 0))
	typ, payload, reason, err := r.read(off, s.epoch)
	if err != nil {
		return Frame{}, fmt.Errorf("journal: %s at byte %d: %w", segmentName(s.number), off, err)
	}
	if reason != "" {
		return Frame{}, j.lost(s.number, &fault{at: off, reason: reason})
	}
	payload = append(buf[:0], payload...)
	return Frame{Type: typ, At: at, End: at + Offset(frameHeader+len(payload)), Payload: payload}, nil
}

// read returns the frame at a byte of r.f, valid until the next read.
func (r *reader) read(off int64, epoch uint64) (typ byte, payload []byte, reason string, err error) {
	if r.buf == nil {
		r.buf = AlignedBuffer(maxPayload + 2*block)
	}
	start := off &^ (block - 1)
	skip := int(off - start)
	for _, n := range []int{firstRead, len(r.buf)} {
		got, err := r.f.ReadAt(r.buf[:n], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, nil, "", err
		}
		b := r.buf[min(skip, got):got]
		typ, payload, reason = r.sum.parseFrame(b, off, epoch)
		if reason == "" || got < n {
			break
		}
	}
	return typ, payload, reason, nil
}
