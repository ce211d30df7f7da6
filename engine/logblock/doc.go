// Package logblock holds all that an auditor of a sealed log needs: the LogBlock and its header, inclusion proofs,
// equivocation evidence, and the checker of a chain of blocks with or without their receipts. It knows no notary: whoever
// imports it can check what a notary signed and trusts nothing but one public key.
//
// In the house it stands between the packages that know bytes (engine/receipt, merkle, engine/sign) and the notary, which
// fills LogBlocks and signs them. It imports engine/lanes too, for the digests of many receipts at once: engine/receipt, which
// lanes comes after, has them only one by one.
//
// # What a LogBlock says
//
// This notary received these leaves, in this order, after the blocks before. It does not say that a producer signed
// them, nor when: the ts of a receipt, and so the range of a block, are the producer's claims. A receipt that was sent
// twice counts twice. A whole app can be withheld, and so can last blocks that the checker has not seen yet: only a [Head]
// kept from an earlier check shows that a log was cut short. Count and usage are the notary's claims until they are
// checked against all leaves, and producers are checked only by who has their keys ([Producers]).
//
// # The signed digest
//
// A block's header is a CBOR map in core deterministic encoding (RFC 8949 §4.2.1) with these unsigned integer keys, in this
// order:
//
//	 1 v            unsigned, 1
//	 2 app          text, 1 to 255 bytes
//	 3 height       unsigned, 1 to 2^64−1
//	 4 merkle_root  byte string of 32
//	 5 count        unsigned, 1 to 2^32−1
//	 6 from_ts      text
//	 7 to_ts        text
//	 8 prev         byte string of 32: block hash of the app's previous block, all zero at height 1
//	 9 key          byte string of 32: notary's public key
//	10 usage        [cpu_ms, memory_mb_s, storage_ugb_day, egress_umb], unsigned; absent where leaves are not receipts
//	11 scheme       text, "encseal-1"
//	12 next_key     byte string of 32, optional: the key of every later block
//
// The block hash is BLAKE3 of the header in derive_key mode under [BlockContext], and sig_notary is the notary's RFC 8032
// Ed25519 signature over those 32 bytes. The JSON of a LogBlock carries every field of the header, so both can be computed
// from the block alone.
//
// # Checking one by hand
//
// With the header in hdr.bin, a stock b3sum and a stock OpenSSL 3 check a block's signature. KEY and SIG stand for the
// hexadecimal digits of the key that is trusted (not of the block's own word for it) and of sig_notary:
//
//	b3sum --derive-key "encseal 2026-11-23 logblock v1" --raw hdr.bin > block_hash.bin
//	echo 302a300506032b6570032100KEY | xxd -r -p | openssl pkey -pubin -inform DER -out key.pem
//	echo SIG | xxd -r -p > sig.bin
//	openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in block_hash.bin -sigfile sig.bin
//
// The next block's prev is that block hash. Package merkle says how leaves come to merkle_root, by the same tool.
//
// # The other scheme
//
// A LogBlock of scheme bpi-1, the original pipeline's, has only the first seven keys of the JSON. It names neither its
// key nor its scheme, and is linked to no other block. Nothing here reads one unless it is told to; its rules come in
// through [Legacy] and live elsewhere.
package logblock
