package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// A source is where the keys come from. Only the scheduler touches what may
// change in it.
type source struct {
	issuer   string // "" where the key set's address was given
	metadata string // the metadata's address; "" means the well-known places
	jwksURI  string // "" until discovered

	due      moment // when the metadata is asked again
	tooOld   moment // from when on the address that it named is not used
	failing  error  // why the metadata was not good when it was last asked
	reported bool   // that it is failing was logged
	skewed   bool   // that the clocks differ was logged
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
	if isNotFound(err) && c.source.issuer != "" && metadata == nil {
		var again error
		if metadata, again = c.rediscover(ctx, mode); again != nil {
			return nil, fmt.Errorf("%w; %w", err, again)
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
		return nil, fmt.Errorf("key set at %q: %w", cut(c.source.jwksURI), err)
	}
	keys, err := parseKeySet(got.body, c.cfg)
	if err != nil {
		return nil, fmt.Errorf("key set at %q: %w", cut(c.source.jwksURI), err)
	}
	if old != nil && old.keys.equal(keys) {
		keys = old.keys
	}
	tooOld := got.made.add(c.cfg.MaxStale)
	if c.source.issuer != "" {
		tooOld = tooOld.earlier(c.source.tooOld)
	}
	return &snapshot{
		keys: keys, age: got.age, clockDiff: got.clockDiff, metadataErr: c.source.failing,
		accepted: c.clock(), tooOld: tooOld, period: c.period(got.header, tooOld),
	}, nil
}

// period returns how long the answer with header h is fresh: no longer than it
// serves, so that the next one comes in time. An answer that is nearly too old
// cannot make us ask at any rate.
func (c *Cache) period(h http.Header, tooOld moment) time.Duration {
	p := c.cfg.Refresh
	if p == 0 {
		p = cachePeriod(h)
	}
	return min(p, max(-c.clock().since(tooOld), minPeriod), c.cfg.MaxStale)
}

// earlier returns what comes first by each of the clocks.
func (m moment) earlier(u moment) moment {
	if u.wall.Before(m.wall) {
		m.wall = u.wall
	}
	if u.mono.Before(m.mono) {
		m.mono = u.mono
	}
	return m
}

// asksForPeace reports whether err says that the server wants fewer requests.
func asksForPeace(err error) bool {
	var se *statusError
	return retryAfter(err) > 0 || errors.As(err, &se) && se.status == http.StatusTooManyRequests
}
