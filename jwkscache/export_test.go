package jwkscache

import (
	"sync/atomic"
	"time"
)

// Hooks for the tests of this package, which stand outside of it.
var (
	CachePeriod     = cachePeriod
	ParseRetryAfter = parseRetryAfter
	NewHTTPClient   = newHTTPClient
)

// ParseMetadata reads metadata from one of the places that issuer has for it.
func ParseMetadata(doc []byte, issuer string, allowHTTP bool) (string, error) {
	return parseMetadata(doc, issuer, issuer, allowHTTP)
}

// ForURLSkewed is ForURL with a wall clock that is ahead of the true one by
// skew, in nanoseconds, which a test may change at any time. Stepping it forward
// is also what a suspended machine looks like when it wakes.
func ForURLSkewed(url string, cfg Config, skew *atomic.Int64) (*Cache, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newCache(source{jwksURI: url}, cfg, func() moment {
		m := now()
		m.wall = m.wall.Add(time.Duration(skew.Load()))
		return m
	})
	go c.run()
	return c, nil
}

// ForURLWatched is ForURL with a function that runs before each reading of the
// clock.
func ForURLWatched(url string, cfg Config, before func()) (*Cache, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newCache(source{jwksURI: url}, cfg, func() moment {
		before()
		return now()
	})
	go c.run()
	return c, nil
}

// Unlocked reports whether the cache's mutex is free.
func (c *Cache) Unlocked() bool {
	free := c.mu.TryLock()
	if free {
		c.mu.Unlock()
	}
	return free
}

// Clocks returns one reading of the clocks that ages are measured by.
func Clocks() (wall, mono time.Time) {
	m := now()
	return m.wall, m.mono
}

// Locked runs f while the cache's mutex is taken.
func (c *Cache) Locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// Deny notes that the fetch with this number did not bring kid, and returns how
// many are remembered.
func (c *Cache) Deny(kid string, fetch int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := Query{KeyID: kid}
	c.sched.missing.add(q.id(c.sched.missing.seed), c.clock().mono, fetch)
	return len(c.sched.missing.keys)
}

// Hopelessness is what a failed fetch counts for.
var Hopelessness = hopelessness

// A Fetcher is a cache without a scheduler: it fetches when it is told to.
type Fetcher struct{ *Cache }

// NewFetcher returns a Fetcher of the keys at url, or, where that is "", of the
// keys of issuer.
func NewFetcher(issuer, url string, cfg Config) (*Fetcher, error) {
	cfg, err := cfg.withDefaults()
	return &Fetcher{newCache(source{issuer: issuer, metadata: cfg.MetadataURL, jwksURI: url}, cfg, now)}, err
}

// Fetch fetches once, in the mode that its parameters make, and returns the age
// of what it got.
func (f *Fetcher) Fetch(noCache, rediscover bool) (age time.Duration, err error) {
	s, err := f.fetch(f.ctx, f.current.Load(), fetchMode{noCache: noCache, rediscover: rediscover})
	if err != nil {
		return 0, err
	}
	f.current.Store(s)
	return s.age, nil
}
