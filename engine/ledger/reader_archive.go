package ledger

import (
	"errors"
	"fmt"

	"github.com/encseal/encseal/engine/journal"
)

// openArchive learns where the archive's blocks are. It comes after the journal was read: by then all blocks that were not
// found there any more are in the archive.
func (r *Reader) openArchive(fs journal.FS) error {
	kept := make(map[uint64]*blocks)
	_, err := journal.Check(fs, func(f journal.Frame) error { return r.indexKept(kept, f) }, nil)
	if err == nil {
		if r.archive, err = journal.OpenReader(fs); errors.Is(err, journal.ErrEmpty) {
			return nil
		}
	}
	if err != nil {
		return &ArchiveError{err}
	}
	for _, a := range r.apps {
		k := kept[a.ID]
		switch {
		case k == nil:
			continue
		case k.App != a.App:
			return &ArchiveError{fmt.Errorf("ledger: app %d is %q, but %q in the journal", a.ID, k.Name, a.Name)}
		}
		a.kept = k.kept
		if len(a.at) == 0 {
			continue
		}
		if n := uint64(len(a.kept)); n+1 < a.first {
			return &ArchiveError{fmt.Errorf("ledger: app %q: blocks %d to %d are missing", a.Name, n+1, a.first-1)}
		}
		a.kept = a.kept[:a.first-1]
	}
	return nil
}

func (r *Reader) indexKept(kept map[uint64]*blocks, f journal.Frame) error {
	switch f.Type {
	case TypeApp:
		a, err := ParseApp(f.Payload)
		if err == nil {
			kept[a.ID] = &blocks{App: a}
		}
		return err
	case TypeBlock:
		b, err := ParseBlock(f.Payload)
		if err != nil {
			return err
		}
		a := kept[b.App]
		if a == nil {
			return fmt.Errorf("ledger: block of app %d, which nothing names", b.App)
		}
		if want := uint64(len(a.kept) + 1); b.Height != want {
			return fmt.Errorf("ledger: app %q: block %d where %d must be", a.Name, b.Height, want)
		}
		a.kept = append(a.kept, f.At)
	}
	return nil
}
