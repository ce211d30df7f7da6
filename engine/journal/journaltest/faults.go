package journaltest

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"syscall"

	"github.com/encseal/encseal/engine/journal"
)

// How says what a call that fails has done.
type How uint8

const (
	// FailedLost does nothing and returns the error. What was written to a file of a Mem before a Sync that fails so is lost
	// in a crash, even if a later Sync succeeds.
	FailedLost How = iota
	// FailedDone does all that the call does and returns the error all the same. A file or lock that nobody gets is closed;
	// a file that Create made stays.
	FailedDone
	// ShortWrite writes the first half, in whole sectors of 512 bytes, and returns their number with the error. On calls
	// other than WriteAt it is FailedLost.
	ShortWrite
)

func (h How) String() string {
	switch h {
	case FailedLost:
		return "lost"
	case FailedDone:
		return "done"
	case ShortWrite:
		return "short"
	}
	return fmt.Sprintf("How(%d)", uint8(h))
}

// Fault makes a call fail, or all from one on.
type Fault struct {
	Call int    // number of the call, from 1
	Op   string // limits the fault to calls of this kind, as Call.Op has it; empty is any
	All  bool   // the call and all later ones
	How  How
	Err  error // what is returned; nil is EIO
}

func (f Fault) String() string {
	s := fmt.Sprintf("%d %s %v", f.Call, f.How, f.err())
	if f.Op != "" {
		s += " " + f.Op
	}
	if f.All {
		s += " and all later"
	}
	return s
}

func (f Fault) err() error {
	if f.Err == nil {
		return syscall.EIO
	}
	return f.Err
}

func (f Fault) hits(n int, op string) bool {
	return (n == f.Call || f.All && n > f.Call) && (f.Op == "" || f.Op == op)
}

// Call is one call of a Faults, of a file of it or of a lock.
type Call struct {
	Op      string // the method's name: Lock, Create, Open, Rename, Remove, List, SyncDir, ReadAt, WriteAt, Sync, Size, Close
	Name    string // of the file; of one that was renamed since, the name that it was opened by; empty for List and SyncDir
	At, Len int64  // ReadAt and WriteAt: bytes [At, At+Len)
	Fault   *Fault // what made it fail; nil where nothing of ours did
}

func (c Call) String() string {
	s := c.Op
	if c.Name != "" {
		s += " " + c.Name
	}
	if c.Len != 0 {
		s += fmt.Sprintf(" [%d, %d)", c.At, c.At+c.Len)
	}
	if c.Fault != nil {
		s += fmt.Sprintf(": %s, %v", c.Fault.How, c.Fault.err())
	}
	return s
}

// Faults is a directory around another that counts its calls and fails those that its plan names. All calls that can fail are counted
// from 1, those of files and locks with the others. It is safe for concurrent use.
type Faults struct {
	// Before is told of each call before it is done, faulty or not. Calls of Before follow each other, and calls of files
	// wait for it: it may use the directory below, but not the Faults. Set it before the first call.
	Before func(n int, op, name string)

	fs    journal.FS
	plan  []Fault
	mu    sync.Mutex // guards calls; held while Before runs
	calls []Call
}

var _ journal.FS = (*Faults)(nil)

// NewFaults returns fs with faults. Where more than one hits a call, the first of the plan counts.
func NewFaults(fs journal.FS, plan ...Fault) *Faults {
	return &Faults{fs: fs, plan: slices.Clone(plan)}
}

// Calls returns all calls so far. Call number n is at n-1.
func (f *Faults) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// enter counts a call and returns the fault that it is to meet, or nil.
func (f *Faults) enter(c Call) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.calls) + 1
	for i := range f.plan {
		if f.plan[i].hits(n, c.Op) {
			c.Fault = &f.plan[i]
			break
		}
	}
	f.calls = append(f.calls, c)
	if f.Before != nil {
		f.Before(n, c.Op, c.Name)
	}
	return c.Fault
}

// do runs a call that has nothing to return but an error.
func (f *Faults) do(c Call, call func() error) error {
	fault := f.enter(c)
	if fault == nil {
		return call()
	}
	if fault.How == FailedDone {
		if err := call(); err != nil {
			return err
		}
	}
	return fault.err()
}

// open runs a call that has something to return which must be closed.
func open[T io.Closer](f *Faults, c Call, call func() (T, error)) (T, error) {
	var got T
	err := f.do(c, func() (err error) {
		got, err = call()
		return err
	})
	if err == nil {
		return got, nil
	}
	if any(got) != nil {
		got.Close() // done, and nobody gets it
	}
	var none T
	return none, err
}
