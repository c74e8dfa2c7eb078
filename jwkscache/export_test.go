package jwkscache

import (
	"context"
	"sync/atomic"
	"time"
)

// What the tests of this package, which are outside of it, need from inside.
var (
	CachePeriod     = cachePeriod
	ParseRetryAfter = parseRetryAfter
	NewOwnClient    = newOwnClient
	Permanence      = permanence
)

// ParseMetadata reads metadata from one of the places of issuer.
func ParseMetadata(doc []byte, issuer string, allowHTTP bool) (string, error) {
	return parseMetadata(doc, issuer, issuer, allowHTTP)
}

// ForURLSkewed is ForURL with a wall clock that is ahead of the true one by
// skew, in nanoseconds, which a test may change at any time. A step forward
// is also what a machine sees when it wakes from a suspend.
func ForURLSkewed(url string, cfg Config, skew *atomic.Int64) (*Cache, error) {
	return forURLWithClock(url, cfg, func() moment {
		m := now()
		m.wall = m.wall.Add(time.Duration(skew.Load()))
		return m
	})
}

// ForURLWatched is ForURL with a function that runs before each reading of the
// clock.
func ForURLWatched(url string, cfg Config, before func()) (*Cache, error) {
	return forURLWithClock(url, cfg, func() moment {
		before()
		return now()
	})
}

func forURLWithClock(url string, cfg Config, clock func() moment) (*Cache, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newCache(locator{address: url}, cfg, clock)
	go c.scheduler.run()
	return c, nil
}

// Unlocked reports whether the cache's mutex is free.
func (c *Cache) Unlocked() bool {
	free := c.scheduler.mu.TryLock()
	if free {
		c.scheduler.mu.Unlock()
	}
	return free
}

// Locked runs f while the cache's mutex is held.
func (c *Cache) Locked(f func()) {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	f()
}

// Clocks returns one reading of the clocks that ages are measured by.
func Clocks() (wall, mono time.Time) {
	m := now()
	return m.wall, m.mono
}

// AddMissing notes that the fetch with this number did not bring kid, and returns
// how many keys are remembered as missing.
func (c *Cache) AddMissing(kid string, fetch int) int {
	s := c.scheduler
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing.add(s.missing.id(&Query{KeyID: kid}), s.clock().mono, fetch)
	return len(s.missing.keys)
}

// Wanted returns how many missing keys are noted for the next fetch.
func (c *Cache) Wanted() int {
	c.scheduler.mu.Lock()
	defer c.scheduler.mu.Unlock()
	return len(c.scheduler.next.wanted)
}

// A Fetcher is a cache whose scheduler does not run: it fetches when it is told to.
type Fetcher struct{ *Cache }

// NewFetcher returns a Fetcher of the keys at url, or, where that is "", of the
// keys of issuer.
func NewFetcher(issuer, url string, cfg Config) (*Fetcher, error) {
	cfg, err := cfg.withDefaults()
	return &Fetcher{newCache(locator{issuer: issuer, metadataURL: cfg.MetadataURL, address: url}, cfg, now)}, err
}

// Fetch fetches once, in the mode that its parameters make, and returns the age
// of what it brought.
func (f *Fetcher) Fetch(noCache, rediscover bool) (age time.Duration, err error) {
	s := f.scheduler
	brought, err := s.fetcher.fetch(s.ctx, f.served.Load(), fetchMode{noCache: noCache, rediscover: rediscover})
	if err != nil {
		return 0, err
	}
	f.served.Store(brought)
	return brought.age, nil
}

// KeepsDocuments reports whether the cache keeps what only a Store needs.
func (c *Cache) KeepsDocuments() bool {
	return c.scheduler.view != nil || c.served.Load().doc != nil || c.scheduler.fetcher.locator.metadata != nil
}

// EditDocument returns a document with another value in one field, authenticated anew.
func EditDocument(sealed []byte, secret []byte, field string, value any) []byte {
	r, err := open(keysDocument, sealed, [][]byte{secret})
	if err != nil {
		panic(err)
	}
	about := r.source()
	d, err := openDocument(sealed, about, [][]byte{secret})
	if err != nil {
		panic(err)
	}
	switch field {
	case "issuer":
		d.issuer = value.(string)
	case "metadataURL":
		d.metadataURL = value.(string)
	case "metadata":
		d.metadata = []byte(value.(string))
	case "address":
		d.address = value.(string)
	case "keys":
		d.keys = []byte(value.(string))
	case "cacheControl":
		d.cacheControl = value.(string)
	case "age":
		d.age = value.(string)
	case "metadataCreatedAt":
		d.metadataCreatedAt = value.(time.Time)
	case "createdAt":
		d.createdAt = value.(time.Time)
	case "fetchedAt":
		d.fetchedAt = value.(time.Time)
	case "issuerTime":
		d.issuerTime = value.(time.Time)
	case "secret":
		secret = value.([]byte)
	default:
		panic(field)
	}
	edited, err := d.seal([][]byte{secret})
	if err != nil {
		panic(err)
	}
	return edited
}

// OpenDocument returns why a document about issuer is not good, or nil.
func OpenDocument(sealed []byte, issuer string, secrets ...[]byte) error {
	_, err := openDocument(sealed, source{issuer: issuer}, secrets)
	return err
}

// ParseContents seals what a document and a note have in their envelopes, without a
// secret, and opens it as a cache of issuer would. It returns whether a cache that had
// nothing would use it, and whether a second sealing is the same.
func ParseContents(contents []byte, issuer string) (used, same bool) {
	of := source{issuer: issuer}
	if n, err := openFailureNote(seal(failureDocument, contents, nil), of, nil); err == nil {
		if n.pause < 0 || n.pause > maxRetryAfter || n.retryAfter < 0 || n.retryAfter > maxRetryAfter || n.failures < 0 || len(n.cause) > 3*200 {
			panic("a note without limits")
		}
	}
	sealed := seal(keysDocument, contents, nil)
	d, err := openDocument(sealed, of, nil)
	if err != nil {
		return false, true
	}
	again, err := d.seal(nil)
	same = err != nil || string(again) == string(sealed)
	cfg, _ := Config{}.withDefaults()
	f := newFetcher(locator{issuer: issuer}, cfg, now)
	s, err := f.snapshotOf(d, nil)
	if err != nil {
		return false, same
	}
	f.locator.adopt(d, now())
	if !s.serves(now()) || s.keys.size == 0 || s.fetchedAt.wall.After(now().wall) || s.tooOld.wall.After(now().wall.Add(cfg.MaxStale)) {
		panic("a document that no fetch could have brought")
	}
	return true, same
}

// Contents returns what is in the envelope of a document.
func Contents(sealed []byte) []byte { return sealed[len(documentMagic)+2 : len(sealed)-32] }

// ForIssuerSkewed is ForIssuer with a wall clock that is ahead of the true one by skew.
func ForIssuerSkewed(issuer string, cfg Config, skew time.Duration) (*Cache, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newCache(locator{issuer: issuer, metadataURL: cfg.MetadataURL}, cfg, func() moment {
		m := now()
		m.wall = m.wall.Add(skew)
		return m
	})
	go c.scheduler.run()
	return c, nil
}

// NewCaller returns a function that calls f as the Store is called.
func NewCaller() func(ctx context.Context, f func(context.Context) error) error {
	var c storeCaller
	return func(ctx context.Context, f func(context.Context) error) error {
		_, err := call(&c, ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
		return err
	}
}
