package receipt

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A FieldError says which field of a receipt breaks a rule, and how. It is the
// type of every refusal of this package, always as a pointer.
type FieldError struct {
	// Field is the path of the field in the receipt's JSON: "app", "labels",
	// "resource.cpu_ms" (also where the line calls it usage). It is empty when
	// the fault is in the line or the encoding as a whole. The name of an
	// unknown key is quoted where it is long or does not print.
	Field string
	// Reason is what is wrong, in a few words.
	Reason string
}

// Error returns "field: reason", or the reason alone where there is no field.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

func refuse(field, reason string) error {
	return &FieldError{Field: field, Reason: reason}
}

// Reasons that several readers and writers share. An empty reason means that
// the rule holds.
const (
	reasonMissing   = "missing"
	reasonEmpty     = "empty"
	reasonTooLong   = "over 255 bytes"
	reasonUTF8      = "invalid UTF-8"
	reasonEncoding  = "canonical encoding over 65,535 bytes"
	reasonLabels    = "over 64 labels"
	reasonDuplicate = "duplicate"
)

// Fields as FieldError names them.
const (
	fieldV         = "v"
	fieldApp       = "app"
	fieldContainer = "container"
	fieldOp        = "op"
	fieldTS        = "ts"
	fieldResource  = "resource"
	fieldUsage     = "usage"
	fieldCPU       = "resource.cpu_ms"
	fieldMemory    = "resource.memory_mb_s"
	fieldStorage   = "resource.storage_gb_day"
	fieldEgress    = "resource.egress_mb"
	fieldCount     = "resource.receipts_count"
	fieldLabels    = "labels"
	fieldPrevHash  = "prev_hash"
	fieldHash      = "hash"
	fieldSig       = "sig"
)

// shown returns text from outside as an error can carry it: as it is when it is
// short and prints, else quoted and cut. It never shares memory with s.
func shown(s string) string {
	const limit = 64
	if s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(c rune) bool {
		return !unicode.IsPrint(c) || c == utf8.RuneError
	}) {
		return strings.Clone(s)
	}
	if len(s) <= limit {
		return strconv.Quote(s)
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "…"
}
