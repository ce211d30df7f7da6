package receipt

import (
	"strings"
	"testing"
	"time"
)

// timeOracle judges ts with package time, which is laxer: it takes lower-case
// letters, a comma, longer fractions hours of one digit, and any offset of two
// digits and two.
func timeOracle(ts string) (time.Time, bool) {
	if strings.ContainsAny(ts, "tz,") {
		return time.Time{}, false
	}
	if len(ts) < 20 || ts[13] != ':' {
		return time.Time{}, false
	}
	if dot := strings.IndexByte(ts, '.'); dot >= 0 {
		digits := 0
		for dot+1+digits < len(ts) && ts[dot+1+digits]-'0' <= 9 {
			digits++
		}
		if digits > 9 {
			return time.Time{}, false
		}
	}
	at, err := time.Parse(time.RFC3339Nano, ts)
	if err != nil {
		return time.Time{}, false
	}
	if n := len(ts); ts[n-1] != 'Z' && (ts[n-5:n-3] > "23" || ts[n-2:] > "59") {
		return time.Time{}, false
	}
	return at, true
}

func TestParseInstant(t *testing.T) {
	m := newMaker(4)
	valid, invalid := 0, 0
	check := func(ts string) {
		want, ok := timeOracle(ts)
		got, err := ParseInstant(ts)
		if !ok {
			invalid++
			if err == nil {
				t.Fatalf("%q: accepted, want a refusal", ts)
			} else if fieldOf(t, err) != "ts" {
				t.Fatalf("%q: got %v, want field ts", ts, err)
			}
			return
		}
		valid++
		if err != nil {
			t.Fatalf("%q: %v", ts, err)
		} else if got.Sec != want.Unix() || int(got.Nsec) != want.Nanosecond() {
			t.Fatalf("%q: got %v, want %d.%09d", ts, got, want.Unix(), want.Nanosecond())
		}
	}
	const bytesOf = "0123456789-+:.TZtz, "
	for range 100000 {
		offset := (m.IntN(2*1439+1) - 1439) * 60
		at := time.Unix(m.Int64N(253402300800+62167219200)-62167219200, m.Int64N(1e9)).In(time.FixedZone("", offset))
		if at.Year() < 0 || at.Year() > 9999 {
			continue
		}
		layout := "2006-01-02T15:04:05Z07:00"
		if n := m.IntN(12); n > 0 {
			layout = "2006-01-02T15:04:05." + strings.Repeat("0", n) + "Z07:00"
		}
		ts := at.Format(layout)
		check(ts)
		spoilt := []byte(ts)
		for range 1 + m.IntN(2) {
			spoilt[m.IntN(len(spoilt))] = bytesOf[m.IntN(len(bytesOf))]
		}
		check(string(spoilt))
		check(ts[:m.IntN(len(ts))])
	}
	if valid < 1000 || invalid < 1000 {
		t.Errorf("got %d valid and %d invalid, want many of both", valid, invalid)
	}
}

func TestInstantEdges(t *testing.T) {
	for ts, want := range map[string]Instant{
		"1970-01-01T00:00:00Z":                {0, 0},
		"1969-12-31T23:59:59.999999999Z":      {-1, 999999999},
		"0000-01-01T00:00:00Z":                {-62167219200, 0},
		"0000-02-29T00:00:00Z":                {-62167219200 + 59*86400, 0},
		"0000-01-01T00:00:00+23:59":           {-62167219200 - 86340, 0},
		"0000-03-01T00:00:00Z":                {-62167219200 + 60*86400, 0},
		"2000-02-29T12:00:00-00:00":           {951825600, 0},
		"2000-02-29T12:00:00+00:00":           {951825600, 0},
		"2262-04-12T00:00:00Z":                {9223372800, 0},
		"9999-12-31T23:59:59.999999999-23:59": {253402300799 + 86340, 999999999},
		"1600-01-01T00:00:00.1Z":              {-11676096000, 100000000},
		"2026-01-15T10:00:00.123456789+05:30": {1768451400, 123456789},
	} {
		if got, err := ParseInstant(ts); err != nil || got != want {
			t.Errorf("%s: got %v (%v), want %v", ts, got, err, want)
		}
		r := Receipt{TS: ts}
		if got, err := r.Instant(); err != nil || got != want {
			t.Errorf("%s: got %v (%v) from the receipt, want %v", ts, got, err, want)
		}
	}
	for _, ts := range []string{
		"", "Z", "2026-01-15T10:00:00", "2026-01-15T10:00:00.Z", "2026-01-15T10:00:00.", "2026-01-15T10:00:00.1",
		"2026-01-15T10:00:00.1234567890Z", "2026-01-15T10:00:00+", "2026-01-15T10:00:00+1:00", "2026-01-15T10:00:00+01:00Z",
		"2026-01-15T10:00:00ZZ", "2026-01-15T10:00:00Z ", "2026-01-15T10:00:00\u221201:00", "2026-01-15T10:00:00+24:00",
		"2026-01-15T10:00:00-23:60", "2026-01-15T24:00:00Z", "2026-06-30T23:59:60Z", "2026-1-15T10:00:00ZZ",
		"+026-01-15T10:00:00Z", "2026-01-15T1\xb0:00:00Z", "2100-02-29T00:00:00Z", "2026-11-31T00:00:00Z",
		"2026-01-32T00:00:00Z", "2026-01-15T-1:00:00Z", "2026-01-15T10:00:00.12345678\xb9Z",
	} {
		if got, err := ParseInstant(ts); err == nil {
			t.Errorf("%q: got %v, want a refusal", ts, got)
		}
	}
}

func TestInstantCompare(t *testing.T) {
	order := []Instant{{-5, 0}, {-5, 1}, {0, 0}, {0, 999999999}, {1, 0}}
	for i, a := range order {
		for j, b := range order {
			want := min(max(i-j, -1), 1)
			if got := a.Compare(b); got != want {
				t.Errorf("%v against %v: got %d, want %d", a, b, got, want)
			}
		}
	}
}
