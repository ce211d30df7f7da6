package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/encseal/encseal/engine/journal"
)

// entry is a frame that was given to Append. It is known by its place in the history: its bytes follow from that.
type entry struct {
	number  int // of all that were given, so that no two are alike
	size    int
	at, end journal.Offset // as Append returned them; 0 while it runs
}

func (e entry) typ() byte { return byte(1 + e.number%250) }

// payload returns bytes that no other entry has at the same place. They are not to be changed.
func (e entry) payload() []byte {
	at := e.number * 257 % (len(noise) - 256<<10)
	return noise[at : at+e.size]
}

var noise = func() []byte {
	b := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

// history is what a run did to a journal, and so what may and what must be in it. A run that fails goes on with it.
type history struct {
	segment int64 // size of the segments
	mu      sync.Mutex
	number  int            // of the next entry
	entries []entry        // in order; of pruned ones too
	durable journal.Offset // the most that was called durable
	pruned  journal.Offset // the most that Prune was asked for
	errs    []error        // what the journal returned; not of a clone
}

func newHistory(segment int64) *history { return &history{segment: segment} }

// note writes down an error that the run goes on after, and reports that there is one.
func (h *history) note(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.errs = append(h.errs, err)
	}
	return err != nil
}

// unexpected returns the first error that was noted and is none of the given ones.
func (h *history) unexpected(expected ...error) error {
	for _, err := range h.errs {
		if !slices.ContainsFunc(expected, func(e error) bool { return errors.Is(err, e) }) {
			return fmt.Errorf("got an error where there was no fault: %w", err)
		}
	}
	return nil
}

func (h *history) begin(size int) entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := entry{number: h.number, size: size}
	h.number++
	h.entries = append(h.entries, e)
	return e
}

// done ends what begin began: with an error nothing was appended.
func (h *history) done(at, end journal.Offset, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last := len(h.entries) - 1
	if err != nil {
		h.entries = h.entries[:last]
		return
	}
	h.entries[last].at, h.entries[last].end = at, end
}

func (h *history) setDurable(o journal.Offset) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.durable = max(h.durable, o)
}

// setAllDurable is for a journal that was closed without an error.
func (h *history) setAllDurable() {
	if n := len(h.clone().entries); n > 0 {
		h.setDurable(h.entries[n-1].end)
	}
}

func (h *history) setPruned(o journal.Offset) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pruned = max(h.pruned, o)
}

func (h *history) clone() *history {
	h.mu.Lock()
	defer h.mu.Unlock()
	return &history{segment: h.segment, number: h.number, entries: slices.Clone(h.entries), durable: h.durable, pruned: h.pruned}
}

// found is what a journal handed out, in order.
type found struct {
	frames []journal.Frame // with payloads of their own
}

func (f *found) visit(frame journal.Frame) error {
	frame.Payload = bytes.Clone(frame.Payload)
	f.frames = append(f.frames, frame)
	return nil
}

func (f *found) equal(other *found) bool {
	return slices.EqualFunc(f.frames, other.frames, func(a, b journal.Frame) bool {
		return a.Type == b.Type && a.At == b.At && a.End == b.End && bytes.Equal(a.Payload, b.Payload)
	})
}

// settle checks that what was found after a crash or an end is what h allows: without what was pruned, it is a beginning of
// the entries, each once, in order and whole, and no durable one is missing. Then it makes what was found the history.
func (h *history) settle(f *found) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := 0
	if len(f.frames) > 0 {
		at := f.frames[0].At
		first = max(0, slices.IndexFunc(h.entries, func(e entry) bool { return e.at == at || e.at == 0 }))
		if first > 0 && h.entries[first-1].end > h.pruned {
			return fmt.Errorf("first frame is entry %d, but entry %d before it was not pruned", first, first-1)
		}
	}
	for i, frame := range f.frames {
		if first+i >= len(h.entries) {
			return fmt.Errorf("frame %d at %d: only %d entries were appended", i, frame.At, len(h.entries)-first)
		}
		if err := h.entries[first+i].same(frame); err != nil {
			return fmt.Errorf("frame %d, entry %d of %d: %w", i, first+i, len(h.entries), err)
		}
		h.entries[first+i].at, h.entries[first+i].end = frame.At, frame.End
	}
	kept := first + len(f.frames)
	for i, e := range h.entries[kept:] {
		if e.end != 0 && e.end <= h.durable && (len(f.frames) > 0 || e.end > h.pruned) {
			return fmt.Errorf("entry %d at %d, durable to %d, is lost; %d frames were found", kept+i, e.at, h.durable, len(f.frames))
		}
	}
	h.entries = h.entries[:kept]
	return nil
}

func (e entry) same(f journal.Frame) error {
	switch {
	case e.at != 0 && (f.At != e.at || f.End != e.end):
		return fmt.Errorf("got offsets [%d, %d), want [%d, %d)", f.At, f.End, e.at, e.end)
	case f.Type != e.typ():
		return fmt.Errorf("got type %d, want %d", f.Type, e.typ())
	case !bytes.Equal(f.Payload, e.payload()):
		return fmt.Errorf("got another payload of %d bytes, want %d bytes of entry %d", len(f.Payload), e.size, e.number)
	}
	return nil
}
