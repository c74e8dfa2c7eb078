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
	maxPlannedWait = 2 * time.Minute // where the keys serve on
	keyMissingWait = 3 * time.Second // where one is missing; callers wait for maxWait
	noKeysWait     = time.Second     // where there are none; callers wait for maxFirstWait

	// After a failure, the process that failed lets the others go first: it may be the
	// only one that cannot reach the issuer.
	yieldTime = time.Second
)

// An urgency is why a fetch is due, the least urgent first.
type urgency int

const (
	notWaiting urgency = iota
	planned            // the keys serve on
	keyMissing         // somebody looks for a key that they do not have
	noKeys             // there are no keys to serve
)

// urgency returns how urgent the next fetch is, and whether Refresh wants it.
func (s *scheduler) urgency(now moment) (u urgency, refresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.served.Load().serves(now):
		u = noKeys
	case s.next.mode.noCache:
		u = keyMissing
	default:
		u = planned
	}
	return u, s.next.mode.rediscover
}

// useStore polls the Store if that is due, and decides about a fetch that is due in wait:
// it returns whether to fetch now, and otherwise how long to wait.
func (s *scheduler) useStore(wait time.Duration) (fetch bool, _ time.Duration) {
	v, now := s.view, s.clock()
	untilPoll := now.until(v.nextPoll)
	if wait <= 0 {
		u, refresh := s.urgency(now)
		if refresh || v.away && untilPoll > 0 {
			return true, 0
		}
		if wait = v.askIn(u, now); wait <= 0 {
			return s.ask(u, now), 0
		}
	}
	if untilPoll <= 0 {
		s.poll()
		return false, 0
	}
	return false, min(wait, untilPoll)
}

// askIn returns how long it is until ask is to be called for a fetch that is due.
func (v *storeView) askIn(u urgency, now moment) time.Duration {
	switch {
	case v.askEarly:
		return 0
	case u == planned:
		return askPeriod - now.since(v.askedAt)
	}
	return urgentAskPeriod - now.since(v.askedAt)
}

// ask reports whether this process is to fetch what is due: the Store has nothing newer,
// and no other process holds the lease, or the wait for that one is over.
func (s *scheduler) ask(u urgency, now moment) (fetch bool) {
	v := s.view
	v.askedAt, v.askEarly = now, false
	if u != v.waiting {
		v.waiting, v.since = u, now
	}
	if s.poll() {
		return false
	}
	slow := func() bool { return s.clock().since(now) > maxStoreCall/2 } // there are callers who wait
	if !v.away && !slow() {
		s.loadNote()
	}
	pause, retryAfter := s.pauseOfOthers(u, now)
	switch {
	case v.away, u != planned && slow(): // go on without
	case u == planned && pause > 0:
		s.endWait(nil, now, pause+time.Duration(rand.Float64()*float64(yieldTime/2)))
		return false
	case retryAfter > 0:
		s.endWait(v.note, now, retryAfter)
		return false
	case s.lease(), v.away:
	case now.since(v.since) < s.maxWaitForOthers(u, now):
		return false
	case u != planned && s.failedRecently(now): // all processes wait after that
		s.endWait(v.note, now, min(max(pause, askPeriod), maxRetryPeriod))
		return false
	}
	v.waiting, v.askEarly = notWaiting, true
	return s.ctx.Err() == nil
}

// maxWaitForOthers returns how long to wait for other processes.
func (s *scheduler) maxWaitForOthers(u urgency, now moment) time.Duration {
	switch u {
	case keyMissing:
		return keyMissingWait
	case noKeys:
		return noKeysWait
	}
	return min(maxPlannedWait, now.until(s.served.Load().tooOld)/4)
}

// endWait ends the wait for other processes: with the failure in n, or with none if n is nil.
func (s *scheduler) endWait(n *failureNote, now moment, pause time.Duration) {
	s.view.waiting = notWaiting
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case n != nil:
		s.endNext(&fetch{err: fmt.Errorf("another process could not fetch: %s", n.cause)}, now, pause)
	case !s.next.mode.noCache: // nobody has come to wait
		s.due = now.add(pause)
	}
}

// saveNote lets the other processes know that a fetch has failed with err. One of them
// then tries again, after a backoff that grows with each failure, whichever process it is of.
func (s *scheduler) saveNote(err error) {
	v := s.view
	s.mu.Lock()
	failures := s.failures
	if v.note != nil && s.noteIsNewer(v.note) {
		failures = max(failures, v.note.failures+1)
	}
	now := s.clock()
	n := &failureNote{
		source: v.source, failedAt: now.wall, at: now, failures: failures, cause: textOf(err),
	}
	_, retryAfter := s.pauseOfOthers(planned, now)
	n.retryAfter = max(now.until(s.retryNotBefore), retryAfter, 0)
	n.pause = max(now.until(s.due), backoff(failures), n.retryAfter)
	s.retryNotBefore = s.retryNotBefore.add(yieldTime)
	if !s.next.mode.noCache {
		s.due = now.add(n.pause + yieldTime)
	}
	s.mu.Unlock()
	doc := n.seal(v.secrets)
	if s.saveAs(v.noteName(), doc) {
		v.note, v.seenNote = n, doc
	}
}

// textOf returns err's text. A part of err may be a caller's, and panic.
func textOf(err error) (text string) {
	defer func() { _ = recover() }()
	return cut(err.Error())
}

func (v *storeView) noteName() string { return v.name + "-failed" }

// loadNote reads the last note that a process has left.
func (s *scheduler) loadNote() {
	v := s.view
	doc, there := s.load(v.noteName(), &v.seenNote)
	if there && doc == nil { // as before
		return
	}
	v.note = nil
	if v.away {
		return
	}
	var err error
	if there {
		if v.note, err = openFailureNote(doc, v.source, v.secrets); err == nil {
			v.note.at = s.clock().atWall(v.note.failedAt)
			v.note.failedAt = v.note.at.wall // no later than now, also by a clock that is ahead
		}
	}
	s.setError(readingNote, err)
	if err != nil { // leave one that has no effect in its place
		s.saveAs(v.noteName(), (&failureNote{source: v.source, failedAt: time.Unix(0, 0)}).seal(v.secrets))
	}
}

// noteIsNewer reports whether n is about a fetch that ended after the one that served.
func (s *scheduler) noteIsNewer(n *failureNote) bool {
	served := s.served.Load()
	return served == nil || n.failedAt.After(served.doc.fetchedAt)
}

// failedRecently reports whether a process has failed to fetch within the last maxRetryPeriod.
func (s *scheduler) failedRecently(now moment) bool {
	n := s.view.note
	return n != nil && s.noteIsNewer(n) && now.since(n.at) < maxRetryPeriod
}

// pauseOfOthers returns how long nobody is to fetch, after the failure of any
// process, and how long because the server has asked for that. Without keys, that is
// limited as in schedule.fail.
func (s *scheduler) pauseOfOthers(u urgency, now moment) (pause, retryAfter time.Duration) {
	n := s.view.note
	if n == nil || !s.noteIsNewer(n) {
		return 0, 0
	}
	retryAfter = n.retryAfter
	if u == noKeys {
		retryAfter = min(retryAfter, maxRetryPeriod)
	}
	ago := now.since(n.at)
	return n.pause - ago, retryAfter - ago
}
