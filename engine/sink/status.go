package sink

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	maxExcerpt = 512      // bytes of an answer that a StatusError keeps
	maxDrain   = 64 << 10 // bytes of an answer that are read to keep its connection; a longer one costs the connection
	maxRetry   = 24 * time.Hour
)

// StatusError is returned when a receiver answered with a status other than 2xx.
type StatusError struct {
	Status     int           // 100 to 999
	RetryAfter time.Duration // what a 429 or 503 asked to wait, at most a day; 0 where it did not ask
	Body       string        // what the answer begins with, at most 512 bytes, with a space for what does not print
}

// Error names the status alone. The body is left out: it may repeat what was sent, headers too.
func (e *StatusError) Error() string {
	if text := http.StatusText(e.Status); text != "" {
		return fmt.Sprintf("status %d, %s", e.Status, text)
	}
	return fmt.Sprintf("status %d", e.Status)
}

// Permanent reports whether the receiver will refuse this block again, as far as its status tells: false for 408, 425, 429
// and 5xx, true for every other. A redirect is permanent: it is not followed.
func (e *StatusError) Permanent() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Status < 500 || e.Status > 599
}

// judge turns an answer into nil or a *StatusError, and reads its body as far as that keeps the connection.
func judge(resp *http.Response) error {
	var head []byte
	if resp.StatusCode != http.StatusSwitchingProtocols { // that body is the connection
		// That the rest of an answer does not come changes nothing about its status.
		head, _ = io.ReadAll(io.LimitReader(resp.Body, maxExcerpt))
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain-maxExcerpt)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return nil
	}
	e := &StatusError{Status: resp.StatusCode, Body: printable(head)}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	return e
}

// printable is UTF-8 without anything that a terminal obeys, and no longer than text.
func printable(text []byte) string {
	valid := strings.ToValidUTF8(string(text), " ")
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, valid))
}

// retryAfter reads the value of Retry-After, RFC 9110 §10.2.3: whole seconds, or a date. It returns 0 for what is neither
// and for a date that is past, and maxRetry for what is further off.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseUint(value, 10, 64)
		if err != nil || seconds > uint64(maxRetry/time.Second) {
			return maxRetry
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetry)
}
