package logblock

import "testing"

func TestParseHead(t *testing.T) {
	for _, text := range []string{"1:blake3:" + hex64, "18446744073709551615:blake3:" + hex64} {
		h, err := ParseHead(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.String(); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	for _, text := range []string{
		"", "1", "1:", ":blake3:" + hex64, "0:blake3:" + hex64, "01:blake3:" + hex64, "+1:blake3:" + hex64,
		"18446744073709551616:blake3:" + hex64, "1:blake3:" + hex64[1:], "1:blake3:" + hex64 + "0", "1:" + hex64,
		"1:blake3:A" + hex64[1:], "1:blake3:" + hex64 + "\n", " 1:blake3:" + hex64, "1:blake3:genesis",
	} {
		if h, err := ParseHead(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, h)
		} else {
			checkField(t, err, "head", "")
		}
	}
}
