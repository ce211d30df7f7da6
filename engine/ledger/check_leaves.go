package ledger

import (
	"bytes"

	"github.com/encseal/encseal/engine/journal"
	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/merkle"
)

// part is a frame of leaves, or the end of one whose beginning is in a cut.
type part struct {
	at    journal.Offset // of the frame
	first uint64         // sequence number of the first leaf
	count uint64
	sums
}

// sums are what consecutive leaves come to, but for their root.
type sums struct {
	usage logblock.Usage
	span  logblock.Span
}

// merge adds the sums of the leaves behind. Of a span its two ends suffice: each is the first of its instant, and the
// earliest goes first.
func (s *sums) merge(o *sums, scheme string) error {
	s.usage.AddUsage(o.usage)
	for _, ts := range [2]string{o.span.From(), o.span.To()} {
		if scheme == logblock.BPI1 {
			s.span.AddText(ts)
			continue
		}
		at, err := receipt.ParseInstant(ts)
		if err != nil {
			return err
		}
		s.span.Add(ts, at)
	}
	return nil
}

// judge reads leaves one after another. The zero value is ready.
type judge struct {
	receipt receipt.Receipt
	parser  receipt.Parser
	printed []byte
	build   merkle.Builder
}

// leaf checks that a leaf is a receipt of the app as the scheme writes it, and adds it to s.
func (j *judge) leaf(a *App, leaf []byte, s *sums) error {
	r := &j.receipt
	if a.Scheme == logblock.BPI1 {
		return j.legacyLeaf(a, leaf, s)
	}
	if err := receipt.Decode(leaf, r); err != nil { // accepts nothing but what the encoder writes
		return err
	}
	if r.App != a.Name {
		return fault("app: %q, but the journal's is %q", r.App, a.Name)
	}
	at, err := r.Instant()
	if err != nil {
		return err
	}
	s.usage.Add(&r.Resource)
	s.span.Add(r.TS, at)
	return nil
}

func (j *judge) legacyLeaf(a *App, leaf []byte, s *sums) error {
	r := &j.receipt
	err := j.parser.Parse(leaf, r)
	if err != nil {
		return err
	}
	if j.printed, err = r.AppendJSON(j.printed[:0]); err != nil {
		return err
	}
	switch {
	case !bytes.Equal(j.printed, leaf):
		return fault("not as the scheme prints a receipt")
	case r.App != a.Name:
		return fault("app: %q, but the journal's is %q", r.App, a.Name)
	}
	s.usage.Add(&r.Resource)
	s.span.AddText(r.TS)
	return nil
}

// hash appends the leaf hashes of l to dst.
func (j *judge) hash(dst []merkle.Hash, scheme string, legacy logblock.Legacy, l *Leaves) []merkle.Hash {
	if scheme != logblock.BPI1 {
		return j.build.HashLeaves(dst, l.Arena, l.Ends)
	}
	for i := range l.Ends {
		dst = append(dst, legacy.HashLeaf(l.Leaf(i)))
	}
	return dst
}

// root overwrites hashes.
func (j *judge) root(hashes []merkle.Hash, scheme string, legacy logblock.Legacy) merkle.Hash {
	if scheme != logblock.BPI1 {
		return j.build.Root(hashes)
	}
	return legacy.Root(hashes)
}

// receipts takes a frame of leaves.
func (c *checking) receipts(f journal.Frame) error {
	l := &c.leaves
	if err := ParseLeaves(f.Payload, l); err != nil {
		return fault("%s", reason(err))
	}
	c.scratch = AppendLeavesHead(c.scratch[:0], l.App, l.First, 0, l.Ends)
	if !bytes.HasPrefix(f.Payload, c.scratch) {
		return errForm("leaves")
	}
	a := c.find(l.App)
	if a == nil {
		return fault("leaves of app %d, which nothing names", l.App)
	}
	if l.First != a.next {
		return fault("leaves begin with receipt %d, the next is %d", l.First, a.next).of(a, 0)
	}
	p := part{at: f.At, first: l.First, count: uint64(len(l.Ends))}
	for i := range l.Ends {
		if err := c.judge.leaf(&a.App, l.Leaf(i), &p.sums); err != nil {
			c.bad = fault("%s", reason(err)).of(a, 0)
			c.bad.Seq = l.First + uint64(i)
			c.bad.Segment, c.bad.Offset = c.disk.Place(f.At)
			return nil
		}
	}
	a.hashes = c.judge.hash(a.hashes, a.Scheme, c.cfg.Legacy, l)
	a.parts = append(a.parts, p)
	a.next += p.count
	return nil
}

// place looks for the block of the bad leaf. Of what else is there nothing is said any more.
func (c *checking) place(f journal.Frame) error {
	if f.Type != TypeCut && f.Type != TypeAdopt {
		return nil
	}
	b, err := ParseBlock(f.Payload)
	if err != nil || b.LogBlock.App != c.bad.App || c.bad.Seq-b.First >= uint64(b.Count) {
		return nil
	}
	c.bad.Height, c.bad.Receipt = b.Height, int64(c.bad.Seq-b.First)
	return c.bad
}

// take removes the first n leaves that are in no cut, and returns what they come to and the frame that holds the first.
// Their hashes are a.hashes[:n] until drop is called.
func (c *checking) take(a *app, n uint64) (s sums, at journal.Offset, err error) {
	done := 0
	for i := range a.parts {
		p := &a.parts[i]
		if n == 0 {
			break
		}
		if at == 0 {
			at = p.at
		}
		if n < p.count {
			if err := c.split(a, p, n, &s); err != nil {
				return s, at, err
			}
			n = 0
			break
		}
		if err := s.merge(&p.sums, a.Scheme); err != nil {
			return s, at, err
		}
		n -= p.count
		done++
	}
	a.parts = a.parts[:copy(a.parts, a.parts[done:])]
	return s, at, nil
}

// drop forgets the hashes of the first n leaves that are in no cut.
func (a *app) drop(n uint64) { a.hashes = a.hashes[:copy(a.hashes, a.hashes[n:])] }

// split takes the first n leaves off a part. What each comes to was not kept: its frame is read again.
func (c *checking) split(a *app, p *part, n uint64, s *sums) error {
	f, err := c.disk.ReadAt(p.at, c.again)
	if err != nil {
		return err
	}
	c.again = f.Payload
	l := &c.leaves
	if err := ParseLeaves(f.Payload, l); err != nil {
		return err
	}
	var head sums
	rest := part{at: p.at, first: p.first + n, count: p.count - n}
	for i := p.first - l.First; i < uint64(len(l.Ends)); i++ {
		to := &head
		if l.First+i >= rest.first {
			to = &rest.sums
		}
		if err := c.judge.leaf(&a.App, l.Leaf(int(i)), to); err != nil {
			return err
		}
	}
	*p = rest
	return s.merge(&head, a.Scheme)
}
