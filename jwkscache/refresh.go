package jwkscache

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	minBackoff = time.Second      // doubled at each failure
	maxBackoff = 60 * time.Second // and never more
	maxSleep   = time.Minute      // so that a suspended machine notices soon
)

// An attempt is one run of fetch. What it found is set before done is closed.
type attempt struct {
	mode   fetchMode
	number int      // from 1 on
	asked  []uint64 // ids of the missing keys that it is for, once for each caller
	done   chan struct{}
	age    time.Duration // of what was answered
	err    error

	metadataErr error // why the keys' address was not confirmed
}

func newAttempt() *attempt { return &attempt{done: make(chan struct{})} }

// A schedule says what the one goroutine of a cache does next.
type schedule struct {
	closed   bool
	running  *attempt // nil between fetches
	next     *attempt // starts at due
	due      moment
	urgent   bool   // due was moved to the front
	failures int    // since the last success
	hopeless int    // weight of the failures in a row that waiting does not mend
	failed   moment // when the last one failed
	lastErr  error  // nil after a success
	held     moment // the server asked (Retry-After) for peace until then
	expired  bool   // it was logged that the keys are too old to serve
	waiters  int
	bucket   bucket
	missing  missingKeys
	mismatch moment // when a signature that fitted no key last asked for a fetch
}

// run is the scheduler: the only goroutine of the cache, and the only one that
// fetches.
func (c *Cache) run() {
	defer c.finish()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for c.ctx.Err() == nil {
		c.mu.Lock()
		now, current := c.clock(), c.current.Load()
		wait := -now.since(c.sched.due)
		expires := current != nil && !c.sched.expired
		if expires && current.serves(now) {
			wait = min(wait, -now.since(current.tooOld))
			expires = false
		}
		c.sched.expired = c.sched.expired || expires
		err := c.sched.lastErr
		if expires && err == nil {
			err = current.metadataErr // the keys' address is what has ended
		}
		c.mu.Unlock()
		if expires {
			c.log(func(log *slog.Logger) {
				log.Warn("jwtguard: the issuer's keys are too old to be used, so tokens of this issuer get 503", "error", err)
			})
		}
		if wait <= 0 {
			c.attempt()
			continue
		}
		timer.Reset(min(wait, maxSleep))
		select {
		case <-timer.C:
		case <-c.wake:
		case <-c.ctx.Done():
		}
	}
}

// finish ends what waits for the scheduler, also where a transport ended its
// goroutine.
func (c *Cache) finish() {
	defer close(c.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sched.closed = true
	for _, at := range []*attempt{c.sched.running, c.sched.next} {
		if at != nil {
			at.err = errClosed
			close(at.done)
		}
	}
}

// attempt runs one fetch, takes over what it brought and schedules the next.
func (c *Cache) attempt() {
	c.mu.Lock()
	s := &c.sched
	c.stats.fetches++
	at := s.next
	at.number = c.stats.fetches
	s.running, s.next, s.urgent = at, newAttempt(), false
	s.bucket.take(c.clock().mono)
	c.mu.Unlock()

	old := c.current.Load()
	fresh, err := c.fetchSafely(old, at.mode)
	if c.ctx.Err() != nil {
		err = errClosed
	}
	v := judge(err)

	c.mu.Lock()
	s.running = nil
	now := c.clock()
	broke, healed := false, false
	switch {
	case err == nil:
		healed = s.failures > 0
		s.failures, s.hopeless, s.lastErr, s.held, s.expired = 0, 0, nil, moment{}, false
		s.bucket.quicken(now.mono)
		if old == nil || old.keys != fresh.keys {
			s.missing.clear()
		}
		for _, id := range at.asked { // whether or not it was brought: what is there is not looked for
			s.missing.add(id, now.mono, at.number)
		}
		c.current.Store(fresh)
		at.age, at.metadataErr = fresh.age, fresh.metadataErr
		s.due = now.add(jitter(fresh.period))
	case err != errClosed:
		broke = s.failures == 0
		c.stats.failures++
		s.failures, s.failed, s.lastErr = s.failures+1, now, err
		if s.hopeless += v.hopeless; v.hopeless == 0 {
			s.hopeless = 0
		}
		c.scheduleRetry(now, v, old == nil)
	}
	if s.urgent { // by Refresh, while this one ran
		s.due = now
	}
	at.err = err
	close(at.done)
	c.mu.Unlock()
	c.logChange(old, fresh, err, broke, healed)
}

// scheduleRetry sets when to fetch after a failure: as the backoff says, not
// before the server wants it, and not before the bucket has a fetch. c.mu is
// held.
func (c *Cache) scheduleRetry(now moment, v verdict, empty bool) {
	s, pause := &c.sched, v.pause
	if v.limited {
		s.bucket.slow(now.mono)
	}
	if empty { // nothing can be served until an attempt succeeds
		pause = min(pause, maxRetryPause)
	}
	s.held = now.add(pause)
	refill := s.bucket.next(now.mono).Sub(now.mono)
	s.due = now.add(max(backoff(s.failures), pause, refill))
}

// A verdict is what an error of fetch means for the next attempt.
type verdict struct {
	pause    time.Duration // that the server asked for
	limited  bool          // it wants fewer requests
	hopeless int           // see hopelessness
}

// judge reads err, of which a part may be a caller's transport's: a method of it
// that panics must not take the process down either.
func judge(err error) (v verdict) {
	defer func() { _ = recover() }()
	v.pause, v.limited = retryAfter(err), asksForPeace(err)
	v.hopeless = hopelessness(err)
	return v
}

// fetchSafely keeps a panic, of a caller's HTTP transport say, from taking the
// process down.
func (c *Cache) fetchSafely(old *snapshot, mode fetchMode) (s *snapshot, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, shorten(fmt.Errorf("the fetch panicked: %v", p))
		}
	}()
	return c.fetch(c.ctx, old, mode)
}

// jitter returns when to refresh: at 80 % of the period, give or take 10 %.
func jitter(period time.Duration) time.Duration {
	return time.Duration(0.8 * (0.9 + 0.2*rand.Float64()) * float64(period))
}

// backoff returns the wait after the nth failure in a row, with full jitter.
func backoff(n int) time.Duration {
	limit := min(minBackoff<<min(n-1, 10), maxBackoff)
	return time.Duration(rand.Float64() * float64(limit))
}

// fetchNow moves the next attempt to this moment and returns it. c.mu is held.
func (c *Cache) fetchNow(now moment) *attempt {
	c.sched.due, c.sched.urgent = now, true
	c.sched.next.mode.noCache = true
	c.wakeScheduler()
	return c.sched.next
}

// fetchSoon moves the next attempt to when the bucket has a fetch, and returns
// it. c.mu is held.
func (c *Cache) fetchSoon(now moment) *attempt {
	if c.sched.bucket.has(now.mono) {
		return c.fetchNow(now)
	}
	c.fetchWithin(now, 0)
	return c.sched.next
}

// fetchWithin moves the next attempt to no later than d from now, as far as the
// server's Retry-After and the bucket allow. c.mu is held.
func (c *Cache) fetchWithin(now moment, d time.Duration) {
	s := &c.sched
	due := now.add(max(d, -now.since(s.held), s.bucket.next(now.mono).Sub(now.mono)))
	s.next.mode.noCache = true
	if due.since(s.due) < 0 {
		s.due = due
		c.wakeScheduler()
	}
}

func (c *Cache) wakeScheduler() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// maxRefreshAge is how old an answer to Refresh may be: what clocks and a slow
// network explain.
const maxRefreshAge = 5 * time.Second

// Refresh fetches metadata and keys now, whatever the schedule, the budget or
// Retry-After say, and returns when a fetch that began after the call has ended,
// with its error; or when ctx is done. It is for operators: with it a compromised
// key that the issuer has withdrawn goes at once. Concurrent calls share a fetch.
//
// The request says Cache-Control: no-cache (RFC 9111 §5.2.1.4). A cache in
// between that answers all the same shows by its Age: over 5 seconds, Refresh
// returns an error that names it, for the keys may be as old as that. It also
// returns an error where the keys were fetched, but the metadata that says where
// they are could not be. Keys of [Static] have nothing to refresh.
func (c *Cache) Refresh(ctx context.Context) error {
	c.mu.Lock()
	if c.sched.closed {
		c.mu.Unlock()
		if s := c.current.Load(); s != nil && s.static {
			return nil
		}
		return unavailable(errClosed)
	}
	at := c.fetchNow(c.clock())
	at.mode.rediscover = true
	c.mu.Unlock()
	select {
	case <-at.done:
		switch {
		case at.err != nil:
			return unavailable(at.err)
		case at.metadataErr != nil:
			return fmt.Errorf("jwkscache: the keys are new, but not the address that they are from: %w", at.metadataErr)
		case at.age > maxRefreshAge:
			return fmt.Errorf("jwkscache: a cache in between answered with what was fetched %s ago", at.age)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
