package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// witness keeps what each signed LogBlock said for its key, app and height, and prints the first contradiction of each.
//
// It is a map rather than a merge of sorted files. What a receiver gathers, of several apps and with blocks that came
// twice, is in no order; and where order mattered, whoever shuffles a file could have a contradiction overlooked. The price
// is a digest and a place for each height; the LogBlock itself is read again where it is needed.
type witness struct {
	con     *console
	legacy  logblock.Legacy
	pub     *sign.PublicKey // whose blocks are compared; nil is everybody's, each by the key it names
	sources []*source

	logs map[logName]uint32 // numbers of the logs in said
	said map[slot]statement

	shared int // slots with LogBlocks in both sources
	proven int // slots with evidence, which is printed
}

// logName is what heights are unique in. Every key in witness.logs is sound and has signed something.
type logName struct {
	key sign.PublicKey
	app string
}

type slot struct {
	log    uint32
	height uint64
}

// statement is the first LogBlock of a slot.
type statement struct {
	digest [32]byte // signed
	offset int64    // of its line, for source.line
	size   int32    // of its line, in bytes
	source uint8
	seen   uint8 // bit i: source i has a LogBlock of this slot
	proven bool
}

// read compares the LogBlocks of source i with all before. That it cannot be read to its end is said and kept in it: what
// was read can still be evidence, here or against the next. An error ends the command.
func (w *witness) read(i int) error {
	s := w.sources[i]
	lines := receipt.NewLines(s.in)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, receipt.ErrLineTooLong) {
			s.refuse(w.con, lines.Line(), errLongLine)
			continue
		}
		if err != nil {
			s.broken = true
			w.con.say("%v", s.in.unreadable(err))
			return nil
		}
		b, err := w.parse(line)
		if err != nil {
			s.refuse(w.con, lines.Line(), err)
			continue
		}
		key := w.keyOf(b)
		if w.pub != nil && key != *w.pub {
			s.others++
			continue
		}
		digest, err := w.verify(b, &key)
		if err != nil {
			s.refuse(w.con, lines.Line(), fmt.Errorf("LogBlock %d of %q: %w", b.Height, b.App, err))
			continue
		}
		s.compared++
		if err := w.compare(i, line, lines.Offset(), b, key, digest); err != nil {
			return err
		}
	}
}

var errLongLine = errors.New("line over 1 MiB")

// parse reads a LogBlock of the scheme that was asked for; bpi-1 asks for both, which sign in domains of their own.
func (w *witness) parse(line []byte) (*logblock.LogBlock, error) {
	if w.legacy != nil {
		b, err := logblock.Parse(line, logblock.BPI1)
		if field, ok := errors.AsType[*logblock.FieldError](err); !ok || field.Field != "scheme" {
			return b, err
		}
	}
	return logblock.Parse(line, logblock.EncSeal1)
}

// keyOf is the key that b is judged by: its own, which is an accusation of nobody else, or --pub where it names none.
func (w *witness) keyOf(b *logblock.LogBlock) sign.PublicKey {
	if b.Scheme == logblock.BPI1 {
		return *w.pub
	}
	return b.Key
}

// verify returns what key has signed with b.
func (w *witness) verify(b *logblock.LogBlock, key *sign.PublicKey) ([32]byte, error) {
	digest, err := b.SignedDigest(w.legacy)
	if err != nil {
		return digest, errors.New(detail(err))
	}
	if !sign.Verify(key, &digest, &b.Sig) {
		whose := "the key that it names"
		if b.Scheme == logblock.BPI1 {
			whose = "the key of --pub"
		}
		return digest, fmt.Errorf("sig_notary: not a signature of this LogBlock by %s", whose)
	}
	if _, known := w.logs[logName{*key, b.App}]; !known {
		if err := key.Check(); err != nil {
			return digest, fmt.Errorf("key: %s", keyReason(err))
		}
	}
	return digest, nil
}

// compare takes a LogBlock whose signature holds, read from this line of source i.
func (w *witness) compare(i int, line []byte, offset int64, b *logblock.LogBlock, key sign.PublicKey, digest [32]byte) error {
	log, ok := w.logs[logName{key, b.App}]
	if !ok {
		log = uint32(len(w.logs))
		w.logs[logName{key, b.App}] = log
	}
	at := slot{log, b.Height}
	first, ok := w.said[at]
	if !ok {
		w.said[at] = statement{
			digest: digest, offset: w.sources[i].keep(line, offset), size: int32(len(line)), source: uint8(i), seen: 1 << i,
		}
		return nil
	}
	const both = 1<<0 | 1<<1
	before := first
	if first.seen |= 1 << i; first.seen == both && before.seen != both {
		w.shared++
	}
	if digest != first.digest && !first.proven {
		if err := w.print(&first, b, key); err != nil {
			return err
		}
		first.proven = true
		w.proven++
	}
	if first != before {
		w.said[at] = first
	}
	return nil
}

// print writes the evidence that the first LogBlock of a slot and another one are.
func (w *witness) print(first *statement, other *logblock.LogBlock, key sign.PublicKey) error {
	b, err := w.recall(first)
	if err != nil {
		return err
	}
	evidence := logblock.Evidence{Blocks: [2]logblock.LogBlock{*b, *other}}
	// What is printed accuses somebody: it is what "encseal check" would say of it.
	if err := evidence.Check(key, w.legacy); err != nil {
		return fmt.Errorf("LogBlock %d of %q: two that differ are no evidence: %s", other.Height, other.App, detail(err))
	}
	text, err := evidence.AppendJSON(nil)
	if err != nil {
		return fmt.Errorf("printing the evidence: %w", err)
	}
	return w.con.print(string(text) + "\n")
}

// recall reads a LogBlock again. That its file has changed meanwhile shows in its digest.
func (w *witness) recall(first *statement) (*logblock.LogBlock, error) {
	s := w.sources[first.source]
	line, err := s.line(first.offset, first.size)
	if err != nil {
		return nil, err
	}
	b, err := w.parse(line)
	if err == nil {
		var digest [32]byte
		if digest, err = b.SignedDigest(w.legacy); err == nil && digest == first.digest {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%s was changed while it was read", s.in.name)
}

// source is a file of LogBlocks, and what has become of its lines.
type source struct {
	in *input

	// Of a regular file a line is read again where it stands; start is where reading began, of standard input not always 0.
	regular bool
	start   int64
	kept    [][]byte // lines of any other, in chunks of capacity keptChunk that are never moved

	compared, others, refused int64
	broken                    bool // could not be read to its end
}

const keptChunk = 4 * receipt.MaxLine

func newSource(in *input) *source {
	s := &source{in: in}
	if in.size >= 0 {
		start, err := in.file.Seek(0, io.SeekCurrent)
		s.start, s.regular = start, err == nil
	}
	return s
}

// keep sees to it that a line can be read again, at the offset returned.
func (s *source) keep(line []byte, offset int64) int64 {
	if s.regular {
		return s.start + offset
	}
	last := len(s.kept) - 1
	if last < 0 || len(s.kept[last])+len(line) > keptChunk {
		s.kept = append(s.kept, make([]byte, 0, keptChunk))
		last++
	}
	offset = int64(last)*keptChunk + int64(len(s.kept[last]))
	s.kept[last] = append(s.kept[last], line...)
	return offset
}

// line returns a line that was kept, which is not to be written into.
func (s *source) line(offset int64, size int32) ([]byte, error) {
	if !s.regular {
		return s.kept[offset/keptChunk][offset%keptChunk:][:size], nil
	}
	line := make([]byte, size)
	_, err := s.in.file.ReadAt(line, offset)
	if err != nil {
		return nil, fmt.Errorf("reading again: %w", s.in.unreadable(err))
	}
	return line, nil
}

// maxRefusals is how many lines of a source are named before they are only counted.
const maxRefusals = 20

func (s *source) refuse(con *console, line int64, err error) {
	if s.refused++; s.refused <= maxRefusals {
		con.say("not compared: %v", at(s.in.name, line, errors.New(detail(err))))
	}
	if s.refused == maxRefusals+1 {
		con.say("not compared: more of %s, which are only counted", s.in.name)
	}
}
