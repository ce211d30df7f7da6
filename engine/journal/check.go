package journal

import (
	"errors"
	"slices"
)

// CheckResult is what Check found.
type CheckResult struct {
	ID          [16]byte
	SegmentSize int64 // 0: there is no journal
	Segments    int
	First       Offset // start of the oldest segment
	Last        Offset // end of the last whole batch
	Frames      uint64
	Batches     uint64
	Bytes       int64 // of whole batches, with headers and padding
	Tail        Recovery
}

// Check reads a directory as it stands, without taking or changing it, and visits every frame in order. A writer may be
// at work: segments that it prunes meanwhile are passed over where no frame of them was visited, and are ErrPruned
// otherwise, since visit would miss some; segments that it begins meanwhile are not read. visit and progress may be nil;
// progress gets the bytes read so far, of how many.
//
// It returns *CorruptError and *VersionError as Open does, with what was found up to there; a torn tail is no error.
func Check(fs FS, visit func(Frame) error, progress func(done, of int64)) (CheckResult, error) {
	c := checking{fs: fs, visit: visit, progress: progress}
	list, _, err := listing(fs)
	if err != nil || len(list) == 0 {
		return c.result, err
	}
	c.final = list[len(list)-1]
	// Beside a writer a verdict may be out of date when it is reached. It stands when the next pass, over the segments that
	// are there then, comes to it again. Each pass goes on where the one before ended.
	for range checkPasses {
		var again bool
		if again, err = c.pass(list); !again {
			return c.result, err
		}
		if list, _, err = listing(fs); err != nil {
			return c.result, err
		}
	}
	return c.result, c.verdict
}

// checkPasses bounds the passes for a directory that lists what cannot be opened.
const checkPasses = 1000

type checking struct {
	fs       FS
	visit    func(Frame) error
	progress func(done, of int64)
	final    uint64 // last segment that is read
	seen     Offset // frames before it were visited; 0: none
	seenIn   uint64 // segment of the last batch before seen
	verdict  error  // of the last pass
	result   CheckResult
}

// pass walks from the segment of seen. again asks for another pass.
func (c *checking) pass(list []uint64) (again bool, err error) {
	if len(list) == 0 || list[0] > c.seenIn && c.seenIn != 0 || list[0] > c.final {
		if len(list) == 0 || c.visit != nil && c.result.Frames > 0 {
			return false, ErrPruned
		}
		c.seen, c.seenIn, c.final = 0, 0, list[len(list)-1]
	}
	list = slices.DeleteFunc(list, func(n uint64) bool { return n < c.seenIn || n > c.final })
	w := walk{fs: c.fs, visit: c.visit, from: c.seen, progress: c.progress, live: true}
	err = w.all(list)
	c.take(&w)
	var now, before *CorruptError
	switch {
	case errors.As(err, &now):
		if errors.As(c.verdict, &before) && *now == *before {
			return !c.there(now), err
		}
	case !gone(err):
		return false, err
	}
	c.verdict = err
	return err != nil, err
}

// there reports that the segment of a verdict is still there, or one before it, so that it was not pruned.
func (c *checking) there(e *CorruptError) bool {
	list, _, err := listing(c.fs)
	return err != nil || len(list) == 0 || segmentName(list[0]) <= e.Segment
}

// take adds what w found.
func (c *checking) take(w *walk) {
	r := &c.result
	r.Frames += w.frames
	r.Batches += w.batchCount
	r.Bytes += w.bytes
	if len(w.segments) == 0 {
		return
	}
	r.ID, r.SegmentSize = w.id, w.size
	first := offset(w.size, w.segments[0].number, 0)
	if c.seen == 0 {
		r.First = first
	}
	s := w.here()
	r.Last = offset(w.size, s.number, w.end)
	r.Segments = int(s.number - uint64(r.First)/uint64(w.size) + 1)
	r.Tail = w.tail
	c.seen, c.seenIn = max(c.seen, r.Last), s.number
}
