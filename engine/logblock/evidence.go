package logblock

import (
	"fmt"
	"strconv"

	"github.com/encseal/encseal/engine/sign"
)

// Evidence is two LogBlocks that prove, if Check says so, that the notary signed two different blocks of one app and
// height, FORMAT §3. The blocks may be of different schemes.
type Evidence struct {
	Blocks [2]LogBlock
}

// ParseEvidence reads an evidence line: {"v":1,"evidence":[block,block]}, and nothing after it but white space. A block of
// seven keys is taken for one of scheme bpi-1. It checks the form alone. line is borrowed for the call. Errors are
// *FieldError, with "evidence[0].…" and "evidence[1].…" for what is wrong inside.
func ParseEvidence(line []byte) (*Evidence, error) {
	if err := checkSize(line); err != nil {
		return nil, err
	}
	s := scan(line)
	e := new(Evidence)
	var hasV, hasBlocks bool
	err := s.object("", func(key string) error {
		switch key {
		case "v":
			hasV = true
			return s.version(key)
		case "evidence":
			hasBlocks = true
			return s.evidenceBlocks(key, &e.Blocks)
		}
		return &FieldError{shown(key), "unknown key"}
	})
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	if !hasV {
		return nil, &FieldError{"v", "missing"}
	}
	if !hasBlocks {
		return nil, &FieldError{"evidence", "missing"}
	}
	return e, nil
}

func (s scanner) evidenceBlocks(at string, blocks *[2]LogBlock) error {
	n := 0
	err := s.array(at, func(i int) error {
		if i == len(blocks) {
			return &FieldError{at, "more than two blocks"}
		}
		b, err := s.block(elementPath(at, i), "")
		if err != nil {
			return err
		}
		blocks[i] = *b
		n++
		return nil
	})
	if err == nil && n < len(blocks) {
		return &FieldError{at, "fewer than two blocks"}
	}
	return err
}

func elementPath(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }

// AppendJSON appends the evidence line, without a newline, to dst. It refuses a block that breaks a rule with a
// *FieldError, and then returns dst as it came.
func (e *Evidence) AppendJSON(dst []byte) ([]byte, error) {
	out := append(dst, `{"v":1,"evidence":[`...)
	var err error
	for i := range e.Blocks {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = e.Blocks[i].AppendJSON(out); err != nil {
			return dst, under(elementPath("evidence", i), err)
		}
	}
	return append(out, `]}`...), nil
}

// Check returns nil when the evidence proves that the holder of key equivocated: both blocks carry its valid signature,
// have one app and one height, and what was signed differs. legacy judges blocks of scheme bpi-1; where it is nil they
// prove nothing. The error is a *FieldError.
func (e *Evidence) Check(key sign.PublicKey, legacy Legacy) error {
	if err := key.Check(); err != nil {
		return &FieldError{"", fmt.Sprintf("trusted key: %v", err)}
	}
	var digests [2][32]byte
	for i := range e.Blocks {
		b := &e.Blocks[i]
		at := elementPath("evidence", i)
		if b.Scheme == EncSeal1 && b.Key != key {
			return &FieldError{at + ".key", fmt.Sprintf("%s is not the trusted key", b.Key)}
		}
		var err error
		if digests[i], err = b.checkSignature(&key, legacy); err != nil {
			return under(at, err)
		}
	}
	a, b := &e.Blocks[0], &e.Blocks[1]
	switch {
	case a.App != b.App:
		return &FieldError{"evidence", fmt.Sprintf("two apps, %q and %q, prove nothing", a.App, b.App)}
	case a.Height != b.Height:
		return &FieldError{"evidence", fmt.Sprintf("two heights, %d and %d, prove nothing", a.Height, b.Height)}
	case digests[0] == digests[1]:
		return &FieldError{"evidence", "one signed digest twice proves nothing"}
	}
	return nil
}
