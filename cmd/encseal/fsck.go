package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
)

type fsckCmd struct {
	Dir      string `required:"" placeholder:"DIR" help:"Data directory to check."`
	Pub      string `required:"" placeholder:"KEY" help:"The notary's public key that you trust: ed25519:HEX or a PEM file."`
	HeadFile string `placeholder:"FILE" help:"The head file of DIR: check that DIR is no old copy, and of the same history."`
	JSON     bool   `name:"json" help:"Print one JSON object instead of text."`
}

func (*fsckCmd) Help() string {
	return `
Reads every byte of a data directory and says if it holds: no byte is damaged, and what was written is a history that a notary with
the key that you trust can have made. Each app's receipts follow each other, each LogBlock was cut before it was signed, links
to the one before, and is what its receipts come to. It changes nothing, and the notary may be running.

A crash, or a notary at work, leaves receipts that are in no LogBlock and cuts that are not signed: they are counted, and no
fault. So is a torn tail, which nobody was told of. Of receipts whose segments were pruned, the LogBlocks' signatures are checked.

--head-file is read before the directory is, and the directory may be ahead of it, as with a notary at work; where it is behind, or
of another history, it is an old copy or not the one that the head file goes with.

What does not hold ends it with 1, and is named by its first place: segment, byte, app, block, receipt: reason.

Examples:

	encseal fsck --dir data --pub notary.pem
	encseal fsck --dir data --pub ed25519:… --json
`
}

func (c *fsckCmd) Run(con *console) error {
	key, err := publicKey("--pub", c.Pub)
	if err != nil {
		return err
	}
	dir, err := dataDir(c.Dir)
	if err != nil {
		return err
	}
	if c.HeadFile != "" {
		if _, err := os.Stat(c.HeadFile); err != nil {
			return err
		}
	}
	bar := con.newBytesBar()
	report, err := ledger.Check(dir, ledger.CheckConfig{Key: key, Legacy: bpi1.Rules{}, Progress: bar.moved})
	bar.stop()
	bad := dirFault(err)
	switch {
	case err != nil && bad == nil:
		return fmt.Errorf("%s: %w", c.Dir, err)
	case err == nil && report.Segments == 0:
		return noJournal(c.Dir)
	}
	v := &fsckVerdict{cmd: c, report: &report, bad: bad}
	if c.HeadFile != "" && bad == nil {
		if err := v.checkHead(); err != nil {
			return err
		}
	}
	for i := range report.Apps {
		if report.Apps[i].Scheme == logblock.BPI1 {
			warnWeak(con, logblock.BPI1)
			break
		}
	}
	text := v.text()
	if c.JSON {
		text = v.json()
	}
	if err := con.print(text); err != nil {
		return err
	}
	if bad != nil || v.badHead != "" {
		return &exitError{code: exitRefused}
	}
	return nil
}

// fsckVerdict is what is to be printed.
type fsckVerdict struct {
	cmd     *fsckCmd
	report  *ledger.Report
	bad     *ledger.CheckError // nil where the directory holds
	headCut *uint64            // last cut that the head file knows of, where the directory was held against it
	badHead string             // what is wrong with the directory by the head file
}

// checkHead holds a directory that holds by itself against its head file.
func (v *fsckVerdict) checkHead() error {
	cuts, err := engine.CheckHead(engine.Store{Dir: v.cmd.Dir, Head: v.cmd.HeadFile})
	if err == nil {
		v.headCut = &cuts
		return nil
	}
	text := strings.TrimPrefix(err.Error(), "engine: ")
	if errors.Is(err, engine.ErrRolledBack) {
		v.badHead = text
		return nil
	}
	return fmt.Errorf("%s: %s", v.cmd.HeadFile, text)
}

// dirFault is what a check found wrong; nil where err is no verdict.
func dirFault(err error) *ledger.CheckError {
	if bad, ok := errors.AsType[*ledger.CheckError](err); ok {
		return bad
	}
	if bad, ok := errors.AsType[*journal.CorruptError](err); ok {
		return &ledger.CheckError{Segment: bad.Segment, Offset: bad.At, Receipt: -1, Reason: "damaged: " + bad.Reason}
	}
	return nil
}

// text is the verdict for people.
func (v *fsckVerdict) text() string {
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
	fmt.Fprintf(&b, "ok: %d LogBlocks of %d apps hold\n", t.Blocks, len(r.Apps))
	fmt.Fprintf(&b, "receipts: %d checked, %d in no LogBlock yet\n", t.Receipts, t.Pending+t.Waiting)
	fmt.Fprintf(&b, "unsigned: %d cuts\n", t.Unsigned)
	if t.Adopted+t.Bare > 0 {
		fmt.Fprintf(&b, "without receipts here: %d LogBlocks, of which %d were adopted\n", t.Adopted+t.Bare, t.Adopted)
	}
	fmt.Fprintf(&b, "journal: %x, %d segments, %d frames, %d bytes\n", r.JournalID, r.Segments, r.Frames, r.Bytes)
	if r.Pruned {
		fmt.Fprintf(&b, "pruned: what was before offset %d\n", r.First)
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
		fmt.Fprintf(&b, "app %q: scheme %s, %d LogBlocks to height %d, head to keep: %s\n", a.Name, a.Scheme, a.Blocks, a.Sealed, head)
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
func (v *fsckVerdict) json() string {
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
			App: a.Name, Scheme: a.Scheme, Height: a.Sealed, Key: a.Key.String(), Blocks: a.Blocks, Adopted: a.Adopted,
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
