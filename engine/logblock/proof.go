package logblock

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
	"github.com/encseal/encseal/merkle"
)

const (
	// MaxPath is the longest path of a proof: a count below 2^32 makes a tree of at most 32 levels.
	MaxPath = 32
	// MaxLeaf is the largest leaf in bytes, FORMAT §2.
	MaxLeaf = 65535
)

// Proof is an inclusion proof with all that its check needs but the notary's key, FORMAT §4. Only scheme encseal-1 has
// proofs.
type Proof struct {
	Receipt *receipt.Receipt // where Block.HasUsage, else nil
	Leaf    []byte           // where Receipt is nil, at most MaxLeaf bytes
	Index   uint32           // of the leaf in the block, [0, Block.Count)
	Path    [][32]byte       // sibling hashes from the leaf up (RFC 9162 §2.1.3.1), at most MaxPath
	Block   LogBlock
}

// ParseProof reads a proof file: one JSON object with exactly the keys of FORMAT §4, and nothing after it but white space.
// It checks the form alone; [Proof.Check] checks what the proof claims. data is borrowed for the call and shares no memory
// with the result. Errors are *FieldError, with "receipt.…" and "logblock.…" for what is wrong inside.
func ParseProof(data []byte) (*Proof, error) {
	if err := checkSize(data); err != nil {
		return nil, err
	}
	s := scan(data)
	p := new(Proof)
	seen := make(map[string]bool, 5)
	err := s.object("", func(key string) error {
		seen[key] = true
		return s.proofMember(p, key)
	})
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	for _, key := range [...]string{"v", "index", "path", "logblock"} {
		if !seen[key] {
			return nil, &FieldError{key, "missing"}
		}
	}
	if !p.Block.HasUsage && !seen["receipt"] && !seen["leaf"] {
		return nil, &FieldError{"leaf", "missing"}
	}
	if err := p.checkShape(); err != nil {
		return nil, err
	}
	return p, nil
}

// proofMember reads the value of one key of a proof file into p.
func (s scanner) proofMember(p *Proof, key string) (err error) {
	switch key {
	case "v":
		err = s.version(key)
	case "receipt":
		p.Receipt, err = s.receipt(key)
	case "leaf":
		p.Leaf, err = s.leaf(key)
	case "index":
		var n uint64
		n, err = s.digits(key, 1<<32-1)
		p.Index = uint32(n)
	case "path":
		p.Path, err = s.path(key)
	case "logblock":
		var b *LogBlock
		if b, err = s.block(key, EncSeal1); err == nil {
			p.Block = *b
		}
	default:
		err = &FieldError{shown(key), "unknown key"}
	}
	return err
}

// receipt reads a StepReceipt at path at, by its own strict reader.
func (s scanner) receipt(at string) (*receipt.Receipt, error) {
	raw, err := s.raw(at)
	if err != nil {
		return nil, err
	}
	var parser receipt.Parser
	var r receipt.Receipt
	if err := parser.Parse(raw, &r); err != nil {
		return nil, under(at, err)
	}
	own := r.Clone() // raw is the scanner's
	return &own, nil
}

// leaf reads base64 with padding, RFC 4648 §4: no line breaks, and no second text for the same bytes.
func (s scanner) leaf(at string) ([]byte, error) {
	text, err := s.text(at)
	if err != nil {
		return nil, err
	}
	if len(text) > base64.StdEncoding.EncodedLen(MaxLeaf) {
		return nil, &FieldError{at, fmt.Sprintf("over %d bytes", MaxLeaf)}
	}
	if strings.ContainsAny(text, "\r\n") {
		return nil, &FieldError{at, "line breaks in base64"}
	}
	leaf, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, &FieldError{at, "not padded base64 (RFC 4648 §4)"}
	}
	return leaf, nil
}

func (s scanner) path(at string) ([][32]byte, error) {
	path := [][32]byte{}
	err := s.array(at, func(i int) error {
		if i == MaxPath {
			return &FieldError{at, fmt.Sprintf("over %d items", MaxPath)}
		}
		var hash [32]byte
		if err := s.hex(elementPath(at, i), hashPrefix, hash[:]); err != nil {
			return err
		}
		path = append(path, hash)
		return nil
	})
	return path, err
}

// checkShape refuses a proof that has no text: a receipt exactly where the block has usage, a path that is not too long,
// a leaf that is not too large.
func (p *Proof) checkShape() error {
	switch {
	case p.Block.Scheme != EncSeal1:
		return &FieldError{"logblock.scheme", fmt.Sprintf("%q, and only %q has proofs", p.Block.Scheme, EncSeal1)}
	case p.Receipt == nil && p.Block.HasUsage:
		return &FieldError{"receipt", "missing: the leaves of a block with usage are receipts"}
	case p.Receipt != nil && !p.Block.HasUsage:
		return &FieldError{"receipt", "given, but the leaves of a block without usage are not receipts"}
	case p.Receipt != nil && p.Leaf != nil:
		return &FieldError{"leaf", "beside a receipt"}
	case len(p.Leaf) > MaxLeaf:
		return &FieldError{"leaf", fmt.Sprintf("over %d bytes", MaxLeaf)}
	case len(p.Path) > MaxPath:
		return &FieldError{"path", fmt.Sprintf("over %d items", MaxPath)}
	}
	return nil
}

// AppendJSON appends the proof file, without a newline, to dst. It refuses a proof that ParseProof would refuse with a
// *FieldError, and then returns dst as it came. A proof that it prints may still be false: see Check.
func (p *Proof) AppendJSON(dst []byte) ([]byte, error) {
	if err := p.checkShape(); err != nil {
		return dst, err
	}
	out := append(dst, `{"v":1,`...)
	var err error
	if p.Receipt != nil {
		if out, err = p.Receipt.AppendJSON(append(out, `"receipt":`...)); err != nil {
			return dst, under("receipt", err)
		}
	} else {
		out = base64.StdEncoding.AppendEncode(append(out, `"leaf":"`...), p.Leaf)
		out = append(out, '"')
	}
	out = strconv.AppendUint(append(out, `,"index":`...), uint64(p.Index), 10)
	out = append(out, `,"path":[`...)
	for i := range p.Path {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendHexString(out, hashPrefix, p.Path[i][:])
	}
	if out, err = p.Block.AppendJSON(append(out, `],"logblock":`...)); err != nil {
		return dst, under("logblock", err)
	}
	return append(out, '}'), nil
}

// Check returns nil when the proof shows that the leaf is in a block that the notary with the trusted key signed, by every
// step of FORMAT §4. The error is a *FieldError for the first step that fails. The producer's hash and signature are no
// part of it: Receipt.Verify checks those.
func (p *Proof) Check(key sign.PublicKey) error {
	if err := key.Check(); err != nil {
		return &FieldError{"", fmt.Sprintf("trusted key: %v", err)}
	}
	if err := p.checkShape(); err != nil {
		return err
	}
	if p.Block.Key != key {
		return &FieldError{"logblock.key", fmt.Sprintf("%s is not the trusted key", p.Block.Key)}
	}
	if _, err := p.Block.checkSignature(&key, nil); err != nil {
		return under("logblock", err)
	}
	leaf := p.Leaf
	if p.Receipt != nil {
		var err error
		if leaf, err = p.receiptLeaf(); err != nil {
			return under("receipt", err)
		}
	}
	if p.Index >= p.Block.Count {
		return &FieldError{"index", fmt.Sprintf("%d, but the block has %d leaves", p.Index, p.Block.Count)}
	}
	err := merkle.Verify(p.Block.MerkleRoot, merkle.HashLeaf(leaf), uint64(p.Index), uint64(p.Block.Count), p.Path)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "merkle: ")
		return &FieldError{"path", "does not lead from the leaf at this index to merkle_root: " + why}
	}
	return nil
}

// receiptLeaf returns enc(receipt), once the receipt keeps its rules and is one that the block can hold.
func (p *Proof) receiptLeaf() ([]byte, error) {
	leaf, err := p.Receipt.AppendCanonical(nil)
	if err != nil {
		return nil, err
	}
	if p.Receipt.App != p.Block.App {
		return nil, &FieldError{"app", fmt.Sprintf("%q, but the block's is %q", p.Receipt.App, p.Block.App)}
	}
	at, err := p.Receipt.Instant()
	if err != nil {
		return nil, err
	}
	from, to, err := p.Block.instants()
	if err != nil {
		return nil, err
	}
	if at.Compare(from) < 0 || at.Compare(to) > 0 {
		return nil, &FieldError{"ts", fmt.Sprintf("%s is outside the block's range", p.Receipt.TS)}
	}
	return leaf, nil
}
