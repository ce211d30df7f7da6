package journal

import (
	"fmt"
)

// write is the writing goroutine. It rests while nothing is to be written, and ends when the journal fails or is
// closed.
func (j *Journal) write() {
	defer close(j.written)
	j.mu.Lock()
	for j.failure == nil && !j.closing {
		if !j.kicked.Load() && !j.pressed {
			j.rest()
			continue
		}
		// Kicks from here on may be for bytes that this batch misses: they count for the next.
		j.kicked.Store(false)
		j.gather()
		j.settle()
		if j.open.frames > 0 && j.failure == nil {
			j.flush()
		}
		j.report()
	}
	j.settle()
	j.finish()
	j.ended = true
	j.room.Broadcast()
	j.settled.Broadcast()
	j.ahead.Broadcast()
	j.report()
	j.mu.Unlock()
}

// rest waits for work, for the holder of mu.
func (j *Journal) rest() {
	j.resting = true
	if j.next != nil && j.next.zeroed < j.size {
		j.poke()
	}
	j.work.Wait()
	j.resting = false
}

// gather calls Config.Gather without mu, for its holder.
func (j *Journal) gather() {
	if j.cfg.Gather == nil {
		return
	}
	j.gathering = true
	j.room.Broadcast() // who waits for room may hold what Gather waits for: it flushes instead
	j.mu.Unlock()
	j.cfg.Gather()
	j.mu.Lock()
	j.gathering = false
}

// settle waits until no Append is in flush, for the holder of mu.
func (j *Journal) settle() {
	for j.writing {
		j.room.Wait()
	}
}

// report calls Config.Progress without mu, for its holder, when there is something new.
func (j *Journal) report() {
	durable := j.Durable()
	if j.cfg.Progress == nil || durable == j.told && (j.failure == nil || !j.ended) {
		return
	}
	j.told = durable
	j.mu.Unlock()
	j.cfg.Progress(durable)
	j.mu.Lock()
}

// finish writes what is left at Close, and the empty batch.
func (j *Journal) finish() {
	if j.failure == nil && j.open.frames > 0 {
		j.flush()
	}
	// A journal that ends in an empty batch already needs no other. Otherwise there is room: batches with frames leave
	// the last block of a segment free.
	if j.failure == nil && !j.empty && j.open.seg == j.inUse {
		j.flush()
	}
	if full, ok := j.failure.(*FullError); ok {
		all := *full // others hold the first one, and read it
		all.Frames += j.open.frames
		all.Bytes += int64(j.open.n - batchHeader)
		j.failure = &all
	}
}

// flush takes the open buffer and writes it. The caller holds mu, and nobody is in flush; mu is released meanwhile.
func (j *Journal) flush() {
	b := j.open
	j.writing = true
	j.pressed = false
	j.open, j.idle = j.idle, nil
	j.open.reset(b.seg, b.end(), b.epoch, j.size)
	j.room.Broadcast()
	j.mu.Unlock()
	syncs, err := j.commit(b)
	j.mu.Lock()
	j.writing = false
	j.idle = b
	j.stats.Syncs += syncs
	if err != nil {
		j.fail(err)
	} else {
		j.number++
		j.empty = b.frames == 0
		j.stats.Batches++
		j.stats.Frames += uint64(b.frames)
		j.stats.Bytes += uint64(roundUp(int64(b.n)))
		// Every sync of an earlier batch came first: all before the end of this one is durable.
		j.durable.Store(uint64(j.offset(b.seg, b.end())))
	}
	j.updateFull()
	j.room.Broadcast()
	j.settled.Broadcast()
}

// fail stops the journal for good, for the holder of mu.
func (j *Journal) fail(err error) {
	if j.failure != nil {
		return
	}
	if _, full := err.(*FullError); !full {
		err = &FailedError{Err: err}
	}
	j.failure = err
	j.work.Signal()
	j.ahead.Broadcast()
}

// commit makes b durable, for who set writing.
func (j *Journal) commit(b *buffer) (syncs uint64, err error) {
	if b.seg != j.inUse {
		if err := j.advance(b); err != nil {
			return 0, err
		}
		syncs++
	}
	m := mark{epoch: b.epoch, number: j.number + 1, durable: j.Durable(), length: b.n - batchHeader, count: b.frames}
	m.put(b.b)
	end := int(roundUp(int64(b.n)))
	clear(b.b[b.n:end])
	if err := writeAll(j.current, b.b[:end], b.base); err != nil {
		return syncs, fmt.Errorf("%s: %w", segmentName(b.seg), err)
	}
	if err := j.current.Sync(); err != nil {
		return syncs, fmt.Errorf("%s: %w", segmentName(b.seg), err)
	}
	return syncs + 1, nil
}

// advance takes the next segment into use, that of b, for who set writing. All earlier batches are durable: so the
// number of the first batch in the new header proves that they were.
func (j *Journal) advance(b *buffer) error {
	s, err := j.awaitNext(b)
	if err != nil {
		return err
	}
	h := header{size: j.size, id: j.id, number: b.seg, epoch: b.epoch, first: j.number + 1}
	if err := use(j.fs, s.file, s.name, &h); err != nil {
		s.file.Close()
		return err
	}
	old := j.current
	j.mu.Lock()
	j.current, j.inUse = s.file, b.seg
	j.segments = append(j.segments, segment{number: b.seg, epoch: b.epoch, first: h.first})
	j.stats.Direct = s.file.Direct()
	j.mu.Unlock()
	// All of it is synced: an error loses nothing.
	old.Close()
	return nil
}

// awaitNext takes the prepared file, and waits while there is none and the journal is not being closed.
func (j *Journal) awaitNext(b *buffer) (*spare, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.next == nil || j.next.busy {
		if j.closing && j.prepare != nil {
			return nil, &FullError{Frames: b.frames, Bytes: int64(b.n - batchHeader), Err: j.prepare}
		}
		j.ahead.Wait()
	}
	s := j.next
	j.next = nil
	j.poke()
	return s, nil
}
