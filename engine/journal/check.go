package journal

// CheckResult is what Check found.
type CheckResult struct {
	ID          [16]byte
	SegmentSize int64
	Segments    int
	First       Offset // start of the oldest segment
	Last        Offset // end of the last whole batch
	Frames      uint64
	Batches     uint64
	Bytes       int64 // of whole batches, with headers and padding
	Tail        Recovery
}

// Check reads a directory as it stands.
func Check(fs FS, visit func(Frame) error, progress func(done, of int64)) (CheckResult, error) {
	panic("not yet")
}
