package ed25519x8

// Key is a private key, expanded (RFC 8032 §5.1.5).
type Key struct {
	Prefix [32]byte // upper half of SHA-512(seed)
	Scalar [32]byte // the secret scalar, below 2^255
	Public [32]byte // the encoding of Scalar·B
}
