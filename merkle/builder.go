package merkle

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/encseal/encseal/engine/lanes"
)

// Builder computes roots of leaves at hand, of one tree or of many together. Its zero value is ready; it keeps nothing of what it
// was given, and in steady state it allocates nothing but room that dst lacks. Not for use by two goroutines at once, and
// not to be copied after its first use.
//
// (The runtime may allocate for a goroutine that it starts.) Large trees are cut into pieces, each a whole subtree or a run of leaves, that goroutines take one after the other. The
// digests do not depend on how many there are: see Root.
type Builder struct {
	// Workers bounds the goroutines that a call works on, the caller's own among them: 1 is the caller's alone, 0
	// runtime.GOMAXPROCS. They end before the call does.
	Workers int

	pieces pieces
	parts  []lanes.Arena // of one call of HashArenas; cleared at its end
	firsts []int         // the first part of each piece
	trunks []trunk       // of the trees of one call of Roots
}

const (
	// pieceHashes is the size of a subtree that one goroutine reduces: a power of two, and 256 KiB, so that a piece
	// stays in a core's L2 cache from its leaves to its root.
	pieceHashes = 1 << 13
	// pieceLeaves is the run of leaves that one goroutine hashes at a time: some hundred KiB of receipts.
	pieceLeaves = 1 << 9
	// worthSharing is the number of hashes, leaves or nodes, from which on the work is given to several goroutines.
	// Waking one costs microseconds, as long as some hundred hashes take on a wide backend.
	worthSharing = 1 << 11
)

// HashLeaves appends the leaf hashes of arena[ends[i-1]:ends[i]] for each i, where ends[-1] is 0, to dst and returns it. It
// borrows arena and ends for the call; neither may overlap dst. Ends must ascend (equal ones make empty leaves) and lie
// within arena; others are a bug and panic, with dst as it was.
func (b *Builder) HashLeaves(dst []Hash, arena []byte, ends []int) []Hash {
	one := [1]lanes.Arena{{Bytes: arena, Ends: ends}}
	return b.HashArenas(dst, one[:])
}

// HashArenas appends the hashes of the leaves in arenas, one arena after the other, to dst and returns it. Arenas of few
// leaves cost less than by themselves. What HashLeaves says of an arena and its ends holds for each.
func (b *Builder) HashArenas(dst []Hash, arenas []lanes.Arena) []Hash {
	count := 0
	for i := range arenas {
		a := &arenas[i]
		lanes.CheckEnds(a.Start, a.Ends, len(a.Bytes)) // here, where the caller can recover, and not on a helper
		count += len(a.Ends)
	}
	n := len(dst)
	dst = slices.Grow(dst, count)[:n+count]
	b.cut(arenas)
	defer clear(b.parts)
	b.pieces.run(b.workers(count, pieceLeaves), job{
		parts: b.parts, firsts: b.firsts, hashes: dst[n:], size: pieceLeaves,
	})
	return dst
}

// cut sets parts to arenas, cut where a piece of pieceLeaves ends.
func (b *Builder) cut(arenas []lanes.Arena) {
	b.parts, b.firsts = b.parts[:0], b.firsts[:0]
	room := 0 // in the last piece, for leaves
	for _, a := range arenas {
		for len(a.Ends) > 0 {
			if room == 0 {
				b.firsts, room = append(b.firsts, len(b.parts)), pieceLeaves
			}
			n := min(room, len(a.Ends))
			b.parts = append(b.parts, lanes.Arena{Bytes: a.Bytes, Start: a.Start, Ends: a.Ends[:n]})
			a.Start, a.Ends = a.Ends[n-1], a.Ends[n:]
			room -= n
		}
	}
}

// Root returns the root over leaf hashes, in their order; of none, [EmptyRoot]. It works in place: afterwards hashes is
// scratch, the caller's to reuse.
//
// The levels are those of the package doc. The lowest of them are computed subtree by subtree: hash (13, i) covers the
// leaves of piece i alone, so each piece is reduced by itself, in any order and by anybody, and the results are level 13.
// The last piece may lack leaves; carrying its last hash up is what the level does too.
func (b *Builder) Root(hashes []Hash) Hash {
	if len(hashes) == 0 {
		return EmptyRoot()
	}
	if len(hashes) > pieceHashes {
		b.pieces.run(b.workers(len(hashes), pieceHashes), job{hashes: hashes, size: pieceHashes})
		count := (len(hashes) + pieceHashes - 1) / pieceHashes
		for i := range count {
			hashes[i] = hashes[i*pieceHashes]
		}
		hashes = hashes[:count]
	}
	reduce(hashes)
	return hashes[0]
}

// workers is how many goroutines share count hashes that are cut into pieces of size.
func (b *Builder) workers(count, size int) int {
	if count < worthSharing {
		return 1
	}
	workers := b.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return min(workers, (count+size-1)/size)
}

// reduce brings the root of hashes, of which there is at least one, to hashes[0], level by level over the front.
func reduce(hashes []Hash) {
	for len(hashes) > 1 {
		hashes = nextLevel(hashes[:(len(hashes)+1)/2], hashes)
	}
}

// nextLevel sets dst, of (len(level)+1)/2 hashes, to the level above and returns it. Dst is apart from level or its first
// half.
func nextLevel(dst, level []Hash) []Hash {
	pairs := len(level) / 2
	lanes.HashPairs(&nodeKey, level[:2*pairs], dst[:pairs])
	if len(level)%2 != 0 {
		dst[pairs] = level[len(level)-1]
	}
	return dst
}

// job is work in pieces, piece i being [i·size, (i+1)·size) of hashes: with parts, the leaves of parts[firsts[i]:firsts[i+1]]
// are hashed into it; with trunks, the trees that begin in it are brought to their roots; with neither, it is reduced to its
// first hash.
type job struct {
	hashes []Hash
	size   int

	parts  []lanes.Arena
	firsts []int

	trunks []trunk
	ends   []int // of the trees, as they were
	roots  []Hash
}

// do does pieces [from, to), which is one but for who does them all.
func (j *job) do(from, to int) {
	lo, hi := from*j.size, min(to*j.size, len(j.hashes))
	switch {
	case j.trunks != nil:
		for ; from < to; from++ {
			first, end := j.treeAt(from*j.size), j.treeAt((from+1)*j.size)
			grow(j.hashes, j.trunks[first:end], j.roots[first:end])
		}
	case j.parts != nil:
		parts := j.parts[j.firsts[from]:]
		if to < len(j.firsts) {
			parts = j.parts[j.firsts[from]:j.firsts[to]]
		}
		lanes.HashArenas(&leafKey, parts, j.hashes[lo:hi])
	default:
		for ; lo < hi; lo += j.size {
			reduce(j.hashes[lo:min(lo+j.size, hi)])
		}
	}
}

// treeAt returns the first tree that begins at hash at or behind, or the number of trees.
func (j *job) treeAt(at int) int {
	if at == 0 {
		return 0
	}
	i, _ := slices.BinarySearch(j.ends, at) // tree i+1 begins at ends[i]
	return min(i+1, len(j.ends))
}

// pieces hands the pieces of one job to goroutines. (golang.org/x/sync/errgroup would do, but for an allocation with every
// goroutine and errors that there are none of.)
type pieces struct {
	job   job
	count int
	next  atomic.Int64 // of the pieces that nobody has taken
	wait  sync.WaitGroup
	// help is what a helping goroutine runs; made once, so that starting one allocates nothing.
	help func()
}

// run does the job on workers goroutines, the caller's being one, and returns when it is done.
func (p *pieces) run(workers int, j job) {
	count := (len(j.hashes) + j.size - 1) / j.size
	if count == 0 {
		return
	}
	if workers == 1 {
		j.do(0, count)
		return
	}
	p.job, p.count = j, count
	p.next.Store(0)
	if p.help == nil {
		p.help = func() {
			defer p.wait.Done()
			p.take()
		}
	}
	defer func() { // whatever happens, nobody works on the caller's slices afterwards
		p.wait.Wait()
		p.job = job{}
	}()
	p.wait.Add(workers - 1)
	for range workers - 1 {
		go p.help()
	}
	p.take()
}

// take does pieces until there are none.
func (p *pieces) take() {
	for {
		piece := int(p.next.Add(1)) - 1
		if piece >= p.count {
			return
		}
		p.job.do(piece, piece+1)
	}
}
