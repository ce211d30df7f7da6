package logblock

import (
	"encoding/hex"
	"strconv"
)

// Prefixes of hexadecimal texts in JSON.
const (
	hashPrefix = "blake3:"
	signPrefix = "ed25519:"
)

// AppendJSON appends b as FORMAT §3 prints it, without a newline, to dst. It refuses a block that breaks a rule with a
// *FieldError, and then returns dst as it came.
func (b *LogBlock) AppendJSON(dst []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return dst, err
	}
	dst = appendString(append(dst, `{"v":1,"app":`...), b.App)
	dst = strconv.AppendUint(append(dst, `,"height":`...), b.Height, 10)
	dst = appendHexString(append(dst, `,"merkle_root":`...), hashPrefix, b.MerkleRoot[:])
	dst = strconv.AppendUint(append(dst, `,"count":`...), uint64(b.Count), 10)
	dst = appendHexString(append(dst, `,"sig_notary":`...), signPrefix, b.Sig[:])
	dst = appendString(append(dst, `,"range":{"from_ts":`...), b.FromTS)
	dst = appendString(append(dst, `,"to_ts":`...), b.ToTS)
	dst = append(dst, '}')
	if b.Scheme == BPI1 {
		return append(dst, '}'), nil
	}
	if b.HasUsage {
		dst = b.Usage.appendJSON(append(dst, `,"usage":`...))
	}
	dst = appendString(append(dst, `,"scheme":`...), b.Scheme)
	dst = appendHexString(append(dst, `,"prev":`...), hashPrefix, b.Prev[:])
	dst = appendHexString(append(dst, `,"key":`...), signPrefix, b.Key[:])
	if b.HasNextKey {
		dst = appendHexString(append(dst, `,"next_key":`...), signPrefix, b.NextKey[:])
	}
	return append(dst, '}'), nil
}

func (u *Usage) appendJSON(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, `{"cpu_ms":`...), u.CPUms, 10)
	dst = strconv.AppendUint(append(dst, `,"memory_mb_s":`...), u.MemoryMBs, 10)
	dst = strconv.AppendUint(append(dst, `,"storage_ugb_day":`...), u.StorageUGBDay, 10)
	dst = strconv.AppendUint(append(dst, `,"egress_umb":`...), u.EgressUMB, 10)
	return append(dst, '}')
}

// appendString appends s, which is UTF-8, as a JSON string that escapes only what JSON requires: ", \ and the control
// characters, \b \t \n \f \r short, the others \u00xx in lower case.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c >= '\b' && c <= '\r' && c != '\v':
			dst = append(dst, '\\', "btn_fr"[c-'\b'])
		default:
			const digits = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(dst, '"')
}

func appendHexString(dst []byte, prefix string, b []byte) []byte {
	return append(appendHexText(append(dst, '"'), prefix, b), '"')
}

func appendHexText(dst []byte, prefix string, b []byte) []byte {
	return hex.AppendEncode(append(dst, prefix...), b)
}
