package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/encseal/encseal/engine/logblock"
)

// Frame types of a journal, as the engine writes it. They are format: a number is never used for anything else.
const (
	TypeApp    = 1 // App: an app begins
	TypeLeaves = 2 // Leaves: receipts of one app, in order
	TypeCut    = 3 // Block without signature: what the next block of an app is
	TypeBlock  = 4 // Block: a sealed LogBlock
	TypeState  = 5 // State: where an app stands, so that what lies before can go
	TypeCursor = 6 // Cursor: how far a sink has come
	TypeAdopt  = 7 // Block whose leaves this journal does not have: it was sealed before an old copy was restored
	TypeHead   = 8 // empty: from here on a head file goes with this journal
)

// App names an app: its number in this journal, from 1 in the order of their coming, and the scheme of its LogBlocks.
type App struct {
	ID     uint64
	Scheme string
	Name   string
}

// Leaves are receipts of one app, as the tree hashes them. Sequence numbers count an app's leaves from 1: the first leaf
// of a block has one more than there are leaves in all blocks before it.
type Leaves struct {
	App   uint64
	First uint64 // sequence number of the first
	Arena []byte // back to back; borrowed from the frame
	Ends  []int  // leaf i is Arena[Ends[i-1]:Ends[i]]
}

// Block is a LogBlock and where its leaves are. As a cut it has no signature yet.
type Block struct {
	App   uint64
	Cut   uint64 // number of this cut over all apps, from 1 (an adopted block counts as one)
	First uint64 // sequence number of leaf 0
	From  uint64 // journal offset of the frame that holds leaf 0; 0 where the journal does not have it
	*logblock.LogBlock
}

// State is where an app stands: all that its earlier frames come to, but for leaves that are not sealed.
type State struct {
	App
	Next  uint64        // sequence number of the next leaf
	Open  uint64        // sequence number of the first leaf that is in no cut; Next where there is none
	Cut   uint64        // number of its last cut; 0 before the first
	Head  logblock.Head // of the last cut
	Heads []ProducerHead
	After uint64 // Heads are those before the leaf of this number, which is Next or comes later; the largest number where they are not known
}

// ProducerHead is where the chain of a producer stands in one app, for producers that have begun.
type ProducerHead struct {
	Key  [32]byte
	Hash [32]byte
}

// Cursor is how far a sink has come: every block whose frame ends at or before Offset was taken.
type Cursor struct {
	Sink   string
	Offset uint64
}

var errShort = errors.New("ends early")

// AppendApp, and its siblings, append a frame's payload to dst. Numbers are unsigned varints, texts are a length and bytes.
func AppendApp(dst []byte, a *App) []byte {
	dst = binary.AppendUvarint(dst, a.ID)
	dst = appendText(dst, a.Scheme)
	return appendText(dst, a.Name)
}

// ParseApp reads what AppendApp wrote.
func ParseApp(payload []byte) (App, error) {
	r := reader{rest: payload}
	a := App{ID: r.uint(), Scheme: r.text(), Name: r.text()}
	return a, r.finish("app")
}

// AppendLeavesHead appends what stands before the leaves themselves: app, first sequence number, and, from ends and start,
// where the first begins in their arena, their lengths.
func AppendLeavesHead(dst []byte, app, first uint64, start int, ends []int) []byte {
	dst = binary.AppendUvarint(dst, app)
	dst = binary.AppendUvarint(dst, first)
	dst = binary.AppendUvarint(dst, uint64(len(ends)))
	for _, end := range ends {
		dst = binary.AppendUvarint(dst, uint64(end-start))
		start = end
	}
	return dst
}

// ParseLeaves reads a frame of leaves. The Arena is a part of payload; l.Ends is reused.
func ParseLeaves(payload []byte, l *Leaves) error {
	r := reader{rest: payload}
	l.App, l.First = r.uint(), r.uint()
	count := r.uint()
	if count == 0 || count > uint64(len(r.rest)) {
		return fmt.Errorf("ledger: leaves: %d in %d bytes", count, len(r.rest))
	}
	l.Ends = l.Ends[:0]
	end := uint64(0)
	for range count {
		size := r.uint()
		if size > uint64(len(payload)) {
			return fmt.Errorf("ledger: leaves: one of %d bytes in %d", size, len(payload))
		}
		end += size
		l.Ends = append(l.Ends, int(end))
	}
	if r.err != nil || end != uint64(len(r.rest)) {
		return fmt.Errorf("ledger: leaves: %d bytes, want %d", len(r.rest), end)
	}
	l.Arena = r.rest
	return nil
}

// Leaf returns leaf i, a part of the Arena.
func (l *Leaves) Leaf(i int) []byte {
	start := 0
	if i > 0 {
		start = l.Ends[i-1]
	}
	return l.Arena[start:l.Ends[i]]
}

// AppendBlock appends a block's payload. It refuses what LogBlock.AppendHeader refuses, and then returns dst as it came.
func AppendBlock(dst []byte, b *Block) ([]byte, error) {
	before := len(dst)
	dst = binary.AppendUvarint(dst, b.App)
	dst = binary.AppendUvarint(dst, b.Cut)
	dst = binary.AppendUvarint(dst, b.First)
	dst = binary.AppendUvarint(dst, b.From)
	var err error
	if b.Scheme == logblock.BPI1 { // it has no header
		dst, err = b.AppendJSON(append(dst, 1))
	} else {
		dst, err = b.AppendHeader(append(append(dst, 0), b.Sig[:]...))
	}
	if err != nil {
		return dst[:before], err
	}
	return dst, nil
}

// ParseBlock reads what AppendBlock wrote.
func ParseBlock(payload []byte) (Block, error) {
	r := reader{rest: payload}
	b := Block{App: r.uint(), Cut: r.uint(), First: r.uint(), From: r.uint()}
	kind := r.bytes(1)
	if r.err != nil {
		return b, fmt.Errorf("ledger: block: %w", r.err)
	}
	var err error
	switch kind[0] {
	case 0:
		sig := r.bytes(64)
		if r.err != nil {
			return b, fmt.Errorf("ledger: block: %w", r.err)
		}
		if b.LogBlock, err = logblock.ParseHeader(r.rest); err == nil {
			copy(b.Sig[:], sig)
		}
	case 1:
		b.LogBlock, err = logblock.Parse(r.rest, logblock.BPI1)
	default:
		err = fmt.Errorf("kind %d", kind[0])
	}
	if err != nil {
		return b, fmt.Errorf("ledger: block: %w", err)
	}
	return b, nil
}

// AppendState appends a state's payload.
func AppendState(dst []byte, s *State) []byte {
	dst = AppendApp(dst, &s.App)
	dst = binary.AppendUvarint(dst, s.Next)
	dst = binary.AppendUvarint(dst, s.Open)
	dst = binary.AppendUvarint(dst, s.Cut)
	dst = binary.AppendUvarint(dst, s.Head.Height)
	dst = append(dst, s.Head.Hash[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(s.Heads)))
	for i := range s.Heads {
		dst = append(append(dst, s.Heads[i].Key[:]...), s.Heads[i].Hash[:]...)
	}
	return binary.AppendUvarint(dst, s.After)
}

// ParseState reads what AppendState wrote.
func ParseState(payload []byte) (State, error) {
	r := reader{rest: payload}
	s := State{App: App{ID: r.uint(), Scheme: r.text(), Name: r.text()}, Next: r.uint(), Open: r.uint(), Cut: r.uint()}
	s.Head.Height = r.uint()
	copy(s.Head.Hash[:], r.bytes(32))
	count := r.uint()
	if count > uint64(len(r.rest))/64 {
		return s, fmt.Errorf("ledger: state: %d producers in %d bytes", count, len(r.rest))
	}
	for range count {
		var h ProducerHead
		copy(h.Key[:], r.bytes(32))
		copy(h.Hash[:], r.bytes(32))
		s.Heads = append(s.Heads, h)
	}
	s.After = r.uint()
	return s, r.finish("state")
}

// AppendCursor appends a cursor's payload.
func AppendCursor(dst []byte, c *Cursor) []byte {
	return binary.AppendUvarint(appendText(dst, c.Sink), c.Offset)
}

// ParseCursor reads what AppendCursor wrote.
func ParseCursor(payload []byte) (Cursor, error) {
	r := reader{rest: payload}
	c := Cursor{Sink: r.text(), Offset: r.uint()}
	return c, r.finish("cursor")
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// reader takes a payload apart. After its first error it returns zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// bytes returns the next n bytes, borrowed; nil where there are fewer.
func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes(r.uint())) }

func (r *reader) fail() {
	r.rest = nil
	if r.err == nil {
		r.err = errShort
	}
}

// finish returns the error of the record, one of its own where bytes are left.
func (r *reader) finish(what string) error {
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes too many", len(r.rest))
	}
	if r.err != nil {
		return fmt.Errorf("ledger: %s: %w", what, r.err)
	}
	return nil
}
