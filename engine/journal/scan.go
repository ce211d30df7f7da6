package journal

type reader struct{}

func (r *reader) close() {}

// Scan visits the durable frames with from <= At < to in order.
func (j *Journal) Scan(from, to Offset, visit func(Frame) error) error { panic("not yet") }

// ReadAt returns the durable frame at an offset.
func (j *Journal) ReadAt(at Offset, buf []byte) (Frame, error) { panic("not yet") }

// Prune drops the segments before an offset.
func (j *Journal) Prune(before Offset) error { return nil }
