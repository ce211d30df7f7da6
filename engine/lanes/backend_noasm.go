//go:build !amd64 || purego

package lanes

// Only the portable backend exists here: no Backend of another kind is ever made.
const (
	hasAVX512 = false
	hasAVX2   = false
)

func hashSlicesAVX512(*Key, [][]byte, [][Size]byte)    { panic("lanes: no AVX-512") }
func hashArenasAVX512(*Key, []Arena, [][Size]byte)     { panic("lanes: no AVX-512") }
func hashPairsAVX512(*Key, [][Size]byte, [][Size]byte) { panic("lanes: no AVX-512") }
func hashSlicesAVX2(*Key, [][]byte, [][Size]byte)      { panic("lanes: no AVX2") }
func hashArenasAVX2(*Key, []Arena, [][Size]byte)       { panic("lanes: no AVX2") }
func hashPairsAVX2(*Key, [][Size]byte, [][Size]byte)   { panic("lanes: no AVX2") }
