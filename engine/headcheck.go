package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/encseal/encseal/engine/journal"
)

// headCheckAttempts bounds how often CheckHead starts over because a writer pruned what it was about to read.
const headCheckAttempts = 10

// CheckHead holds a data directory against its head file by the rule of Open, and returns how many cuts the head file knows
// of. It changes nothing, and an Engine may be at work. The error wraps ErrRolledBack, ErrOtherJournal or ErrHeadMissing as Open's does. It
// checks the cuts' numbers and hashes, and nothing else: ledger.Check does.
func CheckHead(store Store) (cuts uint64, err error) {
	dir := store.FS
	if dir == nil {
		if dir, err = journal.Dir(store.Dir); err != nil {
			return 0, fmt.Errorf("engine: %w", err)
		}
	}
	// A writer at work may prune what the head file knew of while the journal is read: then both are read again.
	for range headCheckAttempts {
		// The head file first: it is never ahead of the journal of the same moment.
		var want *headRecord
		if want, err = store.readHead(); err != nil {
			return 0, err
		}
		cuts, err = want.cuts, want.check(dir)
		if !errors.Is(err, journal.ErrPruned) && !errors.Is(err, ErrRolledBack) {
			break
		}
	}
	return cuts, err
}

// readHead reads the head file without making anything.
func (s *Store) readHead() (*headRecord, error) {
	if s.HeadFS == nil {
		if _, err := os.Stat(s.Head); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s", ErrHeadMissing, s.Head)
		}
	}
	dir, name, err := s.headDir()
	if err != nil {
		return nil, err
	}
	h, want, err := openHead(dir, name, false)
	if err != nil {
		return nil, err
	}
	if want == nil {
		err = fmt.Errorf("%w: %s has no record in it", ErrHeadMissing, s.Head)
	}
	return want, errors.Join(err, h.close())
}

// check replays the journal in dir as far as it is written.
func (want *headRecord) check(dir journal.FS) error {
	j, err := journal.OpenReader(dir)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	defer j.Close() // read only
	if want.id != j.ID() {
		return ErrOtherJournal
	}
	oldest, _, err := j.Segments()
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	r := newReplay(want)
	if err := j.Scan(oldest, r.frame); err != nil {
		return fmt.Errorf("engine: journal: %w", err)
	}
	return r.checkHead()
}
