package ledger

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/encseal/encseal/engine/journal"
)

// ErrNoLeaves is returned for a block whose leaves the journal does not have: it was adopted, or they were pruned, which
// is journal.ErrPruned too.
var ErrNoLeaves = errors.New("ledger: the journal does not have the leaves")

// Reader hands out the sealed blocks of a journal that another may hold, as they were when it was opened, and their
// leaves. It changes nothing. Of a writer's pruning meanwhile it learns when it comes to what is gone. Not for use by two
// goroutines at once.
//
// It believes what it reads, but for the journal's checksums: Check does not.
type Reader struct {
	apps []*blocks // by number
	// A block often lies in another segment than its leaves: each has a file open.
	frames, leaves *journal.Reader
	archive        *journal.Reader // nil without

	last Block
	room []byte
	page Leaves
}

// blocks is where the blocks of an app are.
type blocks struct {
	App
	first uint64           // height of the first
	at    []journal.Offset // 8 bytes a block
	kept  []journal.Offset // in the archive, from height 1 on; those before first alone, where there is one
}

// AppBlocks is an app and the heights of the sealed blocks that are there, [First, Last]; both are 0 where there is none.
// Those up to Pruned are in the archive alone, so that their leaves are gone; it is 0 where there is none.
type AppBlocks struct {
	App
	First, Last, Pruned uint64
}

// Open reads a journal once, and learns where the blocks are, those in its archive too, which CheckConfig.Pruned explains
// and which may be nil. It returns journal.ErrEmpty where there is no journal, and the errors of journal.Check, those of the
// archive in an *ArchiveError. progress may be nil, and gets the bytes of the journal read so far, of how many.
func Open(fs, pruned journal.FS, progress func(done, of int64)) (*Reader, error) {
	r := &Reader{}
	err := journal.ErrPruned
	for attempt := 0; attempt < checkAttempts && errors.Is(err, journal.ErrPruned); attempt++ {
		r.apps = nil
		_, err = journal.Check(fs, r.index, progress)
	}
	if err != nil {
		return nil, err
	}
	if pruned != nil {
		if err := r.openArchive(pruned); err != nil {
			return nil, err
		}
	}
	if r.frames, err = journal.OpenReader(fs); err == nil {
		r.leaves, err = journal.OpenReader(fs)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close closes the files that were read last.
func (r *Reader) Close() error {
	var errs []error
	for _, j := range [...]*journal.Reader{r.frames, r.leaves, r.archive} {
		if j != nil {
			errs = append(errs, j.Close())
		}
	}
	return errors.Join(errs...)
}

func (r *Reader) index(f journal.Frame) error {
	switch f.Type {
	case TypeApp:
		a, err := ParseApp(f.Payload)
		if err != nil {
			return err
		}
		return r.name(&a)
	case TypeState:
		s, err := ParseState(f.Payload)
		if err != nil {
			return err
		}
		return r.name(&s.App)
	case TypeBlock, TypeAdopt:
		b, err := ParseBlock(f.Payload)
		if err != nil {
			return err
		}
		a := r.numbered(b.App)
		if a == nil {
			return fmt.Errorf("ledger: block of app %d, which nothing names", b.App)
		}
		if len(a.at) == 0 {
			a.first = b.Height
		}
		if want := a.first + uint64(len(a.at)); b.Height != want {
			return fmt.Errorf("ledger: app %q: block %d where %d must be", a.Name, b.Height, want)
		}
		a.at = append(a.at, f.At)
	}
	return nil
}

// name takes in an app, or finds it as it is known.
func (r *Reader) name(app *App) error {
	i, known := slices.BinarySearchFunc(r.apps, app.ID, byNumber)
	if !known {
		r.apps = slices.Insert(r.apps, i, &blocks{App: *app})
		return nil
	}
	if r.apps[i].App != *app {
		return fmt.Errorf("ledger: app %d is %q and %q", app.ID, r.apps[i].Name, app.Name)
	}
	return nil
}

func byNumber(b *blocks, id uint64) int { return cmp.Compare(b.ID, id) }

func (r *Reader) numbered(id uint64) *blocks {
	if i, ok := slices.BinarySearchFunc(r.apps, id, byNumber); ok {
		return r.apps[i]
	}
	return nil
}

// Apps returns all apps, by number.
func (r *Reader) Apps() []AppBlocks {
	apps := make([]AppBlocks, 0, len(r.apps))
	for _, a := range r.apps {
		b := AppBlocks{App: a.App, Pruned: uint64(len(a.kept))}
		b.First, b.Last = a.span()
		apps = append(apps, b)
	}
	return apps
}

// Blocks visits the sealed blocks of an app with heights in [from, to] that are there, in order. The block is the
// visit function's until it returns, but its LogBlock may be kept. visit may return journal.ErrStop to end it early; any
// other error is returned. The error is journal.ErrPruned where a block is gone by now.
func (r *Reader) Blocks(app string, from, to uint64, visit func(*Block) error) error {
	i := slices.IndexFunc(r.apps, func(a *blocks) bool { return a.Name == app })
	if i < 0 {
		return fmt.Errorf("ledger: no app %q", app)
	}
	a := r.apps[i]
	first, last := a.span()
	from, to = max(from, first), min(to, last)
	for h := from; h <= to && h >= from && h > 0; h++ {
		f, err := r.read(a, h)
		if err != nil {
			return err
		}
		r.room = f.Payload
		if r.last, err = ParseBlock(f.Payload); err != nil {
			return err
		}
		if err = visit(&r.last); errors.Is(err, journal.ErrStop) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// span returns the heights of the app's first block and of its last, 0 where it has none.
func (a *blocks) span() (first, last uint64) {
	if n := len(a.at); n > 0 {
		first, last = a.first, a.first+uint64(n)-1
	}
	if n := uint64(len(a.kept)); n > 0 {
		first, last = 1, max(last, n)
	}
	return first, last
}

// read returns the frame of a block. Its payload is r's.
func (r *Reader) read(a *blocks, height uint64) (f journal.Frame, err error) {
	if height <= uint64(len(a.kept)) {
		return r.archive.ReadAt(a.kept[height-1], r.room)
	}
	return r.frames.ReadAt(a.at[height-a.first], r.room)
}

// Leaves visits the leaves of a sealed block in order, i from 0. A leaf is borrowed for the call. visit may return
// journal.ErrStop to end it early; any other error is returned. The error is ErrNoLeaves where the journal does not have
// them; where they are pruned meanwhile, some were visited before.
func (r *Reader) Leaves(b *Block, visit func(i int, leaf []byte) error) error {
	if a := r.numbered(b.App); a != nil && b.Height <= uint64(len(a.kept)) {
		return fmt.Errorf("%w of block %d of %q: %w", ErrNoLeaves, b.Height, b.LogBlock.App, journal.ErrPruned)
	}
	if b.From == 0 {
		return fmt.Errorf("%w of block %d of %q: it was adopted", ErrNoLeaves, b.Height, b.LogBlock.App)
	}
	i, count := 0, int(b.Count)
	ended := false
	err := r.leaves.Scan(journal.Offset(b.From), func(f journal.Frame) error {
		if id, _ := binary.Uvarint(f.Payload); f.Type != TypeLeaves || id != b.App {
			return nil
		}
		l := &r.page
		if err := ParseLeaves(f.Payload, l); err != nil {
			return err
		}
		skip := b.First + uint64(i) - l.First
		if skip >= uint64(len(l.Ends)) {
			return fmt.Errorf("ledger: block %d of %q: receipts from %d where %d must be", b.Height, b.LogBlock.App, l.First, b.First+uint64(i))
		}
		for k := int(skip); k < len(l.Ends) && i < count; k++ {
			if err := visit(i, l.Leaf(k)); err != nil {
				ended = true
				return err
			}
			i++
		}
		if i == count {
			return journal.ErrStop
		}
		return nil
	})
	switch {
	case errors.Is(err, journal.ErrPruned):
		return fmt.Errorf("%w of block %d of %q: %w", ErrNoLeaves, b.Height, b.LogBlock.App, err)
	case err != nil || ended || i == count:
		return err
	}
	return fmt.Errorf("ledger: block %d of %q: %d of its %d leaves are there", b.Height, b.LogBlock.App, i, count)
}
