package ssf

import (
	"fmt"
	"sync"
	"time"
)

// A stream is what a transmitter last said of its stream (stream-updated, SSF 1.0 §8.1.5).
type stream struct {
	mu     sync.Mutex
	status string
	since  time.Time // iat of the SET
}

// update notes a status, unless a later one is known.
func (s *stream) update(status string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Before(s.since) || status != "enabled" && status != "paused" && status != "disabled" {
		return
	}
	s.status, s.since = status, at
}

func (s *stream) health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == "paused" || s.status == "disabled" {
		return fmt.Errorf("the stream is %s since %s: no revocations arrive", s.status, s.since.Format(time.RFC3339))
	}
	return nil
}
