// Package fuzz holds the fuzz targets of what reads bytes from outside: receipts as JSON and as canonical CBOR, lines,
// LogBlocks and their headers, proof files, evidence. Each target asserts that a parser never panics, that what it accepts
// prints back to one text, and that nothing but that text (or, for JSON, an equal one) is accepted. Nobody imports it.
//
// go test runs the seeds, which are the vectors in testdata. To search on:
//
//	go test ./fuzz -run '^$' -fuzz FuzzReceiptCBOR -fuzztime 60s
package fuzz
