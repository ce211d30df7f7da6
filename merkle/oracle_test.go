package merkle

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lukechampine.com/blake3"
)

// The oracle: RFC 9162 §2.1 as its recursive definitions stand there, over another implementation of derive_key.

func derive(context string, parts ...[]byte) (h Hash) {
	var msg []byte
	for _, p := range parts {
		msg = append(msg, p...)
	}
	blake3.DeriveKey(h[:], context, msg)
	return h
}

func oracleNode(l, r Hash) Hash { return derive("encseal 2026-11-23 node v1", l[:], r[:]) }

// split returns the largest power of two smaller than n, for n > 1.
func split(n uint64) uint64 {
	k := uint64(1)
	for k < n-k {
		k *= 2
	}
	return k
}

// oracleRoot is MTH of §2.1.1 over leaf hashes.
func oracleRoot(hashes []Hash) Hash {
	switch len(hashes) {
	case 0:
		return derive("encseal 2026-11-23 node v1")
	case 1:
		return hashes[0]
	}
	k := split(uint64(len(hashes)))
	return oracleNode(oracleRoot(hashes[:k]), oracleRoot(hashes[k:]))
}

// oraclePaths holds PATH of §2.1.3.1 for each leaf.
func oraclePaths(hashes []Hash) [][]Hash {
	if len(hashes) == 1 {
		return [][]Hash{nil}
	}
	k := split(uint64(len(hashes)))
	l, r := oracleRoot(hashes[:k]), oracleRoot(hashes[k:])
	var paths [][]Hash
	for _, path := range oraclePaths(hashes[:k]) {
		paths = append(paths, append(path, r))
	}
	for _, path := range oraclePaths(hashes[k:]) {
		paths = append(paths, append(path, l))
	}
	return paths
}

// oracleClimb returns the root to which path leads, by the same recursion from the root down; false when path's length is wrong.
// It holds no leaves, so count may be anything.
func oracleClimb(leaf Hash, index, count uint64, path []Hash) (Hash, bool) {
	if count == 1 {
		return leaf, len(path) == 0
	}
	if len(path) == 0 {
		return Hash{}, false
	}
	k, sibling, rest := split(count), path[len(path)-1], path[:len(path)-1]
	if index < k {
		l, ok := oracleClimb(leaf, index, k, rest)
		return oracleNode(l, sibling), ok
	}
	r, ok := oracleClimb(leaf, index-k, count-k, rest)
	return oracleNode(sibling, r), ok
}

// leafHashes returns the hashes of n leaves, leaf i being i as four bytes little-endian.
func leafHashes(n int) []Hash {
	hashes := make([]Hash, n)
	for i := range hashes {
		hashes[i] = derive("encseal 2026-11-23 leaf v1", binary.LittleEndian.AppendUint32(nil, uint32(i)))
	}
	return hashes
}

func testdata(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lines returns the lines of a file in testdata; no lines are an error.
func lines(t *testing.T, name string) (all []string) {
	t.Helper()
	s := bufio.NewScanner(strings.NewReader(string(testdata(t, name))))
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		all = append(all, s.Text())
	}
	if err := s.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%s: %d lines, error %v", name, len(all), err)
	}
	return all
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unhash reads 64 hex digits, with or without "blake3:".
func unhash(t *testing.T, text string) (h Hash) {
	t.Helper()
	if n := copy(h[:], unhex(t, strings.TrimPrefix(text, "blake3:"))); n != len(h) {
		t.Fatalf("%q is no digest", text)
	}
	return h
}

func unmarshal(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}
