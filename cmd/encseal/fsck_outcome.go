package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/ledger"
)

// fsckOutcome is what is to be printed.
type fsckOutcome struct {
	cmd     *fsckCmd
	report  *ledger.Report
	bad     *ledger.CheckError // nil where the directory holds
	headCut *uint64            // last cut that the head file knows of, where the directory was held against it
	badHead string             // what is wrong with the directory by the head file
}

// checkHead holds a directory that holds by itself against its head file.
func (v *fsckOutcome) checkHead() error {
	cuts, err := engine.CheckHead(engine.Store{Dir: v.cmd.Dir, Head: v.cmd.HeadFile})
	if err == nil {
		v.headCut = &cuts
		return nil
	}
	text := strings.TrimPrefix(err.Error(), "engine: ")
	if errors.Is(err, engine.ErrRolledBack) || errors.Is(err, engine.ErrOtherJournal) {
		v.badHead = text
		return nil
	}
	return fmt.Errorf("%s: %s", v.cmd.HeadFile, text)
}

// text is the verdict for people.
func (v *fsckOutcome) text() string {
	var b strings.Builder
	switch {
	case v.bad != nil:
		fmt.Fprintf(&b, "NOT OK: %s: %s\n", v.cmd.Dir, v.bad.Detail())
		return b.String()
	case v.badHead != "":
		fmt.Fprintf(&b, "NOT OK: %s: %s: %s\n", v.cmd.Dir, v.cmd.HeadFile, v.badHead)
		return b.String()
	}
	r := v.report
	t := r.Totals()
	fmt.Fprintf(&b, "ok: %d LogBlocks of %d apps hold\n", t.Blocks+t.Carried, len(r.Apps))
	fmt.Fprintf(&b, "receipts: %d checked, %d in no LogBlock yet\n", t.Receipts, t.Pending+t.Waiting)
	fmt.Fprintf(&b, "unsigned: %d cuts\n", t.Unsigned)
	if t.Adopted+t.Bare > 0 {
		fmt.Fprintf(&b, "without receipts here: %d LogBlocks, of which %d were adopted\n", t.Adopted+t.Bare, t.Adopted)
	}
	fmt.Fprintf(&b, "journal: %x, %d segments, %d frames, %d bytes\n", r.JournalID, r.Segments, r.Frames, r.Bytes)
	if r.Pruned {
		fmt.Fprintf(&b, "pruned: what was before offset %d, but for %d LogBlocks\n", r.First, t.Carried)
	}
	switch {
	case v.headCut != nil:
		fmt.Fprintf(&b, "head file: knows of %d cuts, of %d here\n", *v.headCut, r.Cuts)
	case r.HeadFile:
		fmt.Fprintf(&b, "head file: there is one, not checked without --head-file\n")
	}
	if r.Torn.Bytes > 0 {
		fmt.Fprintf(&b, "torn tail: %d bytes, which nobody was told are durable\n", r.Torn.Bytes)
	}
	for i := range r.Apps {
		a := &r.Apps[i]
		head := "none"
		if a.Head.Height > 0 {
			head = a.Head.String()
		}
		fmt.Fprintf(&b, "app %q: scheme %s, %d LogBlocks to height %d, head to keep: %s\n", a.Name, a.Scheme, a.Blocks+a.Carried, a.Sealed, head)
	}
	return b.String()
}

// fsckJSON is what fsck --json prints, always with these keys. Where ok is false, all but error tells how far it came.
type fsckJSON struct {
	OK       bool          `json:"ok"`
	Journal  *string       `json:"journal"` // null where it is not known
	Segments int           `json:"segments"`
	Frames   uint64        `json:"frames"`
	Bytes    int64         `json:"bytes"`
	Torn     int64         `json:"torn_bytes"`
	Pruned   bool          `json:"pruned"`
	First    uint64        `json:"first_offset"`
	Last     uint64        `json:"last_offset"`
	Cuts     uint64        `json:"cuts"`
	HeadFile bool          `json:"head_file"`
	HeadCuts *uint64       `json:"head_file_cuts"` // null where it was not checked
	Apps     []fsckAppJSON `json:"apps"`
	Sinks    []sinkJSON    `json:"sinks"`
	Error    *placeJSON    `json:"error"`
}

type fsckAppJSON struct {
	App      string  `json:"app"`
	Scheme   string  `json:"scheme"`
	Height   uint64  `json:"height"` // of the last LogBlock that is signed
	Head     *string `json:"head"`   // of the last cut; null where there is none
	Key      string  `json:"key"`    // what the next LogBlock must be signed by
	Blocks   uint64  `json:"blocks"`
	Carried  uint64  `json:"carried"` // LogBlocks of pruned segments, not among blocks
	Adopted  uint64  `json:"adopted"`
	Bare     uint64  `json:"without_receipts"`
	Receipts uint64  `json:"receipts"`
	Pending  uint64  `json:"pending"`
	Unsigned uint64  `json:"unsigned"`
}

type sinkJSON struct {
	Sink   string `json:"sink"`
	Offset uint64 `json:"offset"`
}

// placeJSON says where a data directory first fails. What is not known of the place is null.
type placeJSON struct {
	Segment *string `json:"segment"` // of these two, null: what is wrong is in no place, but by the head file
	Byte    *int64  `json:"byte"`
	App     *string `json:"app"`
	Height  *uint64 `json:"height"`
	Receipt *int64  `json:"receipt"` // from 0 in its LogBlock
	Seq     *uint64 `json:"seq"`     // of the receipt, from 1 in its app
	Reason  string  `json:"reason"`
}

// json is the verdict for programs, one line.
func (v *fsckOutcome) json() string {
	r, bad := v.report, v.bad
	out := fsckJSON{
		OK: bad == nil && v.badHead == "", HeadCuts: v.headCut, Segments: r.Segments, Frames: r.Frames, Bytes: r.Bytes, Torn: r.Torn.Bytes,
		Pruned: r.Pruned, First: uint64(r.First), Last: uint64(r.Last), Cuts: r.Cuts, HeadFile: r.HeadFile,
		Apps: []fsckAppJSON{}, Sinks: []sinkJSON{},
	}
	if r.JournalID != ([16]byte{}) {
		out.Journal = known(hex.EncodeToString(r.JournalID[:]))
	}
	for i := range r.Apps {
		a := &r.Apps[i]
		app := fsckAppJSON{
			App: a.Name, Scheme: a.Scheme, Height: a.Sealed, Key: a.Key.String(), Blocks: a.Blocks, Carried: a.Carried, Adopted: a.Adopted,
			Bare: a.Bare, Receipts: a.Receipts, Pending: a.Pending + a.Waiting, Unsigned: a.Unsigned,
		}
		if a.Head.Height > 0 {
			app.Head = known(a.Head.String())
		}
		out.Apps = append(out.Apps, app)
	}
	for _, s := range r.Cursors {
		out.Sinks = append(out.Sinks, sinkJSON{Sink: s.Sink, Offset: s.Offset})
	}
	if bad != nil {
		out.Error = &placeJSON{
			Segment: &bad.Segment, Byte: &bad.Offset, App: known(bad.App), Height: known(bad.Height), Seq: known(bad.Seq), Reason: bad.Reason,
		}
		if bad.Receipt >= 0 {
			out.Error.Receipt = &bad.Receipt
		}
	}
	if v.badHead != "" {
		out.Error = &placeJSON{Reason: v.badHead}
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err) // plain strings and integers
	}
	return string(text) + "\n"
}
