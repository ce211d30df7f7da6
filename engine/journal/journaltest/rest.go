package journaltest

import (
	"fmt"
	"maps"
	"slices"
)

// Names returns the names of all files, sorted, as they are now.
func (m *Mem) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.names))
}

// Bytes returns a copy of what a file holds now, synced or not. It panics where there is none of that name.
func (m *Mem) Bytes(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.must(name)
	b := make([]byte, n.now.size)
	n.now.read(b, 0)
	return b
}

// Flip changes the bits of mask in the byte at, as a bad disk does at rest: all of the file is durable afterwards. It panics
// where there is no such byte, and so does Truncate where there is no such file.
func (m *Mem) Flip(name string, at int64, mask byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.must(name)
	if at < 0 || at >= n.now.size {
		panic(fmt.Sprintf("journaltest: %s has no byte %d of %d", name, at, n.now.size))
	}
	var b [1]byte
	n.now.read(b[:], at)
	b[0] ^= mask
	n.now.apply(newChange(at, b[:]))
	n.rest()
}

// Truncate gives a file another size, at rest as Flip does. Zeros are put behind one that is shorter.
func (m *Mem) Truncate(name string, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.must(name)
	n.now.resize(size)
	n.rest()
}

// rest makes all that is read durable.
func (n *node) rest() {
	n.durable, n.unsynced = n.now.clone(), nil
}

func (m *Mem) must(name string) *node {
	n := m.names[name]
	if n == nil {
		panic("journaltest: no file " + name)
	}
	return n
}
