package sign

import (
	"crypto/fips140"
	"slices"
)

// Backend is a way to compute signatures and verdicts. All give the same bytes and the same verdicts.
type Backend uint8

const (
	Auto     Backend = iota // the first of Backends
	StdLib                  // crypto/ed25519, one signature after the other
	Portable                // filippo.io/edwards25519 with the expanded key kept and one inversion for a batch
	IFMA                    // eight signatures side by side in AVX-512 registers
)

func (b Backend) String() string {
	switch b {
	case Auto:
		return "auto"
	case StdLib:
		return "stdlib"
	case Portable:
		return "portable"
	case IFMA:
		return "ifma"
	default:
		return "unknown"
	}
}

// backends is what Backends returns, found once: the CPU and the mode do not change while a program runs.
var backends = detect()

func detect() []Backend {
	switch {
	case fips140.Enabled():
		return []Backend{StdLib}
	case haveIFMA():
		return []Backend{IFMA, Portable, StdLib}
	default:
		return []Backend{Portable, StdLib}
	}
}

// Backends returns what this program on this CPU can run, the fastest first. In FIPS 140 mode that is StdLib alone.
func Backends() []Backend { return slices.Clone(backends) }

// resolve returns the backend that b stands for, and false where b does not run here.
func (b Backend) resolve() (Backend, bool) {
	if b == Auto {
		return backends[0], true
	}
	return b, slices.Contains(backends, b)
}
