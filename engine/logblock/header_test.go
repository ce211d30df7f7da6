package logblock

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func vectorHeaders(t *testing.T) (headers [][]byte) {
	t.Helper()
	for _, line := range readLines(t, "encseal-1.hdr.hex") {
		headers = append(headers, unhex(t, line))
	}
	return headers
}

// What the vectors' headers say is what their LogBlocks say, but for the signature.
func TestParseHeaderVectors(t *testing.T) {
	blocks := readBlocks(t, "encseal-1", EncSeal1)
	headers := vectorHeaders(t)
	for _, b := range readBlocks(t, "rotation", EncSeal1) { // one with next_key
		blocks, headers = append(blocks, b), append(headers, mustHeader(t, b))
	}
	if len(headers) != len(blocks) {
		t.Fatalf("got %d headers, %d blocks", len(headers), len(blocks))
	}
	for i, hdr := range headers {
		got, err := ParseHeader(hdr)
		if err != nil {
			t.Fatalf("header %d: %v", i, err)
		}
		clear(hdr) // nothing of it is kept
		want := *blocks[i]
		want.Sig = [64]byte{}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("header %d (-block +header):\n%s", i, diff)
		}
	}
}

func mustHeader(t *testing.T, b *LogBlock) []byte {
	t.Helper()
	hdr, err := b.AppendHeader(nil)
	if err != nil {
		t.Fatal(err)
	}
	return hdr
}

// manyHeaders is the vectors' headers, and one of every shape with the longest texts and the largest numbers.
func manyHeaders(t *testing.T) [][]byte {
	headers := vectorHeaders(t)
	for shape := range 4 {
		b := goodBlock()
		b.App, b.Height, b.Count = strings.Repeat("é", 127), 1<<64-1, 1<<32-1
		b.FromTS, b.ToTS = "9999-12-31T23:59:59.999999999-23:59", "2026-01-15T10:00:00Z"
		b.HasUsage, b.HasNextKey = shape&1 != 0, shape&2 != 0
		headers = append(headers, mustHeader(t, b))
	}
	return headers
}

// A header that was cut or continued is none.
func TestParseHeaderEachLength(t *testing.T) {
	for i, hdr := range manyHeaders(t) {
		for n := range hdr {
			if b, err := ParseHeader(hdr[:n]); err == nil {
				t.Errorf("header %d, first %d bytes: accepted: %+v", i, n, b)
			}
		}
		for next := range 256 {
			if b, err := ParseHeader(append(slices.Clip(hdr), byte(next))); err == nil {
				t.Errorf("header %d and a byte %#x: accepted: %+v", i, next, b)
			}
		}
	}
}

// Every value of every byte is refused, or says something that is written with exactly that byte.
func TestParseHeaderEachByte(t *testing.T) {
	for i, hdr := range manyHeaders(t) {
		accepted := 0
		for at := range hdr {
			good := hdr[at]
			for flip := 1; flip < 256; flip++ {
				hdr[at] = good ^ byte(flip)
				b, err := ParseHeader(hdr)
				if err != nil {
					if b != nil {
						t.Fatalf("header %d, byte %d: a block beside the error %v", i, at, err)
					}
					continue
				}
				accepted++
				if again := mustHeader(t, b); !bytes.Equal(again, hdr) {
					t.Fatalf("header %d, byte %d is %#x: accepted\n%x\nbut encodes to\n%x", i, at, hdr[at], hdr, again)
				}
			}
			hdr[at] = good
		}
		if least := 2 * 32 * 255; accepted < least { // merkle_root and key may be anything
			t.Errorf("header %d: %d changes accepted, want at least %d", i, accepted, least)
		}
	}
}

func TestParseHeaderRefusals(t *testing.T) {
	good := string(mustHeader(t, goodBlock()))
	swap := func(old, new string) string {
		t.Helper()
		if strings.Count(good, old) != 1 {
			t.Fatalf("%q occurs %d times", old, strings.Count(good, old))
		}
		return strings.Replace(good, old, new, 1)
	}
	from, to := "\x06\x742026-01-15T10:00:00Z", "\x07\x742026-01-15T10:05:00Z"
	usage := "\x0a\x84\x19\x04\xd4\x19\x03\x1b\x1a\x00\x04\x93\xe0\x1a\x00\x36\xee\x80"
	scheme := "\x0b\x69encseal-1"
	for _, test := range []struct{ name, hdr, field, words string }{
		{"nothing", "", "", "cut off"},
		{"not a map", "\x80" + good[1:], "", "not a map"},
		{"indefinite map", "\xbf" + good[1:] + "\xff", "", "neither a value nor a length"},
		{"long head of the map", "\xb8\x0b" + good[1:], "", "shortest"},
		{"map of 12 that holds 11", "\xac" + good[1:], "", "12 keys that holds 11"},
		{"v 2", swap("\xab\x01\x01", "\xab\x01\x02"), "v", "2, want 1"},
		{"v in two bytes", swap("\xab\x01\x01", "\xab\x01\x18\x01"), "v", "shortest"},
		{"v missing", swap("\x01\x01\x02\x66", "\x02\x66"), "v", "missing"},
		{"app as bytes", swap("\x66my-app", "\x46my-app"), "app", "not text"},
		{"app empty", swap("\x66my-app", "\x60"), "app", "empty"},
		{"app not UTF-8", swap("\x66my-app", "\x66my-ap\xff"), "app", "UTF-8"},
		{"app without end", swap("\x66my-app", "\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), "app", "cut off"},
		{"app in pieces", swap("\x66my-app", "\x7f\x66my-app\xff"), "app", "neither a value nor a length"},
		{"app in a long head", swap("\x66my-app", "\x79\x00\x06my-app"), "app", "shortest"},
		{"height as text", swap("\x03\x02\x04", "\x03\x61\x32\x04"), "height", "unsigned"},
		{"height below zero", swap("\x03\x02\x04", "\x03\x22\x04"), "height", "unsigned"},
		{"height 0", swap("\x03\x02\x04", "\x03\x00\x04"), "height", "start at 1"},
		{"height twice", swap("\x03\x02\x04", "\x03\x02\x03\x02\x04"), "merkle_root", "missing"},
		{"prev at height 1", swap("\x03\x02\x04", "\x03\x01\x04"), "prev", "not zero"},
		{"root of 31 bytes", swap("\x04\x58\x20\x01\x00", "\x04\x58\x1f\x01"), "merkle_root", "31 bytes, want 32"},
		{"root as text", swap("\x04\x58\x20\x01", "\x04\x78\x20\x01"), "merkle_root", "byte string"},
		{"count 0", swap("\x05\x03\x06", "\x05\x00\x06"), "count", "0"},
		{"count of 33 bits", swap("\x05\x03\x06", "\x05\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x06"), "count", "over 4294967295"},
		{"from_ts", swap(from, "\x06\x742026-02-29T10:00:00Z"), "range.from_ts", ""},
		{"to_ts", swap(to, "\x07\x742026-01-15t10:05:00Z"), "range.to_ts", ""},
		{"range turned round", swap(from+to, "\x07\x742026-01-15T10:05:00Z\x06\x742026-01-15T10:00:00Z"), "range.from_ts", "place"},
		{"usage of 3", swap("\x0a\x84", "\x0a\x83"), "usage", "3 totals, want 4"},
		{"usage of 5", swap("\x0a\x84", "\x0a\x85"), "usage", "5 totals, want 4"},
		{"usage a map", swap("\x0a\x84", "\x0a\xa4"), "usage", "an array"},
		{"usage of floats", swap(usage, "\x0a\x84\xf9\x00\x00\x00\x00\x00"), "usage.cpu_ms", "unsigned"},
		{"usage long head", swap("\x1a\x00\x36\xee\x80", "\x1b\x00\x00\x00\x00\x00\x36\xee\x80"), "usage.egress_umb", "shortest"},
		{"usage gone, map of 11", swap(usage, ""), "", "11 keys that holds 10"},
		{"usage behind scheme", swap(usage+scheme, scheme+usage), "", "data after"},
		{"usage twice", swap(usage, usage+usage), "scheme", "place"},
		{"scheme missing", swap(scheme, ""), "scheme", "cut off"},
		{"other scheme", swap(scheme, "\x0b\x65bpi-1"), "scheme", `"bpi-1" is not`},
		{"next_key short", good + "\x0c\x58\x1f" + strings.Repeat("k", 31), "next_key", "31 bytes"},
		{"next_key, map of 11", good + "\x0c\x58\x20" + strings.Repeat("k", 32), "", "11 keys that holds 12"},
		{"key 13", good + "\x0d\x00", "", "data after"},
		{"two headers", good + good, "", "data after"},
		{"too long", good + strings.Repeat("\x00", maxHeader), "", "over 640 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := ParseHeader([]byte(test.hdr))
			if b != nil {
				t.Errorf("got a block: %+v", b)
			}
			checkField(t, err, test.field, test.words)
		})
	}
	whole := "\xac" + good[1:] + "\x0c\x58\x20" + strings.Repeat("k", 32)
	if b, err := ParseHeader([]byte(whole)); err != nil || !b.HasNextKey || b.NextKey[31] != 'k' {
		t.Errorf("with next_key: got %+v, %v", b, err)
	}
}

// A head is read in its shortest form alone, at every width.
func TestParseHeaderNumbers(t *testing.T) {
	good := mustHeader(t, goodBlock())
	at := bytes.Index(good, []byte("\x03\x02\x04")) + 1 // the height
	for _, n := range []uint64{2, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, 1<<64 - 1} {
		var forms [][]byte
		if n < 24 {
			forms = append(forms, []byte{byte(n)})
		}
		for size, info := 1, byte(24); size <= 8; size, info = 2*size, info+1 {
			if size == 8 || n>>(8*size) == 0 {
				wide := binary.BigEndian.AppendUint64(nil, n)
				forms = append(forms, append([]byte{info}, wide[8-size:]...))
			}
		}
		for i, form := range forms {
			b, err := ParseHeader(slices.Concat(good[:at], form, good[at+1:]))
			if i > 0 {
				checkField(t, err, "height", "shortest")
			} else if err != nil || b.Height != n {
				t.Errorf("%d as %x: got %v, %v", n, form, b, err)
			}
		}
	}
}

func ExampleParseHeader() {
	b := LogBlock{
		App: "my-app", Height: 1, Count: 3, FromTS: "2026-01-15T10:00:00Z", ToTS: "2026-01-15T10:05:00Z", Scheme: EncSeal1,
	}
	hdr, err := b.AppendHeader(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := ParseHeader(hdr)
	fmt.Println(*again == b, err)
	_, err = ParseHeader(hdr[:20])
	fmt.Println(err)
	// Output:
	// true <nil>
	// logblock: merkle_root: the header is cut off
}
