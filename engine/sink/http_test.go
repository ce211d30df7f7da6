package sink_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/encseal/encseal/engine/logblock"
	"github.com/encseal/encseal/engine/sink"
)

func linked(app string, height uint64) *logblock.LogBlock {
	b := block(height)
	b.App, b.Scheme, b.MerkleRoot, b.Key[0] = app, logblock.EncSeal1, [32]byte{1}, 2
	if height > 1 {
		b.Prev = [32]byte{3}
	}
	return b
}

func newHTTP(t *testing.T, cfg sink.HTTPConfig) *sink.HTTP {
	t.Helper()
	h, err := sink.NewHTTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// server runs handler on the loopback.
func server(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

func statusOf(t *testing.T, err error) *sink.StatusError {
	t.Helper()
	status, ok := errors.AsType[*sink.StatusError](err)
	if !ok {
		t.Fatalf("got error %v, want a *StatusError", err)
	}
	return status
}

// permanent is how a caller tells errors apart, who knows no types of this package.
func permanent(err error) bool {
	p, ok := errors.AsType[interface {
		error
		Permanent() bool
	}](err)
	return ok && p.Permanent()
}

// tripper is a network in one function.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func (f tripper) sink(t *testing.T) *sink.HTTP {
	return newHTTP(t, sink.HTTPConfig{URL: "http://receiver.test/", Client: &http.Client{Transport: f}})
}

func answer(status int, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body)}
}

func TestHTTPPostsTheBlock(t *testing.T) {
	type request struct {
		method, path string
		header       http.Header
		body         []byte
	}
	got := make(chan request, 1)
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- request{r.Method, r.URL.RequestURI(), r.Header, body}
		w.WriteHeader(http.StatusNoContent)
	})
	given := http.Header{"Authorization": {"Bearer secret"}, "X-Two": {"a", "b"}}
	h := newHTTP(t, sink.HTTPConfig{URL: s.URL + "/blocks?of=all", Header: given})
	given.Set("Authorization", "changed later")
	old := block(9)
	oldText := mustJSON(t, old)
	for _, test := range []struct {
		block *logblock.LogBlock
		key   string
	}{
		{linked("my-app", 7), "my-app:7:" + hashText(t, linked("my-app", 7))},
		{linked("a b+c:é/%\x00~_.-", 1<<64-1), "a%20b%2Bc%3A%C3%A9%2F%25%00~_.-:18446744073709551615:" +
			hashText(t, linked("a b+c:é/%\x00~_.-", 1<<64-1))},
		{old, fmt.Sprintf("app:9:%x", sha256.Sum256(oldText))},
	} {
		if err := h.Deliver(context.Background(), test.block); err != nil {
			t.Fatal(err)
		}
		r := <-got
		if r.method != "POST" || r.path != "/blocks?of=all" {
			t.Errorf("got %s %s, want POST /blocks?of=all", r.method, r.path)
		}
		if want := mustJSON(t, test.block); !bytes.Equal(r.body, want) {
			t.Errorf("got body %q, want %q", r.body, want)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Idempotency-Key": test.key, "Authorization": "Bearer secret", "X-Two": "a,b",
		} {
			if got := strings.Join(r.header[name], ","); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

// The key is never longer than its description says.
func TestHTTPLongestKey(t *testing.T) {
	var key string
	h := tripper(func(req *http.Request) (*http.Response, error) {
		key = req.Header.Get("Idempotency-Key")
		return answer(200, strings.NewReader("")), nil
	}).sink(t)
	if err := h.Deliver(context.Background(), linked(strings.Repeat("\x01", 255), 1<<64-1)); err != nil {
		t.Fatal(err)
	}
	if len(key) != 851 {
		t.Errorf("got %d bytes, want 851", len(key))
	}
}

func mustJSON(t *testing.T, b *logblock.LogBlock) []byte {
	t.Helper()
	text, err := b.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func hashText(t *testing.T, b *logblock.LogBlock) string {
	t.Helper()
	hash, err := b.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", hash)
}

// A redirect is an answer like any other, wherever it leads.
func TestHTTPFollowsNoRedirect(t *testing.T) {
	var requests atomic.Int32
	for _, location := range []string{"/elsewhere", "http://other.test/", "http://[::bad?token=secret", ""} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			requests.Store(0)
			s := server(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
				t.Error("the client was asked about a redirect")
				return nil
			}}
			h := newHTTP(t, sink.HTTPConfig{URL: s.URL, Client: client})
			got := statusOf(t, h.Deliver(context.Background(), block(1)))
			if got.Status != status || !got.Permanent() {
				t.Errorf("%d to %q: got %d, permanent %t, want %d, true", status, location, got.Status, got.Permanent(), status)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d to %q: %d requests, want 1", status, location, n)
			}
			if client.Transport != nil {
				t.Error("the caller's client was changed")
			}
			s.Close()
		}
	}
}

// No answer at all is temporary, and its error names nothing that may be secret.
func TestHTTPErrorsTellNoSecrets(t *testing.T) {
	closed := server(t, nil)
	address := strings.TrimPrefix(closed.URL, "http://")
	closed.Close()
	echo := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, r.Header, r.URL)
	})
	hangup := server(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	const secret = "tr0ub4dor"
	for _, test := range []struct {
		name, address string
		permanent     bool
		words         string
	}{
		{"nobody listens", address, false, "no answer: dial tcp"},
		{"hangs up", strings.TrimPrefix(hangup.URL, "http://"), false, "no answer: EOF"},
		{"echoes", strings.TrimPrefix(echo.URL, "http://"), true, "status 403, Forbidden"},
	} {
		h := newHTTP(t, sink.HTTPConfig{
			URL:    "http://user:" + secret + "1@" + test.address + "/" + secret + "2?token=" + secret + "3",
			Header: http.Header{"X-Token": {secret + "4"}},
		})
		err := h.Deliver(context.Background(), block(7))
		if err == nil {
			t.Fatalf("%s: delivered", test.name)
		}
		if got := permanent(err); got != test.permanent {
			t.Errorf("%s: permanent: got %t, want %t", test.name, got, test.permanent)
		}
		want := `sink: block 7 of "app": ` + test.words
		if text := err.Error(); !strings.HasPrefix(text, want) || strings.Contains(text, secret) {
			t.Errorf("%s: got %q, want %q… without %q", test.name, text, want, secret)
		}
	}
}

func TestHTTPConfig(t *testing.T) {
	good := "https://user:pa55@receiver.test:8443/path?q=pa55"
	if _, err := sink.NewHTTP(sink.HTTPConfig{URL: good, Timeout: time.Second}); err != nil {
		t.Fatal(err)
	}
	header := func(name, value string) sink.HTTPConfig {
		return sink.HTTPConfig{URL: good, Header: http.Header{name: {value}}}
	}
	for _, test := range []struct {
		cfg   sink.HTTPConfig
		field string
	}{
		{sink.HTTPConfig{}, "URL"},
		{sink.HTTPConfig{URL: "receiver.test/pa55"}, "URL"},
		{sink.HTTPConfig{URL: "ftp://receiver.test/pa55"}, "URL"},
		{sink.HTTPConfig{URL: "http:///pa55"}, "URL"},
		{sink.HTTPConfig{URL: "http://:80/pa55"}, "URL"},
		{sink.HTTPConfig{URL: "http://user:pa55/word@receiver.test"}, "URL"},
		{sink.HTTPConfig{URL: "http://receiver.test/%zpa55"}, "URL"},
		{sink.HTTPConfig{URL: good, Timeout: -1}, "Timeout"},
		{header("", "pa55"), "Header"},
		{header("X Y", "pa55"), "Header"},
		{header("X", "pa55\r\nInjected: yes"), "Header"},
		{header("X", "pa55\x00"), "Header"},
		{header("content-type", "pa55"), "Header"},
		{header("Idempotency-Key", "pa55"), "Header"},
		{header("host", "pa55"), "Header"},
	} {
		_, err := sink.NewHTTP(test.cfg)
		if want := "sink: HTTPConfig." + test.field + ": "; err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "pa55") {
			t.Errorf("%.40q: got %v, want %s… without the secret", test.cfg.URL, err, want)
		}
	}
}

// A block that no attempt can post says so.
func TestHTTPUnfitBlock(t *testing.T) {
	h := tripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return nil, net.ErrClosed
	}).sink(t)
	err := h.Deliver(context.Background(), &logblock.LogBlock{Height: 3, Scheme: logblock.EncSeal1})
	if field, ok := errors.AsType[*logblock.FieldError](err); !ok || field.Field != "app" || !permanent(err) {
		t.Errorf("got %v, permanent %t, want a permanent *FieldError for app", err, permanent(err))
	}
}

func TestHTTPAttemptTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := tripper(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}).sink(t)
		start := time.Now()
		err := h.Deliver(context.Background(), block(1))
		if got := time.Since(start); got != sink.DefaultTimeout {
			t.Errorf("gave up after %v, want %v", got, sink.DefaultTimeout)
		}
		if err == nil || permanent(err) || !strings.Contains(err.Error(), "no answer within 30s") {
			t.Errorf("got %v, permanent %t, want a temporary error that names the timeout", err, permanent(err))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start = time.Now()
		if err := h.Deliver(ctx, block(1)); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not posted") {
			t.Errorf("got %v, want the caller's context's end", err)
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("gave up after %v, want 1s", got)
		}
	})
}

// trickle is a body that goes on for ever, a byte a tenth of a second, until its request's context ends.
type trickle struct{ ctx context.Context }

func (r trickle) Read(p []byte) (int, error) {
	select {
	case <-time.After(100 * time.Millisecond):
		p[0] = 'x'
		return 1, nil
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}

// Once the status is known, the rest of an answer holds nobody up, and changes nothing.
func TestHTTPAnswerThatTrickles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status int
		h := tripper(func(req *http.Request) (*http.Response, error) {
			return answer(status, trickle{req.Context()}), nil
		}).sink(t)
		start := time.Now()
		status = 200
		if err := h.Deliver(context.Background(), block(1)); err != nil {
			t.Errorf("got %v, want success by the status", err)
		}
		status = 500
		got := statusOf(t, h.Deliver(context.Background(), block(1)))
		if got.Status != 500 || got.Permanent() || !strings.HasPrefix(got.Body, "xxxxxxxx") {
			t.Errorf("got %v with body %q, want a temporary 500 with what had come", got, got.Body)
		}
		if spent := time.Since(start); spent > 3*time.Second {
			t.Errorf("took %v, want 2s", spent)
		}
	})
}
