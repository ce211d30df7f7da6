package journal

import (
	"errors"
	"fmt"
)

// Scan visits the durable frames with from <= At < to in order, and what becomes durable meanwhile is not among them. It
// runs beside the writer. visit may return ErrStop to end it early; any other error is returned.
//
// It returns ErrPruned when from is before First(), or the segment that is read is dropped meanwhile.
func (j *Journal) Scan(from, to Offset, visit func(Frame) error) error {
	if from < j.First() {
		return ErrPruned
	}
	to = min(to, j.Durable())
	s := scan{j: j, from: from, to: to, visit: visit, win: windowPool.Get().(*window)}
	defer func() {
		s.win.reset(nil, "")
		windowPool.Put(s.win)
	}()
	for n := j.Segment(from); j.offset(n, block) < to; n++ {
		if err := s.segment(n); err != nil {
			if errors.Is(err, ErrStop) {
				return nil
			}
			return err
		}
	}
	return nil
}

// find returns segment n, and the number of the first batch of the segment after it, 0 if there is none.
func (j *Journal) find(n uint64) (s segment, next uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended && j.closing {
		return s, 0, ErrClosed
	}
	if n < j.oldest.Load() {
		return s, 0, ErrPruned
	}
	i := n - j.segments[0].number
	if i >= uint64(len(j.segments)) {
		return s, 0, fmt.Errorf("journal: there is no segment %d", n)
	}
	if i+1 < uint64(len(j.segments)) {
		next = j.segments[i+1].first
	}
	return j.segments[i], next, nil
}

// lost is the error for bad bytes in segment n: when it was dropped meanwhile, its file may be in use as another.
func (j *Journal) lost(n uint64, bad *fault) error {
	if n < j.oldest.Load() {
		return ErrPruned
	}
	return &CorruptError{Segment: segmentName(n), At: bad.at, Reason: bad.reason}
}

// openSegment opens segment n for reading.
func (j *Journal) openSegment(n uint64) (File, error) {
	f, err := j.fs.Open(segmentName(n), false)
	switch {
	case err == nil:
		return f, nil
	case n < j.oldest.Load():
		return nil, ErrPruned
	case gone(err):
		return nil, &CorruptError{Segment: segmentName(n), Reason: "segment is missing"}
	}
	return nil, fmt.Errorf("journal: %w", err)
}

type scan struct {
	j        *Journal
	from, to Offset
	visit    func(Frame) error
	win      *window
}

// segment visits what is wanted of segment n.
func (sc *scan) segment(n uint64) error {
	s, _, err := sc.j.find(n)
	if err != nil {
		return err
	}
	f, err := sc.j.openSegment(n)
	if err != nil {
		return err
	}
	defer f.Close()
	sc.win.reset(f, segmentName(n))
	off, number, err := sc.begin(s)
	if err != nil {
		return err
	}
	for sc.j.offset(n, off) < sc.to {
		m, frames, bad, err := sc.win.batch(s, sc.j.size, off, number)
		if err != nil {
			return err
		}
		if bad != nil {
			// The segment's end, if the next one goes on here.
			_, next, err := sc.j.find(n)
			if err == nil && next != number {
				err = sc.j.lost(n, bad)
			}
			return err
		}
		if err := eachFrame(sc.j.offset(n, off+batchHeader), frames, sc.frame); err != nil {
			return err
		}
		off += m.size()
		number++
	}
	return nil
}

func (sc *scan) frame(f Frame) error {
	switch {
	case f.At < sc.from:
		return nil
	case f.At >= sc.to:
		return ErrStop
	}
	return sc.visit(f)
}

// begin finds the last batch of s that starts at or before from, and its number. A batch is at most 1 MiB: it is looked
// for backwards. No frame can hold what passes for a batch, since the epoch is known to nobody.
func (sc *scan) begin(s segment) (off int64, number uint64, err error) {
	if sc.from <= sc.j.offset(s.number, block) {
		return block, s.first, nil
	}
	last := int64(sc.from-sc.j.offset(s.number, 0)) &^ (block - 1)
	first := max(block, last-maxBatch+block)
	b, err := sc.win.view(first, int(last-first+block))
	if err != nil {
		return 0, 0, err
	}
	for at := len(b) &^ (block - 1); at >= block; at -= block {
		if m, ok := parseMark(b[at-block : at]); ok && m.epoch == s.epoch {
			return first + int64(at-block), m.number, nil
		}
	}
	return block, s.first, nil
}
