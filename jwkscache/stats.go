package jwkscache

import "time"

// State is where a cache stands in its life.
type State string

// The states of a cache. Fresh and Stale serve keys; Closed serves the last
// ones until MaxStale.
const (
	Empty   State = "empty"   // no keys yet
	Fresh   State = "fresh"   // the last good answer is younger than its period
	Stale   State = "stale"   // a refresh is overdue
	Expired State = "expired" // the last good answer is older than MaxStale
	Closed  State = "closed"  // final
)

// Stats is what a cache has seen so far.
type Stats struct {
	State       State
	Keys        int       // usable keys now
	Skipped     []string  // why other keys of the set are not used, and what is odd about those that are
	LastSuccess time.Time // when the last good fetch ended, by this machine's clock
	LastError   error     // of the last fetch, nil if it succeeded
	Fetches     int       // attempts begun, each of one or more requests
	Failures    int       // attempts failed
	UnknownKIDs int       // lookups answered no, because the issuer has no such key
}

type counters struct {
	fetches, failures, unknownKIDs int
}

// Stats returns the cache's figures, for metrics and for status pages.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	st := Stats{
		State:       Empty,
		LastError:   c.sched.lastErr,
		Fetches:     c.stats.fetches,
		Failures:    c.stats.failures,
		UnknownKIDs: c.stats.unknownKIDs,
	}
	s := c.current.Load()
	if s != nil {
		st.Keys, st.Skipped = s.keys.size, append(st.Skipped, s.keys.skipped...)
		st.LastSuccess = s.accepted.wall
		switch now := c.clock(); {
		case s.static || s.serves(now) && now.since(s.accepted) <= s.period:
			st.State = Fresh
		case s.serves(now):
			st.State = Stale
		default:
			st.State = Expired
		}
	}
	if c.sched.closed && (s == nil || !s.static) {
		st.State = Closed
	}
	return st
}
