package jwkscache

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// How soon to ask again, while another process fetches.
	askPeriod       = 2 * time.Second
	urgentAskPeriod = 250 * time.Millisecond // while callers may wait

	// How long to wait for another process before fetching without a lease.
	maxPatience   = 2 * time.Minute // where the keys serve on
	keyPatience   = 3 * time.Second // where one is missing; callers wait for maxWait
	emptyPatience = time.Second     // where there are none; callers wait for maxFirstWait

	// After a failure, the process that failed lets the others go first: it may be the
	// only one that cannot reach the issuer.
	yieldTime = time.Second
)

// A demand is how urgent a fetch is.
type demand int

const (
	none    demand = iota
	planned        // the keys serve on
	missing        // somebody looks for a key that they do not have
	empty          // there are no keys to serve
)

// demand returns how urgent the next fetch is, and whether Refresh wants it.
func (s *scheduler) demand(now moment) (d demand, refresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.served.Load().serves(now):
		d = empty
	case s.next.mode.noCache:
		d = missing
	default:
		d = planned
	}
	return d, s.next.mode.rediscover
}

// useStore does what is to be done with the Store, where a fetch is due in wait. It
// returns whether to fetch now, and otherwise how long to wait.
func (s *scheduler) useStore(wait time.Duration) (fetch bool, _ time.Duration) {
	h, now := s.shared, s.clock()
	untilLook := now.until(h.nextLook)
	if wait <= 0 {
		d, refresh := s.demand(now)
		if refresh || h.away && untilLook > 0 {
			return true, 0
		}
		if wait = h.askIn(d, now); wait <= 0 {
			return s.ask(d, now), 0
		}
	}
	if untilLook <= 0 {
		s.look()
		return false, 0
	}
	return false, min(wait, untilLook)
}

// askIn returns how long it is until the Store is to be asked for a fetch that is due.
func (h *shared) askIn(d demand, now moment) time.Duration {
	switch {
	case h.askEarly:
		return 0
	case d == planned:
		return askPeriod - now.since(h.askedAt)
	}
	return urgentAskPeriod - now.since(h.askedAt)
}

// ask reports whether this process is to fetch what is due: the Store has nothing
// newer, and no other process fetches, or not in time.
func (s *scheduler) ask(d demand, now moment) (fetch bool) {
	h := s.shared
	h.askedAt, h.askEarly = now, false
	if d != h.waiting {
		h.waiting, h.since = d, now
	}
	if s.look() {
		return false
	}
	slow := func() bool { return s.clock().since(now) > maxStoreCall/2 } // there are callers who wait
	if !h.away && !slow() {
		s.loadNote()
	}
	pause, demanded := s.pauseOfOthers(d, now)
	switch {
	case h.away, d != planned && slow(): // go on without
	case d == planned && pause > 0:
		s.endWait(nil, now, pause+time.Duration(rand.Float64()*float64(yieldTime/2)))
		return false
	case demanded > 0:
		s.endWait(h.note, now, demanded)
		return false
	case s.lease(), h.away:
	case now.since(h.since) < s.patience(d, now):
		return false
	case d != planned && s.failedLately(now): // others wait for that, too
		s.endWait(h.note, now, min(max(pause, askPeriod), maxRetryPeriod))
		return false
	}
	h.waiting, h.askEarly = none, true
	return s.ctx.Err() == nil
}

// patience returns how long to wait for other processes.
func (s *scheduler) patience(d demand, now moment) time.Duration {
	switch d {
	case missing:
		return keyPatience
	case empty:
		return emptyPatience
	}
	return min(maxPatience, now.until(s.served.Load().tooOld)/4)
}

// endWait ends the wait for other processes, with the failure in n if there is one.
func (s *scheduler) endWait(n *failureNote, now moment, pause time.Duration) {
	s.shared.waiting = none
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case n != nil:
		s.endNext(&fetch{err: fmt.Errorf("another process could not fetch: %s", n.cause)}, now, pause)
	case !s.next.mode.noCache: // nobody has come to wait
		s.due = now.add(pause)
	}
}

// leaveNote lets the other processes know that a fetch has failed with err. Of them,
// one tries again after a backoff that grows with each failure of any.
func (s *scheduler) leaveNote(err error) {
	h := s.shared
	s.mu.Lock()
	failures := s.failures
	if h.note != nil && s.after(h.note) {
		failures = max(failures, h.note.failures+1)
	}
	now := s.clock()
	n := &failureNote{
		source: h.source, failed: now.wall, at: now, failures: failures, cause: textOf(err),
	}
	_, demanded := s.pauseOfOthers(planned, now)
	n.demanded = max(now.until(s.retryNotBefore), demanded, 0)
	n.pause = max(now.until(s.due), backoff(failures), n.demanded)
	s.retryNotBefore = s.retryNotBefore.add(yieldTime)
	if !s.next.mode.noCache {
		s.due = now.add(n.pause + yieldTime)
	}
	s.mu.Unlock()
	doc := n.seal(h.secrets)
	if s.saveAs(h.noteName(), doc) {
		h.note, h.seenNote = n, doc
	}
}

// textOf returns err's text. A part of err may be a caller's, and panic.
func textOf(err error) (text string) {
	defer func() { _ = recover() }()
	return cut(err.Error())
}

func (h *shared) noteName() string { return h.name + "-failed" }

// loadNote reads the last note that a process has left.
func (s *scheduler) loadNote() {
	h := s.shared
	doc, there := s.load(h.noteName(), &h.seenNote)
	if there && doc == nil { // as before
		return
	}
	h.note = nil
	if h.away {
		return
	}
	var err error
	if there {
		if h.note, err = openFailureNote(doc, h.source, h.secrets); err == nil {
			h.note.at = s.clock().back(h.note.failed)
			h.note.failed = h.note.at.wall // no later than now, also by a clock that is ahead
		}
	}
	s.noteError(readingNote, err)
	if err != nil { // leave one that has no effect in its place
		s.saveAs(h.noteName(), (&failureNote{source: h.source, failed: time.Unix(0, 0)}).seal(h.secrets))
	}
}

// after reports whether n is about a fetch that ended after the one that served.
func (s *scheduler) after(n *failureNote) bool {
	served := s.served.Load()
	return served == nil || n.failed.After(served.doc.fetched)
}

// failedLately reports whether a process has tried to fetch, and failed, lately.
func (s *scheduler) failedLately(now moment) bool {
	n := s.shared.note
	return n != nil && s.after(n) && now.since(n.at) < maxRetryPeriod
}

// pauseOfOthers returns how long nobody is to fetch, after the failure of any
// process, and how long because the server has asked for that. Without keys, that is
// limited as in schedule.fail.
func (s *scheduler) pauseOfOthers(d demand, now moment) (pause, demanded time.Duration) {
	n := s.shared.note
	if n == nil || !s.after(n) {
		return 0, 0
	}
	demanded = n.demanded
	if d == empty {
		demanded = min(demanded, maxRetryPeriod)
	}
	ago := now.since(n.at)
	return n.pause - ago, demanded - ago
}
