package redis

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

func TestStore(t *testing.T) {
	t.Run("D2 documents survive a restart with data", func(t *testing.T) {
		s := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
		store := redisstore.NewStore(s.client(t), redisstore.StoreConfig{})
		doc := bytes.Repeat([]byte{0, 255, '\n'}, 400_000)
		require.NoError(t, store.Save(t.Context(), "a", doc))
		s.kill()
		start := time.Now()
		_, err := store.Load(t.Context(), "a")
		require.Error(t, err)
		assert.Less(t, time.Since(start), 1500*time.Millisecond)
		s.start(t)
		got, err := redisstore.NewStore(s.client(t), redisstore.StoreConfig{}).Load(t.Context(), "a")
		require.NoError(t, err)
		assert.True(t, bytes.Equal(doc, got))
		ttl := s.client(t).TTL(t.Context(), "jwtguard:keys:a").Val()
		assert.InDelta(t, 48*time.Hour, ttl, float64(time.Minute))
	})
	t.Run("D2 one of many gets the lease", func(t *testing.T) {
		s := startServer(t)
		for range 20 {
			var first atomic.Int32
			var all sync.WaitGroup
			for range 10 {
				store := redisstore.NewStore(s.client(t), redisstore.StoreConfig{})
				all.Go(func() {
					if got, err := store.Lease(t.Context(), "a", time.Minute); got && err == nil {
						first.Add(1)
					}
				})
			}
			all.Wait()
			require.Equal(t, int32(1), first.Load())
			require.NoError(t, s.client(t).FlushAll(t.Context()).Err())
		}
	})
}

var anyClient = sha256.Sum256([]byte("client"))

func proof(n int) [32]byte { return sha256.Sum256(fmt.Append(nil, n)) }

func newReplays(t *testing.T, s *server, cfg redisstore.ReplayConfig) *redisstore.Replays {
	t.Helper()
	r, err := redisstore.NewReplays(s.client(t), cfg)
	require.NoError(t, err)
	return r
}

func TestReplays(t *testing.T) {
	t.Run("D3 two replicas race on one proof", func(t *testing.T) {
		s := startServer(t)
		cfg := redisstore.ReplayConfig{Timeout: 5 * time.Second}
		replicas := []*redisstore.Replays{newReplays(t, s, cfg), newReplays(t, s, cfg)}
		require.NoError(t, replicas[0].Ready(t.Context()))
		const proofs = 500
		start := time.Now()
		for n := range proofs {
			var first atomic.Int32
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					isNew, err := replicas[i%2].Record(t.Context(), proof(n), anyClient, time.Now().Add(time.Minute))
					assert.NoError(t, err)
					if isNew {
						first.Add(1)
					}
				})
			}
			all.Wait()
			require.Equal(t, int32(1), first.Load())
		}
		t.Logf("%d records by 4 at a time took %s each", 4*proofs, time.Since(start)/(4*proofs))
	})
	t.Run("D3 full, and evicting", func(t *testing.T) {
		s := startServer(t, "--maxmemory-policy", "noeviction")
		r := newReplays(t, s, redisstore.ReplayConfig{Timeout: 5 * time.Second})
		require.NoError(t, r.Ready(t.Context()))
		fill(t, s.client(t))
		_, err := r.Record(t.Context(), proof(1), anyClient, time.Now().Add(time.Minute))
		require.ErrorIs(t, err, dpop.ErrFull)
		require.NoError(t, s.client(t).Del(t.Context(), "ballast").Err())
		isNew, err := r.Record(t.Context(), proof(1), anyClient, time.Now().Add(time.Minute))
		require.NoError(t, err)
		assert.True(t, isNew)
		require.NoError(t, s.client(t).ConfigSet(t.Context(), "maxmemory-policy", "volatile-ttl").Err())
		require.ErrorContains(t, r.Ready(t.Context()), "noeviction")
	})
	t.Run("D4 hangs, is killed and comes back", func(t *testing.T) {
		s := startServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{})
		local := newReplays(t, s, redisstore.ReplayConfig{Fallback: dpop.NewMemory(100_000)})
		until := time.Now().Add(time.Minute)
		_, err := r.Record(t.Context(), proof(0), anyClient, until)
		require.NoError(t, err)
		for _, fault := range []struct {
			name       string
			begin, end func()
		}{
			{"hangs", func() { s.pause(t) }, func() { s.resume(t) }},
			{"is killed", s.kill, func() { s.start(t) }},
		} {
			fault.begin()
			start := time.Now()
			for n := range 10_000 {
				_, err := r.Record(t.Context(), proof(1000+n), anyClient, until)
				require.Error(t, err)
			}
			failed := time.Since(start)
			assert.Less(t, failed, 10*time.Second)
			start = time.Now()
			for n := range 5000 {
				isNew, err := local.Record(t.Context(), sha256.Sum256(fmt.Append(nil, fault.name, n)), anyClient, until)
				require.NoError(t, err)
				require.True(t, isNew)
			}
			t.Logf("Redis %s: 10,000 calls failed in %s, 5,000 were decided by the fallback in %s", fault.name, failed, time.Since(start))
			fault.end()
			back := within(t, 5*time.Second, "records again", func() bool {
				_, err := r.Record(t.Context(), proof(2000), anyClient, until)
				return err == nil
			})
			t.Logf("records again after %s", back)
		}
		assert.NotZero(t, local.Fallbacks())
	})
}
