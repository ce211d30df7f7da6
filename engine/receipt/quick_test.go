package receipt

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestQuickEncoder: where the quick encoder does not give up it writes what the
// plain one writes, and nothing behind that; with the room it asks for it never
// gives up on a usual receipt, and never writes what the plain one refuses.
func TestQuickEncoder(t *testing.T) {
	m := newMaker(5)
	gaveUp, wrote := 0, 0
	check := func(r *Receipt, room int) {
		t.Helper()
		want, err := r.appendCanonical(nil, nil)
		b := bytes.Repeat([]byte{0xa5}, room)
		n := r.quickCanonical(b, nil)
		switch {
		case n == 0:
			gaveUp++
			return
		case err != nil:
			t.Fatalf("wrote %+v, which is refused: %v", r, err)
		case !bytes.Equal(b[:n], want):
			t.Fatalf("got %x, want %x", b[:n], want)
		}
		wrote++
		if behind := b[n:min(n+64, room)]; len(bytes.TrimLeft(behind, "\xa5")) > 0 {
			t.Fatalf("%d bytes of %d: written behind the end", n, room)
		}
		signed, err := r.appendSigned(nil, 7)
		if n := r.quickPairs(b, 7, nil); err != nil || n > 0 && !bytes.Equal(b[:n], signed) {
			t.Fatalf("signed part: got %x (%v), want %x", b[:n], err, signed)
		}
	}
	for range 3000 {
		r := m.receipt()
		check(&r, MaxEncoding)
		enc, err := r.AppendCanonical(nil)
		if err != nil {
			t.Fatal(err)
		}
		check(&r, len(enc)+m.IntN(100))
	}
	if gaveUp == 0 || wrote == 0 {
		t.Errorf("gave up on %d and wrote %d, want some of both", gaveUp, wrote)
	}

	// Every text of every short length and around, in every place, ASCII, spoilt
	// or part of a longer character.
	usual := sample(t)
	for n := range 300 {
		s := strings.Repeat("abcdefghij", 30)[:n]
		texts := []string{s}
		for i := range min(n, 34) {
			texts = append(texts, s[:i]+"\x80"+s[i+1:], s[:i]+"é"+s[i+1:], s[:i]+"\x00"+s[i+1:])
		}
		for _, text := range texts {
			r := usual
			r.Labels = slices.Clone(usual.Labels)
			for _, place := range []*string{&r.App, &r.Container, &r.Op, &r.TS, &r.Labels[0].Key, &r.Labels[1].Value, &r.Labels[2].Value} {
				was := *place
				*place = text
				check(&r, 2048)
				*place = was
			}
		}
	}

	// Too little room by any amount, never a panic.
	for room := range 1200 {
		check(&usual, room)
	}
	if usual.quickCanonical(make([]byte, 600), nil) == 0 {
		t.Error("gave up on a usual receipt with room")
	}
}

// TestQuickRoom: a receipt as large as may be, with so much room, is written by
// the quick encoder or left to the plain one, never more.
func TestQuickRoom(t *testing.T) {
	r := sample(t)
	dst := make([]byte, 3, 1<<17)
	for n := MaxEncoding - 300; n <= MaxEncoding+5; n++ {
		r.Labels = []Label{{"p", ""}}
		enc, err := r.AppendCanonical(nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Labels[0].Value = strings.Repeat("x", n-len(enc)-2)
		got, err := r.AppendCanonical(dst)
		if want := n <= MaxEncoding; want != (err == nil) {
			t.Fatalf("%d bytes: got %v, want accepted %v", n, err, want)
		}
		if err == nil && len(got) != 3+n || err != nil && len(got) != 3 {
			t.Fatalf("got %d bytes, want %d (%v)", len(got), 3+n, err)
		}
	}
}

func TestAppendCanonicalInstant(t *testing.T) {
	r := sample(t)
	r.TS = "2026-01-15T10:00:00.25+01:00"
	spoilt := r
	spoilt.Sig = Sig{}
	text := r
	text.Sig = Sig{text: "ed25519:none"}
	for _, r := range []*Receipt{&r, &spoilt, &text} {
		for _, room := range []int{0, 4096} {
			want, wantErr := r.AppendCanonical(make([]byte, 0, room))
			at, _ := r.Instant()
			if wantErr != nil {
				at = Instant{}
			}
			got, gotAt, err := r.AppendCanonicalInstant(make([]byte, 0, room))
			if !bytes.Equal(got, want) || gotAt != at || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("got %x, %v, %v, want %x, %v, %v", got, gotAt, err, want, at, wantErr)
			}
		}
	}
	buf := make([]byte, 0, 4096)
	if got := testing.AllocsPerRun(100, func() { _, _, _ = r.AppendCanonicalInstant(buf) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

// TestParseTSIsPlain: the words give plainTS's verdict and instant: every byte
// in every place of times of each form, and every day of every month of the
// years that differ.
func TestParseTSIsPlain(t *testing.T) {
	check := func(ts string) {
		var got, want Instant
		gotReason, wantReason := parseTS(ts, &got), plainTS(ts, &want)
		if gotReason != wantReason || gotReason == "" && got != want {
			t.Fatalf("%q: got %v %q, want %v %q", ts, got, gotReason, want, wantReason)
		}
	}
	for _, ts := range []string{
		"2026-01-15T10:00:00Z", "2024-02-29T23:59:59.123456789-23:59", "1999-12-31T19:09:09+00:00", "0000-10-30T20:50:50.1Z",
	} {
		for i := range len(ts) {
			check(ts[:i])
			for c := range 256 {
				spoilt := []byte(ts)
				spoilt[i] = byte(c)
				check(string(spoilt))
				for j := range len(ts) {
					spoilt[j]++
					check(string(spoilt))
					spoilt[j] = ts[j] | 0x80
					check(string(spoilt))
					spoilt[j] = ts[j]
					spoilt[i] = byte(c)
				}
			}
		}
	}
	for _, year := range []int{0, 1, 4, 99, 100, 400, 1900, 1999, 2000, 2024, 2026, 2100, 9999} {
		for month := range 100 {
			for day := range 100 {
				check(fmt.Sprintf("%04d-%02d-%02dT00:00:00Z", year, month, day))
			}
		}
	}
	for n := range 10000 {
		check(fmt.Sprintf("2026-01-15T%02d:%02d:59Z", n/100, n%100))
		check(fmt.Sprintf("2026-01-15T23:%02d:%02dZ", n/100, n%100))
	}
	for at := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2005; at = at.Add(7 * time.Hour) {
		check(at.Format(time.RFC3339))
	}
}

// TestExact: what exact accepts is what strconv says.
func TestExact(t *testing.T) {
	m := newMaker(6)
	accepted := 0
	check := func(text string) {
		got, ok := exact([]byte(text))
		if !ok {
			return
		}
		accepted++
		if want, err := strconv.ParseFloat(text, 64); err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s: got %v, want %v (%v)", text, got, want, err)
		}
	}
	for _, text := range []string{
		"0", "0.0", "1", "9007199254740992", "9007199254740993", "0.9007199254740993", "9.007199254740992", "9999999999999999",
		"99999999999999999", "0.000000000000001", "0.0000000000000001", "900719925474099.3", "-0", "-1", "1e5", "1E-5", "0.1e1",
	} {
		check(text)
	}
	for range 300000 {
		digits := strconv.FormatUint(m.Uint64()>>m.IntN(64), 10)
		if point := m.IntN(len(digits)); point > 0 {
			digits = digits[:point] + "." + digits[point:]
		} else if m.IntN(2) == 0 {
			digits = "0." + digits
		}
		check(digits)
		check(strconv.FormatFloat(m.float(), 'f', -1, 64))
	}
	if accepted < 100000 {
		t.Errorf("accepted %d, want most", accepted)
	}
}

// TestDecodeHex: every byte in every place.
func TestDecodeHex(t *testing.T) {
	src := []byte("0123456789abcdef0f1e2d3c4b5a6978")
	for i := range src {
		was := src[i]
		for c := range 256 {
			src[i] = byte(c)
			want, err := hex.DecodeString(string(src))
			if wantOK := err == nil && !('A' <= c && c <= 'F'); !wantOK {
				want = make([]byte, 16)
				err = hex.ErrLength
			}
			got := bytes.Repeat([]byte{0xa5}, 16)
			if ok := decodeHex(got, string(src)); ok != (err == nil) || !bytes.Equal(got, want) {
				t.Fatalf("%q: got %x, %v, want %x, %v", src, got, ok, want, err == nil)
			}
		}
		src[i] = was
	}
}
