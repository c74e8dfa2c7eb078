package jwkscache

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrUnavailable is wrapped by every error that means "cannot tell": the key
// may exist, but the keys at hand are missing, too old or not refreshing.
var ErrUnavailable = errors.New("jwkscache: keys unavailable")

var errClosed = errors.New("the cache is closed")

// Config tunes a [Cache]. The zero value is a good one.
type Config struct {
	// HTTPClient fetches metadata and keys, and is used as given, except that a
	// redirect is followed only to an address that the cache would accept as
	// configured, and never from https to http (unless AllowHTTP is set). Its
	// Timeout bounds each request, body included; zero means 30 seconds. Nil
	// means a client of the cache's own: 10 seconds, TLS 1.2 or later, proxies
	// from the environment, no redirects, no cookies, no connection kept open.
	HTTPClient *http.Client

	// MetadataURL is where the issuer's metadata is, if not at the places that
	// follow from the issuer: Keycloak by its name within the cluster, or a
	// policy of Azure AD B2C. The issuer that the document names must equal the
	// configured one all the same; that need not be a URL then.
	MetadataURL string

	// AllowHTTP permits plain http to hosts other than loopback. Whoever can
	// change that traffic can sign tokens: for networks you trust only.
	AllowHTTP bool

	// SameOriginRedirects lets the cache's own client follow up to three
	// redirects that keep scheme, host and port. It changes no HTTPClient.
	SameOriginRedirects bool

	// AllowSmallExponents accepts RSA keys with an odd exponent from 3 on; the
	// default asks for 65537 or more.
	AllowSmallExponents bool

	// Uses are values of a JWK's use, besides sig, of keys that verify tokens.
	// SPIFFE bundles have jwt-svid.
	Uses []string

	// Refresh is the period between refreshes. Zero means what the server's
	// Cache-Control says, between 5 minutes and 1 hour; a Refresh of yours has no
	// bounds but MaxStale. A refresh starts after 72 to 88 % of the period.
	Refresh time.Duration

	// Cooldown is the time in which the bucket of five fetches regains one. Zero
	// means 5 seconds. An answer of 429 or with Retry-After doubles it, up to 30
	// seconds; each good answer halves it again.
	Cooldown time.Duration

	// MaxStale is how long keys serve after the server made the last good
	// answer, by the larger of wall and monotonic time. Zero means 24 hours.
	MaxStale time.Duration

	// Logger receives changes: refreshing breaks or heals, keys are skipped.
	// Nil means slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	for _, d := range []time.Duration{c.Refresh, c.Cooldown, c.MaxStale} {
		if d != 0 && d < time.Millisecond {
			return c, fmt.Errorf("jwkscache: %d ns for Refresh, Cooldown or MaxStale: negative, or is the unit missing?", d)
		}
	}
	if c.Cooldown == 0 {
		c.Cooldown = 5 * time.Second
	}
	if c.MaxStale == 0 {
		c.MaxStale = 24 * time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if slices.Contains(c.Uses, "") || slices.Contains(c.Uses, "enc") {
		return c, errors.New("jwkscache: Uses has an empty string, or enc, which is for encryption (RFC 7517 §4.2)")
	}
	c.Uses = slices.Clone(c.Uses)
	c.HTTPClient = c.client()
	return c, nil
}

// A Cache holds one issuer's keys. It is safe for concurrent use.
type Cache struct {
	cfg    Config
	source source
	clock  func() moment // tests step it

	current atomic.Pointer[snapshot] // nil until keys were accepted

	ctx  context.Context // ends with Close; bounds the fetches, not the callers
	stop context.CancelFunc
	wake chan struct{} // capacity 1: due has moved
	done chan struct{} // closed when the scheduler has returned

	mu    sync.Mutex // guards what follows; never held across the network
	sched schedule
	stats counters
}

// A snapshot is what one accepted answer left behind. It is immutable.
type snapshot struct {
	keys     *keySet
	period   time.Duration
	accepted moment
	tooOld   moment // from when on the keys serve no more
	static   bool

	age         time.Duration // of the answer, as caches in between said (RFC 9111 §5.1)
	clockDiff   time.Duration // how far the server's clock was ahead of ours
	metadataErr error         // why the address was not confirmed when it was last asked for
}

// ForIssuer returns a cache of the keys that issuer publishes through its
// metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3), whose issuer must
// equal this one byte for byte. The issuer is an https URL without query and
// fragment, unless [Config.MetadataURL] says where its metadata is; plain http is
// for loopback hosts, or with [Config.AllowHTTP].
//
// It does no I/O: fetching starts in the background and ends with
// [Cache.Close].
func ForIssuer(issuer string, cfg Config) (*Cache, error) {
	if err := checkIssuer(issuer, cfg); err != nil {
		return nil, fmt.Errorf("jwkscache: %w", err)
	}
	return start(source{issuer: issuer, metadata: cfg.MetadataURL}, cfg)
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
	return start(source{jwksURI: url}, cfg)
}

// Static returns a cache of the key set in doc. It never refreshes, is never
// stale, and is ready at once. RSA exponents below 65537 are refused.
func Static(doc []byte) (*Cache, error) {
	keys, err := parseKeySet(doc, Config{})
	if err != nil {
		return nil, fmt.Errorf("jwkscache: %w", err)
	}
	c := &Cache{clock: now, stop: func() {}, done: make(chan struct{})}
	close(c.done)
	c.sched.closed = true
	c.current.Store(&snapshot{keys: keys, accepted: c.clock(), static: true})
	return c, nil
}

func start(src source, cfg Config) (*Cache, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := newCache(src, cfg, now)
	go c.run()
	return c, nil
}

func newCache(src source, cfg Config, clock func() moment) *Cache {
	ctx, stop := context.WithCancel(context.Background())
	c := &Cache{
		cfg: cfg, source: src, clock: clock,
		ctx: ctx, stop: stop, wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	c.sched.bucket = bucket{base: cfg.Cooldown, cooldown: cfg.Cooldown}
	c.sched.missing.seed = maphash.MakeSeed()
	c.sched.next = newAttempt()
	c.sched.due = clock()
	return c
}

// Lookup returns the keys that fit q's algorithm and have its KeyID. If no key
// has it, these are the keys with its X5TS256 or X5T; if none has that either,
// those published without kid, except those with another thumbprint. A Query with
// neither means all that fit the algorithm. The keys are *rsa.PublicKey,
// *ecdsa.PublicKey or ed25519.PublicKey. The slice is shared and must not be
// modified.
//
// No key is (nil, nil); an error wraps [ErrUnavailable]. A key that is there is
// found without a lock and without I/O. For a missing one Lookup may wait for a
// fetch, until ctx is done or 5.5 seconds have passed; for the first keys of all
// 2 seconds at most.
//
// With Tried, Lookup returns the keys of a set that is newer than those tried,
// or none. Where the token or the key set has no kid, only this reveals a
// rotation, so Lookup may then fetch and wait as for a missing key. Where all of
// those tried have the token's kid, it asks for a fetch, once in 15 seconds, and
// does not wait.
func (c *Cache) Lookup(ctx context.Context, q Query) ([]crypto.PublicKey, error) {
	now := momentOf(q.Now)
	if q.Now.IsZero() {
		now = c.clock()
	}
	if s := c.current.Load(); s.serves(now) {
		if keys, final := s.answer(&q); final {
			if len(keys) == 0 && !s.static {
				c.noteMismatch()
			}
			return keys, nil
		}
	}
	return c.lookupSlowly(ctx, q)
}

// Ready waits until there are keys to serve, or until ctx is done: the error
// then wraps ctx's, [ErrUnavailable] and the last fetch's. It returns at once
// where waiting does not help: when the metadata names another issuer, and when
// it was not found twice in a row.
func (c *Cache) Ready(ctx context.Context) error {
	if c.serves(c.current.Load()) {
		return nil
	}
	for {
		c.mu.Lock() // so that no fetch ends between the look and the wait
		if c.serves(c.current.Load()) {
			c.mu.Unlock()
			return nil
		}
		if c.sched.closed {
			c.mu.Unlock()
			return unavailable(errClosed)
		}
		at, err := c.sched.running, c.sched.lastErr
		if c.sched.hopeless >= 2 {
			c.mu.Unlock()
			return unavailable(err)
		}
		if at == nil {
			at = c.sched.next
			c.wakeScheduler() // the machine may have slept past due
		}
		c.mu.Unlock()
		select {
		case <-at.done:
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", unavailable(err), ctx.Err())
		}
	}
}

// Health returns nil while there are keys that are not too old to be used, even
// if refreshing them fails: see [Stats].LastError. It does not wait. The error
// wraps [ErrUnavailable] and the last fetch's; a closed cache is not healthy,
// though its last keys serve on.
func (c *Cache) Health() error {
	s := c.current.Load()
	switch {
	case s != nil && s.static:
		return nil
	case c.ctx.Err() != nil:
		return unavailable(errClosed)
	case c.serves(s):
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return unavailable(c.sched.lastErr)
}

// Close stops the background work, waits for it to end, and is idempotent. The
// last keys go on serving until MaxStale.
func (c *Cache) Close() error {
	c.stop()
	<-c.done
	return nil
}

func (c *Cache) serves(s *snapshot) bool { return s.serves(c.clock()) }

func (s *snapshot) serves(now moment) bool {
	return s != nil && (s.static || now.before(s.tooOld))
}

func unavailable(cause error) error {
	if cause == nil {
		return fmt.Errorf("%w: no fetch has ended yet", ErrUnavailable)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, cause)
}
