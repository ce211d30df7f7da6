package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// settle decides what the place is where the walk ended in the last segment: a torn tail, or corruption where a batch
// farther on proves that what is missing was durable.
func (w *walk) settle() error {
	s := w.here()
	f, err := w.fs.Open(segmentName(s.number), false)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	w.win.reset(f, segmentName(s.number))
	for {
		proof, err := w.proof(s)
		if err != nil {
			return err
		}
		if !proof {
			break
		}
		// A writer may have written the batch at end, and those farther on, after the walk came by.
		end := w.end
		if w.live {
			w.win.forget()
			if err := w.batches(); err != nil {
				return err
			}
		}
		if w.end == end {
			return w.corrupt()
		}
	}
	w.tail = Recovery{Segment: s.number, Offset: offset(w.size, s.number, w.end)}
	w.win.forget()
	return w.measure(s)
}

// proof looks for a batch behind end that was written when what is at end was durable.
func (w *walk) proof(s segment) (bool, error) {
	end := offset(w.size, s.number, w.end)
	for off := w.end + block; off < w.size; off += block {
		b, err := w.win.view(off, block)
		if err != nil {
			return false, err
		}
		if len(b) == 0 {
			break
		}
		if m, ok := parseMark(b); ok && m.epoch == s.epoch && m.durable > end {
			return true, nil
		}
	}
	return false, nil
}

// measure finds what can be recognized of a torn batch at end. Its frames lie anywhere: the place of each is in its
// checksum, so that what is found is of this place and of this epoch.
func (w *walk) measure(s segment) error {
	b, err := w.win.view(w.end, int(min(maxBatch, w.size-w.end)))
	if err != nil {
		return err
	}
	if m, ok := parseMark(b); ok && m.epoch == s.epoch {
		w.tail.Bytes = min(batchHeader+int64(m.length), int64(len(b)))
	} else if len(b) >= 16 && binary.LittleEndian.Uint64(b[8:]) == s.epoch {
		w.tail.Bytes = batchHeader
	}
	low := binary.LittleEndian.AppendUint32(nil, uint32(s.epoch))
	for at := batchHeader; at+frameHeader <= len(b); {
		i := bytes.Index(b[at+8:], low)
		if i < 0 {
			break
		}
		at += i
		_, payload, reason := w.win.sum.parseFrame(b[at:], w.end+int64(at), s.epoch)
		if reason != "" {
			at++
			continue
		}
		at += frameHeader + len(payload)
		w.tail.Frames++
		w.tail.Bytes = max(w.tail.Bytes, int64(at))
	}
	return nil
}
