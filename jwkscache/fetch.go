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
	fetchTimeout  = 10 * time.Second
	bodyAtMost    = 512 << 10
	periodDefault = 15 * time.Minute
	periodLeast   = 5 * time.Minute
	periodMost    = time.Hour
	retryMost     = 5 * time.Minute

	maxSeconds = 1 << 31 // what a number of seconds beyond counting means (RFC 9111 §1.2.2)

	periodShortest = 10 * time.Second // where Age has eaten up MaxStale
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

// A fetchMode says how a fetch differs from a scheduled one.
type fetchMode struct {
	noCache    bool // ask caches in between to ask the server (RFC 9111 §5.2.1.4)
	rediscover bool // ask the metadata, although the address is known
}

// fetch brings a snapshot newer than old.
func (c *Cache) fetch(ctx context.Context, old *snapshot, mode fetchMode) (*snapshot, error) {
	metadata, err := c.locate(ctx, mode)
	if err != nil {
		return nil, err
	}
	s, err := c.fetchKeys(ctx, old, mode)
	if gone(err) && c.source.issuer != "" && metadata == nil {
		var again error
		if metadata, again = c.rediscover(ctx, mode); again != nil {
			return nil, errors.Join(err, again)
		}
		s, err = c.fetchKeys(ctx, old, mode)
	}
	if err == nil && metadata != nil {
		s.age = max(s.age, metadata.age)
	}
	return s, err
}

func (c *Cache) fetchKeys(ctx context.Context, old *snapshot, mode fetchMode) (*snapshot, error) {
	got, err := c.get(ctx, c.source.jwksURI, mode)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	keys, err := parseKeySet(got.body, c.cfg.AllowSmallExponents)
	if err != nil {
		return nil, err
	}
	if old != nil && old.keys.equal(keys) {
		keys = old.keys
	}
	tooOld := got.made.add(c.cfg.MaxStale)
	return &snapshot{
		keys: keys, age: got.age,
		accepted: c.clock(), tooOld: tooOld, period: c.period(got.header, -c.clock().since(tooOld)),
	}, nil
}

// A document is what one GET brought.
type document struct {
	header http.Header
	body   []byte
	age    time.Duration // as its Age field has it
	made   moment        // not later than this it was made
}

// get does one bounded GET. Only a 200 in full is an answer, and none that was
// made MaxStale ago: what it says has ended.
func (c *Cache) get(ctx context.Context, url string, mode fetchMode) (*document, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	req.Header.Set("User-Agent", "jwtguard")
	if mode.noCache {
		req.Header.Set("Cache-Control", "no-cache")
	}
	asked := c.clock()
	res, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, &statusError{res.StatusCode, parseRetryAfter(res.Header.Get("Retry-After"), time.Now())}
	}
	age := parseAge(res.Header)
	if age >= c.cfg.MaxStale {
		return nil, fmt.Errorf("a cache in between answered with what is %s old (Age); it serves %s at most", age, c.cfg.MaxStale)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyAtMost+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > bodyAtMost {
		return nil, fmt.Errorf("the answer is over %d bytes", bodyAtMost)
	}
	return &document{header: res.Header, body: body, age: age, made: asked.add(-age)}, nil
}

// parseAge returns how long ago the answer with header h was made, by its Age
// (RFC 9111 §5.1): of several the largest, since only a cache that has it from
// another could have a second. What is no number is as if it were not there,
// as §5.1 has it: a server that wanted to hide an age would send none.
func parseAge(h http.Header) (age time.Duration) {
	for v := range strings.SplitSeq(strings.Join(h.Values("Age"), ","), ",") {
		n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 64)
		if err == nil || errors.Is(err, strconv.ErrRange) {
			age = max(age, time.Duration(min(n, maxSeconds))*time.Second)
		}
	}
	return age
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

// period returns how long the answer with header h is fresh: no longer than it
// serves, so that the next one comes in time. An answer that is nearly too old
// cannot make us ask at any rate.
func (c *Cache) period(h http.Header, serves time.Duration) time.Duration {
	p := c.cfg.Refresh
	if p == 0 {
		p = cachePeriod(h)
	}
	return min(p, max(serves, periodShortest), c.cfg.MaxStale)
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
			age := parseAge(h)
			p = min(time.Duration(min(seconds, maxSeconds))*time.Second, periodMost+age) - age
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

// asksForPeace reports whether err says that the server wants fewer requests.
func asksForPeace(err error) bool {
	var se *statusError
	return retryAfter(err) > 0 || errors.As(err, &se) && se.status == http.StatusTooManyRequests
}
