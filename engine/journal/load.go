package journal

import (
	"crypto/rand"
	"fmt"
)

// load is Open behind the lock: it reads the directory, and makes or repairs it.
func (j *Journal) load(replay func(Frame) error) error {
	list, spares, err := listing(j.fs)
	if err != nil {
		return err
	}
	if n := len(spares); n > 0 {
		j.spareSeq = spares[n-1]
	}
	w := walk{fs: j.fs}
	if replay != nil {
		w.visit = func(f Frame) error {
			if err := replay(f); err != nil {
				return fmt.Errorf("journal: replaying offset %d: %w", f.At, err)
			}
			return nil
		}
	}
	if len(list) > 0 {
		if err := w.all(list); err != nil {
			return err
		}
	}
	if w.unmade != 0 {
		if err := j.fs.Remove(segmentName(w.unmade)); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	if len(w.segments) == 0 {
		return j.create(spares)
	}
	return j.resume(&w, spares)
}

// create makes a journal of one empty segment.
func (j *Journal) create(spares []uint64) error {
	for _, n := range spares {
		if err := j.fs.Remove(spareName(n)); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.size = j.cfg.SegmentSize
	rand.Read(j.id[:])
	s, err := createSpare(j.fs, j.newSpareName(), j.size)
	if err != nil {
		return err
	}
	j.current = s.file
	h := header{size: j.size, id: j.id, number: 1, epoch: newEpoch(), first: 1}
	if err := use(j.fs, s.file, s.name, &h); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.segments = []segment{{number: 1, epoch: h.epoch, first: 1}}
	j.start(block)
	return nil
}

// resume goes on behind what w read.
func (j *Journal) resume(w *walk, spares []uint64) error {
	j.size, j.id, j.segments = w.size, w.id, w.segments
	name := segmentName(w.here().number)
	f, err := j.fs.Open(name, true)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.current = f
	if err := w.cut(f); err != nil {
		return fmt.Errorf("journal: %s: %w", name, err)
	}
	if err := j.adopt(spares); err != nil {
		return err
	}
	// The last writer may have been stopped between a rename and its sync, too.
	if err := j.fs.SyncDir(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.number = w.number
	j.empty = w.lastAt > 0 && w.last.count == 0
	j.stats.Recovery = w.tail
	j.start(w.end)
	return nil
}

// adopt keeps the spare files that can be used and removes the others.
func (j *Journal) adopt(spares []uint64) error {
	for _, n := range spares {
		name := spareName(n)
		f, err := j.fs.Open(name, false)
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		size, err := f.Size()
		f.Close()
		if err != nil {
			return fmt.Errorf("journal: %s: %w", name, err)
		}
		if size == j.size && len(j.pool) < j.spares+1 { // one is to be the next segment
			j.pool = append(j.pool, name)
			continue
		}
		if err := j.fs.Remove(name); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	return nil
}

// start makes the writer's state for the next batch at byte at of the last segment.
func (j *Journal) start(at int64) {
	s := j.segments[len(j.segments)-1]
	j.inUse = s.number
	j.stats.Direct = j.current.Direct()
	j.oldest.Store(j.segments[0].number)
	j.told = j.offset(s.number, at)
	j.durable.Store(uint64(j.told))
	n := int(min(maxBatch, j.size))
	j.open, j.idle = &buffer{b: AlignedBuffer(n)}, &buffer{b: AlignedBuffer(n)}
	j.open.reset(s.number, at, s.epoch, j.size)
}

// cut makes [end, end+1 MiB) of the last segment zero, which is as far as a torn batch can reach, before anything is
// written there: else frames of the torn batch could be read as those of a later one that is torn in its turn. A crash
// meanwhile leaves what was there or less of it. It also completes a file that is too short.
func (w *walk) cut(f File) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	if w.lastAt > 0 {
		if err := w.rewrite(f); err != nil {
			return err
		}
	}
	end := min(w.end+maxBatch+block, w.size)
	if err := writeZeros(f, w.end, end); err != nil {
		return err
	}
	if size < w.size {
		if err := writeZeros(f, max(end, size&^(block-1)), w.size); err != nil {
			return err
		}
	}
	// Also makes durable what the last writer wrote and did not sync: replay handed it out.
	return f.Sync()
}

// rewrite writes the last whole batch once more. A page cache, or a disk's own, may show what a failed sync did not bring to
// the medium, and take it for written: the sync of cut would not bring it there either.
func (w *walk) rewrite(f File) error {
	b := AlignedBuffer(int(w.last.size()))
	if _, err := f.ReadAt(b, w.lastAt); err != nil {
		return err
	}
	return writeAll(f, b, w.lastAt)
}
