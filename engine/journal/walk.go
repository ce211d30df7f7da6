package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
)

// walk reads a journal's segments in order. It changes nothing.
type walk struct {
	fs       FS
	visit    func(Frame) error // may be nil
	from     Offset            // batches before it are neither visited nor counted
	live     bool              // a writer may be at work
	progress func(done, of int64)
	win      *window

	segments []segment
	size     int64 // of a segment; 0 before the first header
	id       [16]byte
	number   uint64   // of the last whole batch
	last     mark     // the last whole batch; length 0 and count 0 before the first
	lastAt   int64    // where it starts, in the last segment of segments; 0: none there
	end      int64    // where it ends: the next batch's place
	bad      *fault   // why there is no whole batch at end
	unmade   uint64   // a segment after the last that has no header yet; 0: none
	tail     Recovery // set at the end

	frames     uint64
	batchCount uint64
	bytes      int64 // of batches
	done, of   int64 // bytes read, for progress
}

// all reads the segments of the given numbers, ascending and not empty.
func (w *walk) all(list []uint64) error {
	w.win = windowPool.Get().(*window)
	defer func() {
		w.win.reset(nil, "")
		windowPool.Put(w.win)
	}()
	for i, n := range list {
		if i > 0 && n != list[i-1]+1 {
			return &CorruptError{Segment: segmentName(list[i-1] + 1), Reason: "segment is missing"}
		}
		w.of = int64(len(list)) * max(w.size, MinSegmentSize)
		if err := w.enter(n, i == len(list)-1); err != nil {
			return err
		}
		w.done = int64(i+1) * w.size
		w.report()
	}
	if len(w.segments) == 0 {
		return nil
	}
	return w.settle()
}

func (w *walk) report() {
	if w.progress != nil {
		w.progress(w.done, w.of)
	}
}

// enter reads segment n, final being set for the last there is.
func (w *walk) enter(n uint64, final bool) error {
	f, err := w.fs.Open(segmentName(n), false)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	w.win.reset(f, segmentName(n))
	b, err := w.win.view(0, block)
	if err != nil {
		return err
	}
	h, newer, reason := parseHeader(b, n)
	switch {
	case newer != 0:
		return &VersionError{Segment: segmentName(n), Version: newer}
	case reason != "":
		return w.headless(n, final, reason)
	}
	if err := w.link(&h); err != nil {
		return err
	}
	w.segments = append(w.segments, segment{number: n, epoch: h.epoch, first: h.first})
	w.lastAt, w.end = 0, block
	return w.batches()
}

// headless decides about segment n, whose header is bad. A segment gets its name after its header is durable, but a
// file system may not keep to that order in a crash: the last one is passed over when nothing was ever written to it.
// Batches that a former use of the file left have lower numbers than those that would be lost.
func (w *walk) headless(n uint64, final bool, reason string) error {
	corrupt := &CorruptError{Segment: segmentName(n), Reason: reason}
	if !final || len(w.segments) == 0 && n != 1 {
		return corrupt
	}
	for off := int64(block); ; off += block {
		b, err := w.win.view(off, block)
		if err != nil {
			return err
		}
		if len(b) < block {
			break
		}
		if m, ok := parseMark(b); ok && m.number > w.number {
			return corrupt
		}
	}
	w.unmade = n
	return nil
}

// link checks that the segment of h follows the one that was read before.
func (w *walk) link(h *header) error {
	if len(w.segments) == 0 {
		w.size, w.id, w.number = h.size, h.id, h.first-1
		w.last.number = w.number
		return nil
	}
	name := segmentName(h.number)
	switch {
	case h.size != w.size || h.id != w.id:
		return &CorruptError{Segment: name, Reason: "segment of another journal"}
	case h.first > w.number+1:
		// The header was written when all batches before h.first were durable.
		return w.corrupt()
	case h.first <= w.number:
		return &CorruptError{Segment: name, Reason: fmt.Sprintf("first batch is %d, the segment before ends in %d", h.first, w.number)}
	}
	return nil
}

// corrupt is the error for the place where the walk could not go on in the last segment.
func (w *walk) corrupt() error {
	return &CorruptError{Segment: segmentName(w.here().number), At: w.bad.at, Reason: w.bad.reason}
}

func (w *walk) here() segment { return w.segments[len(w.segments)-1] }

// batches reads the present segment up to the first place without a whole batch.
func (w *walk) batches() error {
	s := w.here()
	for {
		m, frames, bad, err := w.win.batch(s, w.size, w.end, w.number+1)
		if err != nil {
			return err
		}
		w.bad = bad
		if bad != nil {
			if bad.wrong {
				return w.corrupt()
			}
			return nil
		}
		if err := w.hand(s, &m, frames); err != nil {
			return err
		}
		w.last, w.lastAt, w.number = m, w.end, m.number
		w.end += m.size()
		if before := w.done; w.end&^(windowSize-1) > before%w.size {
			w.done = before - before%w.size + w.end
			w.report()
		}
	}
}

// hand counts and visits the batch at end.
func (w *walk) hand(s segment, m *mark, frames []byte) error {
	at := offset(w.size, s.number, w.end)
	if at < w.from {
		return nil
	}
	w.frames += uint64(m.count)
	w.batchCount++
	w.bytes += m.size()
	if w.visit == nil {
		return nil
	}
	return eachFrame(at+batchHeader, frames, w.visit)
}

// eachFrame visits frames that were checked. The first one lies at the given offset.
func eachFrame(at Offset, frames []byte, visit func(Frame) error) error {
	for len(frames) > 0 {
		n := frameHeader + int(binary.LittleEndian.Uint32(frames))
		f := Frame{Type: frames[4], At: at, End: at + Offset(n), Payload: frames[frameHeader:n:n]}
		if err := visit(f); err != nil {
			return err
		}
		at, frames = f.End, frames[n:]
	}
	return nil
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
