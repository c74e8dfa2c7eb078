package redis

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const (
	audience = "https://api.example.com"
	target   = audience + "/"
)

// A fullReplica shares everything that can be shared.
type fullReplica struct {
	handler     http.Handler
	revocations *redisstore.Revocations
	verifier    *verifier.Verifier
}

func newFullReplica(t *testing.T, iss *verifiertest.Issuer, address string) *fullReplica {
	t.Helper()
	client := clientOf(t, address)
	log := slog.New(slog.DiscardHandler)
	list, err := revocation.New(revocation.Config{MaxLifetime: time.Hour})
	require.NoError(t, err)
	r := &fullReplica{}
	r.revocations, err = redisstore.NewRevocations(client, list, redisstore.RevocationConfig{Logger: log})
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.revocations.Close() })
	replays, err := redisstore.NewReplays(client, redisstore.ReplayConfig{Fallback: dpop.NewMemory(0)})
	require.NoError(t, err)
	proofs, err := dpop.New(dpop.Config{Origins: []string{audience}, Replays: replays})
	require.NoError(t, err)
	cfg := iss.Config(audience)
	cfg.MaxLifetime = time.Hour
	cfg.JWKS.Refresh, cfg.JWKS.Logger = time.Second, log
	cfg.JWKS.Store, cfg.JWKS.StoreSecrets = redisstore.NewStore(client, redisstore.StoreConfig{}), [][]byte{secret}
	r.verifier, err = verifier.Settings{Revocation: r.revocations, Bindings: []verifier.Binding{proofs}, Logger: log}.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.verifier.Close() })
	require.NoError(t, r.verifier.Ready(t.Context()))
	r.handler = httpauth.Protect(r.verifier)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return r
}

// ask sends a token, with a proof where there is one.
func (r *fullReplica) ask(scheme, token, proof string) int {
	req := httptest.NewRequest(http.MethodGet, target, nil)
	req.Header.Set("Authorization", scheme+" "+token)
	if proof != "" {
		req.Header.Set("DPoP", proof)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w.Code
}

// A census counts what was answered.
type census struct{ good, goodRefused, bad, badAdmitted, proofs, proofsRefused, replays, replaysAdmitted atomic.Int64 }

// watch sends requests to all replicas until ctx is done: with tokens that are good, with
// one that was revoked before, and with proofs, each of them once, and once more.
func (c *census) watch(ctx context.Context, iss *verifiertest.Issuer, replicas []*fullReplica, revoked string) {
	good := iss.Token(verifiertest.Claims{"jti": "good"})
	key := verifiertest.NewDPoPKey()
	bound := iss.DPoPToken(key, nil)
	var all sync.WaitGroup
	for _, r := range replicas {
		all.Go(func() {
			for ; ctx.Err() == nil; pause(ctx, 2*time.Millisecond) {
				c.good.Add(1)
				if r.ask("Bearer", good, "") != http.StatusOK {
					c.goodRefused.Add(1)
				}
				c.bad.Add(1)
				if r.ask("Bearer", revoked, "") != http.StatusUnauthorized {
					c.badAdmitted.Add(1)
				}
			}
		})
		all.Go(func() {
			for ; ctx.Err() == nil; pause(ctx, 20*time.Millisecond) {
				proof := key.Proof(http.MethodGet, target, bound, nil)
				c.proofs.Add(1)
				if r.ask("DPoP", bound, proof) != http.StatusOK {
					c.proofsRefused.Add(1)
				}
				c.replays.Add(1)
				if r.ask("DPoP", bound, proof) == http.StatusOK {
					c.replaysAdmitted.Add(1)
				}
			}
		})
	}
	all.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Whatever happens to Redis, no good token is refused, and none admitted that was revoked
// before; a proof admits one request of each replica at most, by the Fallback.
func TestFaults(t *testing.T) {
	for _, f := range []struct {
		name string
		args []string
		fail func(t *testing.T, s *server, c *redis.Client)
		mend func(t *testing.T, s *server, c *redis.Client)
	}{
		{name: "gone", fail: func(_ *testing.T, s *server, _ *redis.Client) { s.kill() }, mend: func(t *testing.T, s *server, _ *redis.Client) { s.start(t) }},
		{name: "hanging", fail: func(t *testing.T, s *server, _ *redis.Client) { s.pause(t) }, mend: func(t *testing.T, s *server, _ *redis.Client) { s.resume(t) }},
		{name: "restarted empty", fail: func(t *testing.T, s *server, _ *redis.Client) { s.kill(); s.start(t) }},
		{name: "flushed", fail: func(t *testing.T, _ *server, c *redis.Client) { require.NoError(t, c.FlushAll(t.Context()).Err()) }},
		{name: "full", fail: func(t *testing.T, _ *server, c *redis.Client) {
			require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "1").Err())
		}, mend: func(t *testing.T, _ *server, c *redis.Client) {
			require.NoError(t, c.ConfigSet(t.Context(), "maxmemory", "0").Err())
		}},
		{name: "rubbish in every key", fail: func(t *testing.T, _ *server, c *redis.Client) {
			keys, err := c.Keys(t.Context(), "*").Result()
			require.NoError(t, err)
			require.NotEmpty(t, keys)
			for _, key := range keys {
				require.NoError(t, c.Set(t.Context(), key, bytes.Repeat([]byte("rubbish"), 1000), 0).Err())
			}
		}, mend: func(t *testing.T, _ *server, c *redis.Client) { require.NoError(t, c.FlushAll(t.Context()).Err()) }},
	} {
		t.Run("D11 "+f.name, func(t *testing.T) {
			iss := verifiertest.NewIssuer(t)
			s := startServer(t, f.args...)
			c := s.client(t)
			var replicas []*fullReplica
			for range 3 {
				replicas = append(replicas, newFullReplica(t, iss, s.address))
				require.NoError(t, replicas[0].revocations.Ready(t.Context()))
			}
			revoke := func(id string) string {
				require.NoError(t, replicas[0].revocations.Revoke(t.Context(), revocation.Entry{Issuer: iss.URL(), TokenID: id}))
				return iss.Token(verifiertest.Claims{"jti": id})
			}
			refusedByAll := func(token string) func() bool {
				return func() bool {
					for _, r := range replicas {
						if r.ask("Bearer", token, "") != http.StatusUnauthorized {
							return false
						}
					}
					return true
				}
			}
			revoked := revoke("before")
			within(t, 5*time.Second, "all replicas refuse the token", refusedByAll(revoked))

			var n census
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); n.watch(ctx, iss, replicas, revoked) }()
			defer func() { stop(); <-done }()
			seen := func(some int64) func() bool {
				before := n.proofs.Load()
				return func() bool { return n.proofs.Load() > before+some }
			}
			within(t, time.Minute, "requests are sent", seen(50))
			assert.Zero(t, n.proofsRefused.Load(), "while all is well")
			f.fail(t, s, c)
			within(t, time.Minute, "requests are sent", seen(150))
			iss.Rotate() // each replica asks the issuer, if Redis does not help
			rotated := iss.Token(nil)
			for _, r := range replicas {
				assert.Equal(t, http.StatusOK, r.ask("Bearer", rotated, ""), "a new key")
			}
			within(t, time.Minute, "requests are sent", seen(50))
			if f.mend != nil {
				f.mend(t, s, c)
			}
			var late string
			within(t, 10*time.Second, "a revocation is published again", func() bool {
				late = fmt.Sprint("after ", n.good.Load())
				return replicas[1].revocations.Revoke(t.Context(), revocation.Entry{Issuer: iss.URL(), TokenID: late}) == nil
			})
			healed := within(t, 10*time.Second, "all replicas refuse it", refusedByAll(iss.Token(verifiertest.Claims{"jti": late})))
			fresh := newFullReplica(t, iss, s.address)
			require.NoError(t, fresh.revocations.Ready(t.Context()))
			within(t, 10*time.Second, "a replica that starts now knows what was revoked before", func() bool {
				return fresh.ask("Bearer", revoked, "") == http.StatusUnauthorized
			})
			stop()
			<-done
			t.Logf("%s: good tokens refused %d of %d; revoked admitted %d of %d; proofs refused %d of %d; replays at the same replica admitted %d of %d; heals within %s",
				f.name, n.goodRefused.Load(), n.good.Load(), n.badAdmitted.Load(), n.bad.Load(), n.proofsRefused.Load(), n.proofs.Load(), n.replaysAdmitted.Load(), n.replays.Load(), healed.Round(time.Millisecond))
			assert.Zero(t, n.goodRefused.Load(), "good tokens")
			assert.Zero(t, n.badAdmitted.Load(), "revoked tokens")
			assert.Zero(t, n.proofsRefused.Load(), "new proofs")
			assert.Zero(t, n.replaysAdmitted.Load(), "replays")
		})
	}
}
