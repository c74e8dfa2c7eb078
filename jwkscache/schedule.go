package jwkscache

import (
	"math/rand/v2"
	"time"
)

const (
	minBackoff = time.Second      // doubled at each failure
	maxBackoff = 60 * time.Second // and never more

	maxRetryPeriod = 10 * time.Second // between fetches that fail while somebody needs a key
)

// A schedule says which fetch is running, which is next, and when that begins.
// scheduler.mu guards it.
type schedule struct {
	running *fetch // nil between fetches
	next    *fetch // begins at due
	due     moment
	urgent  bool          // next is to begin as soon as running ends
	wake    chan struct{} // capacity 1: due has become earlier

	limit          fetchLimit
	failures       int    // since the last success
	permanent      int    // weight of the permanent failures in a row
	failedAt       moment // when the last failed fetch ended
	lastErr        error  // nil after a success
	retryNotBefore moment // as the server asked (Retry-After)
}

func newSchedule(now moment, cooldown time.Duration) schedule {
	return schedule{
		next: newFetch(), due: now, wake: make(chan struct{}, 1),
		limit: fetchLimit{base: cooldown, cooldown: cooldown},
	}
}

// begin makes the next fetch the running one, and returns it.
func (s *schedule) begin(now moment) *fetch {
	s.running, s.next, s.urgent = s.next, newFetch(), false
	s.limit.take(now.mono)
	return s.running
}

// succeed ends the running fetch. What it brought is fresh for period.
func (s *schedule) succeed(now moment, period time.Duration) {
	s.failures, s.permanent, s.lastErr, s.retryNotBefore = 0, 0, nil, moment{}
	s.limit.halveCooldown()
	s.end(now, jitter(period))
}

// fail ends the running fetch. The next one begins when the backoff is over, not
// before the server wants it, and not before the limit allows it.
func (s *schedule) fail(now moment, err error, reason failure, empty bool) {
	s.failures, s.failedAt, s.lastErr = s.failures+1, now, err
	if s.permanent += reason.permanent; reason.permanent == 0 {
		s.permanent = 0
	}
	if reason.fewerRequests {
		s.limit.doubleCooldown()
	}
	pause := reason.retryAfter
	if empty { // until a fetch succeeds there is nothing to serve
		pause = min(pause, maxRetryPeriod)
	}
	s.retryNotBefore = now.add(pause)
	s.end(now, max(backoff(s.failures), pause, s.limit.wait(now.mono)))
}

func (s *schedule) end(now moment, pause time.Duration) {
	if s.urgent {
		pause = 0
	}
	s.running, s.due = nil, now.add(pause)
}

// fetchNow moves the next fetch to now, or to the end of the running one.
func (s *schedule) fetchNow(now moment) {
	s.due, s.urgent = now, true
	s.next.mode.noCache = true
	s.wakeScheduler()
}

// fetchWithin moves the next fetch to no later than d from now, as far as
// Retry-After and the limit allow. No fetch is running.
func (s *schedule) fetchWithin(now moment, d time.Duration) {
	due := now.add(max(d, now.until(s.retryNotBefore), s.limit.wait(now.mono)))
	s.next.mode.noCache = true
	if due.until(s.due) > 0 {
		s.due = due
		s.wakeScheduler()
	}
}

func (s *schedule) wakeScheduler() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// jitter returns when to refresh: at 80 % of the period, plus or minus 10 % of that.
func jitter(period time.Duration) time.Duration {
	return time.Duration(0.8 * (0.9 + 0.2*rand.Float64()) * float64(period))
}

// backoff returns the wait after the nth failure in a row, with full jitter.
func backoff(n int) time.Duration {
	limit := min(minBackoff<<min(n-1, 10), maxBackoff)
	return time.Duration(rand.Float64() * float64(limit))
}
