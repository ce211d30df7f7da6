package logblock

import (
	"fmt"
	"strings"
)

// FileKind tells what a file for checking holds.
type FileKind int

// The kinds of [Kind].
const (
	ProofFile    FileKind = iota + 1 // see [ParseProof]
	EvidenceFile                     // see [ParseEvidence]
)

// String returns "proof" or "evidence".
func (k FileKind) String() string {
	switch k {
	case ProofFile:
		return "proof"
	case EvidenceFile:
		return "evidence"
	}
	return fmt.Sprintf("FileKind(%d)", int(k))
}

// Kind tells a proof file from an evidence line by its first key that only one of them has. The file may still be wrong:
// parsing it finds out. The error is a *FieldError for what is neither.
func Kind(data []byte) (FileKind, error) {
	if err := checkSize(data); err != nil {
		return 0, err
	}
	var kind FileKind
	var others []string
	s := scan(data)
	err := s.object("", func(key string) error {
		switch key {
		case "evidence":
			kind = EvidenceFile
		case "receipt", "leaf", "index", "path", "logblock":
			kind = ProofFile
		default:
			if len(others) < len(blockKeys) {
				others = append(others, shown(key))
			}
		}
		if kind != 0 {
			return errKindKnown
		}
		_, err := s.raw(key)
		return err
	})
	switch {
	case kind != 0:
		return kind, nil
	case err != nil:
		return 0, err
	}
	return 0, &FieldError{"", "neither a proof nor evidence: its keys are " + strings.Join(others, ", ")}
}

// errKindKnown ends Kind's reading; it is never seen outside.
var errKindKnown = &FieldError{"", "kind known"}
