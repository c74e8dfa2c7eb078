package redisstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxFailures is after how many failures in a row Redis counts as away.
	maxFailures = 5

	// probeEvery is the time between two attempts to reach a Redis that is away.
	probeEvery = 100 * time.Millisecond
)

// A breaker lets requests fail at once while Redis is away, instead of each waiting for
// its own timeout. One request at a time then finds out whether Redis is back.
type breaker struct {
	timeout time.Duration

	mu       sync.Mutex
	failures int // in a row
	err      error
	probing  bool
	probeAt  time.Time
}

// call calls f, unless Redis is away.
func (b *breaker) call(ctx context.Context, f func(context.Context) error) error {
	if err := b.enter(); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	err := f(limited)
	b.leave(err, ctx.Err() != nil)
	return err
}

func (b *breaker) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < maxFailures {
		return nil
	}
	if b.probing || time.Now().Before(b.probeAt) {
		return fmt.Errorf("the server is away: %w", b.err)
	}
	b.probing = true
	return nil
}

// leave notes how a call has ended. If the caller gave up, that says nothing about Redis. One
// that is full is not away: it responds.
func (b *breaker) leave(err error, gaveUp bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false // also if this call began before the failures: it ends only once
	switch {
	case err == nil || redis.IsOOMError(err):
		b.failures, b.err = 0, err
	case !gaveUp:
		b.failures = min(b.failures+1, maxFailures)
		b.err, b.probeAt = err, time.Now().Add(probeEvery)
	}
}

// failed returns the last failure, or nil if the last call has not failed.
func (b *breaker) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
