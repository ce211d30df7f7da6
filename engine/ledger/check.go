package ledger

import (
	"errors"
	"slices"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

// CheckConfig says what a journal is checked against. Key must be given.
type CheckConfig struct {
	// Key is the notary's public key that is trusted for the first block of each app that the journal has, from elsewhere
	// than the journal. From a block with next_key on, that one takes its place in this app.
	Key sign.PublicKey

	// Pruned is the archive: the journal of App and Block frames to which the LogBlocks of pruned segments were carried. It is
	// read whole too, and Key is trusted for the first block of each app there. nil does without.
	Pruned journal.FS

	Legacy logblock.Legacy // rules of scheme bpi-1; nil refuses apps of that scheme

	// AtCut is called after each cut that holds, adopted blocks among them, with its number. heads returns the last cut of
	// every app that was named so far, by number; those of a pruned journal come to light as they go on. An error ends
	// the check and is returned as it is. May be nil. A check that starts over calls it from the first cut on again.
	AtCut func(cut uint64, heads func() []AppHead) error

	Progress func(done, of int64) // bytes read so far, of how many; may be nil
}

// AppHead is an app and its last cut; height 0 where it has none.
type AppHead struct {
	App
	Head logblock.Head
}

// checkAttempts bounds how often a check starts over because a writer pruned what it was about to read.
const checkAttempts = 10

// Check reads every byte of a journal and says if it holds: all that journal.Check asks, and that its frames are a
// history that the engine can have written. It changes nothing, and a writer may be at work; what that one writes after
// Check began may be missing in the Report.
//
// Of every app: its leaves follow each other and are what the scheme prints; each cut follows the one before by
// height and by hash and says of the leaves before it what they come to, root, range and usage; each block is its cut and
// carries the signature of the trusted key. Where segments were pruned, an app starts with its first State. Then only
// blocks that were sealed may speak of leaves that are gone, and these are believed for their signature. With CheckConfig.Pruned
// the app's chain is there from height 1 on, without a gap to where the journal goes on, and what is in both is the same. An
// archive that has blocks which were not pruned yet is no fault: a crash leaves it.
//
// Leaves that are in no cut and cuts without their block are no fault: a crash leaves them, and a writer at work.
//
// Memory is bounded by what is not in a block: 32 bytes a leaf, and some 300 a frame of leaves. A block in the archive takes 8.
//
// The error is a *CheckError for the first place that does not hold, what journal.Check returns for bytes that are
// damaged, or what reading failed with; the Report tells what was found up to there. Where that is about the archive, it is
// in an *ArchiveError.
func Check(fs journal.FS, cfg CheckConfig) (Report, error) {
	var report Report
	var old *archive
	if cfg.Pruned != nil {
		old = newArchive(&cfg)
		defer old.close()
		if err := old.read(); err != nil {
			return report, err
		}
	}
	err := journal.ErrPruned
	for attempt := 0; attempt < checkAttempts && errors.Is(err, journal.ErrPruned); attempt++ {
		c := checking{cfg: cfg, fs: fs, archive: old, names: make(map[string]bool), cursors: make(map[string]uint64)}
		err = c.run()
		report = c.report()
	}
	return report, err
}

// checking is one pass over a journal. Its visit functions are called in the order of the frames.
type checking struct {
	cfg    CheckConfig
	fs     journal.FS
	disk   *journal.Reader // opened with the first frame
	pruned bool            // frames before the first one visited are gone
	first  journal.Offset  // the first frame

	archive *archive // nil without

	apps    []*app // by number, ascending
	names   map[string]bool
	cuts    uint64 // number of the last cut
	counted bool   // cuts is known; always where nothing was pruned
	cursors map[string]uint64
	heads   bool // a head file goes with the journal

	leaves  Leaves // reused
	judge   judge
	scratch []byte
	again   []byte // payload of a frame that is read a second time

	found journal.CheckResult
	bad   *CheckError // a leaf that does not hold; what is looked for is the cut that says which block it is in
	stop  error       // what ended the pass, that is not journal.Check's
}

// errEnd ends journal.Check from its visit function: the reason is in stop.
var errEnd = errors.New("ledger: end of check")

func (c *checking) run() error {
	defer func() {
		if c.disk != nil {
			c.disk.Close() // read only
		}
	}()
	var err error
	c.found, err = journal.Check(c.fs, c.visit, c.cfg.Progress)
	switch {
	case errors.Is(err, errEnd):
		return c.stop
	case c.bad != nil:
		return c.bad // it lies before whatever ended the search for its block
	case err != nil:
		return err
	}
	return c.finish()
}

// visit takes the next frame. It returns nothing but errEnd, as journal.Check gives errors of its own a meaning.
func (c *checking) visit(f journal.Frame) error {
	err := c.begin(f)
	if err == nil {
		err = c.frame(f)
	}
	if err == nil {
		return nil
	}
	if bad, ok := errors.AsType[*CheckError](err); ok && bad.Segment == "" {
		bad.Segment, bad.Offset = c.disk.Place(f.At)
	}
	c.stop = err
	return errEnd
}

// begin learns from the first frame where the journal starts.
func (c *checking) begin(f journal.Frame) error {
	if c.first != 0 {
		return nil
	}
	c.first = f.At
	var err error
	if c.disk, err = journal.OpenReader(c.fs); err != nil {
		return err
	}
	oldest, _, err := c.disk.Segments()
	if err != nil {
		return err
	}
	// Where the first segment has a frame it was read, and where it has none but is there, nothing was lost with it.
	name, _ := c.disk.Place(f.At)
	begin, _ := c.disk.Place(c.disk.Begin())
	c.pruned = name != begin && oldest != c.disk.Begin()
	c.counted = !c.pruned
	if c.archive == nil {
		return nil
	}
	return c.archive.read()
}

func (c *checking) frame(f journal.Frame) error {
	if c.bad != nil {
		return c.place(f)
	}
	switch f.Type {
	case TypeApp:
		return c.app(f)
	case TypeLeaves:
		return c.receipts(f)
	case TypeCut:
		return c.cut(f)
	case TypeBlock:
		return c.block(f)
	case TypeState:
		return c.state(f)
	case TypeCursor:
		return c.cursor(f)
	case TypeAdopt:
		return c.adopt(f)
	case TypeHead:
		if len(f.Payload) > 0 {
			return fault("a head's frame of %d bytes, want none", len(f.Payload))
		}
		c.heads = true
		return nil
	}
	return fault("frame of type %d, which no record has", f.Type)
}

// find returns the app of a number; nil where nothing named it.
func (c *checking) find(id uint64) *app {
	i, ok := slices.BinarySearchFunc(c.apps, id, func(a *app, id uint64) int {
		switch {
		case a.ID < id:
			return -1
		case a.ID > id:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return c.apps[i]
}

// finish looks at what no frame is to be blamed for.
func (c *checking) finish() error {
	for _, a := range c.apps {
		for i := range a.cuts {
			if !a.cuts[i].lost {
				continue
			}
			return c.settled(func() error {
				return c.of(a, i, fault("leaves of a block that is not sealed are gone"))
			})
		}
		if len(a.cuts) > 0 && a.Scheme == logblock.EncSeal1 && a.cuts[0].key != a.signs {
			return c.settled(func() error { return c.of(a, 0, errKey(a.cuts[0].key, a.signs)) })
		}
	}
	if c.archive == nil {
		return nil
	}
	return c.whole()
}

// of gives a fault the place of an app's cut.
func (c *checking) of(a *app, i int, e *CheckError) error {
	e.Segment, e.Offset = c.disk.Place(a.cuts[i].at)
	return e.of(a, a.cuts[i].head.Height)
}
