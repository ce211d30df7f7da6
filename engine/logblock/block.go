package logblock

import (
	"fmt"
	"unicode/utf8"

	"github.com/encseal/encseal/engine/internal/derive"
	"github.com/encseal/encseal/engine/receipt"
	"github.com/encseal/encseal/engine/sign"
)

// Names of the schemes, as a LogBlock and a command line have them.
const (
	EncSeal1 = "encseal-1"
	BPI1     = "bpi-1"
)

// BlockContext is the derive_key context of a block hash.
const BlockContext = "encseal 2026-11-23 logblock v1"

// maxApp is the longest app in bytes.
const maxApp = 255

// LogBlock is a signed batch of leaves of one app, FORMAT §3. It is a plain value: whoever holds it may copy it.
type LogBlock struct {
	App        string // 1 to 255 bytes of UTF-8
	Height     uint64 // from 1, one more for each block of the app
	MerkleRoot [32]byte
	Count      uint32 // leaves, from 1
	Sig        [64]byte

	// FromTS and ToTS are the ts of the earliest and of the latest receipt by instant (as text in scheme bpi-1), the first
	// such receipt's where several share it; the writer's clock at the first and the last leaf where leaves are not receipts.
	FromTS, ToTS string

	Usage    Usage // totals over the receipts
	HasUsage bool  // false exactly where leaves are not receipts

	Scheme     string         // EncSeal1 or BPI1; with BPI1 nothing from Usage on counts, and JSON has none of it
	Prev       [32]byte       // block hash of the block before; zero at height 1 and only there
	Key        sign.PublicKey // the notary's word for its key; a checker compares, it never trusts this one
	NextKey    sign.PublicKey // key of every later block, where HasNextKey
	HasNextKey bool
}

// Legacy is the rule book of scheme bpi-1, FORMAT §5, for the calls that are told to accept it. engine/bpi1.Rules is one.
type Legacy interface {
	ReceiptDigest(r *receipt.Receipt) ([32]byte, error)
	AppendLeaf(dst []byte, r *receipt.Receipt) ([]byte, error)
	HashLeaf(leaf []byte) [32]byte
	Root(hashes [][32]byte) [32]byte // overwrites hashes
	BlockDigest(app string, height uint64, root [32]byte, count uint32, fromTS, toTS string) [32]byte
}

// check returns a *FieldError for the first rule of FORMAT §3 that b breaks. It looks at no signature.
func (b *LogBlock) check() error {
	if b.Scheme != EncSeal1 && b.Scheme != BPI1 {
		return &FieldError{"scheme", fmt.Sprintf("%q is neither %q nor %q", b.Scheme, EncSeal1, BPI1)}
	}
	if err := CheckApp(b.App); err != nil {
		return err
	}
	if b.Height == 0 {
		return &FieldError{"height", "0, but heights start at 1"}
	}
	if b.Count == 0 {
		return &FieldError{"count", "0, but a block has a leaf at least"}
	}
	if _, _, err := b.instants(); err != nil {
		return err
	}
	if b.Scheme == EncSeal1 {
		return b.checkPrev()
	}
	return nil
}

func (b *LogBlock) checkPrev() error {
	zero := b.Prev == [32]byte{}
	if b.Height == 1 && !zero {
		return &FieldError{"prev", "not zero, though no block precedes height 1"}
	}
	if b.Height > 1 && zero {
		return &FieldError{"prev", fmt.Sprintf("zero at height %d", b.Height)}
	}
	return nil
}

// CheckApp returns nil when app may name an app: 1 to 255 bytes of UTF-8, FORMAT §1. Else it returns a *FieldError for "app".
func CheckApp(app string) error {
	switch {
	case app == "":
		return &FieldError{"app", "empty"}
	case len(app) > maxApp:
		return &FieldError{"app", fmt.Sprintf("%d bytes, at most %d", len(app), maxApp)}
	case !utf8.ValidString(app):
		return &FieldError{"app", "not UTF-8"}
	}
	return nil
}

// instants returns the instants of the range.
func (b *LogBlock) instants() (from, to receipt.Instant, err error) {
	if from, err = receipt.ParseInstant(b.FromTS); err != nil {
		return from, to, tsError("range.from_ts", err)
	}
	if to, err = receipt.ParseInstant(b.ToTS); err != nil {
		return from, to, tsError("range.to_ts", err)
	}
	return from, to, nil
}

func tsError(field string, err error) error {
	_, reason := fieldOf(err)
	return &FieldError{field, reason}
}

// AppendHeader appends hdr(b), what the block hash covers, to dst. It refuses a block that breaks a rule of FORMAT §3, and
// one of scheme bpi-1, which has no header, with a *FieldError, and then returns dst as it came. With room in dst it
// allocates nothing.
func (b *LogBlock) AppendHeader(dst []byte) ([]byte, error) {
	if b.Scheme == BPI1 {
		return dst, &FieldError{"scheme", "bpi-1 has no header"}
	}
	if err := b.check(); err != nil {
		return dst, err
	}
	dst = appendHead(dst, majorMap, b.headerKeys())
	dst = appendUint(append(dst, 1), 1)
	dst = appendText(append(dst, 2), b.App)
	dst = appendUint(append(dst, 3), b.Height)
	dst = appendBytes(append(dst, 4), b.MerkleRoot[:])
	dst = appendUint(append(dst, 5), uint64(b.Count))
	dst = appendText(append(dst, 6), b.FromTS)
	dst = appendText(append(dst, 7), b.ToTS)
	dst = appendBytes(append(dst, 8), b.Prev[:])
	dst = appendBytes(append(dst, 9), b.Key[:])
	if b.HasUsage {
		dst = appendHead(append(dst, 10), majorArray, 4)
		dst = appendUint(dst, b.Usage.CPUms)
		dst = appendUint(dst, b.Usage.MemoryMBs)
		dst = appendUint(dst, b.Usage.StorageUGBDay)
		dst = appendUint(dst, b.Usage.EgressUMB)
	}
	dst = appendText(append(dst, 11), b.Scheme)
	if b.HasNextKey {
		dst = appendBytes(append(dst, 12), b.NextKey[:])
	}
	return dst, nil
}

// headerKeys is how many keys hdr(b) has.
func (b *LogBlock) headerKeys() uint64 {
	keys := uint64(10) // all but usage and next_key
	if b.HasUsage {
		keys++
	}
	if b.HasNextKey {
		keys++
	}
	return keys
}

// maxHeader bounds hdr(b): an app of 255 bytes, two ts of 35, three strings of 32, and heads, come to less.
const maxHeader = 640

// blockKey holds the key words of BlockContext; it is never written.
var blockKey = derive.NewKey(BlockContext)

// Hash returns block_hash(b), which the next block's prev repeats and sig_notary signs. Errors are AppendHeader's.
func (b *LogBlock) Hash() ([32]byte, error) {
	var room [maxHeader]byte
	hdr, err := b.AppendHeader(room[:0])
	if err != nil {
		return [32]byte{}, err
	}
	return blockKey.Sum(hdr), nil
}

// SignedDigest returns the 32 bytes that sig_notary signs: the block hash, or in scheme bpi-1 what legacy says. legacy
// may be nil where b is of scheme encseal-1. It returns a *FieldError for a block that breaks a rule of FORMAT §3.
func (b *LogBlock) SignedDigest(legacy Legacy) ([32]byte, error) {
	if b.Scheme != BPI1 {
		return b.Hash()
	}
	if legacy == nil {
		return [32]byte{}, &FieldError{"scheme", "bpi-1, which is judged only when asked for"}
	}
	if err := b.check(); err != nil {
		return [32]byte{}, err
	}
	return legacy.BlockDigest(b.App, b.Height, b.MerkleRoot, b.Count, b.FromTS, b.ToTS), nil
}

// checkSignature returns the signed digest of b if sig_notary is key's signature over it. It does not look at b.Key.
func (b *LogBlock) checkSignature(key *sign.PublicKey, legacy Legacy) ([32]byte, error) {
	digest, err := b.SignedDigest(legacy)
	if err != nil {
		return digest, err
	}
	if !sign.Verify(key, &digest, &b.Sig) {
		return digest, &FieldError{"sig_notary", "not a signature of this block by the trusted key"}
	}
	return digest, nil
}
