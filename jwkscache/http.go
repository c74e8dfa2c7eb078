package jwkscache

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	ownTimeout     = 10 * time.Second // of our own client, for a whole exchange
	defaultTimeout = 30 * time.Second // of a caller's client that has none
	maxBody        = 512 << 10
)

// A document is what one GET brought.
type document struct {
	header    http.Header
	body      []byte
	age       time.Duration // as its Age field has it
	made      moment        // not later than this it was made
	clockDiff time.Duration // how far the server's clock is ahead of ours
}

// get does one bounded GET. Only a 200 in full is an answer, and none that was
// made MaxStale ago: what it says has ended.
func (c *Cache) get(ctx context.Context, address string, mode fetchMode) (*document, error) {
	client := *c.cfg.HTTPClient
	timeout := client.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	client.Timeout = 0 // ctx does the same, and leaves nothing behind if a RoundTripper panics
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d, err := c.exchange(ctx, &client, address, mode)
	if err == nil {
		return d, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no full answer within %s: %w", timeout, err)
	}
	return nil, shorten(err)
}

func (c *Cache) exchange(ctx context.Context, client *http.Client, address string, mode fetchMode) (*document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	req.Header.Set("User-Agent", "jwtguard")
	if mode.noCache {
		req.Header.Set("Cache-Control", "no-cache")
	}
	asked := c.clock()
	res, err := client.Do(req)
	if err != nil {
		var failed *url.Error // whose URL may be what a redirect said
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	if last := res.Request; last != nil && last.URL != nil { // a RoundTripper may have followed redirects
		if err := checkHop(req.URL, last.URL, c.cfg.AllowHTTP); err != nil {
			return nil, err
		}
	}
	if res.StatusCode != http.StatusOK {
		return nil, newStatusError(res)
	}
	d := &document{header: res.Header, age: chainAge(res), clockDiff: clockDifference(res.Header, time.Now())}
	if d.age >= c.cfg.MaxStale {
		return nil, fmt.Errorf("a cache in between answered with what is %s old (Age); it serves %s at most", d.age, c.cfg.MaxStale)
	}
	d.made = asked.add(-d.age)
	if d.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1)); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(d.body) > maxBody {
		return nil, fmt.Errorf("the answer is over %d bytes", maxBody)
	}
	return d, nil
}

// client returns the client that fetches: our own, or a copy of the caller's
// that checks every hop of a redirect, after the caller's policy.
func (c Config) client() *http.Client {
	if c.HTTPClient == nil {
		return newHTTPClient(c.SameOriginRedirects)
	}
	checked, policy := *c.HTTPClient, c.HTTPClient.CheckRedirect
	checked.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if policy != nil {
			if err := policy(req, via); err != nil {
				return err
			}
		} else if len(via) >= 10 { // as net/http does without a policy
			return errors.New("stopped after 10 redirects")
		}
		return checkHop(via[0].URL, req.URL, c.AllowHTTP)
	}
	return &checked
}

// newHTTPClient returns a client that does what fetching keys needs and no
// more. It keeps no connection, so there is nothing to close.
func newHTTPClient(sameOrigin bool) *http.Client {
	return &http.Client{
		Timeout: ownTimeout,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			first := via[0].URL
			same := req.URL.Scheme == first.Scheme && req.URL.Host == first.Host
			switch {
			case same && sameOrigin && len(via) <= 3:
				return nil
			case same && sameOrigin:
				return &redirectError{newStatusError(req.Response), "the fourth redirect in a row"}
			case same:
				return &redirectError{newStatusError(req.Response), "set SameOriginRedirects to follow it"}
			}
			return &redirectError{newStatusError(req.Response), "another origin: not followed, so configure the address that it leads to"}
		},
	}
}

// A redirectError says why our own client does not follow a redirect.
type redirectError struct {
	*statusError
	why string
}

func (e *redirectError) Error() string { return e.statusError.Error() + ": " + e.why }
func (e *redirectError) Unwrap() error { return e.statusError }

// A statusError is an answer other than 200.
type statusError struct {
	status     int
	retryAfter time.Duration
	location   string // where a redirect leads, fit to print
}

func newStatusError(res *http.Response) *statusError {
	e := &statusError{status: res.StatusCode, retryAfter: parseRetryAfter(res.Header.Get("Retry-After"), time.Now())}
	if to, err := res.Location(); err == nil && res.StatusCode/100 == 3 {
		e.location = cut(to.Redacted())
	}
	return e
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
	if e.location != "" {
		text += fmt.Sprintf(", a redirect to %q", e.location)
	}
	return text
}

// isNotFound reports whether err says that nothing is at the address any more.
func isNotFound(err error) bool {
	var se *statusError
	return errors.As(err, &se) && (se.status == http.StatusNotFound || se.status == http.StatusGone)
}

// retryAfter returns the longest Retry-After of those that err is made of.
func retryAfter(err error) (longest time.Duration) {
	switch e := err.(type) {
	case *statusError:
		return e.retryAfter
	case interface{ Unwrap() error }:
		return retryAfter(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			longest = max(longest, retryAfter(one))
		}
	}
	return longest
}

// chainAge returns how long ago the oldest was made of res and the redirects that
// led to it: a cache in between may keep those, too.
func chainAge(res *http.Response) time.Duration {
	age := parseAge(res.Header)
	for req := res.Request; req != nil && req.Response != nil; req = req.Response.Request {
		age = max(age, parseAge(req.Response.Header))
	}
	return age
}
