package journal

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The names of a journal's files.
const (
	lockName      = "journal.lock"
	segmentPrefix = "seg-"
	sparePrefix   = "spare-"
)

func segmentName(n uint64) string { return fmt.Sprintf("%s%016x", segmentPrefix, n) }
func spareName(n uint64) string   { return fmt.Sprintf("%s%016x", sparePrefix, n) }

// numbers returns those of names that are prefix and sixteen hexadecimal digits, as names is sorted.
func numbers(names []string, prefix string) []uint64 {
	var all []uint64
	for _, name := range names {
		hex, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(hex, 16, 64)
		if err == nil && fmt.Sprintf("%016x", n) == hex {
			all = append(all, n)
		}
	}
	return all
}

// listing returns the numbers of segments and spares, ascending.
func listing(fs FS) (segments, spares []uint64, err error) {
	names, err := fs.List()
	if err != nil {
		return nil, nil, fmt.Errorf("journal: %w", err)
	}
	return numbers(names, segmentPrefix), numbers(names, sparePrefix), nil
}

func checkSegmentSize(n int64) error {
	if n < MinSegmentSize || n > MaxSegmentSize || n%block != 0 {
		return fmt.Errorf("journal: segment size %d is not a multiple of %d in [%d, %d]", n, block, MinSegmentSize, MaxSegmentSize)
	}
	return nil
}

// writeAll is WriteAt that names a short write.
func writeAll(f File, b []byte, off int64) error {
	n, err := f.WriteAt(b, off)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// writeZeros writes zeros to [from, to) of f, both multiples of a block.
func writeZeros(f File, from, to int64) error {
	if from >= to {
		return nil
	}
	zeros := AlignedBuffer(int(min(maxBatch, to-from)))
	for from < to {
		n := min(int64(len(zeros)), to-from)
		if err := writeAll(f, zeros[:n], from); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// use makes the spare file of the given name, open as f, the segment of h. When it returns nil the segment is durable
// and empty.
func use(fs FS, f File, spare string, h *header) error {
	b := AlignedBuffer(block)
	h.put(b)
	if err := writeAll(f, b, 0); err != nil {
		return fmt.Errorf("header of %s: %w", segmentName(h.number), err)
	}
	// A crash up to here leaves a spare. The header is durable before the name is, so that no segment has a bad one.
	if err := f.Sync(); err != nil {
		return fmt.Errorf("header of %s: %w", segmentName(h.number), err)
	}
	if err := fs.Rename(spare, segmentName(h.number)); err != nil {
		return fmt.Errorf("%s: %w", segmentName(h.number), err)
	}
	// A crash up to here leaves a spare or an empty segment.
	if err := fs.SyncDir(); err != nil {
		return fmt.Errorf("%s: %w", segmentName(h.number), err)
	}
	return nil
}
