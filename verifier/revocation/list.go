package revocation

import (
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const (
	defaultMaxEntries = 100_000
	defaultClockSkew  = 5 * time.Second
	maxLeeway         = 5 * time.Minute // of a verifier.Config
	leeway            = int64(maxLeeway / time.Millisecond)
	recheck           = int64(time.Minute / time.Millisecond) // while the clock is set back
)

// ErrFull is the error of [List.Revoke] if the list has no room for all entries.
var ErrFull = errors.New("the revocation list is full")

var (
	errNoToken = errors.New("revocation: the token was not returned by a Verifier")
	errSetBack = errors.New("revocation: the clock was set back: this token expired before, and whether it was revoked is forgotten")
)

// A Config configures a [List].
type Config struct {
	// MaxLifetime is how long the longest token lives: at least the MaxLifetime of each
	// verifier.Config. An Entry without Expires is kept for as long. Lists that share
	// entries have the same; to raise it, raise it here before it is raised there.
	// Required.
	MaxLifetime time.Duration

	// MaxEntries limits the entries, 0 means 100,000.
	MaxEntries int

	// ClockSkew is how much the clocks of issuers may be ahead of the clock that
	// IssuedBefore is from. It is 5 seconds if zero, none if negative, and 5 minutes at
	// most.
	ClockSkew time.Duration
}

// A List is a list of revoked tokens in the memory of this process. It is safe for
// concurrent use, and starts no goroutine.
type List struct {
	lifetime, skew int64 // milliseconds
	maxLifetime    time.Duration
	maxEntries     int
	now            func() instant
	seed           maphash.Seed

	table     atomic.Pointer[table]
	present   atomic.Uint32 // bit k is set while there are records of kind k
	forgotten atomic.Int64  // the latest expires of what was dropped, or had ended when it was added

	mu       sync.Mutex
	queue    queue // all records, the first to end first
	counts   [kinds]int
	rejected rejected
}

// rejected is what there was no room for.
type rejected struct {
	entries int   // the most of one call
	until   int64 // when all of them would have ended
}

var _ verifier.ManagedRevocation = (*List)(nil)

// An instant is a reading of both clocks, in milliseconds.
type instant struct {
	wall      int64 // since 1970; may be set
	monotonic int64 // since the list was made
}

// New returns an empty List.
func New(cfg Config) (*List, error) {
	switch {
	case cfg.MaxLifetime < time.Second:
		return nil, fmt.Errorf("revocation: a MaxLifetime of %d ns: missing, negative, or is the unit missing?", cfg.MaxLifetime)
	case cfg.MaxEntries < 0:
		return nil, fmt.Errorf("revocation: MaxEntries is %d", cfg.MaxEntries)
	case cfg.ClockSkew > 0 && cfg.ClockSkew < time.Millisecond:
		return nil, fmt.Errorf("revocation: a ClockSkew of %d ns: is the unit missing?", cfg.ClockSkew)
	case cfg.ClockSkew > maxLeeway:
		return nil, fmt.Errorf("revocation: a ClockSkew of %s; at most %s is accepted", cfg.ClockSkew, maxLeeway)
	case cfg.ClockSkew == 0:
		cfg.ClockSkew = defaultClockSkew
	case cfg.ClockSkew < 0:
		cfg.ClockSkew = 0
	}
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = defaultMaxEntries
	}
	start := time.Now()
	l := &List{
		lifetime:    cfg.MaxLifetime.Milliseconds(),
		skew:        cfg.ClockSkew.Milliseconds(),
		maxLifetime: cfg.MaxLifetime,
		maxEntries:  cfg.MaxEntries,
		seed:        maphash.MakeSeed(),
		now: func() instant {
			now := time.Now()
			return instant{now.UnixMilli(), now.Sub(start).Milliseconds()}
		},
	}
	if time.Duration(l.lifetime)*time.Millisecond < cfg.MaxLifetime {
		l.lifetime++
	}
	l.table.Store(newTable(minBuckets))
	return l, nil
}

// Lifetime returns Config.MaxLifetime.
func (l *List) Lifetime() time.Duration { return l.maxLifetime }

// Stats implements [verifier.ManagedRevocation]. Err wraps [ErrFull] from when Revoke
// returned that until a call succeeds while there is room for what was refused, or until
// that would have ended. Whoever got ErrFull has to try again.
func (l *List) Stats() verifier.RevocationStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.forget(now)
	s := verifier.RevocationStats{Entries: len(l.queue), MaxEntries: l.maxEntries}
	switch {
	case l.rejected.entries > 0:
		s.Err = fmt.Errorf("revocation: %w: %d of %d entries, and %d were refused", ErrFull, s.Entries, s.MaxEntries, l.rejected.entries)
	case now.wall < l.forgotten.Load()+leeway:
		s.Err = fmt.Errorf("revocation: the clock was set back: tokens that expire before %s are refused", timeOf(l.forgotten.Load()).Format(time.RFC3339))
	}
	return s
}

// Health returns Err of [List.Stats].
func (l *List) Health() error { return l.Stats().Err }

// Entries returns the entries that have not ended, in no particular order, with times in
// UTC and in whole milliseconds. Adding them to another list makes it revoke the same
// tokens.
func (l *List) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(l.now())
	all := make([]Entry, 0, len(l.queue))
	for _, q := range l.queue {
		e := q.record.entry()
		if before := q.record.issuedBefore.Load(); before != always {
			e.IssuedBefore = timeOf(before)
		}
		e.Expires = timeOf(q.record.expires.Load())
		all = append(all, e)
	}
	return all
}
