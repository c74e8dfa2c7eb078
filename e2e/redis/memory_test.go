package redis

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// usedMemory returns the memory of a Redis in bytes.
func usedMemory(t testing.TB, client *redis.Client) (n int) {
	t.Helper()
	_, err := fmt.Sscan(client.InfoMap(t.Context(), "memory").Item("Memory", "used_memory"), &n)
	require.NoError(t, err)
	return n
}

// What docs/scale.md calculates with.
func TestMemoryOfRedis(t *testing.T) {
	t.Run("D3 used proofs", func(t *testing.T) {
		const proofs = 50_000
		client := startServer(t).client(t)
		store, err := redisstore.NewReplays(client, redisstore.ReplayConfig{Timeout: 10 * time.Second})
		require.NoError(t, err)
		before := usedMemory(t, client)
		until := time.Now().Add(time.Hour)
		var all sync.WaitGroup
		for worker := range 8 {
			all.Go(func() {
				for n := worker; n < proofs; n += 8 {
					isNew, err := store.Record(t.Context(), sha256.Sum256(fmt.Append(nil, n)), [32]byte{}, until)
					assert.True(t, isNew && err == nil, "%v", err)
				}
			})
		}
		all.Wait()
		each := (usedMemory(t, client) - before) / proofs
		t.Logf("a used proof takes %d bytes of Redis", each)
		assert.Less(t, each, 200)
	})
	t.Run("D5 revocations", func(t *testing.T) {
		const entries = 20_000
		client := startServer(t).client(t)
		list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
		require.NoError(t, err)
		revocations, err := redisstore.NewRevocations(client, list, redisstore.RevocationConfig{})
		require.NoError(t, err)
		defer revocations.Close()
		require.NoError(t, revocations.Ready(t.Context()))
		before := usedMemory(t, client)
		for n := 0; n < entries; n += 500 {
			var some []revocation.Entry
			for i := range 500 {
				some = append(some, revocation.Entry{Issuer: "https://login.example.com/", TokenID: strings.Repeat("0", 30) + fmt.Sprintf("%06d", n+i)})
			}
			require.NoError(t, revocations.Revoke(t.Context(), some...))
		}
		require.Equal(t, entries, revocations.Stats().Entries)
		each := (usedMemory(t, client) - before) / entries
		t.Logf("a revoked token takes %d bytes of Redis", each)
		assert.Less(t, each, 1000)
	})
}

// What it costs to record a proof in Redis, beside the memory of the process.
func BenchmarkRecord(b *testing.B) {
	client := startServer(b).client(b)
	inRedis, err := redisstore.NewReplays(client, redisstore.ReplayConfig{Timeout: 10 * time.Second})
	require.NoError(b, err)
	for _, s := range []struct {
		name  string
		store dpop.ReplayStore
	}{{"memory", dpop.NewMemory(1 << 22)}, {"redis", inRedis}} {
		var n atomic.Int64
		until := time.Now().Add(time.Minute)
		record := func(b *testing.B) {
			proof := sha256.Sum256(fmt.Append(nil, n.Add(1)))
			if isNew, err := s.store.Record(b.Context(), proof, proof, until); !isNew || err != nil {
				b.Error(isNew, err)
			}
		}
		b.Run(s.name+"/one after the other", func(b *testing.B) {
			for b.Loop() {
				record(b)
			}
		})
		b.Run(s.name+"/sixteen at once", func(b *testing.B) {
			b.SetParallelism(8) // of two processors
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					record(b)
				}
			})
		})
	}
}
