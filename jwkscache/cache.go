package jwkscache

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync/atomic"
)

// A Cache holds one issuer's keys. It is safe for concurrent use.
type Cache struct {
	served    atomic.Pointer[snapshot] // nil until the first good fetch
	clock     func() moment
	scheduler *scheduler // puts new snapshots into served; nil for Static
}

// ForIssuer returns a cache of the keys that issuer publishes through its
// metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3). The issuer in the
// metadata must equal this one byte for byte. The issuer is an https URL without
// query and fragment, unless [Config.MetadataURL] says where its metadata is;
// plain http is for loopback hosts, or with [Config.AllowHTTP].
//
// It does no I/O: fetching starts in the background and ends with
// [Cache.Close].
func ForIssuer(issuer string, cfg Config) (*Cache, error) {
	if err := checkIssuer(issuer, cfg); err != nil {
		return nil, fmt.Errorf("jwkscache: %w", err)
	}
	return start(locator{issuer: issuer, metadataURL: cfg.MetadataURL}, cfg)
}

// ForURL returns a cache of the key set at url. What [ForIssuer] says of http
// and of the background holds here too.
func ForURL(url string, cfg Config) (*Cache, error) {
	if err := checkURL(url, cfg.AllowHTTP); err != nil {
		return nil, fmt.Errorf("jwkscache: %w", err)
	}
	if cfg.MetadataURL != "" {
		return nil, errors.New("jwkscache: ForURL is given the address of the keys, so MetadataURL has no meaning")
	}
	return start(locator{address: url}, cfg)
}

func start(source locator, cfg Config) (*Cache, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newCache(source, cfg, now)
	go c.scheduler.run()
	return c, nil
}

func newCache(source locator, cfg Config, clock func() moment) *Cache {
	c := &Cache{clock: clock}
	c.scheduler = newScheduler(newFetcher(source, cfg, clock), &c.served)
	return c
}

// Static returns a cache of the key set in doc. It never refreshes, is never
// stale, and is ready at once. RSA exponents below 65537 are refused.
func Static(doc []byte) (*Cache, error) {
	keys, err := parseKeySet(doc, Config{})
	if err != nil {
		return nil, fmt.Errorf("jwkscache: %w", err)
	}
	c, loaded := &Cache{clock: now}, now()
	c.served.Store(&snapshot{keys: keys.withHistory(nil, loaded.wall), fetchedAt: loaded, static: true})
	return c, nil
}

// Lookup returns the keys that fit q's algorithm and have its KeyID. If no key
// has it, these are the keys with its X5TS256 or X5T; if none has that either,
// those published without kid, except those with another thumbprint. A Query
// without KeyID and thumbprints means all keys that fit the algorithm. The keys
// are *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey. The slice is shared
// and must not be modified.
//
// If there is no such key, the result is (nil, nil). An error wraps
// [ErrUnavailable]. A key that is there is found without a lock and without I/O.
// For a missing one Lookup may wait for a fetch, until ctx is done or 5.5 seconds
// have passed; while there are no keys at all, 2 seconds.
//
// With Tried, Lookup returns the keys of a set that is newer than those tried,
// or none. Where the token or the key set has no kid, only this reveals a
// rotation, so Lookup may then fetch and wait as for a missing key. Where the keys
// tried have the token's kid, it requests a fetch, once in 15 seconds, and does
// not wait.
func (c *Cache) Lookup(ctx context.Context, q Query) ([]crypto.PublicKey, error) {
	now := momentOf(q.Now)
	if q.Now.IsZero() {
		now = c.clock()
	}
	if s := c.served.Load(); s.serves(now) {
		if keys, final := s.find(&q); final {
			if len(keys) == 0 && c.scheduler != nil {
				c.scheduler.noteMismatch()
			}
			return keys, nil
		}
	}
	return c.scheduler.lookup(ctx, q)
}

// Ready waits until there are keys to serve, or until ctx is done: the error
// then wraps ctx's, [ErrUnavailable] and the last fetch's. It returns at once
// where waiting does not help: when the metadata names another issuer, and when
// it was not found twice in a row.
func (c *Cache) Ready(ctx context.Context) error {
	if c.serves() {
		return nil
	}
	return c.scheduler.waitUntilServing(ctx)
}

// Health returns nil while there are keys that are not too old to be used, even
// if refreshing them fails: see [Stats].LastError. It does not wait. The error
// wraps [ErrUnavailable] and the last fetch's. A closed cache is not healthy,
// though its last keys go on serving.
func (c *Cache) Health() error {
	if c.scheduler != nil && c.scheduler.ctx.Err() != nil {
		return unavailable(errClosed)
	}
	if c.serves() {
		return nil
	}
	return unavailable(c.scheduler.lastError())
}

// Stats returns the cache's figures, for metrics and for status pages.
func (c *Cache) Stats() Stats {
	s, st, closed := c.served.Load(), Stats{}, false
	if c.scheduler != nil {
		s, st, closed = c.scheduler.figures()
	}
	if s != nil {
		st.Keys, st.KeySet, st.KeyWarnings = s.keys.size, s.keys.infos, append(st.KeyWarnings, s.keys.warnings...)
		st.LastSuccess, st.ClockDifference, st.Period = s.fetchedAt.wall, s.clockDiff, s.period
	}
	st.State = stateOf(s, c.clock(), closed)
	return st
}

// Refresh fetches metadata and keys now, whatever the schedule, the fetch limit or
// Retry-After say. It returns when a fetch that began after the call has ended,
// with its error, or when ctx is done. It is for operators: a compromised key that
// the issuer has withdrawn is dropped at once. Concurrent calls share a fetch.
//
// The request says Cache-Control: no-cache (RFC 9111 §5.2.1.4). If an intermediate
// cache responds nevertheless, and its Age is over 5 seconds, Refresh returns an
// error that names the age, because the keys may be as old as that. It also returns
// an error if it fetched the keys, but not the metadata with their address. Keys of
// [Static] have nothing to refresh.
func (c *Cache) Refresh(ctx context.Context) error {
	if c.scheduler == nil {
		return nil
	}
	return c.scheduler.refresh(ctx)
}

// Close stops the background work, waits for it to end, and is idempotent. The
// last keys go on serving until MaxStale.
func (c *Cache) Close() error {
	if c.scheduler != nil {
		c.scheduler.stop()
		<-c.scheduler.done
	}
	return nil
}

func (c *Cache) serves() bool { return c.served.Load().serves(c.clock()) }
