package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrLineTooLong is returned by [Lines.Next] when the next line has more than
// MaxLine bytes. [Lines.Overlong] reads that line; the following Next goes on
// behind it.
var ErrLineTooLong = errors.New("receipt: line over 1 MiB")

// Lines reads NDJSON line by line. A line ends at LF or at the end of the
// input and has at most MaxLine bytes without the LF; a longer one is never
// held. A carriage return is white space to JSON and stays in the line. Lines
// is not safe for concurrent use.
type Lines struct {
	r   io.Reader
	err error // what r ended with, once it has

	// buf[next:end] is read from r and not handed out yet; the LF it is
	// searched for does not stand before buf[next+seen].
	buf             []byte
	next, end, seen int
	base            int64 // where buf[0] stands in the input

	line     int64 // number of the line last returned
	offset   int64 // where it begins in the input
	overlong bool  // inside the overlong line of that number
}

const (
	firstBuffer = 64 << 10
	// fullBuffer holds the longest line, its LF, and enough besides to read
	// in large pieces.
	fullBuffer = MaxLine + 64<<10
)

// NewLines returns a reader of r's lines. It reads ahead.
func NewLines(r io.Reader) *Lines { return &Lines{r: r} }

// Line returns the number, from 1, of the line that Next returned last, the
// overlong one included; lines that are skipped count.
func (l *Lines) Line() int64 { return l.line }

// Offset returns where the line that Next returned last begins, in bytes from
// where r stood first, the overlong one included.
func (l *Lines) Offset() int64 { return l.offset }

// Next returns the next line that holds more than white space, without its LF.
// The line is valid until the next call; the caller may not write into it. The
// error is io.EOF at the end of the input, [ErrLineTooLong] for a line over
// MaxLine, and otherwise what the underlying reader failed with, wrapped: then
// whatever of a line had come is dropped, and every later call fails likewise.
func (l *Lines) Next() ([]byte, error) {
	if l.overlong {
		if err := l.skipOverlong(); err != nil {
			return nil, err
		}
	}
	for {
		line, err := l.take()
		if err != nil {
			return nil, err
		}
		if !blank(line) {
			return line, nil
		}
	}
}

// Partial reports whether the reader failed in the middle of a line: bytes of
// one, more than white space, were read and belong to no line that Next has
// returned, or the failure came inside the line of the last ErrLineTooLong. It
// is false until Next or Overlong has returned that failure, and at the end of
// the input, where the last line needs no LF. The line cut off is the one
// after Line, or Line itself where it is too long.
func (l *Lines) Partial() bool {
	if l.err == nil || l.err == io.EOF {
		return false
	}
	return l.overlong || !blank(l.buf[l.next:l.end])
}

// take returns the next line, blank or not.
func (l *Lines) take() ([]byte, error) {
	for {
		if n := bytes.IndexByte(l.buf[l.next+l.seen:l.end], '\n'); n >= 0 {
			n += l.seen
			if n > MaxLine {
				return nil, l.tooLong()
			}
			line := l.buf[l.next : l.next+n : l.next+n]
			l.begin()
			l.next, l.seen = l.next+n+1, 0
			return line, nil
		}
		l.seen = l.end - l.next
		switch {
		case l.seen > MaxLine:
			return nil, l.tooLong()
		case l.err == nil:
			l.fill()
		case l.err == io.EOF && l.seen > 0:
			line := l.buf[l.next:l.end:l.end]
			l.begin()
			l.next, l.seen = l.end, 0
			return line, nil
		default:
			return nil, l.failure()
		}
	}
}

// begin numbers and places the line at buf[next].
func (l *Lines) begin() {
	l.line++
	l.offset = l.base + int64(l.next)
}

func (l *Lines) tooLong() error {
	l.begin()
	l.overlong = true
	l.seen = 0
	return ErrLineTooLong
}

// failure returns the end of the input as Next and Overlong report it.
func (l *Lines) failure() error {
	if l.err == io.EOF {
		return io.EOF
	}
	return fmt.Errorf("receipt: reading behind line %d: %w", l.line, l.err)
}

// fill reads once more into buf, which it compacts or grows as needed: what is
// not handed out is at most MaxLine bytes. It sets err where r has ended, and
// never reads r again after that.
func (l *Lines) fill() {
	if l.next == l.end {
		l.base += int64(l.next)
		l.next, l.end = 0, 0
	}
	if l.end == len(l.buf) {
		held := l.buf[l.next:l.end]
		l.base += int64(l.next)
		if l.next == 0 {
			l.buf = make([]byte, min(max(2*len(l.buf), firstBuffer), fullBuffer))
		}
		l.next, l.end = 0, copy(l.buf, held)
	}
	const patience = 100
	for range patience {
		n, err := l.r.Read(l.buf[l.end:])
		if n < 0 || n > len(l.buf)-l.end {
			l.err = errors.New("reader returned an impossible count")
			return
		}
		l.end += n
		if err != nil {
			l.err = err
			return
		}
		if n > 0 {
			return
		}
	}
	l.err = io.ErrNoProgress
}

// Overlong returns a reader of the whole line for which Next has just returned
// ErrLineTooLong, from its first byte to before its LF. It is valid until the
// next call of Next, which skips what is left unread. In any other moment the
// reader is empty. A failure of the underlying reader is returned as Next
// returns it.
func (l *Lines) Overlong() io.Reader {
	if !l.overlong {
		return &overlong{}
	}
	return &overlong{lines: l, line: l.line}
}

type overlong struct {
	lines *Lines
	line  int64
}

func (o *overlong) Read(p []byte) (int, error) {
	l := o.lines
	if l == nil || l.line != o.line || !l.overlong {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	part, err := l.overlongPart()
	if err != nil {
		return 0, err
	}
	n := copy(p, part)
	l.next += n
	return n, nil
}

// overlongPart returns bytes of the overlong line that are in buf, at least
// one. It returns io.EOF, and leaves the line, at its end.
func (l *Lines) overlongPart() ([]byte, error) {
	for l.next == l.end {
		if l.err == io.EOF {
			l.overlong = false
		}
		if l.err != nil {
			return nil, l.failure()
		}
		l.fill()
	}
	part := l.buf[l.next:l.end]
	if n := bytes.IndexByte(part, '\n'); n == 0 {
		l.next++
		l.overlong = false
		return nil, io.EOF
	} else if n > 0 {
		part = part[:n]
	}
	return part, nil
}

// skipOverlong leaves the overlong line. It fails where the reader does.
func (l *Lines) skipOverlong() error {
	for {
		part, err := l.overlongPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		l.next += len(part)
	}
}

// blank reports whether b holds JSON white space alone.
func blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}
