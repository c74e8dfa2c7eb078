package redisstore_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

func newReplays(t *testing.T, s *redisServer, cfg redisstore.ReplayConfig) *redisstore.Replays {
	t.Helper()
	r, err := redisstore.NewReplays(s.client(t), cfg)
	require.NoError(t, err)
	return r
}

var anyClient = sha256.Sum256([]byte("client"))

func proof(n int) [32]byte { return sha256.Sum256(fmt.Append(nil, "proof ", n)) }

// record records proof n, which can be used for another 65 seconds.
func record(t *testing.T, r *redisstore.Replays, n int) (bool, error) {
	t.Helper()
	return r.Record(t.Context(), proof(n), anyClient, time.Now().Add(65*time.Second))
}

func TestReplays(t *testing.T) {
	bubble(t, "D3 replicas accept a proof once among them", func(t *testing.T) {
		s := newServer(t)
		a, b := newReplays(t, s, redisstore.ReplayConfig{}), newReplays(t, s, redisstore.ReplayConfig{})
		until := time.Now().Add(65 * time.Second)
		for i, r := range []*redisstore.Replays{a, b, a, b} {
			isNew, err := r.Record(t.Context(), proof(1), anyClient, until)
			require.NoError(t, err)
			assert.Equal(t, i == 0, isNew, i)
		}
		isNew, err := b.Record(t.Context(), proof(2), anyClient, until)
		require.NoError(t, err)
		assert.True(t, isNew, "another proof")
		assert.Equal(t, dpop.ReplayStats{Replays: 1}, a.Stats())
		assert.Equal(t, dpop.ReplayStats{Replays: 2}, b.Stats())
	})
	bubble(t, "D3 of many at once one is the first", func(t *testing.T) {
		s := newServer(t)
		replicas := []*redisstore.Replays{newReplays(t, s, redisstore.ReplayConfig{Timeout: time.Minute}), newReplays(t, s, redisstore.ReplayConfig{Timeout: time.Minute})}
		var first, failed atomic.Int32
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				isNew, err := record(t, replicas[i%2], 1)
				if isNew {
					first.Add(1)
				}
				if err != nil {
					failed.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int32(1), first.Load())
		assert.Zero(t, failed.Load())
	})
	bubble(t, "D3 the record outlives the proof on the slowest clock", func(t *testing.T) {
		s := newServer(t)
		fast := newReplays(t, s, redisstore.ReplayConfig{})
		until := time.Now().Add(65 * time.Second)
		slow := newReplays(t, s, redisstore.ReplayConfig{})
		isNew, err := fast.Record(t.Context(), proof(1), anyClient, until)
		require.NoError(t, err)
		require.True(t, isNew)
		// For a clock that is a minute slow, until comes a minute later.
		time.Sleep(125 * time.Second)
		isNew, err = slow.Record(t.Context(), proof(1), anyClient, until.Add(time.Minute))
		require.NoError(t, err)
		assert.False(t, isNew)
		time.Sleep(2 * time.Millisecond)
		assert.Empty(t, s.Keys(), "nothing stays in Redis")
	})
	bubble(t, "D3 a proof that has ended is not new", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		for _, after := range []time.Duration{time.Nanosecond, time.Second, time.Hour} {
			isNew, err := r.Record(t.Context(), proof(1), anyClient, time.Now().Add(-after))
			require.NoError(t, err)
			assert.False(t, isNew, after)
		}
		isNew, err := r.Record(t.Context(), proof(1), anyClient, time.Now())
		require.NoError(t, err)
		assert.True(t, isNew, "at the last moment")
	})
	bubble(t, "D3 an answer that is lost is no replay", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		_, err := record(t, r, 0) // connects
		require.NoError(t, err)
		s.loseAnswerTo("SET")
		before := s.commands.Load()
		isNew, err := record(t, r, 1)
		require.NoError(t, err)
		assert.True(t, isNew)
		assert.Nil(t, s.lose.Load())
		assert.GreaterOrEqual(t, s.commands.Load()-before, int64(2), "asked again")
		isNew, err = record(t, r, 1)
		require.NoError(t, err)
		assert.False(t, isNew, "but the next use of it is")
	})
	bubble(t, "D3 without an answer in time it is not known", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		_, err := record(t, r, 0)
		require.NoError(t, err)
		s.hangs.Store(true)
		start := time.Now()
		_, err = record(t, r, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 250*time.Millisecond, time.Since(start))
		require.Error(t, r.Health())
		require.EqualError(t, r.Stats().Err, r.Health().Error())

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		start = time.Now()
		_, err = r.Record(ctx, proof(2), anyClient, time.Now().Add(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 10*time.Millisecond, time.Since(start), "the request's own limit")

		s.hangs.Store(false)
		time.Sleep(time.Second)
		isNew, err := record(t, r, 1)
		require.NoError(t, err)
		assert.False(t, isNew, "it was recorded: the client has to send a new proof")
		require.NoError(t, r.Health())
		require.NoError(t, r.Stats().Err)
	})
	bubble(t, "D3 a full Redis is a full store", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		_, err := record(t, r, 0)
		require.NoError(t, err)
		s.SetError("OOM command not allowed when used memory > 'maxmemory'.")
		for n := range 10 {
			_, err = record(t, r, n)
			require.ErrorIs(t, err, dpop.ErrFull)
		}
		assert.Equal(t, 10, r.Stats().Full)
		require.ErrorContains(t, r.Stats().Err, "maxmemory", "an operator sees it, also where a Fallback decides")
		s.SetError("")
		isNew, err := record(t, r, 1)
		require.NoError(t, err)
		assert.True(t, isNew)
	})
	bubble(t, "D3 rubbish in place of a record is no first use", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{Prefix: "x:"})
		_, err := record(t, r, 1)
		require.NoError(t, err)
		require.Len(t, s.Keys(), 1)
		key := s.Keys()[0]
		assert.Regexp(t, `^x:proof:[A-Za-z0-9_-]{22}$`, key)
		for _, value := range []string{"", "rubbish", "1"} {
			require.NoError(t, s.Set(key, value))
			isNew, err := record(t, r, 1)
			require.NoError(t, err)
			assert.False(t, isNew, value)
		}
		s.Del(key)
		_, err = s.Lpush(key, "a list")
		require.NoError(t, err)
		_, err = record(t, r, 1)
		require.ErrorContains(t, err, "WRONGTYPE")
	})
}

func TestReplaysWhileRedisIsAway(t *testing.T) {
	bubble(t, "D4 requests do not wait for a Redis that is away", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		_, err := record(t, r, 0)
		require.NoError(t, err)
		s.hangs.Store(true)
		for n := range 5 {
			_, err := record(t, r, n)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		start, before := time.Now(), s.commands.Load()
		for n := range 1000 {
			_, err := record(t, r, n)
			require.ErrorContains(t, err, "away")
		}
		assert.Zero(t, time.Since(start))
		assert.Equal(t, before, s.commands.Load())

		// After 100 ms, one of them tries.
		time.Sleep(100 * time.Millisecond)
		var waited atomic.Int32
		var all sync.WaitGroup
		start = time.Now()
		for n := range 50 {
			all.Go(func() {
				_, _ = record(t, r, n)
				if time.Since(start) > 0 {
					waited.Add(1)
				}
			})
		}
		all.Wait()
		assert.Equal(t, int32(1), waited.Load())

		s.hangs.Store(false)
		time.Sleep(100 * time.Millisecond)
		for n := range 10 {
			_, err := record(t, r, 100+n)
			require.NoError(t, err)
		}
	})
	bubble(t, "D4 a caller who gives up does not make Redis count as away", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		_, err := record(t, r, 0)
		require.NoError(t, err)
		s.hangs.Store(true)
		for n := range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := r.Record(ctx, proof(n), anyClient, time.Now().Add(time.Minute))
			cancel()
			require.Error(t, err)
			require.NotContains(t, err.Error(), "away")
		}
		require.NoError(t, r.Health())
		s.hangs.Store(false)
	})
	bubble(t, "D4 the fallback decides, and knows what was accepted before", func(t *testing.T) {
		s := newServer(t)
		cfg := func() redisstore.ReplayConfig { return redisstore.ReplayConfig{Fallback: dpop.NewMemory(100)} }
		a, b := newReplays(t, s, cfg()), newReplays(t, s, cfg())
		must := func(r *redisstore.Replays, n int, want bool) {
			t.Helper()
			isNew, err := record(t, r, n)
			require.NoError(t, err)
			assert.Equal(t, want, isNew)
		}
		must(a, 1, true)
		must(b, 1, false)
		must(b, 2, true)
		assert.Zero(t, a.Fallbacks())

		s.stop()
		must(a, 1, false) // its own
		must(a, 2, true)  // of the other replica: what the documentation says is possible
		must(a, 2, false)
		must(a, 3, true)
		must(b, 3, true)
		for n := range 10 {
			must(a, 100+n, true)
			must(a, 100+n, false)
		}
		assert.Equal(t, 12, a.Fallbacks())
		assert.Equal(t, 1, b.Fallbacks())
		assert.Equal(t, dpop.ReplayStats{Proofs: 13, MaxProofs: 100, Replays: 12, Err: a.Stats().Err}, a.Stats())
		require.Error(t, a.Stats().Err)

		s.start()
		time.Sleep(100 * time.Millisecond)
		must(a, 3, false) // accepted here during the outage
		must(a, 4, true)
		must(b, 4, false)
		assert.Equal(t, 12, a.Fallbacks())
	})
	bubble(t, "D4 a full fallback refuses only while it decides", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{Fallback: dpop.NewMemory(1)})
		for n := range 3 {
			isNew, err := record(t, r, n)
			require.NoError(t, err)
			assert.True(t, isNew)
		}
		s.stop()
		_, err := record(t, r, 3)
		require.ErrorIs(t, err, dpop.ErrFull)
		assert.Equal(t, 1, r.Stats().Full)
	})
}

func TestReplaysReady(t *testing.T) {
	for name, test := range map[string]struct {
		info func(*server.Peer) // nil: not there
		want string
	}{
		"D3 noeviction":               {info: func(p *server.Peer) { p.WriteBulk("# Memory\r\nmaxmemory_policy:noeviction\r\n") }},
		"D3 evicts":                   {info: func(p *server.Peer) { p.WriteBulk("# Memory\r\nmaxmemory_policy:allkeys-lru\r\n") }, want: "noeviction"},
		"D3 INFO is not permitted":    {info: func(p *server.Peer) { p.WriteError("NOPERM") }},
		"D3 INFO is not as it was":    {info: func(p *server.Peer) { p.WriteBulk("maxmemory_policy") }},
		"D3 INFO without this member": {},
	} {
		bubble(t, name, func(t *testing.T) {
			s := newServer(t)
			r := newReplays(t, s, redisstore.ReplayConfig{})
			if test.info != nil {
				s.answer = func(p *server.Peer, command string, args ...string) bool {
					if command == "INFO" && assert.Equal(t, []string{"memory"}, args) {
						test.info(p)
						return true
					}
					return false
				}
			}
			err := r.Ready(t.Context())
			if test.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.want)
			}
		})
	}
	bubble(t, "D3 gone", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		s.stop()
		require.ErrorContains(t, r.Ready(t.Context()), "connection refused")
	})
}

func TestNewReplaysNamesTheWrongSetting(t *testing.T) {
	good := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	defer good.Close()
	for name, test := range clients(t) {
		t.Run("D1 "+name, func(t *testing.T) {
			_, err := redisstore.NewReplays(test.client, redisstore.ReplayConfig{})
			if test.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.want)
			}
		})
	}
	for name, cfg := range map[string]redisstore.ReplayConfig{
		"a Timeout":   {Timeout: -1},
		"a ClockSkew": {ClockSkew: -time.Second},
		"ClockSkew":   {ClockSkew: 2 * time.Hour},
	} {
		_, err := redisstore.NewReplays(good, cfg)
		require.ErrorContains(t, err, name)
	}
}
