package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Config is how a journal is opened. It is copied.
type Config struct {
	FS          FS    // [Dir] makes the system's
	SegmentSize int64 // of a new journal: a multiple of 4,096 from 64 KiB to 1 GiB; 0 is DefaultSegmentSize
	Spares      int   // files of pruned segments kept for reuse at most; 0 is 2, below 0 none
	// Gather is called by the writing goroutine right before it takes the batch that it writes next. It holds no lock:
	// who holds bytes back appends them now, as many as there are. It must not call Wait, Close or Prune, and no Kick
	// for what it appends: that would have it called again. May be nil.
	Gather func()
	// Progress is called by the writing goroutine after batches became durable, with Durable(), and once after the
	// journal failed. It must not block. May be nil.
	Progress func(durable Offset)
}

// Frame is one record. Payload is borrowed for the call, from a visit function as from ReadAt's buffer.
type Frame struct {
	Type    byte
	At, End Offset
	Payload []byte
}

// Recovery is the torn tail that Open cut off, or that Check found: a batch that was being written when the writer was
// stopped. No caller was told that it is durable.
type Recovery struct {
	Segment uint64 // where the journal goes on
	Offset  Offset // where the journal goes on: after the last whole batch
	Bytes   int64  // from Offset to the last that can be recognized; 0: nothing was torn
	Frames  int    // whole ones among them, as far as they can be recognized
}

// Stats is a snapshot of counters.
type Stats struct {
	Direct   bool   // writes go past the page cache
	Segments int    // kept
	Spares   int    // files kept for reuse
	Frames   uint64 // written since Open
	Bytes    uint64 // written since Open, with headers and padding
	Batches  uint64 // written since Open
	Syncs    uint64 // of batches and of segment headers since Open
	Full     bool
	Prepare  error // why the last attempt to prepare a segment failed, nil when it did not
	Recovery Recovery
}

// segment is what a journal knows of one that it keeps.
type segment struct {
	number, epoch uint64
	first         uint64 // number of its first batch
}

// spare is a prepared file that is not a segment yet. It is owned by the preparing goroutine while busy.
type spare struct {
	name   string
	file   File
	zeroed int64 // bytes below it were written; the rest is allocated
	busy   bool  // a write of zeros is under way
}

// Journal is one directory of frames, held by this process alone. All methods may be called from any goroutine.
type Journal struct {
	cfg    Config
	fs     FS
	size   int64 // of a segment
	id     [16]byte
	lock   io.Closer
	spares int // at most

	durable atomic.Uint64 // Offset; written under mu
	oldest  atomic.Uint64 // number of the first segment kept; written under mu
	kicked  atomic.Bool
	full    atomic.Bool

	mu        sync.Mutex
	room      sync.Cond // a buffer was taken or written, or the journal ends
	work      sync.Cond // the writing goroutine has something to do
	ahead     sync.Cond // next changed, or cannot
	settled   sync.Cond // durable moved, or the journal ends
	open      *buffer   // is filled
	idle      *buffer   // nil while it is written
	pressed   bool      // an Append waits for room
	gathering bool
	writing   bool // somebody is in flush and owns current, last and number
	resting   bool // the writing goroutine waits for work
	closing   bool
	ended     bool // the writing goroutine is gone
	failure   error
	next      *spare // prepared
	prepare   error  // why there is none
	pool      []string
	spareSeq  uint64 // number of the next new spare's name
	segments  []segment
	stats     Stats

	// Owned by who set writing.
	current File   // segment of the last batch
	inUse   uint64 // its number
	number  uint64 // of the last batch
	empty   bool   // the last batch has no frames

	told Offset // what Progress heard last; of the writing goroutine

	pruning  sync.Mutex
	dirty    bool // a rename or removal by Prune may not be durable; guarded by pruning
	reader   reader
	written  chan struct{} // closed when the writing goroutine ended
	wake     chan struct{} // for the preparing goroutine; holds one
	stop     chan struct{} // closed to end the preparing goroutine
	prepared chan struct{} // closed when that ended
	closed   sync.Once
	closeErr error
}

// newEpoch returns a number that no earlier use of a file had.
func newEpoch() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// Open takes the directory, hands every frame to replay in order, cuts off what was being written when the last writer
// was stopped, and starts the writer. replay may be nil; everything is checked all the same. The directory is not
// changed before all of it was read. After an error the directory is as it was or can be opened again.
func Open(cfg Config, replay func(Frame) error) (*Journal, error) {
	if cfg.FS == nil {
		return nil, errors.New("journal: Config.FS is nil")
	}
	if cfg.SegmentSize == 0 {
		cfg.SegmentSize = DefaultSegmentSize
	}
	if err := checkSegmentSize(cfg.SegmentSize); err != nil {
		return nil, err
	}
	lock, err := cfg.FS.Lock(lockName)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j := &Journal{
		cfg: cfg, fs: cfg.FS, lock: lock,
		written: make(chan struct{}), wake: make(chan struct{}, 1),
		stop: make(chan struct{}), prepared: make(chan struct{}),
	}
	switch {
	case cfg.Spares == 0:
		j.spares = 2
	case cfg.Spares > 0:
		j.spares = cfg.Spares
	}
	for _, c := range []*sync.Cond{&j.room, &j.work, &j.ahead, &j.settled} {
		c.L = &j.mu
	}
	if err := j.load(replay); err != nil {
		if j.current != nil {
			j.current.Close()
		}
		lock.Close()
		return nil, err
	}
	go j.write()
	go j.prepareAhead()
	return j, nil
}

// Durable returns the end of what is durable: a frame with End at or below it will be there after any crash.
func (j *Journal) Durable() Offset { return Offset(j.durable.Load()) }

// Full reports that no next segment can be prepared and less than half of the present one is left. Who appends what can
// wait stops then: the rest is for finishing what is under way. It becomes false by itself when there is space.
func (j *Journal) Full() bool { return j.full.Load() }

// Err returns the first failure, nil while the journal works.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failure
}

// Segment returns the number of the segment in which o lies.
func (j *Journal) Segment(o Offset) uint64 { return uint64(o) / uint64(j.size) }

// SegmentSize returns the size of each segment in bytes.
func (j *Journal) SegmentSize() int64 { return j.size }

// MaxPayload returns the longest payload that Append takes.
func (j *Journal) MaxPayload() int { return MaxPayload(j.size) }

// First returns the start of the oldest segment kept.
func (j *Journal) First() Offset { return j.offset(j.oldest.Load(), 0) }

// ID returns the random name that the journal got when it was made.
func (j *Journal) ID() [16]byte { return j.id }

// Stats returns the counters of now.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Segments, s.Spares = len(j.segments), len(j.pool)
	s.Full, s.Prepare = j.full.Load(), j.prepare
	if j.next != nil {
		s.Spares++
	}
	return s
}

func (j *Journal) offset(segment uint64, at int64) Offset {
	return Offset(segment*uint64(j.size) + uint64(at))
}

// Close writes what was appended, then an empty batch that proves it durable, ends the goroutines and gives the
// directory back. Gather is not called any more, Append returns ErrClosed at once. Close returns the journal's failure,
// and a *FullError where there was no space for all that was appended. A second call returns what the first did.
func (j *Journal) Close() error {
	j.closed.Do(func() {
		j.mu.Lock()
		j.closing = true
		j.prepare = nil // one more attempt, should the last batch need a segment
		j.room.Broadcast()
		j.work.Signal()
		j.mu.Unlock()
		j.poke()
		<-j.written
		close(j.stop)
		<-j.prepared
		j.closeErr = j.release()
	})
	return j.closeErr
}

// release closes the files when both goroutines are gone.
func (j *Journal) release() error {
	j.mu.Lock()
	err := j.failure
	next := j.next
	j.next = nil
	j.mu.Unlock()
	if next != nil {
		next.file.Close()
	}
	j.pruning.Lock() // a Prune that is under way
	defer j.pruning.Unlock()
	j.reader.close()
	// What was written is synced: an error of closing loses nothing.
	j.current.Close()
	if unlock := j.lock.Close(); err == nil && unlock != nil {
		err = fmt.Errorf("journal: %w", unlock)
	}
	return err
}

// retryAfter is how long a failed preparation waits for space.
const retryAfter = time.Second
