package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// A WhileAway says what [Revocations] does while Redis cannot be reached.
type WhileAway int

const (
	// KeepServing goes on with the list as it is: revocations that were known stay in
	// force, and those of other replicas come when Redis is back.
	KeepServing WhileAway = iota

	// Refuse refuses every token, with 503, while the list is older than MaxAge, or was
	// never complete.
	Refuse
)

// String returns "KeepServing" or "Refuse".
func (w WhileAway) String() string {
	if w == Refuse {
		return "Refuse"
	}
	return "KeepServing"
}

const minMaxAge = 5 * time.Second

// A RevocationConfig says how a list is shared. The zero value is a good one.
type RevocationConfig struct {
	// Prefix is the beginning of every key. Empty means "jwtguard:". All replicas have
	// the same.
	Prefix string

	// WhileAway says what happens while Redis cannot be reached. Zero means KeepServing.
	WhileAway WhileAway

	// MaxAge is the age of the list from which on Refuse refuses every token. It is
	// required with Refuse, is at least 5 seconds, and must be zero with KeepServing.
	// While Redis works, the list is never older than about 1 second.
	MaxAge time.Duration

	// Logger receives changes: Redis is away or back, entries were published again. Nil
	// means slog.Default().
	Logger *slog.Logger
}

// Revocations shares the entries of a list with the other replicas. It implements
// [verifier.ManagedRevocation], and asks only the list: no request waits for Redis.
//
// All entries of the list are shared. Those that the program adds to the list directly, not
// by [Revocations.Revoke], reach the other replicas within minutes only. An entry never ends
// earlier because of Redis: what was known here stays in force, and is published again if
// Redis has lost it.
type Revocations struct {
	client redis.UniversalClient
	list   *revocation.List
	cfg    RevocationConfig
	keys   keys
	start  time.Time

	complete    atomic.Pointer[time.Time] // when the list was last known to be complete; nil: never
	away        atomic.Pointer[error]     // why Redis cannot be read, or nil
	unpublished atomic.Pointer[error]     // why entries are not published, or nil
	own         pending                   // entries that only this replica knows
	unreadable  atomic.Int64              // entries that could not be read or added, since all were last read

	ready   chan struct{} // closed when the list is complete for the first time
	stop    context.CancelFunc
	stopped chan struct{}
	sync    syncState // of the goroutine
}

// NewRevocations shares list through Redis, from now on until Close. It does not wait for
// Redis: see [Revocations.Ready]. The client must have been made with
// ContextTimeoutEnabled. One of its connections is in use all the time.
func NewRevocations(client redis.UniversalClient, list *revocation.List, cfg RevocationConfig) (*Revocations, error) {
	err := checkClient(client)
	switch {
	case err != nil:
	case list == nil:
		err = errors.New("the list is nil")
	case cfg.WhileAway != KeepServing && cfg.WhileAway != Refuse:
		err = fmt.Errorf("WhileAway is %d, which is neither KeepServing nor Refuse", cfg.WhileAway)
	case cfg.WhileAway == KeepServing && cfg.MaxAge != 0:
		err = errors.New("a MaxAge, but WhileAway is not Refuse")
	case cfg.WhileAway == Refuse && cfg.MaxAge < minMaxAge:
		err = fmt.Errorf("a MaxAge of %s; with Refuse, it is at least %s", cfg.MaxAge, minMaxAge)
	}
	if err != nil {
		return nil, fmt.Errorf("redisstore: revocations: %w", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Revocations{
		client: client, list: list, cfg: cfg, keys: newKeys(cfg.Prefix), start: time.Now(),
		ready: make(chan struct{}), stop: stop, stopped: make(chan struct{}),
	}
	go r.run(ctx)
	return r, nil
}

// Revoked implements [verifier.Revocation].
func (r *Revocations) Revoked(ctx context.Context, t *verifier.Token) (bool, error) {
	if r.cfg.WhileAway == Refuse {
		if err := r.tooOld(); err != nil {
			return false, err
		}
	}
	return r.list.Revoked(ctx, t)
}

// tooOld returns why every token is to be refused with Refuse, or nil.
func (r *Revocations) tooOld() error {
	switch at := r.complete.Load(); {
	case at == nil:
		return r.because(errors.New("the list was never read from Redis"))
	case time.Since(*at) > r.cfg.MaxAge:
		return r.because(fmt.Errorf("the list is older than %s", r.cfg.MaxAge))
	}
	return nil
}

// because adds to err why Redis cannot be read, if it cannot.
func (r *Revocations) because(err error) error {
	if away := lastError(&r.away); away != nil {
		err = fmt.Errorf("%w: %w", err, away)
	}
	return fmt.Errorf("redisstore: revocations: %w", err)
}

// Lifetime implements [verifier.ManagedRevocation]: that of the list.
func (r *Revocations) Lifetime() time.Duration { return r.list.Lifetime() }

// Stats implements [verifier.ManagedRevocation]. Age is the time since Redis last
// confirmed that nothing is missing; before the first time, since NewRevocations.
func (r *Revocations) Stats() verifier.RevocationStats {
	s := r.list.Stats()
	since := r.start
	if at := r.complete.Load(); at != nil {
		since = *at
	}
	s.Age = time.Since(since)
	away := lastError(&r.away)
	if r.cfg.WhileAway == Refuse {
		if err := r.tooOld(); err != nil {
			s.Refuses, s.Err = true, err
			return s
		}
	}
	switch n := r.unreadable.Load(); {
	case s.Err != nil:
	case away != nil:
		s.Err = fmt.Errorf("redisstore: revocations: %w", away)
	case lastError(&r.unpublished) != nil:
		s.Err = lastError(&r.unpublished)
	case n > 0:
		s.Err = fmt.Errorf("redisstore: revocations: %d entries in Redis could not be read", n)
	}
	return s
}

// Health returns Err of [Revocations.Stats].
func (r *Revocations) Health() error { return r.Stats().Err }

// Ready waits until the list is complete for the first time. It returns an error if ctx is
// done before that: give ctx a time-out. A program that then serves nevertheless checks
// tokens against a list without what others have revoked, or refuses all of them with
// [Refuse], until Redis is there.
func (r *Revocations) Ready(ctx context.Context) error {
	select {
	case <-r.ready:
		return nil
	case <-ctx.Done():
		return r.because(fmt.Errorf("the list was not read from Redis: %w", ctx.Err()))
	}
}

// Close stops the exchange with Redis, and waits until it has stopped: usually for one second
// at most, and for three if Redis does not respond. The list stays as it is. Close returns an
// error that wraps [ErrNotPublished] if entries that were added here are not in Redis.
func (r *Revocations) Close() error {
	r.stop()
	<-r.stopped
	return lastError(&r.unpublished)
}

func lastError(p *atomic.Pointer[error]) error {
	if err := p.Load(); err != nil {
		return *err
	}
	return nil
}
