package receipt

import "strconv"

// AppendJSON appends r as one line of JSON without a line end, in the one way
// that the format prints it: keys in fixed order, no spaces, labels always and
// sorted bytewise by key. It enforces every rule as [Receipt.AppendCanonical]
// does; on error it returns dst as it came. It allocates nothing where dst has
// the room.
func (r *Receipt) AppendJSON(dst []byte) ([]byte, error) {
	// The encoding is written where the line will stand, for its rules alone.
	out, err := r.AppendCanonical(dst)
	if err != nil {
		return dst, err
	}
	out = out[:len(dst)]

	out = printString(append(out, `{"v":1,"app":`...), r.App)
	out = printString(append(out, `,"container":`...), r.Container)
	out = printString(append(out, `,"op":`...), r.Op)
	out = printString(append(out, `,"ts":`...), r.TS)
	out = r.Resource.print(out)
	out = printLabels(append(out, `,"labels":`...), r.Labels)
	out = printHash(append(out, `,"prev_hash":`...), r.PrevHash)
	out = printHash(append(out, `,"hash":`...), r.Hash)
	out = append(out, `,"sig":`...)
	if r.Sig.is {
		out = append(r.Sig.AppendText(append(out, '"')), '"')
	} else {
		out = printString(out, r.Sig.text)
	}
	return append(out, '}'), nil
}

func (u *Resource) print(dst []byte) []byte {
	if u.HasReceiptsCount {
		dst = append(dst, `,"usage":{"cpu_ms":`...)
	} else {
		dst = append(dst, `,"resource":{"cpu_ms":`...)
	}
	dst = strconv.AppendUint(dst, u.CPUms, 10)
	dst = strconv.AppendUint(append(dst, `,"memory_mb_s":`...), u.MemoryMBs, 10)
	dst = printFloat(append(dst, `,"storage_gb_day":`...), u.StorageGBDay)
	dst = printFloat(append(dst, `,"egress_mb":`...), u.EgressMB)
	if u.HasReceiptsCount {
		dst = strconv.AppendUint(append(dst, `,"receipts_count":`...), u.ReceiptsCount, 10)
	}
	return append(dst, '}')
}

// printLabels appends at most MaxLabels labels as an object.
func printLabels(dst []byte, labels []Label) []byte {
	dst = append(dst, '{')
	order := printedOrder(labels)
	for i := range labels {
		if i > 0 {
			dst = append(dst, ',')
		}
		l := &labels[order[i]]
		dst = append(printString(dst, l.Key), ':')
		dst = printString(dst, l.Value)
	}
	return append(dst, '}')
}

func printHash(dst []byte, h Hash) []byte {
	if h.is {
		return append(h.AppendText(append(dst, '"')), '"')
	}
	return printString(dst, h.text)
}

// printString appends s as a JSON string that escapes only what JSON requires.
// s is valid UTF-8.
func printString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	plain := 0 // s[plain:i] needs no escape and is not appended yet
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[plain:i]...)
		plain = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\r':
			dst = append(dst, `\r`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(dst, s[plain:]...), '"')
}
