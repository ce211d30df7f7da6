// Package peers runs a part of the benchmarks of package bench beside other people's libraries, in a module of its own so
// that nobody who uses encseal downloads them. Nobody imports it.
//
//	zeebo        github.com/zeebo/blake3, Sum256 of each message: BLAKE3 with assembly, one message at a time
//	gohashtree   github.com/prysmaticlabs/gohashtree, SHA-256 of many pairs at once, as it comes: where a CPU has SHA
//	             instructions it takes them, though its own AVX-512 code is about twice as fast on some
//	libraries    what a good engineer would put together: fxamacker/cbor in core deterministic mode, zeebo/blake3,
//	             transparency-dev/merkle's compact ranges, crypto/ed25519; it checks no rule and adds up no usage
//
//	go -C bench/peers test -run '^$' -bench . -count 10
//
// Each benchmark runs on one core.
package peers
