package jwkscache

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// maxSleep is short enough for a machine that was suspended to notice soon what is
// due by the wall clock.
const maxSleep = time.Minute

var (
	errClosed = errors.New("the cache is closed")
	errLate   = errors.New("no newer response in time")
)

// A scheduler fetches the keys of one cache, one fetch at a time, in the only
// goroutine that a cache has.
type scheduler struct {
	fetcher  *fetcher
	served   *atomic.Pointer[snapshot] // the cache's
	reporter *reporter
	view     *storeView // nil without a Store
	clock    func() moment

	ctx  context.Context // ends with Close; it bounds the fetches, not the callers
	stop context.CancelFunc
	done chan struct{} // closed when run has returned

	mu sync.Mutex // guards what follows, and writes to served; never held across the network
	schedule
	missing      missingKeys
	waiters      int
	lastMismatch moment // when a signature that fits no key last requested a fetch
	closed       bool
	counters
}

type counters struct{ fetches, failed, unknownKeys int }

func newScheduler(f *fetcher, served *atomic.Pointer[snapshot]) *scheduler {
	s := &scheduler{
		fetcher: f, served: served, reporter: newReporter(f), view: newStoreView(f), clock: f.clock,
		done:     make(chan struct{}),
		schedule: newSchedule(f.clock(), f.cfg.Cooldown),
		missing:  missingKeys{seed: maphash.MakeSeed()},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// run fetches whenever that is due, until Close.
func (s *scheduler) run() {
	defer s.finish()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for s.ctx.Err() == nil {
		wait := s.nothingDueFor()
		fetch := wait <= 0
		if s.view != nil {
			fetch, wait = s.useStore(wait)
		}
		if fetch {
			s.runFetch()
			continue
		}
		timer.Reset(min(wait, maxSleep))
		select {
		case <-timer.C:
		case <-s.wake:
		case <-s.ctx.Done():
		}
	}
}

// nothingDueFor returns how long nothing is to be done. It reports keys that have
// become too old.
func (s *scheduler) nothingDueFor() time.Duration {
	s.mu.Lock()
	now, snap := s.clock(), s.served.Load()
	wait, err := now.until(s.due), s.lastErr
	s.mu.Unlock()
	switch {
	case snap == nil || s.reporter.expired:
	case snap.serves(now):
		wait = min(wait, now.until(snap.tooOld))
	case err == nil && snap.metadataErr != nil: // it is their address that could not be confirmed
		s.reporter.reportExpired(snap.metadataErr)
	case err == nil: // the machine slept, or the response was nearly too old when it came
		s.reporter.reportExpired(errLate)
	default:
		s.reporter.reportExpired(err)
	}
	return wait
}

// runFetch runs the next fetch, publishes what it brings, and schedules another.
func (s *scheduler) runFetch() {
	s.mu.Lock()
	f := s.begin(s.clock())
	s.fetches++
	f.number = s.fetches
	s.mu.Unlock()

	old := s.served.Load()
	f.brought, f.err = s.fetcher.fetch(s.ctx, old, f.mode)
	if s.ctx.Err() != nil {
		return // finish does the rest
	}
	reason := judge(f.err)

	s.mu.Lock()
	now := s.clock()
	if f.err == nil {
		if old == nil || old.keys != f.brought.keys {
			s.missing.clear()
		}
		for _, id := range f.wanted { // one that was brought is not looked up there
			s.missing.add(id, now.mono, f.number)
		}
		s.served.Store(f.brought)
		s.succeed(now, f.brought.period)
	} else {
		s.failed++
		s.fail(now, f.err, reason, old == nil)
	}
	close(f.done)
	s.mu.Unlock()
	s.reporter.reportFetch(old, f.brought, f.err, old.serves(now))
	if s.view != nil {
		s.share(f)
	}
}

// finish ends all waiting, also where a transport ended the goroutine.
func (s *scheduler) finish() {
	defer close(s.done)
	if s.view != nil {
		defer s.view.caller.wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, f := range []*fetch{s.running, s.next} {
		if f != nil {
			f.err = errClosed
			close(f.done)
		}
	}
}

func (s *scheduler) lastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastErr
}

// figures returns the scheduler's part of the cache's Stats, the snapshot that
// they go with, and whether the cache is closed.
func (s *scheduler) figures() (*snapshot, Stats, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{LastError: s.lastErr, Fetches: s.fetches, Failures: s.failed, UnknownKeys: s.unknownKeys}
	if s.running == nil && !s.closed {
		st.NextRefresh = s.due.wall
	}
	if s.view != nil {
		st.Store = s.view.stats(s.clock())
	}
	return s.served.Load(), st, s.closed
}
