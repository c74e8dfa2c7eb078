package jwkscache

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	fetchTimeout  = 5 * time.Second
	bodyAtMost    = 512 << 10
	periodDefault = 15 * time.Minute
	periodLeast   = 5 * time.Minute
	periodMost    = time.Hour
	retryMost     = 5 * time.Minute
)

// A source is where the keys come from. Only the scheduler touches what may
// change in it.
type source struct {
	issuer     string // "" where the address was given
	jwksURI    string // "" until discovered
	discovered moment
}

func (s *source) attr() slog.Attr {
	if s.issuer != "" {
		return slog.String("issuer", s.issuer)
	}
	return slog.String("jwks_uri", s.jwksURI)
}

// fetch brings a snapshot newer than old.
func (c *Cache) fetch(ctx context.Context, old *snapshot) (*snapshot, error) {
	if err := c.locate(ctx); err != nil {
		return nil, err
	}
	s, err := c.fetchKeys(ctx, old)
	if gone(err) && c.source.issuer != "" {
		if again := c.rediscover(ctx); again != nil {
			return nil, errors.Join(err, again)
		}
		return c.fetchKeys(ctx, old)
	}
	return s, err
}

func (c *Cache) fetchKeys(ctx context.Context, old *snapshot) (*snapshot, error) {
	etag := ""
	if old != nil && old.source == c.source.jwksURI {
		etag = old.etag
	}
	h, body, err := c.get(ctx, c.source.jwksURI, etag)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	s := &snapshot{source: c.source.jwksURI, accepted: c.clock(), period: c.period(h)}
	s.tooOld = s.accepted.add(c.cfg.MaxStale)
	if body == nil { // 304
		s.keys, s.etag = old.keys, old.etag
		return s, nil
	}
	s.etag = h.Get("ETag")
	if s.keys, err = parseKeySet(body, c.cfg.AllowSmallExponents); err != nil {
		return nil, err
	}
	if old != nil && old.keys.equal(s.keys) {
		s.keys = old.keys
	}
	return s, nil
}

// get does one bounded GET. A nil body means 304 Not Modified, which only an
// etag of ours can cause.
func (c *Cache) get(ctx context.Context, url, etag string) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	req.Header.Set("User-Agent", "jwtguard")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotModified && etag != "" {
		return res.Header, nil, nil
	}
	if res.StatusCode != http.StatusOK {
		return nil, nil, &statusError{res.StatusCode, parseRetryAfter(res.Header.Get("Retry-After"), time.Now())}
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyAtMost+1))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > bodyAtMost {
		return nil, nil, fmt.Errorf("the answer is over %d bytes", bodyAtMost)
	}
	return res.Header, body, nil
}

type statusError struct {
	status     int
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
}

// gone reports whether err says that nothing is at the address any more.
func gone(err error) bool {
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

// parseRetryAfter reads seconds or a date (RFC 9110 §10.2.3), up to 5 minutes.
func parseRetryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(v, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, uint64(retryMost/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), retryMost)
	}
	return 0
}

// period returns how long the answer with header h is fresh.
func (c *Cache) period(h http.Header) time.Duration {
	p := c.cfg.Refresh
	if p == 0 {
		p = cachePeriod(h)
	}
	return min(p, c.cfg.MaxStale)
}

// cachePeriod reads Cache-Control and Age (RFC 9111 §4.2.1, §5.1, §5.2) within
// our bounds.
func cachePeriod(h http.Header) time.Duration {
	p := periodDefault
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-cache", "no-store":
			return periodLeast
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 64)
			if errors.Is(err, strconv.ErrRange) { // seconds is the largest number then (§1.2.2)
				err = nil
			}
			if err != nil {
				continue
			}
			age, _ := strconv.ParseUint(h.Get("Age"), 10, 32)
			fresh := int64(min(seconds, uint64(periodMost/time.Second)+age)) - int64(age)
			p = time.Duration(fresh) * time.Second
		}
	}
	return min(max(p, periodLeast), periodMost)
}

// newHTTPClient returns a client that does what fetching keys needs and no
// more. It keeps no connection, so there is nothing to close.
func newHTTPClient(sameOrigin bool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			from := via[0].URL
			if sameOrigin && len(via) <= 3 && req.URL.Scheme == from.Scheme && req.URL.Host == from.Host {
				return nil
			}
			return http.ErrUseLastResponse
		},
	}
}

// checkURL reports whether keys or metadata may be fetched from raw.
func checkURL(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil && strings.Contains(raw, "@"): // there may be a password before it
		return errors.New("jwkscache: the address is not a URL")
	case err != nil:
		return fmt.Errorf("jwkscache: %q is not a URL", cut(raw))
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("jwkscache: %q is not a URL with https://, a host, and neither user nor fragment", cut(u.Redacted()))
	case u.Scheme == "https", u.Scheme == "http" && (allowHTTP || isLoopback(u.Hostname())):
		return nil
	}
	return fmt.Errorf("jwkscache: %q is not https (plain http is for loopback hosts, or with AllowHTTP)", cut(raw))
}

// cut keeps what a server wrote from filling a log.
func cut(s string) string { return s[:min(len(s), 200)] }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
