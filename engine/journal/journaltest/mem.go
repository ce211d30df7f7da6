// Package journaltest has file systems for tests of what stands on engine/journal: [Mem] is a directory in memory that
// loses at a power cut what was not synced, and [Faults] makes chosen calls of any other fail.
//
// A test of every crash of a run makes a Mem, puts a Faults around it whose Before takes a Clone of the Mem at each call,
// and then opens a Crash of each. A test of every error reads the number of calls from a run without faults, and repeats
// the run with a Fault at each.
package journaltest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/encseal/encseal/engine/journal"
)

// ErrCrashed is returned by every call of a Mem, and of its files and locks, after its Crash.
var ErrCrashed = errors.New("journaltest: directory is gone in a crash")

// Mem is a directory in memory, with the worst that a file system may do at a power cut:
//
//   - What was written is volatile until Sync of the file, and so is the size that Create gave it.
//   - That a file was made, renamed or removed is volatile until SyncDir, whatever was synced of the file itself.
//
// What is read is always the newest. [Mem.Crash] makes the directory that is found after a power cut. It is safe for
// concurrent use; what it does depends on the order of the calls alone, and a crash on its rng besides.
type Mem struct {
	mu       sync.Mutex // guards all below, and every node
	dead     bool
	direct   bool
	capacity int64
	names    map[string]*node
	locks    map[string]bool // those that are held

	durable map[string]*node // names as of the last SyncDir
	ops     []dirOp          // what was done to names since, in order
}

var _ journal.FS = (*Mem)(nil)

// node is a file, under whatever name.
type node struct {
	now, durable image
	unsynced     []change // from durable to now, in order
}

// dirOp takes the name from away and gives the name to to n. Either may be empty.
type dirOp struct {
	from, to string
	n        *node
}

// NewMem returns an empty directory without limit, whose files are not Direct.
func NewMem() *Mem {
	return &Mem{
		capacity: math.MaxInt64,
		names:    make(map[string]*node),
		durable:  make(map[string]*node),
		locks:    make(map[string]bool),
	}
}

// SetDirect sets what Direct of files that are opened later returns. Such files refuse writes that are not of whole blocks
// of 4,096 bytes, at multiples of 4,096, from memory aligned as journal.AlignedBuffer does it.
func (m *Mem) SetDirect(direct bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.direct = direct
}

// SetCapacity limits the sum of the sizes of all files. A Create beyond it fails with ENOSPC; writes never do. Negative is
// no limit.
func (m *Mem) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if bytes < 0 {
		bytes = math.MaxInt64
	}
	m.capacity = bytes
}

// Lock implements [journal.FS]. A holder loses the lock in a crash.
func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("lock", name); err != nil {
		return nil, err
	}
	if m.locks[name] {
		return nil, journal.ErrLocked
	}
	if m.names[name] == nil {
		m.do(dirOp{to: name, n: new(node)})
	}
	m.locks[name] = true
	return &memLock{m: m, name: name}, nil
}

// Create implements [journal.FS].
func (m *Mem) Create(name string, size int64) (journal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("create", name); err != nil {
		return nil, err
	}
	if m.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	if size < 0 {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrInvalid}
	}
	if size > m.capacity-m.used() {
		return nil, &fs.PathError{Op: "create", Path: name, Err: syscall.ENOSPC}
	}
	n := new(node)
	n.write(change{at: size})
	m.do(dirOp{to: name, n: n})
	return &memFile{m: m, n: n, name: name, direct: m.direct, writable: true}, nil
}

// Open implements [journal.FS].
func (m *Mem) Open(name string, write bool) (journal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("open", name)
	if err != nil {
		return nil, err
	}
	return &memFile{m: m, n: n, name: name, direct: m.direct, writable: write}, nil
}

// Rename implements [journal.FS].
func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find("rename", from)
	if err != nil {
		return err
	}
	if err := m.check("rename", to); err != nil {
		return err
	}
	if from != to {
		m.do(dirOp{from: from, to: to, n: n})
	}
	return nil
}

// Remove implements [journal.FS]. Files that are open go on.
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.find("remove", name); err != nil {
		return err
	}
	m.do(dirOp{from: name})
	return nil
}

// List implements [journal.FS].
func (m *Mem) List() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, ErrCrashed
	}
	return slices.Sorted(maps.Keys(m.names)), nil
}

// SyncDir implements [journal.FS].
func (m *Mem) SyncDir() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return ErrCrashed
	}
	m.durable, m.ops = maps.Clone(m.names), nil
	return nil
}

func (m *Mem) do(op dirOp) {
	op.apply(m.names)
	m.ops = append(m.ops, op)
}

func (op dirOp) apply(names map[string]*node) {
	if op.from != "" {
		delete(names, op.from)
	}
	if op.to != "" {
		names[op.to] = op.n
	}
}

func (m *Mem) check(op, name string) error {
	if m.dead {
		return ErrCrashed
	}
	if name == "" || strings.ContainsAny(name, `/\`) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}

func (m *Mem) find(op, name string) (*node, error) {
	if err := m.check(op, name); err != nil {
		return nil, err
	}
	n := m.names[name]
	if n == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// used is what counts against the capacity.
func (m *Mem) used() int64 {
	var sum int64
	for _, n := range m.names {
		sum += n.now.size
	}
	return sum
}

type memLock struct {
	m      *Mem
	name   string
	closed bool // guarded by m.mu
}

func (l *memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.m.dead {
		return ErrCrashed
	}
	if l.closed {
		return fmt.Errorf("journaltest: lock %s: %w", l.name, fs.ErrClosed)
	}
	l.closed = true
	delete(l.m.locks, l.name)
	return nil
}
