package receipt

import "cmp"

// An Instant is a point in time with the offset applied: seconds since
// 1970-01-01T00:00:00Z, without leap seconds, and nanoseconds within the second.
// The years 0000 to 9999 reach beyond 64-bit nanoseconds, hence two numbers.
type Instant struct {
	Sec  int64
	Nsec int32 // [0, 1e9)
}

// Compare returns -1, 0 or +1 where a is before, at or after b.
func (a Instant) Compare(b Instant) int {
	if c := cmp.Compare(a.Sec, b.Sec); c != 0 {
		return c
	}
	return cmp.Compare(a.Nsec, b.Nsec)
}

// Instant returns the instant of r.TS, or a [FieldError] for ts.
func (r *Receipt) Instant() (Instant, error) { return ParseInstant(r.TS) }

// ParseInstant reads a ts: RFC 3339 with a year of 0000 to 9999, a date that
// exists, upper-case T and Z, hour 00 to 23, second 00 to 59, optionally a dot
// and 1 to 9 digits, then Z or ±hh:mm up to ±23:59, where −00:00 is +00:00.
// The error is a [FieldError] for ts.
func ParseInstant(ts string) (Instant, error) {
	var at Instant
	if reason := parseTS(ts, &at); reason != "" {
		return Instant{}, refuse(fieldTS, reason)
	}
	return at, nil
}

// parseTS returns why ts is no time; else it sets at, where that is not nil. It
// judges as plainTS, the specification, does, and reads "yyyy-mm-ddThh:mm:ss" as
// three words: where they are not as they should be, plainTS knows why.
func parseTS(ts string, at *Instant) (reason string) {
	if len(ts) < len("yyyy-mm-ddThh:mm:ssZ") {
		return notATime
	}
	years, days, clock := word(ts)^zeroYears, word(ts[len("yyy"):])^zeroDays, word(ts[len("yyyy-mm-ddT"):])^zeroClock
	if (years|(years+overYears)|days|(days+overDays)|clock|(clock+overClock))&highBits != 0 {
		return plainTS(ts, at)
	}
	// Byte i becomes ten times digit i and digit i+1, at most 99.
	years, days, clock = 10*years+years>>8, 10*days+days>>8, 10*clock+clock>>8
	century, year := uint32(years&0xff), uint32(years>>16&0xff)
	month, day := uint32(days>>16&0xff), uint32(days>>40&0xff)
	hour, minute, second := uint32(clock&0xff), uint32(clock>>24&0xff), uint32(clock>>48&0xff)
	year += 100 * century
	if month-1 > 11 || day-1 > 27 && day-1 >= daysIn(year, month) || hour > 23 {
		return plainTS(ts, at)
	}
	var (
		nsec   int32
		offset int64
	)
	if len(ts) != len("yyyy-mm-ddThh:mm:ssZ") || ts[19] != 'Z' {
		if nsec, offset, reason = parseTail(ts[19:]); reason != "" {
			return reason
		}
	}
	if at != nil {
		at.Sec = 86400*daysSinceEpoch(year, month, day) + int64(3600*hour+60*minute+second) - offset
		at.Nsec = nsec
	}
	return ""
}

// A time's words, the first character in the lowest byte. Less zero… its digits
// are their values and all else is 0; adding over… sets the high bit of a byte
// that is then above its limit: 9 for a digit, 5 for the tens of minutes and
// seconds, 0 for all else. (Bytes of 128 and more have it already, and only they
// carry into the next.)
const (
	zeroYears = 0x2d_30_30_2d_30_30_30_30 // "0000-00-"
	zeroDays  = 0x54_30_30_2d_30_30_2d_30 // "0-00-00T"
	zeroClock = 0x30_30_3a_30_30_3a_30_30 // "00:00:00"

	overYears = 0x7f_76_76_7f_76_76_76_76
	overDays  = 0x7f_76_76_7f_76_76_7f_76
	overClock = 0x76_7a_7f_76_7a_7f_76_76
)

const notATime = "not an RFC 3339 time"

// plainTS walks "yyyy-mm-ddThh:mm:ss", then the fraction, then the offset. It
// returns why ts is no time; else it sets at, where that is not nil.
func plainTS(ts string, at *Instant) (reason string) {
	if len(ts) < len("yyyy-mm-ddThh:mm:ssZ") {
		return notATime
	}
	if ts[4] != '-' || ts[7] != '-' || ts[10] != 'T' || ts[13] != ':' || ts[16] != ':' {
		return notATime
	}
	century, year := twoDigits(ts[0], ts[1]), twoDigits(ts[2], ts[3])
	month, day := twoDigits(ts[5], ts[6]), twoDigits(ts[8], ts[9])
	hour, minute, second := twoDigits(ts[11], ts[12]), twoDigits(ts[14], ts[15]), twoDigits(ts[17], ts[18])
	if century|year|month|day|hour|minute|second > 127 {
		return notATime
	}
	year += 100 * century
	switch {
	case month-1 > 11:
		return "month is not 01 to 12"
	case day-1 >= daysIn(year, month):
		return "no such day in the month"
	case hour > 23:
		return "hour over 23"
	case minute > 59:
		return "minute over 59"
	case second > 59:
		return "second over 59"
	}
	var (
		nsec   int32
		offset int64
	)
	if len(ts) != len("yyyy-mm-ddThh:mm:ssZ") || ts[19] != 'Z' {
		if nsec, offset, reason = parseTail(ts[19:]); reason != "" {
			return reason
		}
	}
	if at != nil {
		at.Sec = 86400*daysSinceEpoch(year, month, day) + int64(3600*hour+60*minute+second) - offset
		at.Nsec = nsec
	}
	return ""
}

// parseTail reads the fraction and the offset in seconds: [.d{1,9}](Z|±hh:mm).
// The tail is not empty.
func parseTail(tail string) (nsec int32, offset int64, reason string) {
	if tail[0] == '.' {
		digits := 0
		for tail = tail[1:]; digits < len(tail) && tail[digits]-'0' <= 9; digits++ {
			if digits == 9 {
				return 0, 0, "more than 9 fraction digits"
			}
			nsec = 10*nsec + int32(tail[digits]-'0')
		}
		if digits == 0 {
			return 0, 0, "a dot without digits"
		}
		nsec *= tenTo[9-digits]
		tail = tail[digits:]
	}
	if tail == "Z" {
		return nsec, 0, ""
	}
	if len(tail) != len("+hh:mm") || tail[0] != '+' && tail[0] != '-' || tail[3] != ':' {
		return 0, 0, "no offset: neither Z nor ±hh:mm at the end"
	}
	hour, minute := twoDigits(tail[1], tail[2]), twoDigits(tail[4], tail[5])
	if hour > 23 || minute > 59 {
		return 0, 0, "offset is not a time up to 23:59"
	}
	offset = int64(3600*hour + 60*minute)
	if tail[0] == '-' {
		offset = -offset
	}
	return nsec, offset, ""
}

// twoDigits returns the value of two decimal digits, or at least 128 where they
// are not: then a digit or its difference to 9 has wrapped below zero.
func twoDigits(hi, lo byte) uint32 {
	h, l := uint32(hi)-'0', uint32(lo)-'0'
	return 10*h + l | (h|l|(9-h)|(9-l))>>31<<7
}

// daysIn returns the days of a month, 1 to 12, in the Gregorian calendar, which
// also counts before 1582 and in the year 0.
func daysIn(year, month uint32) uint32 {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return uint32(monthDays[month-1])
}

// daysSinceEpoch counts the days from 1970-01-01. A year is taken from March on,
// so that a leap day is its last: day d of month m (March is 0) is day
// (153m+2)/5 + d−1 of its year, and 719,468 days lie between 0000-03-01 and the
// epoch. One 400-year cycle is added so that nothing is negative.
func daysSinceEpoch(year, month, day uint32) int64 {
	y, m := year+400, month-3
	if month < 3 {
		y, m = y-1, month+9
	}
	days := 365*y + y/4 - y/100 + y/400 + (153*m+2)/5 + day - 1
	return int64(days) - 719468 - 146097
}

var (
	monthDays = [12]uint8{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	tenTo     = [10]int32{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000}
)
