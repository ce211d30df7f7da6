// Package peers runs the benchmarks of package bench beside other people's libraries, in a module of its own so that nobody
// who uses encseal downloads them. Nobody imports it.
//
//	zeebo        github.com/zeebo/blake3, Sum256 of each message: BLAKE3 with assembly, the fastest Go has for one message
//	gohashtree   github.com/prysmaticlabs/gohashtree, SHA-256 of many pairs at once: the fastest Merkle layers Go has
//	libraries    what a good engineer would put together: fxamacker/cbor in core deterministic mode, zeebo/blake3,
//	             transparency-dev/merkle's compact ranges, crypto/ed25519
//
//	go -C bench/peers test -run '^$' -bench . -cpu 1 -count 10
package peers
