package logblock

import (
	"fmt"

	"github.com/encseal/encseal/engine/receipt"
)

// MaxText is the longest JSON text of a LogBlock, a proof or an evidence line in bytes, white space around it included.
// What is printed here is below half of it.
const MaxText = receipt.MaxLine

// keySet is a set of top-level keys of a LogBlock, a bit for each.
type keySet uint16

// blockKeys names the bits of a keySet, in the order of printing.
var blockKeys = [...]string{
	"v", "app", "height", "merkle_root", "count", "sig_notary", "range",
	"usage", "scheme", "prev", "key", "next_key",
}

const (
	sevenKeys    keySet = 1<<7 - 1                             // v to range: all that a bpi-1 block has
	schemeKey    keySet = 1 << 8                               // the key that tells the schemes apart
	requiredKeys keySet = sevenKeys | schemeKey | 1<<9 | 1<<10 // and prev, key
)

// Parse reads one LogBlock in JSON, strictly as FORMAT §3 has it, of the scheme that the caller expects: [EncSeal1] or
// [BPI1]. A block of the other scheme is refused: what a block says of itself never decides how it is judged.
// line is borrowed for the call; white space may stand around the object, nothing else. Errors are *FieldError.
//
// Parse checks no signature and no key.
func Parse(line []byte, scheme string) (*LogBlock, error) {
	if scheme != EncSeal1 && scheme != BPI1 {
		return nil, &FieldError{"scheme", fmt.Sprintf("%q is neither %q nor %q", scheme, EncSeal1, BPI1)}
	}
	if err := checkSize(line); err != nil {
		return nil, err
	}
	s := scan(line)
	b, err := s.block("", scheme)
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	return b, nil
}

func checkSize(text []byte) error {
	if len(text) > MaxText {
		return &FieldError{"", fmt.Sprintf("over %d bytes", MaxText)}
	}
	return nil
}

// block reads a LogBlock at path at. scheme "" takes either: seven keys alone make it bpi-1.
func (s scanner) block(at, scheme string) (*LogBlock, error) {
	b := new(LogBlock)
	var seen keySet
	err := s.object(at, func(key string) error {
		path := joinPath(at, shown(key))
		for i, name := range blockKeys {
			if name == key {
				seen |= 1 << i
				return s.blockMember(b, key, path)
			}
		}
		return &FieldError{path, "unknown key"}
	})
	if err != nil {
		return nil, err
	}
	if scheme == "" {
		scheme = EncSeal1
		if seen == sevenKeys {
			scheme = BPI1
		}
	}
	if err := checkKeys(seen, scheme, b.Scheme); err != nil {
		return nil, under(at, err)
	}
	b.Scheme = scheme
	if err := b.check(); err != nil {
		return nil, under(at, err)
	}
	return b, nil
}

// blockMember reads the value of one key of a LogBlock into b.
func (s scanner) blockMember(b *LogBlock, key, path string) (err error) {
	switch key {
	case "v":
		err = s.version(path)
	case "app":
		b.App, err = s.text(path)
	case "height":
		b.Height, err = s.digits(path, 1<<64-1)
	case "merkle_root":
		err = s.hex(path, hashPrefix, b.MerkleRoot[:])
	case "count":
		var n uint64
		n, err = s.digits(path, 1<<32-1)
		b.Count = uint32(n)
	case "sig_notary":
		err = s.hex(path, signPrefix, b.Sig[:])
	case "range":
		err = s.rangeObject(b, path)
	case "usage":
		b.HasUsage = true
		err = s.usageObject(&b.Usage, path)
	case "scheme":
		b.Scheme, err = s.text(path)
	case "prev":
		err = s.hex(path, hashPrefix, b.Prev[:])
	case "key":
		err = s.hex(path, signPrefix, b.Key[:])
	case "next_key":
		b.HasNextKey = true
		err = s.hex(path, signPrefix, b.NextKey[:])
	}
	return err
}

func (s scanner) rangeObject(b *LogBlock, at string) error {
	var from, to bool
	err := s.object(at, func(key string) (err error) {
		path := joinPath(at, shown(key))
		switch key {
		case "from_ts":
			from = true
			b.FromTS, err = s.text(path)
		case "to_ts":
			to = true
			b.ToTS, err = s.text(path)
		default:
			err = &FieldError{path, "unknown key"}
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !from:
		return &FieldError{at + ".from_ts", "missing"}
	case !to:
		return &FieldError{at + ".to_ts", "missing"}
	}
	return nil
}

func (s scanner) usageObject(u *Usage, at string) error {
	totals := [...]struct {
		key   string
		total *uint64
	}{
		{"cpu_ms", &u.CPUms}, {"memory_mb_s", &u.MemoryMBs},
		{"storage_ugb_day", &u.StorageUGBDay}, {"egress_umb", &u.EgressUMB},
	}
	var seen [len(totals)]bool
	err := s.object(at, func(key string) (err error) {
		path := joinPath(at, shown(key))
		for i, t := range totals {
			if t.key == key {
				seen[i] = true
				*t.total, err = s.digits(path, 1<<64-1)
				return err
			}
		}
		return &FieldError{path, "unknown key"}
	})
	if err != nil {
		return err
	}
	for i, t := range totals {
		if !seen[i] {
			return &FieldError{joinPath(at, t.key), "missing"}
		}
	}
	return nil
}

// checkKeys refuses a block that has not exactly the keys of its scheme. A whole block of the other scheme gets a hint.
func checkKeys(seen keySet, scheme, named string) error {
	if scheme == BPI1 {
		if seen&schemeKey != 0 {
			return &FieldError{"scheme", fmt.Sprintf("a bpi-1 block has seven keys and no scheme; this one says %q", named)}
		}
		return exactKeys(seen, sevenKeys, sevenKeys)
	}
	if seen == sevenKeys {
		return &FieldError{"scheme", "missing: a block of seven keys is bpi-1, which is judged only when asked for"}
	}
	if seen&schemeKey != 0 && named != EncSeal1 {
		return &FieldError{"scheme", fmt.Sprintf("%q is not %q", named, EncSeal1)}
	}
	const all keySet = 1<<len(blockKeys) - 1
	return exactKeys(seen, requiredKeys, all)
}

// exactKeys names the first required key that is missing, or the first that is not allowed.
func exactKeys(seen, required, allowed keySet) error {
	for i, name := range blockKeys {
		bit := keySet(1) << i
		if required&bit != 0 && seen&bit == 0 {
			return &FieldError{name, "missing"}
		}
		if allowed&bit == 0 && seen&bit != 0 {
			return &FieldError{name, "not a key of this scheme"}
		}
	}
	return nil
}
