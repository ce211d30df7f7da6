//go:build !amd64 || purego

package ed25519x8

// Available reports whether the kernels run here.
func Available() bool { return false }
