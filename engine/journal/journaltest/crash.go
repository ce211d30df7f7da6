package journaltest

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Crash cuts the power and returns the directory that is found afterwards. m, its files and its locks are dead; another
// Crash of it returns another outcome of the same moment.
//
// Everything synced is there. Of each write that was not, a share drawn from rng is: each sector of 512 bytes of it is as
// before or as written, each for itself, and of several writes to one sector any one may be the last that is seen. The size
// that Create gave a file is there or not. Of what was done to names since the last SyncDir, a beginning drawn from rng is
// there, in the order in which it was done. Nothing and all are drawn often.
func (m *Mem) Crash(rng *rand.Rand) *Mem {
	return m.crash(func() float64 {
		switch rng.IntN(4) {
		case 0:
			return 0
		case 1:
			return 1
		}
		return rng.Float64()
	}, rng)
}

// CrashLost is Crash where all that was not synced is lost.
func (m *Mem) CrashLost() *Mem {
	return m.crash(func() float64 { return 0 }, nil)
}

// CrashKept is Crash where all is kept, synced or not.
func (m *Mem) CrashKept() *Mem {
	return m.crash(func() float64 { return 1 }, nil)
}

// crash draws a share for names and one for each change. Shares of 0 and 1 do not use rng.
func (m *Mem) crash(share func() float64, rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	after := NewMem()
	after.direct, after.capacity = m.direct, m.capacity
	after.names = m.crashNames(share(), rng)
	for _, name := range slices.Sorted(maps.Keys(after.names)) { // sorted, so that rng decides alone
		im := after.names[name].crash(share, rng)
		after.names[name] = &node{now: im, durable: im.clone()}
	}
	after.durable = maps.Clone(after.names)
	return after
}

// crashNames returns names that still point to nodes of m.
func (m *Mem) crashNames(share float64, rng *rand.Rand) map[string]*node {
	names := maps.Clone(m.durable)
	kept := int(share) * len(m.ops)
	if share > 0 && share < 1 {
		kept = rng.IntN(len(m.ops) + 1)
	}
	for _, op := range m.ops[:kept] {
		op.apply(names)
	}
	return names
}

func (n *node) crash(share func() float64, rng *rand.Rand) image {
	im := n.durable.clone()
	for _, c := range n.unsynced {
		switch s := share(); {
		case s == 0:
		case s == 1:
			im.apply(c)
		default:
			im.apply(c.torn(&im, s, rng))
		}
	}
	return im
}

// torn returns c with about a share of its sectors as c has them, the others as before has them. A sector that c writes in
// part is kept or lost like the others.
func (c change) torn(before *image, share float64, rng *rand.Rand) change {
	b := make([]byte, c.n)
	before.read(b, c.at)
	for lo := int64(0); lo < c.n; {
		hi := min(c.n, lo+sectorSize-(c.at+lo)%sectorSize)
		if rng.Float64() < share {
			if c.data == nil {
				clear(b[lo:hi])
			} else {
				copy(b[lo:hi], c.data[lo:hi])
			}
		}
		lo = hi
	}
	return newChange(c.at, b)
}

// Clone returns a directory in the same state, with all that is synced and not, so that several crashes of one moment can
// be looked at. Nobody holds a lock or a file of it.
func (m *Mem) Clone() *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	copies := make(map[*node]*node)
	of := func(n *node) *node {
		if n != nil && copies[n] == nil {
			copies[n] = &node{n.now.clone(), n.durable.clone(), slices.Clone(n.unsynced)}
		}
		return copies[n]
	}
	c := NewMem()
	c.dead, c.direct, c.capacity = m.dead, m.direct, m.capacity
	for name, n := range m.names {
		c.names[name] = of(n)
	}
	for name, n := range m.durable {
		c.durable[name] = of(n)
	}
	for _, op := range m.ops {
		op.n = of(op.n)
		c.ops = append(c.ops, op)
	}
	return c
}
