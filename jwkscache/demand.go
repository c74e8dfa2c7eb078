package jwkscache

import (
	"context"
	"crypto"
	"errors"
	"time"
)

const (
	maxFirstWait  = 2 * time.Second         // for keys, where there are none to serve
	maxWait       = 5500 * time.Millisecond // for a missing key: until the bucket is refilled, and a fetch
	maxWaiters    = 1000                    // at one time
	mismatchPause = 15 * time.Second        // between fetches for a signature that fits no key of its kid
	maxRetryPause = 10 * time.Second        // between attempts that fail while somebody asks
)

var (
	errTimeout = errors.New("the fetch under way took too long")
	errBusy    = errors.New("too many wait for the fetch under way")
)

// answer returns what the snapshot has for q, and whether that is the last word:
// a key that is missing may have been published since.
func (s *snapshot) answer(q *Query) (keys []crypto.PublicKey, final bool) {
	keys, known := s.keys.lookup(q)
	switch {
	case q.Tried == nil:
		return keys, known || s.static
	case !same(keys, q.Tried):
		return keys, true
	}
	return nil, s.static
}

// same reports whether a and b are the very same answer of one key set.
func same(a, b []crypto.PublicKey) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// lookupSlowly is Lookup where the keys at hand do not answer q. Each round
// waits for one fetch. One that was running already may have begun before the
// key was published, so only one that began after the call says no for certain.
func (c *Cache) lookupSlowly(ctx context.Context, q Query) ([]crypto.PublicKey, error) {
	start := c.clock()
	if !q.Now.IsZero() { // one wait is enough for all Lookups of a token
		start = momentOf(q.Now)
	}
	asked := 0 // the number of a fetch that began after the call and has ended
	for {
		s := c.current.Load()
		serves, limit := c.serves(s), maxFirstWait
		if serves {
			if keys, final := s.answer(&q); final {
				return keys, nil
			}
			limit = maxWait
		}
		at, fresh, err := c.request(s, q, asked)
		if at == nil {
			return nil, err
		}
		if err := c.await(ctx, at, limit-c.clock().since(start)); err != nil {
			return nil, c.giveUp(q, err)
		}
		switch {
		case at.err != nil && c.current.Load() == s:
			return nil, unavailable(at.err)
		case at.err == nil && fresh:
			asked = at.number
		}
	}
}

// doneAttempt is an attempt that nobody needs to wait for.
var doneAttempt = func() *attempt {
	a := newAttempt()
	close(a.done)
	return a
}()

// request decides what q, which the snapshot seen does not answer, may cause. It
// returns the attempt to wait for and whether that begins after the call; or no
// attempt and the answer, of which a nil error is no.
func (c *Cache) request(seen *snapshot, q Query, asked int) (at *attempt, fresh bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, now := &c.sched, c.clock()
	serves := seen.serves(now)
	switch {
	case c.current.Load() != seen:
		return doneAttempt, false, nil // look again
	case serves && q.Tried != nil && seen.keys.named(&q) != nil:
		c.fetchForMismatch(now)
		return nil, false, nil
	case serves && asked > 0:
		if q.Tried == nil {
			c.stats.unknownKIDs++
		}
		return nil, false, nil
	case s.closed:
		return nil, false, unavailable(errClosed)
	case serves && q.Tried == nil && s.failures == 0 && s.missing.denies(q.id(s.missing.seed), now.mono):
		c.stats.unknownKIDs++
		return nil, false, nil
	case s.running != nil:
		return s.running, false, nil
	case now.since(s.due) >= 0: // by the wall clock, say, for which no timer fires
		at = c.fetchNow(now)
	case s.failures > 0:
		c.fetchWithin(now, maxRetryPause-now.since(s.failed))
		return nil, false, unavailable(s.lastErr)
	default:
		at = c.fetchSoon(now)
	}
	if q.Tried == nil && len(at.asked) < maxMissing {
		at.asked = append(at.asked, q.id(s.missing.seed))
	}
	return at, true, nil
}

// noteMismatch is fetchForMismatch for a kid whose keys are for other algorithms.
// It does not wait for the lock: another such token will come.
func (c *Cache) noteMismatch() {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	c.fetchForMismatch(c.clock())
}

// fetchForMismatch asks for a fetch on behalf of a token that fits none of the
// keys of its kid, since an issuer may have given the kid to another key. Anyone
// can send such a token, so this is rare, and nobody waits for it. c.mu is held.
func (c *Cache) fetchForMismatch(now moment) {
	s := &c.sched
	if s.closed || s.running != nil || s.failures > 0 || now.since(s.mismatch) < mismatchPause {
		return
	}
	s.mismatch = now
	c.fetchSoon(now)
}

// await waits for at, unless too many do already.
func (c *Cache) await(ctx context.Context, at *attempt, limit time.Duration) error {
	c.mu.Lock()
	if c.sched.waiters >= maxWaiters {
		c.mu.Unlock()
		return errBusy
	}
	c.sched.waiters++
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.sched.waiters--
		c.mu.Unlock()
	}()
	select {
	case <-at.done:
		return nil
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-at.done:
		return nil
	case <-timer.C:
		return errTimeout
	case <-ctx.Done():
		return ctx.Err()
	}
}

// giveUp answers for a lookup that could not wait, or no longer. If fetching
// works and none is under way, the server has had its chance: the answer is no.
// So it is for those whom too many others keep from waiting.
func (c *Cache) giveUp(q Query, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.sched
	if s.failures == 0 && (s.running == nil || err == errBusy) && c.serves(c.current.Load()) {
		if q.Tried == nil {
			c.stats.unknownKIDs++
		}
		return nil
	}
	return unavailable(err)
}
