package faults

import (
	"context"
	"sync"
	"time"
)

// A storm keeps an API's cache fetching and lets strangers ask, until lull. They
// get their answers when they do.
type storm struct {
	lull    func()
	drivers sync.WaitGroup
	crowd   sync.WaitGroup // strangers without an answer yet

	mu      sync.Mutex
	answers map[int]int // by status, of the strangers
	slowest time.Duration
}

// gust is the time between two refreshes, and two strangers: more often than a
// cache fetches by itself. Proxy and server share this process's processors, so
// a stronger storm would measure them.
const gust = 200 * time.Millisecond

func (s *storm) rage(a *api, stranger func() string) {
	ctx, cancel := context.WithCancel(context.Background())
	every := func(do func()) {
		s.drivers.Go(func() {
			tick := time.NewTicker(gust)
			defer tick.Stop()
			for ctx.Err() == nil {
				do()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	every(func() { _ = a.keys.Refresh(ctx) })
	every(func() { s.crowd.Go(func() { s.note(a, stranger()) }) })
	s.lull = func() {
		cancel()
		s.drivers.Wait()
	}
}

func (s *storm) note(a *api, token string) {
	began := time.Now()
	status := a.ask(token).Code
	took := time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil {
		s.answers = make(map[int]int)
	}
	s.answers[status]++
	s.slowest = max(s.slowest, took)
}
