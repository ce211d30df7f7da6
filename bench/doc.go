// Package bench holds the benchmarks that the project's figures come from, each beside a rival in the same run, so that a
// figure is a ratio. Nobody imports it.
//
//	BenchmarkLeaf        one message hashed as a leaf
//	BenchmarkRoot        one leaf of a tree whose leaf hashes are given
//	BenchmarkEncode      one receipt, from memory to the bytes that are hashed, rules checked
//	BenchmarkSign        one signature, in batches of n
//	BenchmarkVerify      one signature, 64 of 1 or 64 keys
//	BenchmarkSeal        one receipt, from memory to a LogBlock that has left the sink
//	BenchmarkSealStrict  the same with hash, chain and signature of each receipt checked on entry
//
// Rivals: lukechampine (blake3.Sum256 of lukechampine.com/blake3, message by message) and naive (what the original does:
// encoding/json, blake3.Sum256 of each receipt, a pairwise Sum256 tree, crypto/ed25519 for each block). Rivals from other
// modules run the same benchmarks in bench/peers.
//
//	go test ./bench -run '^$' -bench . -count 10 | tee now.txt && benchstat now.txt
//
// Command bench/dudect measures whether the time of signing tells of secrets.
//
// Each benchmark sets the number of cores itself: one, or as many as it has workers.
package bench
