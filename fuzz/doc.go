// Package fuzz holds the fuzz targets of everything that reads bytes from outside: receipts as JSON and as canonical
// CBOR, LogBlocks, proof files. Each target asserts that a parser never panics, that what it accepts prints back to one
// text, and that nothing but that text (or, for JSON, an equal one) is accepted. Nobody imports it.
//
// go test runs the seeds: the vectors in testdata and, under testdata/fuzz, inputs that once mattered. To search on:
//
//	go test ./fuzz -run '^$' -fuzz FuzzReceiptCBOR -fuzztime 60s
package fuzz
