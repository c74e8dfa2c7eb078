package redis

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

func writeFile(name, text string) error { return os.WriteFile(name, []byte(text), 0o600) }

// clients returns a function that makes clients of a server.
func (s *server) clients(t *testing.T) func() redis.UniversalClient {
	return func() redis.UniversalClient { return s.client(t) }
}

func TestRevocations(t *testing.T) {
	t.Run("D5 the delay from one replica to the others", func(t *testing.T) {
		s := startServer(t)
		all := newReplicas(t, 3, s.clients(t), redisstore.RevocationConfig{})
		var delays []time.Duration
		for i := range 200 {
			id := fmt.Sprint(i)
			start := time.Now()
			require.NoError(t, all[i%3].Revoke(t.Context(), tokenID(id)))
			revokesAll(t, time.Second, all, id)
			delays = append(delays, time.Since(start))
		}
		slices.Sort(delays)
		t.Logf("from the call of Revoke until three replicas refuse: median %s, p99 %s, longest %s", delays[100], delays[198], delays[199])

		start := time.Now()
		require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(10_000, "bulk")...))
		published := time.Since(start)
		revokesAll(t, 10*time.Second, all, "bulk 0", "bulk 9999")
		t.Logf("10,000 at once: published in %s, refused by all after %s", published, time.Since(start))
	})
	t.Run("D6 killed, and restarted empty", func(t *testing.T) {
		s := startServer(t)
		all := newReplicas(t, 3, s.clients(t), redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(1000, "before")...))
		revokesAll(t, 5*time.Second, all, "before 0", "before 999")
		s.kill()
		for i, r := range all {
			require.ErrorIs(t, r.Revoke(t.Context(), tokenID(fmt.Sprint("meanwhile ", i))), redisstore.ErrNotPublished)
			assert.True(t, r.revokes(t, "before 0"))
		}
		s.start(t)
		c := s.client(t)
		restored := within(t, 30*time.Second, "everything is in Redis again", func() bool { return inRedis(t, c) == 1003 })
		took := revokesAll(t, 30*time.Second, all, "before 0", "meanwhile 0", "meanwhile 1", "meanwhile 2")
		t.Logf("in Redis again after %s, and in all replicas %s later", restored, took)
		for _, r := range all {
			within(t, 30*time.Second, "health", func() bool { return r.Health() == nil })
		}
	})
	t.Run("D6 killed, and restarted with its data", func(t *testing.T) {
		s := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
		all := newReplicas(t, 3, s.clients(t), redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("before")))
		revokesAll(t, time.Second, all, "before")
		s.kill()
		s.start(t)
		restarted := time.Now()
		back := within(t, 10*time.Second, "Redis is back for all", func() bool {
			return !slices.ContainsFunc(all, func(r *replica) bool { return r.Health() != nil || r.Stats().Age > time.Since(restarted) })
		})
		require.NoError(t, all[1].Revoke(t.Context(), tokenID("after")))
		t.Logf("back after %s; the next revocation took %s", back, revokesAll(t, time.Second, all, "after"))
		late := newReplica(t, s.client(t), redisstore.RevocationConfig{}, 0)
		ready(t, late)
		assert.True(t, late.revokes(t, "before"))
		assert.True(t, late.revokes(t, "after"))
	})
	t.Run("D7 hangs for seconds", func(t *testing.T) {
		s := startServer(t)
		keeps := newReplicas(t, 1, s.clients(t), redisstore.RevocationConfig{})[0]
		refuses := newReplicas(t, 1, s.clients(t), redisstore.RevocationConfig{WhileAway: redisstore.Refuse, MaxAge: 5 * time.Second})[0]
		require.NoError(t, keeps.Revoke(t.Context(), tokenID("before")))
		revokesAll(t, time.Second, []*replica{keeps, refuses}, "before")
		s.pause(t)
		defer s.resume(t)
		start := time.Now()
		require.ErrorIs(t, keeps.Revoke(t.Context(), tokenID("meanwhile")), redisstore.ErrNotPublished)
		t.Logf("Revoke gave up after %s", time.Since(start))
		assert.Less(t, time.Since(start), 2*time.Second)
		refused := within(t, 10*time.Second, "every token is refused", func() bool { return refuses.Stats().Refuses })
		require.ErrorContains(t, refuses.Health(), "older than 5s")
		assert.True(t, keeps.revokes(t, "before"))
		s.resume(t)
		back := within(t, 10*time.Second, "no longer", func() bool { return !refuses.Stats().Refuses })
		took := revokesAll(t, 20*time.Second, []*replica{keeps, refuses}, "meanwhile")
		t.Logf("with MaxAge 5s: refused after %s, served %s after Redis; published after another %s", refused, back, took)
	})
	t.Run("D7 full", func(t *testing.T) {
		s := startServer(t, "--maxmemory-policy", "noeviction")
		all := newReplicas(t, 2, s.clients(t), redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("before")))
		fill(t, s.client(t))
		err := all[0].Revoke(t.Context(), tokenID("meanwhile"))
		require.ErrorIs(t, err, redisstore.ErrNotPublished)
		require.ErrorContains(t, err, "OOM")
		assert.True(t, all[0].revokes(t, "meanwhile"))
		within(t, 5*time.Second, "still read", func() bool { return all[1].Health() == nil && all[1].Stats().Age < 1500*time.Millisecond })
		require.NoError(t, s.client(t).Del(t.Context(), "ballast").Err())
		t.Logf("published %s after there was room", revokesAll(t, 20*time.Second, all, "meanwhile"))
	})
	t.Run("D6 flushed, and trimmed past a replica", func(t *testing.T) {
		s := startServer(t)
		j := startJunction(t, s.address)
		all := newReplicas(t, 2, s.clients(t), redisstore.RevocationConfig{})
		lagging := newReplica(t, clientOf(t, j.address), redisstore.RevocationConfig{}, 0)
		ready(t, lagging)
		j.turn("")
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("a")))
		require.NoError(t, all[1].Revoke(t.Context(), tokenID("b")))
		require.NoError(t, s.client(t).XTrimMaxLen(t.Context(), "{jwtguard:revocations}:log", 1).Err())
		revokesAll(t, time.Second, all, "a", "b")
		assert.False(t, lagging.revokes(t, "a"))
		j.turn(s.address)
		t.Logf("trimmed: caught up in %s", revokesAll(t, 10*time.Second, []*replica{lagging}, "a", "b"))

		require.NoError(t, s.client(t).FlushAll(t.Context()).Err())
		took := within(t, 20*time.Second, "entries are in Redis again", func() bool { return inRedis(t, s.client(t)) == 2 })
		t.Logf("flushed: in Redis again after %s", took)
		late := newReplica(t, s.client(t), redisstore.RevocationConfig{}, 0)
		ready(t, late)
		revokesAll(t, 5*time.Second, append(all, late, lagging), "a", "b")
	})
	t.Run("D8 rubbish in every key", func(t *testing.T) {
		s := startServer(t)
		all := newReplicas(t, 3, s.clients(t), redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("good")))
		revokesAll(t, time.Second, all, "good")
		c := s.client(t)
		for _, name := range []string{"head", "log", "entries", "ends", "repair"} {
			key := "{jwtguard:revocations}:" + name
			for _, spoil := range []func() error{
				func() error { return c.Set(t.Context(), key, strings.Repeat("rubbish", 1000), 0).Err() },
				func() error { return c.HSet(t.Context(), key, "rubbish", "rubbish").Err() },
				func() error { return c.ZAdd(t.Context(), key, redis.Z{Score: 9e14, Member: "rubbish"}).Err() },
				func() error {
					return c.XAdd(t.Context(), &redis.XAddArgs{Stream: key, Values: []string{"k", "v", "rubbish", "rubbish"}}).Err()
				},
			} {
				require.NoError(t, c.Del(t.Context(), key).Err())
				require.NoError(t, spoil())
				_ = all[1].Revoke(t.Context(), tokenID(name))
				assert.True(t, all[2].revokes(t, "good"))
			}
			require.NoError(t, c.Del(t.Context(), key).Err())
		}
		took := revokesAll(t, 60*time.Second, all, "good", "head", "log", "entries", "ends", "repair")
		t.Logf("all replicas have everything %s after the last rubbish", took)
		late := newReplica(t, c, redisstore.RevocationConfig{}, 0)
		ready(t, late)
		revokesAll(t, 60*time.Second, []*replica{late}, "good", "head", "log", "entries", "ends", "repair")
	})
	t.Run("D6 failed over to a server that lacks the last writes", func(t *testing.T) {
		primary := startServer(t)
		second := startServer(t, "--replicaof", "127.0.0.1 "+primary.port)
		j := startJunction(t, primary.address)
		all := newReplicas(t, 3, func() redis.UniversalClient { return clientOf(t, j.address) }, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("replicated")))
		within(t, 20*time.Second, "the second server has it", func() bool { return inRedis(t, second.client(t)) == 1 })
		require.NoError(t, second.client(t).Do(t.Context(), "REPLICAOF", "NO", "ONE").Err())
		require.NoError(t, all[1].Revoke(t.Context(), tokenID("lost")))
		revokesAll(t, time.Second, all[1:2], "lost")
		j.turn(second.address)
		primary.kill()
		for all[2].Revoke(t.Context(), tokenID("after")) != nil {
		}
		took := revokesAll(t, 20*time.Second, all, "replicated", "lost", "after")
		t.Logf("all replicas have everything %s after the first write to the new server", took)
		within(t, 20*time.Second, "and so has that server", func() bool { return inRedis(t, second.client(t)) == 3 })
	})
	t.Run("D6 failed over by Sentinel", func(t *testing.T) {
		primary := startServer(t)
		second := startServer(t, "--replicaof", "127.0.0.1 "+primary.port)
		sentinel := startSentinel(t, primary)
		watcher := redis.NewSentinelClient(&redis.Options{Addr: sentinel.address})
		defer watcher.Close()
		within(t, 30*time.Second, "Sentinel knows the replica", func() bool {
			found, err := watcher.Replicas(t.Context(), "primary").Result()
			return err == nil && len(found) == 1 && found[0]["flags"] == "slave" && found[0]["master-link-status"] == "ok"
		})
		all := newReplicas(t, 3, func() redis.UniversalClient {
			c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "primary", SentinelAddrs: []string{sentinel.address}, ContextTimeoutEnabled: true})
			t.Cleanup(func() { _ = c.Close() })
			return c
		}, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("before")))
		revokesAll(t, time.Second, all, "before")
		primary.kill()
		start := time.Now()
		_ = all[1].Revoke(t.Context(), tokenID("meanwhile"))
		revokesAll(t, 60*time.Second, all, "before", "meanwhile")
		t.Logf("revoked while there was no primary, refused by all after %s", time.Since(start))
		assert.Equal(t, 2, inRedis(t, second.client(t)))
	})
	t.Run("D1 in a Cluster", func(t *testing.T) {
		s := startServer(t, "--cluster-enabled", "yes")
		require.NoError(t, s.client(t).Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", "0", "16383").Err())
		within(t, 20*time.Second, "the Cluster is up", func() bool {
			info, err := s.client(t).ClusterInfo(t.Context()).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok")
		})
		everything(t, func() redis.UniversalClient {
			c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.address}, ContextTimeoutEnabled: true})
			t.Cleanup(func() { _ = c.Close() })
			return c
		})
	})
	t.Run("D1 with the permissions that the documentation names", func(t *testing.T) {
		doc, err := os.ReadFile("../../adapters/redisstore/doc.go")
		require.NoError(t, err)
		_, rules, found := strings.Cut(string(doc), "The permissions of an ACL, with the default prefix:\n//\n")
		require.True(t, found)
		rules, _, _ = strings.Cut(rules, "//\n")
		s := startServer(t)
		acl := append([]any{"ACL", "SETUSER", "api", "on", ">secret", "+@connection"}, anys(strings.Fields(strings.ReplaceAll(rules, "//", "")))...)
		require.NoError(t, s.client(t).Do(t.Context(), acl...).Err())
		everything(t, func() redis.UniversalClient {
			c := redis.NewClient(&redis.Options{Addr: s.address, Username: "api", Password: "secret", ContextTimeoutEnabled: true})
			t.Cleanup(func() { _ = c.Close() })
			return c
		})
		denied, err := s.client(t).Do(t.Context(), "ACL", "LOG").Slice()
		require.NoError(t, err)
		for _, d := range denied {
			assert.NotContains(t, fmt.Sprint(d), "jwtguard", "denied")
		}
	})
}

func anys(words []string) (all []any) {
	for _, w := range words {
		all = append(all, w)
	}
	return all
}

// everything calls what has commands of its own.
func everything(t *testing.T, client func() redis.UniversalClient) {
	t.Helper()
	store := redisstore.NewStore(client(), redisstore.StoreConfig{})
	require.NoError(t, store.Save(t.Context(), "a", []byte("document")))
	doc, err := store.Load(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, "document", string(doc))
	first, err := store.Lease(t.Context(), "a", time.Minute)
	require.NoError(t, err)
	assert.True(t, first)

	replays, err := redisstore.NewReplays(client(), redisstore.ReplayConfig{Timeout: time.Second})
	require.NoError(t, err)
	require.NoError(t, replays.Ready(t.Context()))
	for _, want := range []bool{true, false} {
		isNew, err := replays.Record(t.Context(), [32]byte{1}, [32]byte{2}, time.Now().Add(time.Minute))
		require.NoError(t, err)
		assert.Equal(t, want, isNew)
	}

	all := newReplicas(t, 2, client, redisstore.RevocationConfig{})
	require.NoError(t, all[0].Revoke(t.Context(), revocation.Entry{Issuer: issuer, TokenID: "ended", Expires: time.Now().Add(-time.Hour)}))
	require.NoError(t, all[0].list.Revoke(t.Context(), tokenIDs(200, "restored")...)) // published by resend
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, all[0].Revoke(gone, tokenID("a")), redisstore.ErrNotPublished)
	require.NoError(t, all[1].Revoke(t.Context(), tokenID("b")))
	revokesAll(t, 20*time.Second, all, "a", "b", "restored 0", "restored 199")
	require.NoError(t, all[0].Health())
	require.NoError(t, all[1].Health())
}

// fill leaves no room in a server, until its key "ballast" is deleted.
func fill(t *testing.T, c *redis.Client) {
	t.Helper()
	require.NoError(t, c.SetRange(t.Context(), "ballast", 16<<20, "x").Err())
	require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "8mb").Err())
}
