//go:build !amd64 || purego

package sign

// checkTable and laneVerifier are empty where nothing computes in lanes.
type (
	checkTable   struct{}
	laneVerifier struct{}
)

func haveIFMA() bool { return false }

func signIFMA([]*Signer, [][32]byte, [][64]byte, bool) bool {
	panic("sign: no IFMA backend in this build")
}

func (*laneVerifier) verify([]PublicKey, [][32]byte, [][64]byte, []bool) {
	panic("sign: no IFMA backend in this build")
}
