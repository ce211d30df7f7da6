package peers

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/prysmaticlabs/gohashtree"
	"github.com/transparency-dev/merkle/compact"
	zeebo "github.com/zeebo/blake3"

	"github.com/encseal/encseal/engine"
	"github.com/encseal/encseal/engine/lanes"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/engine/sink"
	"github.com/encseal/encseal/merkle"
)

// each runs work, which does count ops on size bytes in all, until b.N ops are done, on one core, and reports the time of
// one. (b.Loop would count a whole batch as one op; and b.N is seldom a whole number of batches, so that the time is divided
// by what was done.)
func each(b *testing.B, size, count int, work func()) {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b.ReportAllocs()
	work()
	b.ResetTimer()
	done := 0
	for ; done < b.N; done += count {
		work()
	}
	elapsed := b.Elapsed()
	b.ReportMetric(float64(elapsed.Nanoseconds())/float64(done), "ns/op")
	b.ReportMetric(float64(size)*float64(done)/float64(count)/1e6/elapsed.Seconds(), "MB/s")
}

func realReceipts(b testing.TB) []*receipt.Receipt {
	b.Helper()
	raw, err := os.ReadFile("../../testdata/my-app.receipts.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	var p receipt.Parser
	var all []*receipt.Receipt
	for _, line := range bytes.Split(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n")) {
		var r receipt.Receipt
		if err := p.Parse(line, &r); err != nil {
			b.Fatal(err)
		}
		own := r.Clone()
		all = append(all, &own)
	}
	return all
}

// BenchmarkLeaf is bench's, with zeebo.
func BenchmarkLeaf(b *testing.B) {
	for _, size := range []int{64, 256, 1024} {
		const count = 1024
		var ends []int
		for i := range count {
			ends = append(ends, (i+1)*size)
		}
		benchmarkLeaf(b, fmt.Sprintf("size=%dB", size), make([]byte, count*size), ends)
	}
	var arena []byte
	var ends []int
	for _, r := range realReceipts(b) {
		var err error
		if arena, err = r.AppendCanonical(arena); err != nil {
			b.Fatal(err)
		}
		ends = append(ends, len(arena))
	}
	benchmarkLeaf(b, "size=real", arena, ends)
}

func benchmarkLeaf(b *testing.B, size string, arena []byte, ends []int) {
	key, out := lanes.NewKey(merkle.LeafContext), make([][32]byte, len(ends))
	for _, backend := range lanes.Backends() {
		b.Run(fmt.Sprintf("%s/impl=%s", size, backend), func(b *testing.B) {
			each(b, len(arena), len(ends), func() { backend.HashArena(&key, arena, 0, ends, out) })
		})
	}
	b.Run(size+"/impl=zeebo", func(b *testing.B) {
		each(b, len(arena), len(ends), func() {
			start := 0
			for i, end := range ends {
				out[i] = zeebo.Sum256(arena[start:end])
				start = end
			}
		})
	})
}

// BenchmarkEncode is bench's, with fxamacker/cbor, which checks no rule.
func BenchmarkEncode(b *testing.B) {
	r := realReceipts(b)[0]
	b.Run("impl=encseal", func(b *testing.B) {
		var enc []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if enc, err = r.AppendCanonical(enc[:0]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("impl=fxamacker", func(b *testing.B) {
		mode, err := cbor.CoreDetEncOptions().UserBufferEncMode()
		if err != nil {
			b.Fatal(err)
		}
		s := stepOf(r)
		var buf bytes.Buffer
		b.ReportAllocs()
		for b.Loop() {
			buf.Reset()
			if err := mode.MarshalToBuffer(&s, &buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRoot is bench's, with gohashtree: SHA-256 level by level, the same number of pairs.
func BenchmarkRoot(b *testing.B) {
	for _, leaves := range []int{1024, 65536} {
		hashes := make([][32]byte, leaves)
		for i := range hashes {
			binary.LittleEndian.PutUint64(hashes[i][:], uint64(i))
		}
		b.Run(fmt.Sprintf("leaves=%d/workers=1/impl=encseal", leaves), func(b *testing.B) {
			builder := merkle.Builder{Workers: 1}
			each(b, 32*leaves, leaves, func() { builder.Root(hashes) })
		})
		b.Run(fmt.Sprintf("leaves=%d/workers=1/impl=gohashtree", leaves), func(b *testing.B) {
			next := make([][32]byte, leaves/2)
			each(b, 32*leaves, leaves, func() {
				level := hashes
				for len(level) > 1 {
					if err := gohashtree.Hash(next[:len(level)/2], level); err != nil {
						b.Fatal(err)
					}
					level = next[:len(level)/2]
				}
			})
		})
	}
}

// BenchmarkSeal is bench's, with libraries.
func BenchmarkSeal(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	all := realReceipts(b)
	const block = 100
	b.Run(fmt.Sprintf("block=%d/impl=encseal", block), func(b *testing.B) {
		signer, err := sign.GenerateSigner()
		if err != nil {
			b.Fatal(err)
		}
		n, err := engine.New(engine.Config{App: "my-app", Signer: signer, Sink: sink.Discard{}, MaxReceipts: block})
		if err != nil {
			b.Fatal(err)
		}
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if _, err := n.Append(context.Background(), all[i]); err != nil {
				b.Fatal(err)
			}
			if i++; i == len(all) {
				i = 0
			}
		}
		if err := n.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
	})
	b.Run(fmt.Sprintf("block=%d/impl=libraries", block), func(b *testing.B) {
		blocks := 0
		n, err := newAssembled(block, func([]byte) { blocks++ })
		if err != nil {
			b.Fatal(err)
		}
		steps := make([]step, len(all))
		for i, r := range all {
			steps[i] = stepOf(r)
		}
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			if err := n.append(&steps[i]); err != nil {
				b.Fatal(err)
			}
			if i++; i == len(all) {
				i = 0
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
	})
}

// step is a receipt as cbor encodes it: a map with integer keys.
type step struct {
	V         uint64            `cbor:"1,keyasint"`
	App       string            `cbor:"2,keyasint"`
	Container string            `cbor:"3,keyasint"`
	Op        string            `cbor:"4,keyasint"`
	TS        string            `cbor:"5,keyasint"`
	Resource  stepResource      `cbor:"6,keyasint"`
	Labels    map[string]string `cbor:"7,keyasint,omitempty"`
	PrevHash  []byte            `cbor:"8,keyasint"`
	Hash      []byte            `cbor:"9,keyasint"`
	Sig       []byte            `cbor:"10,keyasint"`
}

type stepResource struct {
	_            struct{} `cbor:",toarray"`
	CPUms        uint64
	MemoryMBs    uint64
	StorageGBDay float64
	EgressMB     float64
}

func stepOf(r *receipt.Receipt) step {
	hash, _ := r.Hash.Digest()
	prev, _ := r.PrevHash.Digest()
	sig, _ := r.Sig.Bytes()
	s := step{
		V: 1, App: r.App, Container: r.Container, Op: r.Op, TS: r.TS, Labels: map[string]string{},
		Resource: stepResource{CPUms: r.Resource.CPUms, MemoryMBs: r.Resource.MemoryMBs,
			StorageGBDay: r.Resource.StorageGBDay, EgressMB: r.Resource.EgressMB},
		PrevHash: prev[:], Hash: hash[:], Sig: sig[:],
	}
	for _, l := range r.Labels {
		s.Labels[l.Key] = l.Value
	}
	return s
}

// assembled is a notary put together from libraries.
type assembled struct {
	enc      cbor.UserBufferEncMode
	buf      bytes.Buffer
	factory  compact.RangeFactory
	tree     *compact.Range
	key      ed25519.PrivateKey
	max      uint64
	height   uint64
	from, to string
	prev     [32]byte
	deliver  func(line []byte)
}

func newAssembled(max uint64, deliver func(line []byte)) (*assembled, error) {
	enc, err := cbor.CoreDetEncOptions().UserBufferEncMode()
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	n := &assembled{enc: enc, key: key, max: max, deliver: deliver}
	n.factory.Hash = func(left, right []byte) []byte {
		var pair [65]byte
		pair[0] = 1
		copy(pair[1:], left)
		copy(pair[33:], right)
		sum := zeebo.Sum256(pair[:])
		return sum[:]
	}
	n.tree = n.factory.NewEmptyRange(0)
	return n, nil
}

func (n *assembled) append(s *step) error {
	n.buf.Reset()
	n.buf.WriteByte(0)
	if err := n.enc.MarshalToBuffer(s, &n.buf); err != nil {
		return err
	}
	if n.tree.End() == 0 {
		n.from, n.to = s.TS, s.TS
	}
	n.from, n.to = min(n.from, s.TS), max(n.to, s.TS)
	leaf := zeebo.Sum256(n.buf.Bytes())
	if err := n.tree.Append(leaf[:], nil); err != nil {
		return err
	}
	if n.tree.End() == n.max {
		return n.seal(s.App)
	}
	return nil
}

func (n *assembled) seal(app string) error {
	root, err := n.tree.GetRootHash(nil)
	if err != nil {
		return err
	}
	n.height++
	header, err := cbor.Marshal([]any{1, app, n.height, root, n.max, n.from, n.to, n.prev[:]})
	if err != nil {
		return err
	}
	n.prev = zeebo.Sum256(header)
	block := assembledBlock{V: 1, App: app, Height: n.height, MerkleRoot: "blake3:" + hex.EncodeToString(root), Count: n.max,
		SigNotary: "ed25519:" + hex.EncodeToString(ed25519.Sign(n.key, n.prev[:]))}
	block.Range.FromTS, block.Range.ToTS = n.from, n.to
	line, err := json.Marshal(&block)
	if err != nil {
		return err
	}
	n.deliver(line)
	n.tree = n.factory.NewEmptyRange(0)
	return nil
}

type assembledBlock struct {
	V          int    `json:"v"`
	App        string `json:"app"`
	Height     uint64 `json:"height"`
	MerkleRoot string `json:"merkle_root"`
	Count      uint64 `json:"count"`
	SigNotary  string `json:"sig_notary"`
	Range      struct {
		FromTS string `json:"from_ts"`
		ToTS   string `json:"to_ts"`
	} `json:"range"`
}

// What libraries seals is what it should be: the block over three receipts has their root and a valid signature.
func TestAssembledSeals(t *testing.T) {
	var lines []string
	n, err := newAssembled(3, func(line []byte) { lines = append(lines, string(line)) })
	if err != nil {
		t.Fatal(err)
	}
	var leaves [][]byte
	for _, r := range realReceipts(t)[1:4] { // the first has prev_hash blake3:genesis, which step does not hold
		s := stepOf(r)
		if err := n.append(&s); err != nil {
			t.Fatal(err)
		}
		// The canonical encoding is the same, so ours is a judge of theirs.
		enc, err := r.AppendCanonical([]byte{0})
		if err != nil {
			t.Fatal(err)
		}
		sum := zeebo.Sum256(enc)
		leaves = append(leaves, sum[:])
	}
	var block assembledBlock
	if len(lines) != 1 || json.Unmarshal([]byte(lines[0]), &block) != nil {
		t.Fatalf("got blocks %q, want one", lines)
	}
	want := n.factory.Hash(n.factory.Hash(leaves[0], leaves[1]), leaves[2])
	if block.MerkleRoot != "blake3:"+hex.EncodeToString(want) {
		t.Errorf("got root %s, want %x", block.MerkleRoot, want)
	}
	sig, err := hex.DecodeString(strings.TrimPrefix(block.SigNotary, "ed25519:"))
	if err != nil || !ed25519.Verify(n.key.Public().(ed25519.PublicKey), n.prev[:], sig) {
		t.Errorf("signature %s is not valid (%v)", block.SigNotary, err)
	}
}
