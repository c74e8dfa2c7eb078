package redisstore

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

const (
	defaultReplayTimeout = 250 * time.Millisecond
	defaultClockSkew     = time.Minute
	maxClockSkew         = time.Hour
)

// A ReplayConfig says how used proofs are recorded. The zero value is a good one.
type ReplayConfig struct {
	// Prefix is the beginning of every key. Empty means "jwtguard:". All replicas have
	// the same.
	Prefix string

	// Timeout is how long one call of Record waits for Redis at most. Zero means 250 ms.
	Timeout time.Duration

	// ClockSkew is how much the clocks of two replicas may differ. Each record is kept
	// this much longer than the proof can be used. Zero means 1 minute: one clock is 30
	// seconds fast, and another one 30 seconds slow. It is at most 1 hour.
	ClockSkew time.Duration

	// Fallback decides when Redis fails, or does not respond within Timeout, in place of
	// 503, such as dpop.NewMemory(n). It is a store of this process alone: meanwhile
	// each replica accepts a proof once, also one that another replica accepted shortly
	// before. That is possible for as long as a proof lives (the Window and Skew of
	// dpop.Config, 65 seconds by default), and ends with the outage only for proofs
	// made after it. A replica never accepts twice itself: Fallback records every
	// proof, also while Redis works. If it has failed to do so, because it was full,
	// the proofs of that client, and of some others, get 503 in an outage until the
	// proof that it lacks can be used no more. Nil means that requests with a proof
	// get 503 while Redis fails.
	Fallback dpop.ReplayStore
}

// Replays is a [dpop.ReplayStore] that replicas share. Its methods are called
// concurrently. It starts no goroutine.
//
// A record that Redis has lost lets a proof be used again. So Redis must not evict
// (maxmemory-policy noeviction, which [Replays.Ready] checks), and a restart without
// persistence or a failover loses the records of the last moments.
//
// There is no limit per client: the limit is the memory of Redis, about 150 bytes for
// each proof. When it is full, Record returns [dpop.ErrFull].
type Replays struct {
	client   redis.UniversalClient
	prefix   string
	skew     time.Duration
	fallback dpop.ReplayStore
	breaker  breaker

	// unknown is until when proofs can be used that Redis has and Fallback lacks, in
	// nanoseconds since 1970, by the first byte of the client.
	unknown [256]atomic.Int64

	replays, full, fallbacks atomic.Int64
}

// NewReplays returns a store in Redis, or an error that names the wrong setting. It does
// not connect. The client must have been made with ContextTimeoutEnabled.
func NewReplays(client redis.UniversalClient, cfg ReplayConfig) (*Replays, error) {
	r := &Replays{client: client, prefix: prefix(cfg.Prefix) + "proof:", skew: cfg.ClockSkew, fallback: cfg.Fallback}
	r.breaker.timeout = cfg.Timeout
	if r.breaker.timeout == 0 {
		r.breaker.timeout = defaultReplayTimeout
	}
	if r.skew == 0 {
		r.skew = defaultClockSkew
	}
	err := checkClient(client)
	switch {
	case err != nil:
	case r.breaker.timeout < 0:
		err = fmt.Errorf("a Timeout of %s; it must not be negative", cfg.Timeout)
	case r.skew < 0 || r.skew > maxClockSkew:
		err = fmt.Errorf("a ClockSkew of %s; up to %s is accepted", cfg.ClockSkew, maxClockSkew)
	}
	if err != nil {
		return nil, fmt.Errorf("redisstore: replays: %w", err)
	}
	return r, nil
}

// Record implements [dpop.ReplayStore], by one SET with NX, GET and PX.
//
// If the reply of Redis is lost, the client sends the command again, and Record recognizes
// its own value: it reports no replay. If no reply comes in time, Record returns an error,
// although the proof may have been recorded: the client of the API must then send
// a new proof, as after any other 503.
//
// ctx and Timeout bound the wait. After five failures in a row, one call every 100 ms
// tries whether Redis is back, and the others fail, or use Fallback, at once.
func (r *Replays) Record(ctx context.Context, proof, client [32]byte, until time.Time) (isNew bool, err error) {
	now := time.Now()
	if now.After(until) {
		r.replays.Add(1)
		return false, nil
	}
	var fallbackIsNew bool
	var fallbackErr error
	if r.fallback != nil {
		fallbackIsNew, fallbackErr = r.fallback.Record(ctx, proof, client, until)
		if fallbackErr == nil && !fallbackIsNew {
			r.replays.Add(1)
			return false, nil
		}
	}
	// Half a SHA-256 is long enough that nobody finds two with the same.
	key := r.prefix + base64.RawURLEncoding.EncodeToString(proof[:16])
	err = r.breaker.call(ctx, func(ctx context.Context) (err error) {
		isNew, err = setNew(ctx, r.client, key, until.Sub(now)+r.skew+time.Millisecond)
		return err
	})
	switch {
	case err == nil && !isNew:
		r.replays.Add(1)
		return false, nil
	case err == nil:
		if fallbackErr != nil {
			raise(&r.unknown[client[0]], until.UnixNano())
		}
		return true, nil
	case r.fallback != nil && ctx.Err() == nil:
		r.fallbacks.Add(1)
		isNew, err = fallbackIsNew, fallbackErr
		if err == nil && now.UnixNano() <= r.unknown[client[0]].Load() {
			err = errUnknown
		}
	case redis.IsOOMError(err):
		err = fmt.Errorf("%w: %w", dpop.ErrFull, err)
	default:
		err = explain(err)
	}
	if err != nil {
		if errors.Is(err, dpop.ErrFull) {
			r.full.Add(1)
		}
		return false, fmt.Errorf("redisstore: recording a proof: %w", err)
	}
	return isNew, nil
}

var errUnknown = fmt.Errorf("the fallback lacks proofs that were used: %w", dpop.ErrFull)

// raise makes n at least v.
func raise(n *atomic.Int64, v int64) {
	for old := n.Load(); old < v && !n.CompareAndSwap(old, v); old = n.Load() {
	}
}

// Stats implements [dpop.ReplayStore]. The number of proofs in Redis is not known: Proofs
// and MaxProofs are those of Fallback, or zero. Err is that of [Replays.Health].
func (r *Replays) Stats() (s dpop.ReplayStats) {
	if r.fallback != nil {
		s = r.fallback.Stats()
	}
	s.Replays, s.Full, s.Err = int(r.replays.Load()), int(r.full.Load()), r.Health()
	return s
}

// Fallbacks returns how many calls of Record were decided by the Fallback, because Redis
// failed.
func (r *Replays) Fallbacks() int { return int(r.fallbacks.Load()) }

// Health returns nil, or why the last call of Record could not use Redis. It does not wait.
func (r *Replays) Health() error {
	if err := r.breaker.failed(); err != nil {
		return fmt.Errorf("redisstore: replays: %w", explain(err))
	}
	return nil
}

var errEvicts = errors.New("redisstore: replays: Redis evicts keys when its memory is full, so that proofs can be used again: set maxmemory-policy to noeviction")

// Ready returns nil once a proof could be recorded. It is meant for the start of a
// program, and returns an error if Redis cannot be reached, is older than 7.0, or has
// another maxmemory-policy than noeviction. Where INFO is not permitted, the policy is
// not known, and not checked.
func (r *Replays) Ready(ctx context.Context) error {
	if _, err := setNew(ctx, r.client, r.prefix+"ready", time.Millisecond); err != nil {
		return fmt.Errorf("redisstore: replays: %w", err)
	}
	info, err := r.client.Info(ctx, "memory").Result()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(info) {
		policy, found := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
		if found && policy != "noeviction" {
			return errEvicts
		}
	}
	return nil
}
