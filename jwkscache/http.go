package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	defaultTimeout = 30 * time.Second // of a caller's client that has none
	maxBody        = 512 << 10
)

// A getter sends the requests of a cache.
type getter struct {
	client    *http.Client
	timeout   time.Duration
	allowHTTP bool
	maxAge    time.Duration // of a response
	clock     func() moment
}

func newGetter(cfg Config, clock func() moment) *getter {
	client := newClient(cfg)
	timeout := client.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	client.Timeout = 0 // get sets a deadline instead, which leaves no timer behind if a RoundTripper panics
	return &getter{client: client, timeout: timeout, allowHTTP: cfg.AllowHTTP, maxAge: cfg.MaxStale, clock: clock}
}

// A response is what one GET brought.
type response struct {
	header    http.Header
	body      []byte
	age       time.Duration // as its Age field says
	createdAt moment        // at the earliest
	clockDiff time.Duration // how far the server's clock is ahead of ours
}

// get sends one bounded GET. Only a complete 200 that is younger than maxAge is a
// response; everything else is an error.
func (g *getter) get(ctx context.Context, address string, noCache bool) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	res, err := g.exchange(ctx, address, noCache)
	if err == nil {
		return res, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no complete response within %s: %w", g.timeout, err)
	}
	return nil, shorten(err)
}

func (g *getter) exchange(ctx context.Context, address string, noCache bool) (*response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	req.Header.Set("User-Agent", "jwtguard")
	if noCache {
		req.Header.Set("Cache-Control", "no-cache")
	}
	sent := g.clock()
	res, err := g.client.Do(req)
	if err != nil {
		var failed *url.Error // its URL may be from a redirect
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	if last := res.Request; last != nil && last.URL != nil { // a RoundTripper may have followed redirects
		if err := checkHop(req.URL, last.URL, g.allowHTTP); err != nil {
			return nil, err
		}
	}
	if res.StatusCode != http.StatusOK {
		return nil, newStatusError(res)
	}
	r := &response{header: res.Header, age: chainAge(res), clockDiff: clockDifference(res.Header, g.clock().wall)}
	if r.age >= g.maxAge {
		return nil, fmt.Errorf("the response's Age is %s, at or over MaxStale (%s)", r.age, g.maxAge)
	}
	r.createdAt = sent.add(-r.age)
	if r.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1)); err != nil {
		return nil, fmt.Errorf("reading the response: %w", err)
	}
	if len(r.body) > maxBody {
		return nil, fmt.Errorf("the response is over %d bytes", maxBody)
	}
	return r, nil
}

// chainAge returns the largest age of res and the redirects that led to it, which
// an intermediate cache may have stored, too.
func chainAge(res *http.Response) time.Duration {
	age := parseAge(res.Header)
	for req := res.Request; req != nil && req.Response != nil; req = req.Response.Request {
		age = max(age, parseAge(req.Response.Header))
	}
	return age
}
