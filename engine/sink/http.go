package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/encseal/encseal/engine/logblock"
)

// DefaultTimeout is the longest that an HTTP waits in one attempt, unless HTTPConfig.Timeout says otherwise.
const DefaultTimeout = 30 * time.Second

// drainTime is how long the rest of an answer is waited for once its status is known. A connection whose answer takes
// longer is closed.
const drainTime = time.Second

// HTTPConfig describes an [HTTP]. URL must be given; everything else works at its zero value. NewHTTP copies it.
type HTTPConfig struct {
	URL string // http or https; a user in it becomes basic authorization

	// Client makes the requests; nil is a client of the sink's own, with the environment's proxies. Whichever it is, it
	// follows no redirect here; the caller's own is not changed.
	Client *http.Client

	Header  http.Header   // of every request, beside Content-Type and Idempotency-Key, which cannot be given
	Timeout time.Duration // of one attempt, from dialling to the answer, above 0; 0 is DefaultTimeout
}

// HTTP posts each block to one URL, as JSON (FORMAT §3, without a newline). The request has
//
//	Content-Type: application/json
//	Idempotency-Key: my-app:7:b6c5…
//
// The key is the app with every byte percent-encoded that is none of A-Z a-z 0-9 - . _ ~, the height, and the block hash in
// 64 hexadecimal digits (in scheme bpi-1, whose blocks have no hash: SHA-256 of the body). It is at most 851 bytes. A block
// is posted again after an attempt whose answer was lost, and net/http by itself repeats a request with this header when a
// connection that it kept turns out to be closed: a receiver takes a key that it has seen for the same block, and answers
// 2xx again.
//
// An HTTP may be used by any number of goroutines.
type HTTP struct {
	client  *http.Client
	own     *http.Transport // nil where the caller gave a client
	url     string
	header  http.Header // never written
	timeout time.Duration
}

// NewHTTP returns a sink that posts to cfg.URL. The error names the field of cfg that is wrong, and repeats no part of the
// URL or of a header's value: both may be secret.
func NewHTTP(cfg HTTPConfig) (*HTTP, error) {
	if err := checkURL(cfg.URL); err != nil {
		return nil, fmt.Errorf("sink: HTTPConfig.URL: %w", err)
	}
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("sink: HTTPConfig.Timeout: %v is below zero", cfg.Timeout)
	}
	header, err := requestHeader(cfg.Header)
	if err != nil {
		return nil, fmt.Errorf("sink: HTTPConfig.Header: %w", err)
	}
	h := &HTTP{url: cfg.URL, header: header, timeout: cfg.Timeout}
	if h.timeout == 0 {
		h.timeout = DefaultTimeout
	}
	var client http.Client
	if cfg.Client != nil {
		client = *cfg.Client
	} else {
		h.own = newTransport()
		client.Transport = h.own
	}
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = stay{client.Transport}
	h.client = &client
	return h, nil
}

// Deliver posts b once and waits for the answer. A status of 2xx is success, whatever the body says. The error for any
// other is a *[StatusError], which tells if the same block can do better later; no answer at all always can, and a block
// that breaks a rule of FORMAT §3 never.
func (h *HTTP) Deliver(ctx context.Context, b *logblock.LogBlock) error {
	if err := h.post(ctx, b); err != nil {
		return fmt.Errorf("sink: block %d of %q: %w", b.Height, b.App, err)
	}
	return nil
}

// Close closes the connections that the sink's own client keeps. Those of a client that the caller gave are the caller's.
func (h *HTTP) Close() error {
	if h.own != nil {
		h.own.CloseIdleConnections()
	}
	return nil
}

func (h *HTTP) post(ctx context.Context, b *logblock.LogBlock) error {
	attempt, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	req, err := h.request(attempt, b)
	if err != nil {
		return err
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return h.noAnswer(ctx, attempt, err)
	}
	defer resp.Body.Close()
	defer time.AfterFunc(drainTime, cancel).Stop()
	return judge(resp)
}

func (h *HTTP) request(ctx context.Context, b *logblock.LogBlock) (*http.Request, error) {
	// The body is this attempt's alone: the transport may still read it after an early answer has come.
	body, err := b.AppendJSON(nil)
	if err != nil {
		return nil, &unfitError{err}
	}
	key, err := idempotencyKey(b, body)
	if err != nil {
		return nil, &unfitError{err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		return nil, errNotURL // never: checkURL has parsed it
	}
	req.Header = h.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	return req, nil
}

// idempotencyKey returns what names b to a receiver; body is its JSON.
func idempotencyKey(b *logblock.LogBlock, body []byte) (string, error) {
	var digest [32]byte
	if b.Scheme == logblock.BPI1 {
		digest = sha256.Sum256(body)
	} else {
		var err error
		if digest, err = b.Hash(); err != nil {
			return "", err
		}
	}
	// A query's escaping, but for its plus: what it leaves as it is are the unreserved characters of RFC 3986.
	app := strings.ReplaceAll(url.QueryEscape(b.App), "+", "%20")
	return fmt.Sprintf("%s:%s:%x", app, strconv.FormatUint(b.Height, 10), digest), nil
}

// noAnswer is the error of an attempt that got no status, without the URL that net/http puts into its text.
func (h *HTTP) noAnswer(ctx, attempt context.Context, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("not posted: %w", ctx.Err())
	case attempt.Err() != nil:
		return fmt.Errorf("no answer within %v: %w", h.timeout, err)
	}
	return fmt.Errorf("no answer: %w", err)
}

// unfitError is for a block that cannot be posted, now or later.
type unfitError struct{ err error }

func (e *unfitError) Error() string   { return e.err.Error() }
func (e *unfitError) Unwrap() error   { return e.err }
func (e *unfitError) Permanent() bool { return true }

// stay takes Location off an answer, so that http.Client returns a redirect as it came instead of following it, or of
// failing at a Location that is no URL.
type stay struct{ next http.RoundTripper }

func (s stay) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.next.RoundTrip(req)
	if resp != nil {
		resp.Header.Del("Location")
	}
	return resp, err
}

// newTransport is for one receiver and one request at a time, mostly.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  environmentProxy,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           4,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

// environmentProxy is http.ProxyFromEnvironment without its error, which repeats the proxy's URL with user and password.
func environmentProxy(req *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, errors.New("the proxy that the environment names is not a URL")
	}
	return proxy, nil
}

var errNotURL = errors.New("not an http or https URL with a host")

// checkURL says nothing of what url.Parse found: its errors repeat pieces of the text, a password among them.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errNotURL
	}
	return nil
}

// requestHeader copies what the caller wants sent. It refuses what would fail at every attempt, or be ignored.
func requestHeader(given http.Header) (http.Header, error) {
	header := make(http.Header, len(given)+3)
	for name, values := range given {
		if !isToken(name) {
			return nil, fmt.Errorf("%q is no header's name", name)
		}
		switch canonical := http.CanonicalHeaderKey(name); canonical {
		case "Content-Type", "Idempotency-Key", "Content-Length", "Transfer-Encoding", "Trailer", "Host":
			return nil, fmt.Errorf("%s is not the caller's to set", canonical)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return nil, fmt.Errorf("the value of %s holds a control character", name)
			}
			header.Add(name, value)
		}
	}
	return header, nil
}

// isToken reports whether s is a token, RFC 9110 §5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
