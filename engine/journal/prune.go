package journal

import (
	"fmt"
)

// Prune drops the segments that end at or before an offset, oldest first, but never the one that is written to. Their
// files are kept for reuse, Config.Spares at most, the others are removed. After an error those that were not dropped
// are there, and the next Prune goes on.
func (j *Journal) Prune(before Offset) error {
	j.pruning.Lock()
	defer j.pruning.Unlock()
	for {
		if err := j.syncPruned(); err != nil {
			return err
		}
		s, spare, err := j.condemn(before)
		if err != nil || s.number == 0 {
			return err
		}
		if err := j.drop(s, spare); err != nil {
			return err
		}
	}
}

// syncPruned makes the last rename or removal durable, for the holder of pruning. It comes between two of them: a crash
// that kept the later one alone would leave a hole in the journal.
func (j *Journal) syncPruned() error {
	if !j.dirty {
		return nil
	}
	if err := j.fs.SyncDir(); err != nil {
		return fmt.Errorf("journal: pruning: %w", err)
	}
	j.dirty = false
	return nil
}

// condemn picks the oldest segment if it is to go, number 0 otherwise, and the name of the spare that it becomes, "" for
// none. Who reads it learns from oldest that it is gone, before its file changes.
func (j *Journal) condemn(before Offset) (s segment, spare string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refusal(); err != nil {
		return s, "", err
	}
	oldest := j.segments[0]
	if oldest.number >= j.Segment(before) || oldest.number >= j.Segment(j.Durable()-1) {
		return s, "", nil
	}
	if len(j.pool) < j.spares {
		spare = j.newSpareName()
	}
	j.oldest.Store(oldest.number + 1)
	return oldest, spare, nil
}

// drop renames or removes the segment that condemn chose.
func (j *Journal) drop(s segment, spare string) error {
	j.reader.drop(s.number)
	name := segmentName(s.number)
	var err error
	if spare != "" {
		err = j.fs.Rename(name, spare)
	} else {
		err = j.fs.Remove(name)
	}
	if err != nil && !gone(err) {
		j.mu.Lock()
		j.oldest.Store(s.number)
		j.mu.Unlock()
		return fmt.Errorf("journal: pruning: %w", err)
	}
	lost := err != nil // an earlier attempt did it and reported an error
	j.mu.Lock()
	j.segments = j.segments[1:]
	j.mu.Unlock()
	j.dirty = true
	if err := j.syncPruned(); err != nil {
		return err // the file is not reused: its old name may come back
	}
	if spare != "" && !lost {
		j.mu.Lock()
		j.pool = append(j.pool, spare)
		j.mu.Unlock()
	}
	j.poke()
	return nil
}
