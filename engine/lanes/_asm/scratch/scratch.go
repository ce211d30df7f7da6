// Package scratch emits what the kernels of all instruction sets share: a scratch in the stack frame, and the copies
// between rows (the bytes of a message or a digest) and columns (one word of every lane). They use general registers
// alone.
package scratch

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Scratch is an aligned part of the stack frame. Lanes come in groups: a column of a group fills one vector register.
type Scratch struct {
	Groups int
	Vec    int      // bytes of a register
	Lanes  int      // of a register
	Now    Register // columns of the block that is compressed: 16 words of all lanes, group after group
	Next   Register // columns of the block after it
	frame  Register // start of the scratch, at a multiple of Vec
	used   int      // bytes of it
	done   Mem      // digests: 8 columns of each group
}

// New starts a function's body. Its frame has size bytes for areas besides what every kernel has.
func New(groups, vec, size int) *Scratch {
	s := &Scratch{Groups: groups, Vec: vec, Lanes: vec / 4, Now: GP64(), Next: GP64(), frame: GP64()}
	columns := 16 * groups * vec
	room := AllocLocal(2*columns + columns/2 + size + vec)
	Comment("frame = the scratch, aligned")
	LEAQ(room.Offset(vec-1), s.frame)
	ANDQ(I8(-vec), s.frame)
	LEAQ(s.Area(columns), s.Now)
	LEAQ(s.Area(columns), s.Next)
	s.done = s.Area(columns / 2)
	return s
}

// Area takes size bytes of the frame; they are aligned if those before are multiples of Vec.
func (s *Scratch) Area(size int) Mem {
	m := Mem{Base: s.frame, Disp: s.used}
	s.used += size
	return m
}

// All is the number of lanes.
func (s *Scratch) All() int { return s.Groups * s.Lanes }

// Word is the place of message word w in columns, which is Now or Next.
func (s *Scratch) Word(columns Register, g, w int) Mem {
	return Mem{Base: columns, Disp: (16*g + w) * s.Vec}
}

// Digest is the place of digest word w.
func (s *Scratch) Digest(g, w int) Mem { return s.done.Offset((8*g + w) * s.Vec) }

// Fetches returns what brings a block of every lane into Next, in pieces of four words. Source returns where a lane's
// block begins; it may emit what it needs for that and is called once for each lane.
func (s *Scratch) Fetches(source func(lane int) Mem) []func() {
	var pieces []func()
	for lane := range s.All() {
		var from Mem
		for w := 0; w < 16; w += 4 {
			pieces = append(pieces, func() {
				Commentf("next[%d..%d] of lane %d = bytes [%d, %d) of its block", w, w+3, lane, 4*w, 4*w+16)
				if w == 0 {
					from = source(lane)
				}
				for i := w; i < w+4; i++ {
					x := GP32()
					MOVL(from.Offset(4*i), x)
					MOVL(x, s.Word(s.Next, lane/s.Lanes, i).Offset(4*(lane%s.Lanes)))
				}
			})
		}
	}
	return pieces
}

// Deliver emits the copying of a lane's digest to to.
func (s *Scratch) Deliver(lane int, to Mem) {
	Commentf("Digest of lane %d = done[0..7]", lane)
	for i := range 8 {
		x := GP32()
		MOVL(s.Digest(lane/s.Lanes, i).Offset(4*(lane%s.Lanes)), x)
		MOVL(x, to.Offset(4*i))
	}
}

// FetchAll emits what Fetches does for all lanes, in a loop: it happens once a call and is not worth the size of
// unrolled code. Source returns where the lane's block begins, lane counting from 0 in each group.
func (s *Scratch) FetchAll(source func(g int, lane Register) Mem) {
	s.inLoop("fetchAll", func(g int, lane Register) {
		from := source(g, lane)
		for i := range 16 {
			x := GP32()
			MOVL(from.Offset(4*i), x)
			MOVL(x, s.Word(s.Next, g, i).Idx(lane, 4))
		}
	})
}

// DeliverAll emits what Deliver does for all lanes, in a loop.
func (s *Scratch) DeliverAll(target func(g int, lane Register) Mem) {
	s.inLoop("deliverAll", func(g int, lane Register) {
		to := target(g, lane)
		for i := range 8 {
			x := GP32()
			MOVL(s.Digest(g, i).Idx(lane, 4), x)
			MOVL(x, to.Offset(4*i))
		}
	})
}

func (s *Scratch) inLoop(name string, body func(g int, lane Register)) {
	for g := range s.Groups {
		lane, here := GP64(), fmt.Sprintf("%s%d", name, g)
		XORQ(lane, lane)
		Label(here)
		body(g, lane)
		INCQ(lane)
		CMPQ(lane, U8(s.Lanes))
		JNE(LabelRef(here))
	}
}

// Swap makes the next block this one.
func (s *Scratch) Swap() {
	Comment("The next block becomes this one")
	XCHGQ(s.Now, s.Next)
}
