package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	waitAtMost    = 2 * time.Second  // for a caller of Lookup
	waitersAtMost = 1000             // at one time
	backoffFirst  = time.Second      // doubled at each failure
	backoffLast   = 60 * time.Second // and never more
	napAtMost     = time.Minute      // so that a suspended machine notices soon
)

// An attempt is one run of fetch. err is set before done is closed.
type attempt struct {
	done chan struct{}
	err  error
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
	lastErr  error  // nil after a success
	held     moment // the server asked (Retry-After) for peace until then
	waiters  int
	budget   budget
	pending  bool // somebody was refused for want of budget
}

// run is the scheduler: the only goroutine of the cache, and the only one that
// fetches.
func (c *Cache) run() {
	defer close(c.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for c.ctx.Err() == nil {
		c.mu.Lock()
		wait := -c.clock().since(c.sched.due)
		c.mu.Unlock()
		if wait <= 0 {
			c.attempt()
			continue
		}
		timer.Reset(min(wait, napAtMost))
		select {
		case <-timer.C:
		case <-c.wake:
		case <-c.ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sched.closed = true
	c.sched.next.err = errClosed
	close(c.sched.next.done)
}

// attempt runs one fetch, takes over what it brought and schedules the next.
func (c *Cache) attempt() {
	c.mu.Lock()
	s := &c.sched
	at := s.next
	s.running, s.next, s.urgent = at, newAttempt(), false
	if s.pending {
		s.pending = false
		s.budget.take(c.clock().mono, c.cfg.Cooldown)
	}
	c.stats.fetches++
	c.mu.Unlock()

	old := c.current.Load()
	fresh, err := c.fetchSafely(old)
	if c.ctx.Err() != nil {
		err = errClosed
	}

	c.mu.Lock()
	s.running = nil
	broke, healed := false, false
	if err == nil {
		healed = s.failures > 0
		s.failures, s.lastErr, s.held = 0, nil, moment{}
		if old == nil || old.keys != fresh.keys {
			s.budget.forget()
		}
		c.current.Store(fresh)
		s.due = c.clock().add(jitter(fresh.period))
	} else if !errors.Is(err, errClosed) {
		broke = s.failures == 0
		s.failures++
		s.lastErr = err
		c.stats.failures++
		now := c.clock()
		s.held = now.add(retryAfter(err))
		s.due = now.add(max(backoff(s.failures), retryAfter(err)))
	}
	if s.urgent { // by Refresh, while this one ran
		s.due = c.clock()
	}
	at.err = err
	close(at.done)
	c.mu.Unlock()
	c.logChange(old, fresh, err, broke, healed)
}

// fetchSafely keeps a panic, of a caller's HTTP transport say, from taking the
// process down.
func (c *Cache) fetchSafely(old *snapshot) (s *snapshot, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("the fetch panicked: %v", p)
		}
	}()
	return c.fetch(c.ctx, old, fetchMode{})
}

func (c *Cache) logChange(old, fresh *snapshot, err error, broke, healed bool) {
	log := c.cfg.Logger.With(c.source.attr())
	if broke {
		meanwhile := "the last known keys stay in use"
		if !c.serves(old) {
			meanwhile = "there are none to use, so tokens get 503"
		}
		log.Warn("jwtguard: fetching the issuer's keys fails; "+meanwhile, "error", err)
	}
	if healed {
		log.Info("jwtguard: fetching the issuer's keys works again")
	}
	if err == nil && len(fresh.keys.skipped) > 0 && (old == nil || old.keys != fresh.keys) {
		skipped := fresh.keys.skipped
		log.Warn("jwtguard: some of the issuer's keys are not used, or are odd", "count", len(skipped), "first", skipped[:min(len(skipped), 5)])
	}
}

// jitter returns when to refresh: at 80 % of the period, give or take 10 %.
func jitter(period time.Duration) time.Duration {
	return time.Duration(0.8 * (0.9 + 0.2*rand.Float64()) * float64(period))
}

// backoff returns the wait after the nth failure in a row, with full jitter.
func backoff(n int) time.Duration {
	limit := min(backoffFirst<<min(n-1, 10), backoffLast)
	return time.Duration(rand.Float64() * float64(limit))
}

// fetchNow moves the next attempt to this moment and returns it. c.mu is held.
func (c *Cache) fetchNow(now moment) *attempt {
	c.sched.due, c.sched.urgent = now, true
	c.rouse()
	return c.sched.next
}

func (c *Cache) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Refresh fetches now, whatever the schedule, the budget or Retry-After say,
// and returns when a fetch that began after the call has ended, with its error;
// or when ctx is done. It is for operators: with it a compromised key that the
// issuer has withdrawn goes at once. Concurrent calls share a fetch.
func (c *Cache) Refresh(ctx context.Context) error {
	c.mu.Lock()
	if c.sched.closed {
		c.mu.Unlock()
		if s := c.current.Load(); s != nil && s.static {
			return errors.New("jwkscache: static keys cannot be refreshed")
		}
		return unavailable(errClosed)
	}
	at := c.fetchNow(c.clock())
	c.mu.Unlock()
	select {
	case <-at.done:
		if at.err != nil {
			return unavailable(at.err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
