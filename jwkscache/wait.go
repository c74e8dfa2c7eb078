package jwkscache

import (
	"context"
	"fmt"
	"time"
)

// maxResponseAge is how old the responses to Refresh may be: clocks that differ and
// a slow network explain that much.
const maxResponseAge = 5 * time.Second

// waitUntilServing is Cache.Ready.
func (s *scheduler) waitUntilServing(ctx context.Context) error {
	for {
		f, err := s.fetchForFirstKeys()
		if f == nil {
			return err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", unavailable(s.lastError()), ctx.Err())
		}
	}
}

// fetchForFirstKeys returns the fetch that may bring keys to serve, or nil where
// there are some or waiting does not help. It holds the lock, so that no fetch
// ends unnoticed.
func (s *scheduler) fetchForFirstKeys() (*fetch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.served.Load().serves(s.clock()):
		return nil, nil
	case s.closed:
		return nil, unavailable(errClosed)
	case s.permanent >= surelyPermanent:
		return nil, unavailable(s.lastErr)
	case s.running != nil:
		return s.running, nil
	}
	s.wakeScheduler() // the machine may have been suspended until after due
	return s.next, nil
}

// refresh is Cache.Refresh.
func (s *scheduler) refresh(ctx context.Context) error {
	s.mu.Lock()
	s.fetchNow(s.clock())
	f := s.next // in a closed cache it has ended with errClosed
	f.mode.rediscover = true
	s.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case f.err != nil:
		return unavailable(f.err)
	case f.brought.metadataErr != nil:
		return fmt.Errorf("jwkscache: the keys are new, but their address could not be confirmed: %w", f.brought.metadataErr)
	case f.brought.age > maxResponseAge:
		return fmt.Errorf("jwkscache: an intermediate cache sent a response that is %s old", f.brought.age)
	}
	return nil
}
