package redisstore

import (
	"context"
	"sync"
	"time"
)

// ownRetry is the time between two attempts to publish entries of this replica, on average.
const ownRetry = 500 * time.Millisecond

// pending are entries that Revoke has added to the list of this replica alone, because
// Redis failed. They do not wait until another replica has published what Redis has lost:
// nobody else knows them.
type pending struct {
	mu      sync.Mutex
	entries map[string]times
}

// add keeps entries. If there are more than the list can have, some of them have ended:
// then none is kept, and republish finds those that have not.
func (p *pending) add(entries map[string]times, maxEntries int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		p.entries = make(map[string]times, len(entries))
	}
	for name, t := range entries {
		p.entries[name] = t.later(p.entries[name])
	}
	if len(p.entries) > maxEntries {
		p.entries = nil
	}
}

func (p *pending) any() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.entries) > 0
}

// take returns the entries, and keeps none.
func (p *pending) take() map[string]times {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.entries
	p.entries = nil
	return all
}

// publishOwn publishes the pending entries. If that fails, it goes on to read: a Redis that
// cannot be written to may be readable.
func (r *Revocations) publishOwn(ctx context.Context) error {
	r.sync.publishOwnAt = time.Now().Add(jitter(ownRetry))
	all := r.own.take()
	if err := r.publish(ctx, all, maxRevoked); err != nil {
		r.own.add(all, r.list.Stats().MaxEntries)
		_ = r.notPublished(err)
	} else {
		r.cfg.Logger.Info("redisstore: revocations were published again", "entries", len(all))
	}
	return r.follow(ctx)
}
