package receipt

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestAppendUTF8: every short length, with room to spare, just enough and too
// little, ASCII and with each byte spoilt or made part of a longer character.
func TestAppendUTF8(t *testing.T) {
	check := func(s string) {
		t.Helper()
		want := string(append(appendHead([]byte("before"), cborText, uint64(len(s))), s...))
		for room := range len(want) + 12 {
			dst := append(make([]byte, 0, 6+room), "before"...)
			got, ok := appendUTF8(dst, s)
			if string(got) != want || ok != utf8.ValidString(s) {
				t.Fatalf("%q with room %d: got %x, %v, want %x, %v", s, room, got, ok, want, utf8.ValidString(s))
			}
			if len(got) < cap(dst) && strings.Trim(string(dst[len(got):cap(dst)]), "\x00") != "" {
				t.Fatalf("%q with room %d: bytes written behind the end", s, room)
			}
		}
		if got := validUTF8(s); got != utf8.ValidString(s) {
			t.Fatalf("%q: got %v, want %v", s, got, !got)
		}
	}
	for n := range 40 {
		s := strings.Repeat("abcdefghij", 4)[:n]
		check(s)
		for i := range n {
			check(s[:i] + "\x80" + s[i+1:])
			check(s[:i] + "\xff" + s[i+1:])
			check(s[:i] + "é" + s[i+1:])
			check(s[:i] + "\u0000" + s[i+1:])
		}
	}
}

// TestEscaped: every short length, with a backslash or a byte near to one in
// each place.
func TestEscaped(t *testing.T) {
	for n := range 80 {
		for i := range n {
			for _, c := range []byte("\\[]\xdc\x00\x01\xff\x5b\x5d\x7f\x80") {
				for _, fill := range []string{"a", "\x00", "\xff", "]", "\xdc"} {
					raw := []byte(strings.Repeat(fill, n))
					raw[i] = c
					if got, want := escaped(raw), strings.ContainsRune(string(raw), '\\'); got != want {
						t.Fatalf("%q: got %v, want %v", raw, got, want)
					}
				}
			}
		}
	}
}
