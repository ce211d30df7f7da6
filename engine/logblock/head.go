package logblock

import (
	"strconv"
	"strings"
)

// Head names a block by its height and its block hash (in scheme bpi-1: its signed digest): what an auditor keeps of a
// log that it checked, so that the next check shows if the log was cut or written anew. The zero Head names none.
type Head struct {
	Height uint64
	Hash   [32]byte
}

// ParseHead reads "HEIGHT:blake3:HEX": a height from 1 in digits without leading zeros, and 64 lower-case hexadecimal
// digits. Errors are *FieldError.
func ParseHead(text string) (Head, error) {
	height, hash, ok := strings.Cut(text, ":")
	if !ok {
		return Head{}, &FieldError{"head", "not HEIGHT:blake3:HEX"}
	}
	var h Head
	var err error
	if h.Height, err = parseDigits(height, 1<<64-1); err != nil {
		return Head{}, under("head", err)
	}
	if h.Height == 0 {
		return Head{}, &FieldError{"head", "height 0, but heights start at 1"}
	}
	if err := parseHex(h.Hash[:], hashPrefix, hash); err != nil {
		return Head{}, under("head", err)
	}
	return h, nil
}

// String returns what ParseHead reads.
func (h Head) String() string {
	text := strconv.AppendUint(nil, h.Height, 10)
	return string(appendHexText(append(text, ':'), hashPrefix, h.Hash[:]))
}
