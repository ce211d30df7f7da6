package logblock

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/encseal/encseal/merkle"
)

// tool skips the test where a program is not installed, unless ENCSEAL_SYSTEM=1 says that it must be. OpenSSL is one of
// version 3 or later: others do not verify Ed25519 from the command line.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil && name == "openssl" {
		version := string(output(t, nil, path, "version"))
		if !strings.HasPrefix(version, "OpenSSL ") || version[len("OpenSSL ")] < '3' {
			err = fmt.Errorf("want version 3 or later, got %q", version)
		}
	}
	if err == nil {
		return path
	}
	if os.Getenv("ENCSEAL_SYSTEM") == "1" {
		t.Fatalf("%s is not here, and ENCSEAL_SYSTEM=1 wants it: %v", name, err)
	}
	t.Skipf("%s is not here: %v", name, err)
	return ""
}

func output(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s%s", name, args, err, out, stderr.Bytes())
	}
	return out
}

// A block's hash and signature, by the commands of the package doc.
func TestBlockByHand(t *testing.T) {
	b3sum, openssl := tool(t, "b3sum"), tool(t, "openssl")
	v := readVector(t, "encseal-1")
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	der := unhex(t, "302a300506032b6570032100"+v.NotaryKey[len("ed25519:"):])
	key := file("key.pem", output(t, der, openssl, "pkey", "-pubin", "-inform", "DER"))
	blocks := readBlocks(t, "encseal-1", EncSeal1)
	for i, b := range blocks {
		hdr, err := b.AppendHeader(nil)
		if err != nil {
			t.Fatal(err)
		}
		hash := output(t, nil, b3sum, "--derive-key", BlockContext, "--raw", file("hdr.bin", hdr))
		if want, err := b.Hash(); err != nil || !bytes.Equal(hash, want[:]) {
			t.Errorf("block %d: b3sum says %x, Hash %x, %v", i+1, hash, want, err)
		}
		if i+1 < len(blocks) && !bytes.Equal(hash, blocks[i+1].Prev[:]) {
			t.Errorf("block %d: b3sum says %x, the next block's prev is %x", i+1, hash, blocks[i+1].Prev)
		}
		verify := []string{"pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin",
			"-in", file("block_hash.bin", hash), "-sigfile", file("sig.bin", b.Sig[:])}
		output(t, nil, openssl, verify...)
		hash[0] ^= 1
		file("block_hash.bin", hash)
		if out, err := exec.Command(openssl, verify...).CombinedOutput(); err == nil {
			t.Errorf("block %d: openssl takes a signature of another hash: %s", i+1, out)
		}
	}
}

// A proof's leaf and root with nothing but b3sum: the leaf is hashed, then joined with each hash of the path.
func TestProofByHand(t *testing.T) {
	b3sum := tool(t, "b3sum")
	derive := func(context string, data []byte) []byte {
		return output(t, data, b3sum, "--derive-key", context, "--raw")
	}
	p, err := ParseProof([]byte(readLines(t, "encseal-1.proofs.ndjson")[0]))
	if err != nil {
		t.Fatal(err)
	}
	if p.Index != 0 || p.Block.Count != 16 || len(p.Path) != 4 {
		t.Fatalf("got index %d of %d and %d hashes, want 0 of 16 and 4: always the left side", p.Index, p.Block.Count, len(p.Path))
	}
	leaf, err := p.Receipt.AppendCanonical(nil)
	if err != nil {
		t.Fatal(err)
	}
	hash := derive(merkle.LeafContext, leaf)
	if got, want := fmt.Sprintf("%x", hash), readLines(t, "encseal-1.leaf.hex")[0]; got != want {
		t.Errorf("leaf: got %s, want %s", got, want)
	}
	for _, sibling := range p.Path {
		hash = derive(merkle.NodeContext, append(hash, sibling[:]...))
	}
	if got, want := hex.EncodeToString(hash), hex.EncodeToString(p.Block.MerkleRoot[:]); got != want {
		t.Errorf("root: got %s, want %s", got, want)
	}
}
