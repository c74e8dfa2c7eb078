package jwkscache

import (
	"context"
	"crypto"
	"errors"
	"time"
)

const (
	maxFirstWait   = 2 * time.Second         // for keys, where there are none to serve
	maxWait        = 5500 * time.Millisecond // for a missing key: until the limit allows a fetch, and for the fetch
	maxWaiters     = 1000                    // at one time
	mismatchPeriod = 15 * time.Second        // between fetches for a signature that fits no key of its kid
)

var (
	errTimeout = errors.New("the fetch took too long")
	errBusy    = errors.New("too many callers wait for the fetch")
)

// A joined fetch is one that a caller waits for.
type joined struct {
	*fetch
	later bool // it begins after the call: what it does not bring is not there
}

// lookup is Cache.Lookup for keys that are not served. Each round of its loop
// either has the result or waits for one fetch.
func (s *scheduler) lookup(ctx context.Context, q Query) ([]crypto.PublicKey, error) {
	start := s.clock()
	if !q.Now.IsZero() { // all Lookups of one token share the time to wait
		start = momentOf(q.Now)
	}
	var last joined
	for {
		keys, next, err := s.findOrFetch(&q, last)
		if next.fetch == nil {
			return keys, err
		}
		if err := s.wait(ctx, next.fetch, start); err != nil {
			return nil, s.giveUp(&q, err)
		}
		last = next
	}
}

// findOrFetch returns the result for q, or the fetch to wait for. last is the
// fetch that the caller has waited for, if any.
func (s *scheduler) findOrFetch(q *Query, last joined) (keys []crypto.PublicKey, next joined, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, snap := s.clock(), s.served.Load()
	if snap.serves(now) {
		if keys, final := s.find(q, snap, last, now); final {
			return keys, joined{}, nil
		}
	}
	next, err = s.join(q, last, now)
	return nil, next, err
}

// find returns what snap has for q, and whether that is the final result. s.mu is
// held.
func (s *scheduler) find(q *Query, snap *snapshot, last joined, now moment) (keys []crypto.PublicKey, final bool) {
	keys, final = snap.find(q)
	switch {
	case final:
		return keys, true
	case snap.keys.named(q) != nil: // these were tried
		s.fetchForMismatch(now)
		return nil, true
	case last.later && last.err == nil && !last.adopted: // a fetch that began after the call did not bring it
	case q.Tried == nil && s.failures == 0 && !s.closed && s.missing.has(q, now.mono):
	default:
		return nil, false
	}
	s.countUnknown(q)
	return nil, true
}

// join returns the fetch that may bring q's key. s.mu is held.
func (s *scheduler) join(q *Query, last joined, now moment) (joined, error) {
	switch {
	case last.fetch != nil && last.err != nil:
		return joined{}, unavailable(last.err)
	case s.closed:
		return joined{}, unavailable(errClosed)
	case s.running != nil: // it may have begun before the key was published
		return joined{fetch: s.running}, nil
	case now.until(s.due) <= 0: // by the wall clock, for which no timer fires
		s.fetchNow(now)
	case s.failures > 0:
		s.fetchWithin(now, maxRetryPeriod-now.since(s.failedAt))
		return joined{}, unavailable(s.lastErr)
	default:
		s.fetchWithin(now, 0)
	}
	s.next.wants(s.missing.id(q))
	return joined{fetch: s.next, later: true}, nil
}

// wait waits for f to end, unless too many callers wait already. The time to wait
// counts from start.
func (s *scheduler) wait(ctx context.Context, f *fetch, start moment) error {
	s.mu.Lock()
	if s.waiters >= maxWaiters {
		s.mu.Unlock()
		return errBusy
	}
	s.waiters++
	now, limit := s.clock(), maxFirstWait
	if s.served.Load().serves(now) {
		limit = maxWait
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.waiters--
		s.mu.Unlock()
	}()
	select {
	case <-f.done:
		return nil
	default:
	}
	timer := time.NewTimer(limit - now.since(start))
	defer timer.Stop()
	select {
	case <-f.done:
		return nil
	case <-timer.C:
		return errTimeout
	case <-ctx.Done():
		return ctx.Err()
	}
}

// giveUp is the result of a lookup that could not wait, or not longer. If fetching
// works and no fetch is running, the server had time enough: there is no such key.
// Where only the number of callers is the reason, the result is the same.
func (s *scheduler) giveUp(q *Query, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures == 0 && (s.running == nil || err == errBusy) && s.served.Load().serves(s.clock()) {
		s.countUnknown(q)
		return nil
	}
	return unavailable(err)
}

func (s *scheduler) countUnknown(q *Query) {
	if q.Tried == nil {
		s.unknownKeys++
	}
}

// noteMismatch is fetchForMismatch for a kid whose keys are for other algorithms.
// It does not wait for the lock: a rotation brings more such tokens.
func (s *scheduler) noteMismatch() {
	if s.mu.TryLock() {
		defer s.mu.Unlock()
		s.fetchForMismatch(s.clock())
	}
}

// fetchForMismatch requests a fetch for a token that fits none of the keys of its
// kid, since an issuer may have given the kid to another key. Anyone can send such
// a token, so this is rare, and nobody waits for it. s.mu is held.
func (s *scheduler) fetchForMismatch(now moment) {
	if s.running != nil || s.failures > 0 || now.since(s.lastMismatch) < mismatchPeriod {
		return
	}
	s.lastMismatch = now
	s.fetchWithin(now, 0)
}
