package journal

import (
	"fmt"
	"time"
)

// poke wakes the preparing goroutine.
func (j *Journal) poke() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// prepareAhead is the preparing goroutine: it keeps one file ready to be the next segment. A new file is allocated, and
// written with zeros while the writer rests, since a disk writes faster where it has written before.
func (j *Journal) prepareAhead() {
	defer close(j.prepared)
	for {
		var retry <-chan time.Time
		var timer *time.Timer
		switch more, failed := j.prepareStep(); {
		case more:
			continue
		case failed:
			timer = time.NewTimer(retryAfter)
			retry = timer.C
		}
		select {
		case <-j.wake:
		case <-retry:
		case <-j.stop:
			if timer != nil {
				timer.Stop()
			}
			return
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// prepareStep does one piece of work. more says that there may be another one now, failed that there is no next
// segment.
func (j *Journal) prepareStep() (more, failed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.ended || j.failure != nil:
		return false, false
	case j.next == nil:
		j.prepareNext()
		j.updateFull()
		j.ahead.Broadcast()
		return j.next != nil, j.next == nil
	case j.next.zeroed < j.size && j.resting && !j.closing:
		ok := j.zeroStep(j.next)
		return ok, !ok
	}
	return false, false
}

// prepareNext sets next or prepare, for the holder of mu, which it releases meanwhile.
func (j *Journal) prepareNext() {
	var reuse, name string
	if n := len(j.pool); n > 0 {
		reuse = j.pool[n-1]
		j.pool = j.pool[:n-1]
	} else {
		name = j.newSpareName()
	}
	j.mu.Unlock()
	var s *spare
	var err error
	if reuse != "" {
		s, err = openSpare(j.fs, reuse, j.size)
	} else {
		s, err = createSpare(j.fs, name, j.size)
	}
	j.mu.Lock()
	j.next, j.prepare = s, err
}

// newSpareName is for the holder of mu.
func (j *Journal) newSpareName() string {
	j.spareSeq++
	return spareName(j.spareSeq)
}

func openSpare(fs FS, name string, size int64) (*spare, error) {
	f, err := fs.Open(name, true)
	if err != nil {
		return nil, fmt.Errorf("journal: preparing %s: %w", name, err)
	}
	return &spare{name: name, file: f, zeroed: size}, nil
}

func createSpare(fs FS, name string, size int64) (*spare, error) {
	f, err := fs.Create(name, size)
	if err != nil {
		return nil, fmt.Errorf("journal: preparing %s: %w", name, err)
	}
	return &spare{name: name, file: f}, nil
}

// zeroStep writes the next zeros of s, for the holder of mu, which it releases meanwhile. It returns false when an error
// made an end of s.
func (j *Journal) zeroStep(s *spare) bool {
	s.busy = true
	to := min(s.zeroed+maxBatch, j.size)
	j.mu.Unlock()
	err := writeZeros(s.file, s.zeroed, to)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		// Its blocks are no good, the next attempt takes others. Should it stay, the next Open removes it.
		s.file.Close()
		_ = j.fs.Remove(s.name)
	}
	j.mu.Lock()
	s.busy = false
	s.zeroed = to
	if err != nil {
		j.next, j.prepare = nil, fmt.Errorf("journal: preparing %s: %w", s.name, err)
		j.updateFull()
	}
	j.ahead.Broadcast()
	return err == nil
}

// updateFull is for the holder of mu.
func (j *Journal) updateFull() {
	left := j.size - j.open.base
	if j.open.seg != j.inUse {
		left = 0
	}
	j.full.Store(j.next == nil && j.prepare != nil && left < j.size/2)
}
