package jwkscache_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const (
	sharedIssuer   = "https://issuer.example"
	sharedMetadata = sharedIssuer + "/.well-known/openid-configuration"
)

// newSharedIssuer returns a server with metadata, and r at the key set's address.
func newSharedIssuer(r responder) *server {
	s := newServer(r)
	s.at(sharedMetadata, reply(http.StatusOK, `{"issuer":"`+sharedIssuer+`","jwks_uri":"`+jwksURL+`"}`))
	return s
}

// replicas opens n caches on st, of which the first has fetched.
func replicas(t *testing.T, n int, s *server, st jwkscache.Store) (caches []*jwkscache.Cache) {
	t.Helper()
	for range n {
		caches = append(caches, open(t, s, shared(st)))
	}
	require.Equal(t, 1, s.fetches())
	return caches
}

func TestSharedStart(t *testing.T) {
	const minute = time.Minute
	a, b := newKey("a"), newKey("b")

	t.Run("F3 while the issuer is down, what was kept serves at once", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		c := openIssuer(t, s, sharedIssuer, shared(st))
		serves(t, c, a)
		require.NoError(t, c.Close())
		s.serve(fail(500))
		s.at(sharedMetadata, fail(500))
		pass(10 * minute)

		start := time.Now()
		c = openIssuer(t, s, sharedIssuer, shared(st))
		serves(t, c, a)
		require.NoError(t, c.Ready(t.Context()))
		st1 := c.Stats()
		assert.Equal(t, jwkscache.Fresh, st1.State)
		assert.Equal(t, 1, s.fetches(), "what is fresh was fetched")
		assert.True(t, st1.LastSuccess.Equal(start.Add(-10*minute)), "its age goes on")
		assert.Equal(t, jwkscache.StoreStats{Adopted: 1, Age: 10 * minute}, st1.Store)

		pass(5*minute + 1)
		serves(t, c, a)
		assert.Equal(t, jwkscache.Stale, c.Stats().State)
		assert.NotZero(t, c.Stats().Failures)
		pass(24*time.Hour - 15*minute - 2)
		serves(t, c, a)
		pass(1)
		cannotTell(t, c, "a")
	}))

	t.Run("F3 what is not fresh serves, and is fetched", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		require.NoError(t, open(t, s, shared(st)).Close())
		pass(16 * minute)
		s.serve(slow(time.Second, publish(b)))
		c := open(t, s, shared(st))
		serves(t, c, a)
		pass(2 * time.Second)
		assert.Equal(t, 2, s.fetches())
		serves(t, c, a)
		pass(time.Second)
		serves(t, c, b)
	}))

	t.Run("F3 metadata ages, too", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		cfg := shared(st)
		cfg.MaxStale = 2 * time.Hour
		c := openIssuer(t, s, sharedIssuer, cfg)
		s.at(sharedMetadata, fail(500))
		pass(110 * minute)
		require.NoError(t, c.Close())
		c = openIssuer(t, s, sharedIssuer, cfg)
		serves(t, c, a)
		assert.Less(t, time.Since(c.Stats().LastSuccess), 15*minute)
		pass(10*minute - 1)
		serves(t, c, a)
		pass(1)
		cannotTell(t, c, "a")
	}))

	t.Run("F3 the keys that were kept are fetched from where they were", inBubble(func(t *testing.T) {
		st, s := newMemory(), newSharedIssuer(publish(a))
		require.NoError(t, openIssuer(t, s, sharedIssuer, shared(st)).Close())
		c := openIssuer(t, s, sharedIssuer, shared(st))
		pass(15 * minute)
		assert.Equal(t, 2, s.fetches())
		assert.Len(t, s.requests(sharedMetadata), 1, "the metadata is good for an hour")
		pass(hour)
		assert.Len(t, s.requests(sharedMetadata), 2)
		serves(t, c, a)
	}))

	t.Run("F3 callers wait for the first load", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		require.NoError(t, open(t, s, shared(st)).Close())
		slowly := &switched{Store: st, before: func(context.Context, string) error { time.Sleep(300 * time.Millisecond); return nil }}
		c, err := jwkscache.ForURL(jwksURL, configFor(s, shared(slowly)))
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, c.Close()) })
		keys, err := lookupTakes(t, t.Context(), c, "a", 300*time.Millisecond)
		require.NoError(t, err)
		assert.Len(t, keys, 1)
		assert.Equal(t, 1, s.fetches())
	}))
}

const hour = time.Hour

func TestSharedRefresh(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("F4 one fetches, the others adopt", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 20, s, st)
		pass(12 * 648 * time.Second) // 12 times the earliest that a refresh is due
		assert.InDelta(t, 12, s.fetches(), 2)
		for _, c := range caches {
			assert.Equal(t, jwkscache.Fresh, c.Stats().State)
		}
		assert.Equal(t, s.fetches(), st.saves)
	}))

	t.Run("F4 the others serve while one fetches", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 5, s, st)
		s.serve(slow(9*time.Second, publish(a, b)))
		for time.Sleep(time.Minute); s.fetches() == 1; pass(time.Second) {
		}
		for range 8 {
			for _, c := range caches {
				serves(t, c, a)
			}
			pass(time.Second)
		}
		pass(12 * time.Second)
		for _, c := range caches {
			serves(t, c, b)
		}
		assert.Less(t, s.fetches(), 5+1)
	}))

	t.Run("F4 a lease that another has forever holds up a refresh for two minutes", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		c := replicas(t, 1, s, st)[0]
		st.leases[st.name()] = time.Now().Add(100 * hour)
		due := c.Stats().NextRefresh
		pass(time.Until(due) + 2*time.Minute - 1)
		assert.Equal(t, 1, s.fetches())
		pass(2 * time.Second)
		assert.Equal(t, 2, s.fetches())
	}))

	t.Run("F4 keys that are nearly too old are fetched in time nevertheless", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		cfg := shared(st)
		cfg.MaxStale = time.Minute
		c := open(t, s, cfg)
		st.leases[st.name()] = time.Now().Add(100 * hour)
		for range 300 {
			pass(time.Second)
			serves(t, c, a)
		}
	}))

	t.Run("F6 Refresh of one reaches all within 10 seconds", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 50, s, st)
		pass(time.Minute)
		s.serve(publish(b))
		require.NoError(t, caches[17].Refresh(t.Context()))
		serves(t, caches[17], b)
		pass(10 * time.Second)
		for _, c := range caches {
			serves(t, c, b)
		}
		assert.Equal(t, 2, s.fetches())
	}))

	t.Run("F6 Refresh fetches, whatever the Store has", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		caches := replicas(t, 2, s, st)
		for i := range 4 {
			require.NoError(t, caches[i%2].Refresh(t.Context()))
			assert.Equal(t, i+2, s.fetches())
		}
		st.leases[st.name()] = time.Now().Add(hour)
		require.NoError(t, caches[0].Refresh(t.Context()))
		assert.Equal(t, 6, s.fetches())
	}))

	t.Run("F6 Refresh during a slow load is not answered by the Store", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		slowly := &switched{Store: st}
		first, second := open(t, s, shared(st)), open(t, s, shared(slowly))
		pass(time.Second)
		require.NoError(t, first.Refresh(t.Context()))
		s.serve(publish(a, b))
		begun := make(chan struct{})
		slowly.set(func(_ context.Context, call string) error {
			slowly.set(nil)
			begun <- struct{}{}
			time.Sleep(500 * time.Millisecond)
			return nil
		})
		<-begun
		require.NoError(t, second.Refresh(t.Context()))
		assert.Equal(t, 3, s.fetches())
		assert.Equal(t, 2, second.Stats().Store.Adopted, "it loaded something newer as well")
		serves(t, second, b)
	}))
}

func TestSharedStats(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	t.Run("F10 figures, events and log lines", inBubble(func(t *testing.T) {
		st, s, l, j := newMemory(), newServer(publish(a)), new(listener), new(journal)
		other := open(t, s, shared(st))
		sw := &switched{Store: st}
		cfg := shared(sw)
		cfg.Observe, cfg.Logger = l.observe, j.logger()
		c := open(t, s, cfg)
		require.Equal(t, "adopted/1", l.heard(), "the first keys are no rotation")
		require.Empty(t, j.text())
		assert.Equal(t, jwkscache.StoreStats{Adopted: 1}, c.Stats().Store)
		assert.Equal(t, jwkscache.StoreStats{Saves: 1}, other.Stats().Store)

		pass(time.Second)
		s.serve(publish(a, b))
		require.NoError(t, other.Refresh(t.Context()))
		pass(10 * time.Second)
		require.Equal(t, "adopted/2 rotated/2", l.heard())
		require.NoError(t, other.Refresh(t.Context()))
		pass(10 * time.Second)
		require.Equal(t, "adopted/2", l.heard())

		gone := errors.New("connection refused")
		sw.set(func(context.Context, string) error { return gone })
		pass(time.Minute)
		require.Equal(t, "store_failed/2", l.heard(), "once")
		assert.Equal(t, 1, j.count("WARN", "Store", "connection refused"))
		assert.ErrorIs(t, c.Stats().Store.LastError, gone)
		assert.InDelta(t, 7, c.Stats().Store.Failures, 1)
		assert.Nil(t, c.Stats().LastError, "it is not the issuer's")
		require.NoError(t, c.Health())

		failures := c.Stats().Store.Failures
		sw.set(nil)
		pass(10 * time.Second)
		require.Equal(t, "store_healed/2", l.heard())
		assert.Equal(t, failures, c.Stats().Store.Failures, "its end is none")
		assert.Equal(t, 1, j.count("INFO", "Store"))
		assert.NoError(t, c.Stats().Store.LastError)

		require.NoError(t, other.Close()) // so that it is not quicker
		st.put([]byte("rubbish"))
		pass(10 * time.Second)
		require.True(t, strings.HasPrefix(l.heard(), "store_failed/2"))
		pass(70 * time.Second)
		other = open(t, s, shared(st))
		require.NoError(t, c.Stats().Store.LastError, "it was replaced")
		assert.Equal(t, 2, j.count("WARN", "Store"))
		assert.Equal(t, 2, j.count("INFO", "Store"))

		s.serve(fail(500))
		require.Error(t, c.Refresh(t.Context()))
		l.heard()
		s.serve(publish(a, b))
		require.NoError(t, other.Refresh(t.Context()))
		pass(10 * time.Second)
		require.Equal(t, "adopted/2 healed/2", l.heard())
		assert.Nil(t, c.Stats().LastError)
	}))

	t.Run("F10 the age is that of what is kept", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		c := open(t, s, shared(st))
		assert.Zero(t, c.Stats().Store.Age)
		pass(5 * time.Minute)
		assert.Equal(t, 5*time.Minute, c.Stats().Store.Age)
		second := open(t, s, shared(st))
		assert.Equal(t, 5*time.Minute, second.Stats().Store.Age)
		require.NoError(t, second.Refresh(t.Context()))
		pass(10 * time.Second)
		assert.Equal(t, 10*time.Second, c.Stats().Store.Age)
		synctest.Wait()
	}))
}
