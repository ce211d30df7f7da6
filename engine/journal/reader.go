package journal

import (
	"errors"
	"fmt"
)

// Reader reads frames of a directory that it does not hold, where they are: beside a writer, and changing nothing. It
// knows nothing of durability: what it returns was written whole. Not for use by two goroutines at once.
//
// Where [Check] reads every byte in order and judges, a Reader is for who was told where to look.
type Reader struct {
	fs   FS
	size int64
	id   [16]byte
	at   segment // of file
	file File    // nil: none
	win  *window
	one  reader // its buffer and its checksum alone
}

// OpenReader opens a directory that has a segment. It returns an error that is [ErrEmpty] where there is none, and a
// *CorruptError or *VersionError where the oldest has no header.
func OpenReader(fs FS) (*Reader, error) {
	r := &Reader{fs: fs, win: &window{buf: AlignedBuffer(windowSize)}}
	for range checkPasses {
		list, _, err := listing(fs)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, ErrEmpty
		}
		if err = r.enter(list[0]); err == nil {
			return r, nil
		}
		if !errors.Is(err, ErrPruned) {
			return nil, err
		}
	}
	return nil, ErrPruned
}

// ErrEmpty is returned by OpenReader for a directory that holds no journal.
var ErrEmpty = errors.New("journal: no segment")

// Close closes the file that was read last.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	r.win.reset(nil, "")
	return err
}

// ID returns the random name that the journal got when it was made.
func (r *Reader) ID() [16]byte { return r.id }

// Place returns the file of the segment in which o lies, and the byte in it.
func (r *Reader) Place(o Offset) (segment string, at int64) {
	return segmentName(r.number(o)), int64(uint64(o) % uint64(r.size))
}

// Segments returns the starts of the oldest segment and of the newest as the directory lists them now. The newest may
// be in the making.
func (r *Reader) Segments() (oldest, newest Offset, err error) {
	list, _, err := listing(r.fs)
	if err != nil {
		return 0, 0, err
	}
	if len(list) == 0 {
		return 0, 0, ErrEmpty
	}
	return offset(r.size, list[0], 0), offset(r.size, list[len(list)-1], 0), nil
}

// Begin returns the offset of the first segment of a journal's life, which may be pruned.
func (r *Reader) Begin() Offset { return offset(r.size, 1, 0) }

// ReadAt returns the frame that starts at an offset that Check or a Scan gave. Its payload is in buf if it fits, else in
// new memory. It returns ErrPruned where the segment is gone.
func (r *Reader) ReadAt(at Offset, buf []byte) (Frame, error) {
	n := r.number(at)
	if err := r.enter(n); err != nil {
		return Frame{}, err
	}
	off := int64(at - offset(r.size, n, 0))
	r.one.f = r.file
	typ, payload, reason, err := r.one.read(off, r.at.epoch)
	if err != nil {
		return Frame{}, fmt.Errorf("journal: %s at byte %d: %w", segmentName(n), off, err)
	}
	if reason != "" {
		return Frame{}, r.lost(n, off, reason)
	}
	payload = append(buf[:0], payload...)
	return Frame{Type: typ, At: at, End: at + Offset(frameHeader+len(payload)), Payload: payload}, nil
}

// Scan visits frames from an offset on, in order, to the end of what was written. A frame starts at the offset, or ends
// there. visit may return ErrStop to end it
// early; any other error is returned. It returns ErrPruned where a segment is gone before it was read to its end: what
// was visited up to there is good.
//
// A Scan that meets a batch that is not whole takes it for the end, where no segment follows. Only [Check] tells a torn
// tail from bytes that are damaged.
func (r *Reader) Scan(from Offset, visit func(Frame) error) error {
	for n := r.number(from); ; n++ {
		last, err := r.segment(n, from, visit)
		if last || errors.Is(err, ErrStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// segment visits what is in segment n from an offset on; last is set where the journal ends in it.
func (r *Reader) segment(n uint64, from Offset, visit func(Frame) error) (last bool, err error) {
	// What is missing may have been written after the window was filled: only what a fresh one lacks is not there. And
	// when the next segment was seen, this one is finished, but it may not have been when it was read.
	var seen uint64 // number of the first batch of the next segment; 0: none
	for pass := 0; ; pass++ {
		if err := r.enter(n); err != nil {
			return false, err
		}
		number, end, bad, err := r.batches(from, visit)
		if err != nil {
			return false, err
		}
		if seen == number {
			return false, nil
		}
		if pass > 0 {
			next, err := r.next(n)
			if err != nil || next == 0 {
				return err == nil, err
			}
			if next < number || seen != 0 {
				return false, r.lost(n, bad.at, bad.reason)
			}
			if seen = next; seen == number {
				return false, nil
			}
			if err := r.enter(n); err != nil {
				return false, err
			}
		}
		from = max(from, offset(r.size, n, end))
		r.win.forget()
	}
}

// next returns the number of the first batch of the segment after n, 0 where n is the last one.
func (r *Reader) next(n uint64) (uint64, error) {
	if !r.there(n + 1) {
		if r.there(n) {
			return 0, nil
		}
		return 0, ErrPruned
	}
	err := r.enter(n + 1)
	if _, corrupt := errors.AsType[*CorruptError](err); corrupt && !r.there(n+2) {
		return 0, nil // never finished
	}
	return r.at.first, err
}

// enter makes segment n the one that is read. An open file is kept, whatever its name is by now: what it holds of the
// segment's epoch is the segment's.
func (r *Reader) enter(n uint64) error {
	if r.file != nil && r.at.number == n {
		return nil
	}
	if err := r.Close(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	f, err := r.fs.Open(segmentName(n), false)
	if gone(err) {
		return r.lost(n, 0, "segment is missing")
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	r.file = f
	r.win.reset(f, segmentName(n))
	h, err := r.header(n)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	r.size, r.id = h.size, h.id
	r.at = segment{number: n, epoch: h.epoch, first: h.first}
	return nil
}

func (r *Reader) header(n uint64) (header, error) {
	b, err := r.win.view(0, block)
	if err != nil {
		return header{}, err
	}
	h, newer, reason := parseHeader(b, n)
	switch {
	case newer != 0:
		return h, &VersionError{Segment: segmentName(n), Version: newer}
	case reason != "":
		return h, r.lost(n, 0, reason)
	case r.size != 0 && (h.size != r.size || h.id != r.id):
		return h, &CorruptError{Segment: segmentName(n), Reason: "segment of another journal"}
	}
	return h, nil
}

// batches visits what is in the present segment from an offset on. It returns the number of the batch that would be
// next, its place, and why it is not there.
func (r *Reader) batches(from Offset, visit func(Frame) error) (number uint64, end int64, bad *fault, err error) {
	off, number, err := r.begin(from)
	if err != nil {
		return 0, 0, nil, err
	}
	start := offset(r.size, r.at.number, 0)
	if skip := int64(from-min(from, start)) - off; skip > batchHeader {
		m, bad, err := r.rest(off, skip, visit)
		if err != nil || bad != nil {
			return number, off + skip, bad, err
		}
		off += m.size()
		number++
	}
	for {
		m, frames, bad, err := r.win.batch(r.at, r.size, off, number)
		if err != nil || bad != nil {
			return number, off, bad, err
		}
		if err := eachFrame(start+Offset(off)+batchHeader, frames, visit); err != nil {
			return 0, 0, nil, err
		}
		off += m.size()
		number++
	}
}

// rest visits what is in the batch at off from its byte skip on, where a frame begins or the batch is behind it. Each
// frame answers for itself: who wants a few of a batch does not pay for the whole. The fault is there before the first
// visit, but for damage.
func (r *Reader) rest(off, skip int64, visit func(Frame) error) (m mark, bad *fault, err error) {
	b, err := r.win.view(off, block)
	if err != nil {
		return m, nil, err
	}
	m, ok := parseMark(b)
	if !ok || m.epoch != r.at.epoch || m.size() > r.size-off {
		return m, &fault{at: off, reason: "no batch where one must be"}, nil
	}
	if b, err = r.win.view(off, int(m.size())); err != nil {
		return m, nil, err
	}
	b = b[:min(len(b), batchHeader+m.length)]
	for at := min(skip, batchHeader+int64(m.length)); at < batchHeader+int64(m.length); {
		typ, payload, reason := r.win.sum.parseFrame(b[min(at, int64(len(b))):], off+at, m.epoch)
		if reason != "" {
			return m, nil, r.lost(r.at.number, off+at, reason)
		}
		f := Frame{Type: typ, At: offset(r.size, r.at.number, off+at), Payload: payload}
		f.End = f.At + Offset(frameHeader+len(payload))
		if err := visit(f); err != nil {
			return m, nil, err
		}
		at += int64(frameHeader + len(payload))
	}
	return m, nil, nil
}

// begin finds the last batch of the segment that starts at or before from, and its number. A batch is at most 1 MiB: it
// is looked for backwards. No frame can hold what passes for a batch, since the epoch is known to nobody.
func (r *Reader) begin(from Offset) (off int64, number uint64, err error) {
	start := offset(r.size, r.at.number, 0)
	if from <= start+block {
		return block, r.at.first, nil
	}
	last := int64(from-start) &^ (block - 1)
	first := max(block, last-maxBatch+block)
	b, err := r.win.view(first, int(last-first+block))
	if err != nil {
		return 0, 0, err
	}
	for at := len(b) &^ (block - 1); at >= block; at -= block {
		if m, ok := parseMark(b[at-block : at]); ok && m.epoch == r.at.epoch {
			return first + int64(at-block), m.number, nil
		}
	}
	return block, r.at.first, nil
}

func (r *Reader) number(o Offset) uint64 { return uint64(o) / uint64(r.size) }

// there reports that the directory lists segment n.
func (r *Reader) there(n uint64) bool {
	f, err := r.fs.Open(segmentName(n), false)
	if err != nil {
		return !gone(err)
	}
	return f.Close() == nil
}

// lost is the error for bad bytes in segment n: when it was dropped meanwhile, its file may be in use as another.
func (r *Reader) lost(n uint64, at int64, reason string) error {
	list, _, err := listing(r.fs)
	if err == nil && len(list) > 0 && list[0] > n {
		return ErrPruned
	}
	return &CorruptError{Segment: segmentName(n), At: at, Reason: reason}
}
