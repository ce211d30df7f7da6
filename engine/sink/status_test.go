package sink_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/encseal/encseal/engine/sink"
)

func TestStatuses(t *testing.T) {
	var status int
	h := tripper(func(*http.Request) (*http.Response, error) {
		return answer(status, strings.NewReader("because")), nil
	}).sink(t)
	temporary := map[int]bool{408: true, 425: true, 429: true}
	for status = 101; status <= 999; status++ {
		err := h.Deliver(context.Background(), block(1))
		if status/100 == 2 {
			if err != nil {
				t.Errorf("%d: %v", status, err)
			}
			continue
		}
		got := statusOf(t, err)
		if want := !temporary[status] && status/100 != 5; got.Status != status || got.Permanent() != want || permanent(err) != want {
			t.Errorf("%d: got %d, permanent %t, want permanent %t", status, got.Status, got.Permanent(), want)
		}
		if want := "because"; got.Body != want && status != 101 {
			t.Errorf("%d: got body %q, want %q", status, got.Body, want)
		}
		if want := fmt.Sprintf("sink: block 1 of \"app\": status %d", status); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %q, want %q…", err, want)
		}
	}
}

// An interim answer is none; one that turns the connection into something else is a refusal, and its body is not waited for.
func TestInformationalStatuses(t *testing.T) {
	early := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	if err := newHTTP(t, sink.HTTPConfig{URL: early.URL}).Deliver(context.Background(), block(1)); err != nil {
		t.Errorf("103 before 200: %v", err)
	}
	done := make(chan struct{})
	defer close(done)
	upgrade := server(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n")
		<-done // the connection stays open and silent
	})
	start := time.Now()
	got := statusOf(t, newHTTP(t, sink.HTTPConfig{URL: upgrade.URL}).Deliver(context.Background(), block(1)))
	if got.Status != 101 || !got.Permanent() || time.Since(start) > 10*time.Second {
		t.Errorf("got %v, permanent %t, after %v, want a permanent 101 at once", got, got.Permanent(), time.Since(start))
	}
}

func TestRetryAfter(t *testing.T) {
	var status int
	var value string
	h := tripper(func(*http.Request) (*http.Response, error) {
		resp := answer(status, strings.NewReader(""))
		resp.Header.Set("Retry-After", value)
		return resp, nil
	}).sink(t)
	ask := func(s int, v string) time.Duration {
		status, value = s, v
		return statusOf(t, h.Deliver(context.Background(), block(1))).RetryAfter
	}
	const day = 24 * time.Hour
	for _, test := range []struct {
		status int
		value  string
		want   time.Duration
	}{
		{429, "0", 0}, {429, "17", 17 * time.Second}, {503, "0120", 2 * time.Minute}, {503, "86400", day},
		{503, "86401", day}, {503, "18446744073709551616", day}, {503, strings.Repeat("9", 4000), day},
		{503, "", 0}, {503, "-1", 0}, {503, "1.5", 0}, {503, "+3", 0}, {503, "soon", 0}, {503, "1 ", 0},
		{503, "Sun, 06 Nov 1994 08:49:37 GMT", 0}, {503, "Fri, 31 Dec 9999 23:59:59 GMT", day},
		{500, "17", 0}, {404, "17", 0}, {301, "17", 0}, {502, "17", 0},
	} {
		if got := ask(test.status, test.value); got != test.want {
			t.Errorf("%d, %.40q: got %v, want %v", test.status, test.value, got, test.want)
		}
	}
	for _, layout := range []string{http.TimeFormat, time.ANSIC} {
		in := time.Now().Add(time.Hour).UTC().Format(layout)
		if got := ask(429, in); got > time.Hour || got < 59*time.Minute {
			t.Errorf("%q: got %v, want an hour", in, got)
		}
	}
}

func TestStatusErrorBody(t *testing.T) {
	var body string
	h := tripper(func(*http.Request) (*http.Response, error) {
		return answer(400, strings.NewReader(body)), nil
	}).sink(t)
	for _, test := range []struct{ body, want string }{
		{"", ""},
		{" plain\r\n", "plain"},
		{"a\x1b[31mred\x07\u202e\u0085", "a [31mred"},
		{"\xff\xfe bad UTF-8 é", "bad UTF-8 é"},
		{strings.Repeat("x", 1000), strings.Repeat("x", 512)},
		{strings.Repeat("x", 511) + "é", strings.Repeat("x", 511)},
	} {
		body = test.body
		got := statusOf(t, h.Deliver(context.Background(), block(1)))
		if got.Body != test.want || !utf8.ValidString(got.Body) {
			t.Errorf("%.40q: got %q, want %q", test.body, got.Body, test.want)
		}
	}
}

// An answer that is short enough to be read keeps its connection, whatever its status; a longer one costs it, and a body
// without end ends with the attempt.
func TestConnections(t *testing.T) {
	for _, test := range []struct {
		status, size int // of the answer; -1 without end
		want         int32
	}{
		{200, 0, 1}, {201, 1000, 1}, {503, 60_000, 1}, {400, 60_000, 1}, {307, 10, 1},
		{200, 300_000, 4}, {503, 300_000, 4}, {500, -1, 4},
	} {
		var opened atomic.Int32
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(test.status)
			var err error
			piece := make([]byte, 1000)
			for sent := 0; err == nil && (sent < test.size || test.size < 0); sent += len(piece) {
				_, err = w.Write(piece)
			}
		}))
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				opened.Add(1)
			}
		}
		s.Start()
		h := newHTTP(t, sink.HTTPConfig{URL: s.URL})
		for range 4 {
			err := h.Deliver(context.Background(), block(1))
			if test.status/100 == 2 && err != nil {
				t.Fatal(err)
			}
			if test.status/100 != 2 && statusOf(t, err).Status != test.status {
				t.Fatalf("got %v, want status %d", err, test.status)
			}
		}
		if got := opened.Load(); got != test.want {
			t.Errorf("status %d, %d bytes: %d connections for 4 blocks, want %d", test.status, test.size, got, test.want)
		}
		h.Close()
		s.Close()
	}
}
