package bench

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"lukechampine.com/blake3"
)

// step is a receipt as the original holds it: every field as it is printed.
type step struct {
	V         int               `json:"v"`
	App       string            `json:"app"`
	Container string            `json:"container"`
	Op        string            `json:"op"`
	TS        string            `json:"ts"`
	Resource  stepResource      `json:"resource"`
	Labels    map[string]string `json:"labels"`
	PrevHash  string            `json:"prev_hash"`
	Hash      string            `json:"hash"`
	Sig       string            `json:"sig"`
}

type stepResource struct {
	CPUms        uint64  `json:"cpu_ms"`
	MemoryMBs    uint64  `json:"memory_mb_s"`
	StorageGBDay float64 `json:"storage_gb_day"`
	EgressMB     float64 `json:"egress_mb"`
}

func steps(b testing.TB) []step {
	b.Helper()
	var all []step
	for _, line := range receiptLines(b) {
		var s step
		if err := json.Unmarshal(line, &s); err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// naiveNotary does what the original's notary does to a stream of receipts.
type naiveNotary struct {
	key      ed25519.PrivateKey
	max      int
	hashes   [][32]byte
	from, to string
	height   uint64
	deliver  func(line []byte)
}

type naiveBlock struct {
	V          int    `json:"v"`
	App        string `json:"app"`
	Height     uint64 `json:"height"`
	MerkleRoot string `json:"merkle_root"`
	Count      int    `json:"count"`
	SigNotary  string `json:"sig_notary"`
	Range      struct {
		FromTS string `json:"from_ts"`
		ToTS   string `json:"to_ts"`
	} `json:"range"`
}

func (n *naiveNotary) append(s *step) error {
	leaf, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if len(n.hashes) == 0 {
		n.from, n.to = s.TS, s.TS
	}
	n.from, n.to = min(n.from, s.TS), max(n.to, s.TS)
	n.hashes = append(n.hashes, blake3.Sum256(leaf))
	if len(n.hashes) == n.max {
		return n.seal(s.App)
	}
	return nil
}

func (n *naiveNotary) seal(app string) error {
	root := naiveRoot(n.hashes)
	n.height++
	block := naiveBlock{V: 1, App: app, Height: n.height, MerkleRoot: "blake3:" + hex.EncodeToString(root[:]), Count: len(n.hashes)}
	block.Range.FromTS, block.Range.ToTS = n.from, n.to
	unsigned, err := json.Marshal(block)
	if err != nil {
		return err
	}
	digest := blake3.Sum256(unsigned)
	block.SigNotary = "ed25519:" + hex.EncodeToString(ed25519.Sign(n.key, digest[:]))
	line, err := json.Marshal(block)
	if err != nil {
		return err
	}
	n.hashes = n.hashes[:0]
	n.deliver(line)
	return nil
}

// naiveRoot pairs level by level in place, an odd last hash with itself; one Sum256 a node.
func naiveRoot(level [][32]byte) [32]byte {
	var pair [64]byte
	for len(level) > 1 {
		if len(level)%2 != 0 {
			level = append(level, level[len(level)-1])
		}
		for i := range len(level) / 2 {
			copy(pair[:32], level[2*i][:])
			copy(pair[32:], level[2*i+1][:])
			level[i] = blake3.Sum256(pair[:])
		}
		level = level[:len(level)/2]
	}
	return level[0]
}

// What naive seals is what it should be: the block over three receipts has their root and a valid signature.
func TestNaiveSeals(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	n := naiveNotary{key: key, max: 3, deliver: func(line []byte) { lines = append(lines, line) }}
	var leaves [4][32]byte
	for i, s := range steps(t)[:3] {
		if err := n.append(&s); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		leaves[i] = blake3.Sum256(text)
	}
	leaves[3] = leaves[2]
	var block naiveBlock
	if len(lines) != 1 || json.Unmarshal(lines[0], &block) != nil {
		t.Fatalf("got blocks %q, want one", lines)
	}
	node := func(l, r [32]byte) [32]byte { return blake3.Sum256(append(l[:], r[:]...)) }
	root := node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]))
	if block.MerkleRoot != "blake3:"+hex.EncodeToString(root[:]) || block.Count != 3 {
		t.Errorf("got %d receipts, root %s; want 3, %x", block.Count, block.MerkleRoot, root)
	}
	sig, err := hex.DecodeString(strings.TrimPrefix(block.SigNotary, "ed25519:"))
	if err != nil {
		t.Fatal(err)
	}
	block.SigNotary = ""
	unsigned, err := json.Marshal(block)
	if err != nil {
		t.Fatal(err)
	}
	if digest := blake3.Sum256(unsigned); !ed25519.Verify(key.Public().(ed25519.PublicKey), digest[:], sig) {
		t.Error("signature is not valid")
	}
}
