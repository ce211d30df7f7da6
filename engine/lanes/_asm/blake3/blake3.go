// Package blake3 says what a compression consists of, in the words of the BLAKE3 specification (section 2.2), for
// generators that run it in many lanes at once: there a state word or a message word is a register or a memory operand
// with one word of each lane.
package blake3

import "fmt"

// Flags of a compression that depend on its place in the tree.
const (
	ChunkStart = 1 << 0
	ChunkEnd   = 1 << 1
	Root       = 1 << 3
)

// BlockSize is what one compression takes in, in bytes.
const BlockSize = 64

// IV starts the third row of the state.
var IV = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

var permutation = [16]int{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8}

// schedule says which message word each round takes at each place: the permutation of the message is done by
// addressing.
var schedule = func() (s [7][16]int) {
	for i := range 16 {
		s[0][i] = i
	}
	for r := 1; r < 7; r++ {
		for i := range 16 {
			s[r][i] = s[r-1][permutation[i]]
		}
	}
	return s
}()

// quads are the state words that G mixes: columns, then diagonals. Of one quad, a is first and d last.
var quads = [2][4][4]int{
	{{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15}},
	{{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14}},
}

// Op is what a step of a half round does to each of its four quads.
type Op int

// Half a G is these, in this order.
const (
	AddMessage Op = iota // a += m
	AddB                 // a += b
	XorA                 // d ^= a
	RotateD              // d >>>= Bits
	AddD                 // c += d
	XorC                 // b ^= c
	RotateB              // b >>>= Bits
)

// Step is one operation on four quads, which do not depend on one another.
type Step struct {
	Op    Op
	Bits  int       // of a rotation
	Quads [4][4]int // state words a, b, c, d of each quad
	Words [4]int    // message word of each quad, for AddMessage
	Round int       // [0, 7)
	Half  int       // 0 columns, 1 diagonals
	First bool      // first step of a half round
}

// Steps returns the seven rounds.
func Steps() []Step {
	var steps []Step
	for r := range 7 {
		for half, quads := range quads {
			for part, bits := range [2][2]int{{16, 12}, {8, 7}} {
				for op := AddMessage; op <= RotateB; op++ {
					s := Step{Op: op, Quads: quads, Round: r, Half: half, First: part == 0 && op == AddMessage}
					switch op {
					case AddMessage:
						for q := range s.Words {
							s.Words[q] = schedule[r][8*half+2*q+part]
						}
					case RotateD:
						s.Bits = bits[0]
					case RotateB:
						s.Bits = bits[1]
					}
					steps = append(steps, s)
				}
			}
		}
	}
	return steps
}

// Equation is the comment above the instructions of a step.
func (s Step) Equation() string {
	var text string
	switch s.Op {
	case AddMessage:
		text = fmt.Sprintf("a += m[%d], m[%d], m[%d], m[%d]", s.Words[0], s.Words[1], s.Words[2], s.Words[3])
	case AddB:
		text = "a += b"
	case XorA:
		text = "d ^= a"
	case RotateD:
		text = fmt.Sprintf("d >>>= %d", s.Bits)
	case AddD:
		text = "c += d"
	case XorC:
		text = "b ^= c"
	case RotateB:
		text = fmt.Sprintf("b >>>= %d", s.Bits)
	}
	if s.First {
		text = fmt.Sprintf("Round %d, %s: %s", s.Round+1, [2]string{"columns", "diagonals"}[s.Half], text)
	}
	return text
}

// A Strand is work that has nothing to do with the steps it is woven into, in pieces that run in order.
type Strand struct {
	Pieces []func()
	Until  int // percent of the steps by which all pieces are through
}

// Weave emits the steps by emit and after each of them every strand's share of pieces. What a piece emits must not
// touch what the steps use; it may jump, but not past its own end.
func Weave(steps []Step, emit func(Step), strands ...Strand) {
	done := make([]int, len(strands))
	for i, s := range steps {
		emit(s)
		for j, strand := range strands {
			due := min(len(strand.Pieces)*(i+1)*100/(len(steps)*strand.Until), len(strand.Pieces))
			for ; done[j] < due; done[j]++ {
				strand.Pieces[done[j]]()
			}
		}
	}
}
