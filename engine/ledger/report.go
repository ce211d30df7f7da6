package ledger

import (
	"maps"
	"slices"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sign"
)

// Report is what a check found, as far as it came.
type Report struct {
	JournalID [16]byte
	Segments  int // 0: there is no journal
	Frames    uint64
	Bytes     int64            // of whole batches, with headers and padding
	Torn      journal.Recovery // Bytes is 0 where nothing was torn
	First     journal.Offset   // start of the oldest segment
	Last      journal.Offset   // end of the last whole batch
	Pruned    bool             // what lay before First is gone

	Archive journal.CheckResult // of CheckConfig.Pruned, as it was first read

	Cuts     uint64 // number of the last cut over all apps
	HeadFile bool   // a head file goes with this journal
	Apps     []AppReport
	Cursors  []Cursor // of each sink the last, by name
}

// AppReport is what a check found of one app.
type AppReport struct {
	App
	Sealed   uint64         // height of the last block that is signed; 0: none known
	Head     logblock.Head  // of the last cut
	Key      sign.PublicKey // what the next cut must name
	Blocks   uint64         // signed, in this journal
	Carried  uint64         // signed, in the archive alone
	Adopted  uint64         // those of Blocks whose leaves are elsewhere
	Bare     uint64         // those of Blocks whose leaves were pruned
	Receipts uint64         // under these blocks, and checked against them
	Pending  uint64         // leaves in no cut
	Unsigned uint64         // cuts without their block
	Waiting  uint64         // leaves in them
}

// Totals returns the sum over all apps of each number that can be summed.
func (r *Report) Totals() AppReport {
	var t AppReport
	for i := range r.Apps {
		a := &r.Apps[i]
		t.Blocks += a.Blocks
		t.Carried += a.Carried
		t.Adopted += a.Adopted
		t.Bare += a.Bare
		t.Receipts += a.Receipts
		t.Pending += a.Pending
		t.Unsigned += a.Unsigned
		t.Waiting += a.Waiting
	}
	return t
}

func (c *checking) report() Report {
	r := Report{
		JournalID: c.found.ID, Segments: c.found.Segments, Frames: c.found.Frames, Bytes: c.found.Bytes,
		Torn: c.found.Tail, First: c.found.First, Last: c.found.Last, Pruned: c.pruned,
		Cuts: c.cuts, HeadFile: c.heads,
	}
	if c.archive != nil {
		r.Archive = c.archive.found
	}
	for _, a := range c.apps {
		r.Apps = append(r.Apps, a.report())
	}
	for _, sink := range slices.Sorted(maps.Keys(c.cursors)) {
		r.Cursors = append(r.Cursors, Cursor{Sink: sink, Offset: c.cursors[sink]})
	}
	return r
}

func (a *app) report() AppReport {
	r := AppReport{
		App: a.App, Sealed: max(a.sealed.Height, a.kept.last()), Head: a.head, Key: a.key,
		Blocks: a.blocks, Carried: a.kept.last() - a.both, Adopted: a.adopted, Bare: a.bare, Receipts: a.receipts,
		Pending: uint64(len(a.hashes)), Unsigned: uint64(len(a.cuts)),
	}
	if a.free {
		r.Key = a.signs
	}
	for i := range a.cuts {
		r.Waiting += uint64(a.cuts[i].count)
	}
	return r
}
