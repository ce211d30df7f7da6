package fuzz

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

const testdata = "../testdata"

// addLines seeds f with every line of the files that the patterns match.
func addLines(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		for _, line := range lines(f, pattern) {
			f.Add(line)
		}
	}
}

// addHex is addLines for files of hexadecimal lines.
func addHex(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		for _, line := range lines(f, pattern) {
			raw, err := hex.DecodeString(string(line))
			if err != nil {
				f.Fatalf("%s: %v", pattern, err)
			}
			f.Add(raw)
		}
	}
}

func lines(f *testing.F, pattern string) [][]byte {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, pattern))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no file matches %s (%v)", pattern, err)
	}
	var all [][]byte
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n"))...)
	}
	return all
}
