module github.com/encseal/encseal/bench/peers

go 1.26.0

require (
	github.com/encseal/encseal v0.0.0
	github.com/fxamacker/cbor/v2 v2.10.0
	github.com/prysmaticlabs/gohashtree v0.0.4-beta
	github.com/transparency-dev/merkle v0.0.2
	github.com/zeebo/blake3 v0.2.4
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/klauspost/cpuid/v2 v2.4.2 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/sys v0.49.0 // indirect
	lukechampine.com/blake3 v1.4.1 // indirect
)

replace github.com/encseal/encseal => ../..
