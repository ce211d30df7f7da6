// Package fuzz holds the fuzz targets of what reads bytes from outside: receipts as JSON and as canonical CBOR, lines,
// LogBlocks and their headers, proof files, evidence. Each target asserts that a parser never panics, that what it accepts
// prints back to one text, and that nothing but that text (or, for JSON, an equal one) is accepted. A target for a journal's
// segment asserts that what is read from damaged bytes was written, and one for its frames that what is checked can be read.
// Nobody imports it.
//
// go test runs the seeds, most of them the vectors in testdata. To search on:
//
//	go test ./fuzz -run '^$' -fuzz FuzzReceiptCBOR -fuzztime 60s
//
// Targets with a journal have goroutines, so that an input seems to be new each time: give them -fuzzminimizetime 1x.
package fuzz
