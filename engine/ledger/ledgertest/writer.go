// Package ledgertest writes journals for tests: the frames that an engine writes, in any order that a test wants, and
// right or wrong as it wants them.
package ledgertest

import (
	"context"
	"fmt"
	"time"

	"github.com/encseal/encseal/engine/bpi1"
	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/ledger"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/merkle"
)

// Writer writes one journal. It panics where the journal fails, and knows no locks.
type Writer struct {
	Journal *journal.Journal
	Signer  *sign.Signer
	// Handover signs what follows the next cut of its app, which says so; nil hands nothing over.
	Handover *sign.Signer
	// Alter is called with each record before it is written: *ledger.App, *Leaves, *ledger.Block, *ledger.State or
	// *ledger.Cursor. frame counts from 0. May be nil. What it changes is written, and nothing else is changed.
	Alter func(frame int, typ byte, record any)

	// Archive gets the LogBlocks of segments before Prune drops them. KeepIn makes it; nil without.
	Archive *journal.Journal
	// AlterKept is Alter for what goes to the archive: *ledger.App or *ledger.Block, which is left out where it returns false.
	AlterKept func(record any) bool
	// Hold has frames wait for Wait, so that they make one batch: bytes are the same each time but for epoch and ID.
	Hold bool
	// KeepCarried has Prune end after LogBlocks were carried, as a crash may.
	KeepCarried bool

	apps   []*App
	kept   map[uint64]uint64 // height of each app's last block in the archive
	cuts   uint64
	frames int
	end    journal.Offset
}

// App is one app of a Writer, as its frames stand.
type App struct {
	ledger.App
	Next    uint64 // sequence number of the next leaf
	Sealed  uint64 // sequence number of the first leaf that is in no cut
	Head    logblock.Head
	cut     uint64 // number of the last cut
	segment uint64
	pending []leaf
}

type leaf struct {
	bytes []byte
	at    journal.Offset
}

// Leaves is a frame of leaves before it is written.
type Leaves struct {
	App, First uint64
	Leaves     [][]byte
}

// Open makes a journal of small segments in fs, or goes on with an empty one.
func Open(fs journal.FS, signer *sign.Signer) *Writer {
	return OpenSize(fs, signer, journal.MinSegmentSize)
}

// OpenSize is Open for segments of a size in bytes.
func OpenSize(fs journal.FS, signer *sign.Signer, size int64) *Writer {
	j, err := journal.Open(journal.Config{FS: fs, SegmentSize: size}, nil)
	must(err)
	return &Writer{Journal: j, Signer: signer}
}

// Close ends the writer and its journals.
func (w *Writer) Close() {
	must(w.Journal.Close())
	if w.Archive != nil {
		must(w.Archive.Close())
	}
}

// Wait returns when all frames are durable.
func (w *Writer) Wait() { must(w.Journal.Wait(context.Background(), w.end)) }

// Frames returns how many frames were written.
func (w *Writer) Frames() int { return w.frames }

// End returns where the next frame lies, unless it opens a batch or a segment.
func (w *Writer) End() journal.Offset { return w.end }

// App begins an app.
func (w *Writer) App(scheme, name string) *App {
	a := &App{App: ledger.App{ID: uint64(len(w.apps) + 1), Scheme: scheme, Name: name}, Next: 1, Sealed: 1}
	w.apps = append(w.apps, a)
	record := a.App
	w.alter(ledger.TypeApp, &record)
	at := w.Raw(ledger.TypeApp, ledger.AppendApp(nil, &record))
	a.segment = w.Journal.Segment(at)
	return a
}

// Receipts returns the leaves of the receipts [from, to) of an app: any number has its receipt, and always the same.
func Receipts(a *App, from, to int) [][]byte {
	var leaves [][]byte
	for i := from; i < to; i++ {
		r := receipt.Receipt{
			App: a.Name, Container: fmt.Sprintf("job-%d", i), Op: "exec.end", PrevHash: receipt.Genesis(),
			TS:       time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC).Add(time.Duration(i*7919%1000) * time.Second).Format(time.RFC3339),
			Resource: receipt.Resource{CPUms: uint64(i), MemoryMBs: 3, StorageGBDay: float64(i) / 7, EgressMB: 0.25},
			Labels:   []receipt.Label{{Key: "region", Value: "ca-east"}},
		}
		digest, err := r.Digest()
		must(err)
		r.Hash, r.Sig = receipt.Digest(digest), receipt.Signature([64]byte{1, byte(i)})
		var leaf []byte
		if a.Scheme == logblock.BPI1 {
			leaf, err = bpi1.Rules{}.AppendLeaf(nil, &r)
		} else {
			leaf, err = r.AppendCanonical(nil)
		}
		must(err)
		leaves = append(leaves, leaf)
	}
	return leaves
}

// Leaves writes one frame of leaves.
func (w *Writer) Leaves(a *App, leaves ...[]byte) {
	record := Leaves{App: a.ID, First: a.Next, Leaves: append([][]byte(nil), leaves...)}
	w.prepare(a, 64+len(leaves)*512)
	w.alter(ledger.TypeLeaves, &record)
	var arena []byte
	var ends []int
	for _, l := range record.Leaves {
		arena = append(arena, l...)
		ends = append(ends, len(arena))
	}
	at := w.Raw(ledger.TypeLeaves, append(ledger.AppendLeavesHead(nil, record.App, record.First, 0, ends), arena...))
	for _, l := range leaves {
		a.pending = append(a.pending, leaf{l, at})
	}
	a.Next += uint64(len(leaves))
}

// Cut writes the cut of the first n leaves that are in none.
func (w *Writer) Cut(a *App, n int) *ledger.Block {
	b := w.block(a, n)
	w.prepare(a, 1024)
	record, inner := *b, *b.LogBlock
	record.LogBlock = &inner
	w.alter(ledger.TypeCut, &record)
	payload, err := ledger.AppendBlock(nil, &record)
	must(err)
	w.Raw(ledger.TypeCut, payload)
	w.advance(a, b)
	a.pending = a.pending[n:]
	return b
}

// advance moves the app past a cut or an adopted block.
func (w *Writer) advance(a *App, b *ledger.Block) {
	a.Head = logblock.Head{Height: b.Height, Hash: Digest(b)}
	a.Sealed = b.First + uint64(b.Count)
	w.cuts++
	a.cut = w.cuts
}

// Digest returns what a block's signature signs.
func Digest(b *ledger.Block) [32]byte {
	digest, err := b.SignedDigest(bpi1.Rules{})
	must(err)
	return digest
}

func (w *Writer) block(a *App, n int) *ledger.Block {
	b := &ledger.Block{App: a.ID, Cut: w.cuts + 1, First: a.Sealed, From: uint64(a.pending[0].at), LogBlock: &logblock.LogBlock{
		App: a.Name, Height: a.Head.Height + 1, Count: uint32(n), Scheme: a.Scheme,
	}}
	var span logblock.Span
	var hashes []merkle.Hash
	var r receipt.Receipt
	var parser receipt.Parser
	for _, l := range a.pending[:n] {
		if a.Scheme == logblock.BPI1 {
			hashes = append(hashes, bpi1.Rules{}.HashLeaf(l.bytes))
			must(parser.Parse(l.bytes, &r))
			span.AddText(r.TS)
			continue
		}
		hashes = append(hashes, merkle.HashLeaf(l.bytes))
		must(receipt.Decode(l.bytes, &r))
		at, err := r.Instant()
		must(err)
		span.Add(r.TS, at)
		b.Usage.Add(&r.Resource)
	}
	b.FromTS, b.ToTS = span.From(), span.To()
	if a.Scheme == logblock.BPI1 {
		b.MerkleRoot = bpi1.Rules{}.Root(hashes)
		return b
	}
	b.MerkleRoot = merkle.NewTree(hashes).Root()
	b.HasUsage, b.Prev, b.Key = true, a.Head.Hash, w.Signer.PublicKey()
	if w.Handover != nil {
		b.NextKey, b.HasNextKey = w.Handover.PublicKey(), true
	}
	return b
}

// Seal signs a cut and writes its block.
func (w *Writer) Seal(b *ledger.Block) {
	record := w.sign(b)
	w.prepare(w.apps[b.App-1], 1024)
	w.alter(ledger.TypeBlock, record)
	payload, err := ledger.AppendBlock(nil, record)
	must(err)
	w.Raw(ledger.TypeBlock, payload)
}

func (w *Writer) sign(b *ledger.Block) *ledger.Block {
	record, inner := *b, *b.LogBlock
	record.LogBlock = &inner
	var sigs [1][64]byte
	must(w.Signer.SignBatch([][32]byte{Digest(b)}, sigs[:]))
	record.Sig = sigs[0]
	return &record
}

// Block writes leaves, n to a frame, their cut and its block.
func (w *Writer) Block(a *App, n int, leaves ...[]byte) *ledger.Block {
	count := len(leaves)
	for len(leaves) > 0 {
		k := min(n, len(leaves))
		w.Leaves(a, leaves[:k]...)
		leaves = leaves[k:]
	}
	b := w.Cut(a, count)
	w.Seal(b)
	return b
}

// Adopt writes a block of leaves that are not in the journal.
func (w *Writer) Adopt(a *App, leaves ...[]byte) {
	other := *a
	other.pending = nil
	for _, l := range leaves {
		other.pending = append(other.pending, leaf{l, 0})
	}
	record := w.sign(w.block(&other, len(leaves)))
	w.prepare(a, 1024)
	w.alter(ledger.TypeAdopt, record)
	payload, err := ledger.AppendBlock(nil, record)
	must(err)
	w.Raw(ledger.TypeAdopt, payload)
	w.advance(a, record)
	a.pending = a.pending[min(len(a.pending), len(leaves)):]
	a.Next = max(a.Next, a.Sealed)
}

// State writes where the app stands.
func (w *Writer) State(a *App) {
	record := ledger.State{App: a.App, Next: a.Next, Open: a.Sealed, Cut: a.cut, After: a.Next, Head: a.Head, Heads: []ledger.ProducerHead{{Key: [32]byte{1}}}}
	w.alter(ledger.TypeState, &record)
	at := w.Raw(ledger.TypeState, ledger.AppendState(nil, &record))
	a.segment = w.Journal.Segment(at)
}

// Cursor writes how far a sink has come.
func (w *Writer) Cursor(sink string, offset journal.Offset) {
	record := ledger.Cursor{Sink: sink, Offset: uint64(offset)}
	w.alter(ledger.TypeCursor, &record)
	w.Raw(ledger.TypeCursor, ledger.AppendCursor(nil, &record))
}

// Prune writes the state of all apps and drops the segments before the present one.
func (w *Writer) Prune() {
	for _, a := range w.apps {
		w.State(a)
	}
	w.Wait()
	if w.Archive != nil {
		w.carry(w.end / journal.Offset(w.Journal.SegmentSize()) * journal.Offset(w.Journal.SegmentSize()))
	}
	if !w.KeepCarried {
		must(w.Journal.Prune(w.end))
	}
}

// Fill writes states until a new segment begins with one.
func (w *Writer) Fill(a *App) {
	for before := w.Journal.Segment(w.end - 1); w.Journal.Segment(w.end-1) == before; {
		w.State(a)
	}
}

// prepare makes a State the app's first frame of a segment, for a frame of at most size bytes that is to follow.
func (w *Writer) prepare(a *App, size int) {
	const slack = 3 * 4096 // headers, padding, the last block
	used := int64(uint64(w.end) % uint64(w.Journal.SegmentSize()))
	if used+int64(size)+slack > w.Journal.SegmentSize() {
		w.Fill(a)
	}
	if w.Journal.Segment(w.end-1) != a.segment {
		w.State(a)
	}
}

// Raw writes a frame as it is.
func (w *Writer) Raw(typ byte, payload []byte) journal.Offset {
	at, end, err := w.Journal.Append(typ, payload)
	must(err)
	w.end = end
	w.frames++
	if !w.Hold {
		w.Journal.Kick()
	}
	return at
}

func (w *Writer) alter(typ byte, record any) {
	if w.Alter != nil {
		w.Alter(w.frames, typ, record)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
