package logblock

import "github.com/encseal/encseal/engine/receipt"

// Span finds the range of a block: the ts of its earliest and of its latest receipt. The zero value has seen no receipt. It
// copies what it keeps and allocates nothing until it is asked.
type Span struct {
	from, to     timestamp
	fromAt, toAt receipt.Instant // not used by AddText
}

// Add takes the next receipt's ts and its instant. Where several share an instant, the first one's text stays, FORMAT §3.
func (s *Span) Add(ts string, at receipt.Instant) {
	if s.from.n == 0 {
		s.from.set(ts)
		s.to = s.from
		s.fromAt, s.toAt = at, at
		return
	}
	if before(s.toAt, at) { // as a rule: producers are in order, more or less
		s.to.set(ts)
		s.toAt = at
		return
	}
	if before(at, s.fromAt) {
		s.from.set(ts)
		s.fromAt = at
	}
}

// before is a.Compare(b) < 0, short enough to be inlined.
func before(a, b receipt.Instant) bool { return a.Sec < b.Sec || a.Sec == b.Sec && a.Nsec < b.Nsec }

// AddText is Add in scheme bpi-1, which orders ts as text, FORMAT §5. A Span is used with one of the two alone.
func (s *Span) AddText(ts string) {
	if s.from.n == 0 || ts < string(s.from.bytes()) {
		s.from.set(ts)
	}
	if s.to.n == 0 || ts > string(s.to.bytes()) {
		s.to.set(ts)
	}
}

// From returns the earliest ts, "" before the first receipt.
func (s *Span) From() string { return string(s.from.bytes()) }

// To returns the latest ts, "" before the first receipt.
func (s *Span) To() string { return string(s.to.bytes()) }

// timestamp holds the text of a ts in place: RFC 3339 with nine digits and an offset is the longest, 35 bytes.
type timestamp struct {
	text [35]byte
	n    uint8
}

func (t *timestamp) set(ts string) { t.n = uint8(copy(t.text[:], ts)) }

func (t *timestamp) bytes() []byte { return t.text[:t.n] }
