package jwkscache

import (
	"context"
	"crypto"
	"errors"
)

var (
	errTimeout = errors.New("the fetch under way took too long")
	errBusy    = errors.New("too many wait for the fetch under way")
)

// lookupFirst is Lookup with nothing to serve: it joins the fetch that is
// running or due. While the backoff lasts the answer is an error at once.
func (c *Cache) lookupFirst(ctx context.Context, kid, alg string) ([]crypto.PublicKey, error) {
	c.mu.Lock()
	s, now := &c.sched, c.clock()
	var at *attempt
	switch {
	case c.serves(c.current.Load()):
		at = ended
	case s.closed:
		c.mu.Unlock()
		return nil, unavailable(errClosed)
	case s.running != nil:
		at = s.running
	case s.failures == 0 || now.since(s.due) >= 0:
		at = c.fetchNow(now)
	default:
		err := s.lastErr
		c.mu.Unlock()
		return nil, unavailable(err)
	}
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, waitAtMost)
	defer cancel()
	if err := c.await(ctx, at); err != nil {
		return nil, unavailable(err)
	}
	snap := c.current.Load()
	if !c.serves(snap) {
		return nil, unavailable(at.err)
	}
	if keys, known := snap.keys.lookup(kid, alg); known {
		return keys, nil
	}
	return c.lookupUnknown(ctx, kid, alg)
}

// lookupUnknown is Lookup for a kid, or, without one, an alg, that the set
// lacks.
func (c *Cache) lookupUnknown(ctx context.Context, kid, alg string) ([]crypto.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, waitAtMost)
	defer cancel()
	for asked := false; ; {
		s := c.current.Load()
		if keys, known := s.keys.lookup(kid, alg); known {
			return keys, nil
		}
		if asked { // the server was, after this caller came, and has no such key
			c.mu.Lock()
			defer c.mu.Unlock()
			c.sched.budget.remember(kid, c.clock().mono, c.cfg.Cooldown)
			c.stats.unknownKIDs++
			return nil, nil
		}
		at, fresh, err := c.demand(s, kid)
		if at == nil {
			return nil, err
		}
		if err := c.await(ctx, at); err != nil {
			return nil, c.refuse(err)
		}
		if at.err != nil {
			if keys, known := c.current.Load().keys.lookup(kid, alg); known {
				return keys, nil
			}
			return nil, unavailable(at.err)
		}
		asked = fresh
	}
}

// lookupAgain is Lookup with Tried. A kid that the set has never causes a fetch.
func (c *Cache) lookupAgain(ctx context.Context, kid, alg string, tried []crypto.PublicKey) ([]crypto.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, waitAtMost)
	defer cancel()
	for asked := false; ; {
		s := c.current.Load()
		if !c.serves(s) || s.static {
			return nil, nil
		}
		if keys, _ := s.keys.lookup(kid, alg); !same(keys, tried) {
			return keys, nil
		}
		if asked || s.keys.named(kid) {
			return nil, nil
		}
		at, fresh, err := c.demand(s, "")
		if at == nil {
			return nil, err
		}
		if err := c.await(ctx, at); err != nil {
			return nil, c.refuse(err)
		}
		if at.err != nil {
			return nil, unavailable(at.err)
		}
		asked = fresh
	}
}

// same reports whether a and b are the very same answer of one key set.
func same(a, b []crypto.PublicKey) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// ended is an attempt that nobody needs to wait for.
var ended = func() *attempt {
	a := newAttempt()
	close(a.done)
	return a
}()

// demand asks for a fetch on behalf of a kid that the snapshot seen lacks. It
// returns the attempt to wait for and whether that one began after the call; or
// no attempt and the answer: a nil error is no.
func (c *Cache) demand(seen *snapshot, kid string) (at *attempt, fresh bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, now := &c.sched, c.clock()
	switch {
	case c.current.Load() != seen:
		return ended, false, nil // look again
	case s.closed:
		return nil, false, unavailable(errClosed)
	case s.running != nil:
		return s.running, false, nil
	case now.since(s.due) >= 0:
		return c.fetchNow(now), true, nil // by the wall clock, which wakes nobody
	case s.failures == 0 && s.budget.knows(kid, now.mono, c.cfg.Cooldown):
		c.stats.unknownKIDs++
		return nil, false, nil
	case now.since(s.held) < 0:
		return nil, false, unavailable(s.lastErr)
	case s.budget.take(now.mono, c.cfg.Cooldown):
		return c.fetchNow(now), true, nil
	}
	s.pending = true
	if refill := now.add(s.budget.refill(c.cfg.Cooldown).Sub(now.mono)); refill.since(s.due) < 0 {
		s.due = refill
		c.rouse()
	}
	if s.failures > 0 {
		return nil, false, unavailable(s.lastErr)
	}
	c.stats.unknownKIDs++
	return nil, false, nil
}

// await waits for at, unless too many do already.
func (c *Cache) await(ctx context.Context, at *attempt) error {
	c.mu.Lock()
	if c.sched.waiters >= waitersAtMost {
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
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return errTimeout
		}
		return ctx.Err()
	}
}

// refuse answers for an unknown kid that could not wait. While refreshing works
// the crowd is the reason, and the answer is no, as it is under any flood.
func (c *Cache) refuse(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, errBusy) && c.sched.failures == 0 {
		c.stats.unknownKIDs++
		return nil
	}
	return unavailable(err)
}
