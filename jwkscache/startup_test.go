package jwkscache_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestStart(t *testing.T) {
	a := newKey("a")

	t.Run("K11 New waits for nothing, the fetch starts by itself", inBubble(func(t *testing.T) {
		s := newServer(hang)
		assert.Zero(t, took(func() { open(t, s, jwkscache.Config{}) }))
		assert.Equal(t, 1, s.fetches())
	}))

	t.Run("K11 wrong configuration is an error before anything starts", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		for _, cfg := range []jwkscache.Config{
			{Refresh: -time.Hour}, {Cooldown: -time.Hour}, {MaxStale: -time.Hour},
			{Refresh: 900}, {Cooldown: 30}, {MaxStale: 86400}, // without their unit
			{Refresh: time.Millisecond - 1}, {Cooldown: time.Millisecond - 1}, {MaxStale: time.Millisecond - 1},
		} {
			_, err := jwkscache.ForURL(jwksURL, configFor(s, cfg))
			require.Error(t, err)
			_, err = jwkscache.ForIssuer("https://issuer.example", configFor(s, cfg))
			require.Error(t, err)
		}
		synctest.Wait()
		require.Empty(t, s.urls())
		c, err := jwkscache.ForURL(jwksURL, configFor(s, jwkscache.Config{
			Refresh: time.Millisecond, Cooldown: time.Millisecond, MaxStale: time.Millisecond,
		}))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}))

	t.Run("K11 failing at the start retries in seconds", inBubble(func(t *testing.T) {
		s := newServer(fail(500))
		c := open(t, s, jwkscache.Config{})
		require.Equal(t, jwkscache.Empty, c.Stats().State)
		pass(7 * time.Second) // 1 + 2 + 4
		require.GreaterOrEqual(t, s.fetches(), 4)
		s.serve(publish(a))
		pass(32 * time.Second)
		serves(t, c, a)
	}))
}

func TestReady(t *testing.T) {
	a := newKey("a")

	t.Run("K11 Ready waits for the keys", inBubble(func(t *testing.T) {
		c := open(t, newServer(slow(4*time.Second, publish(a))), jwkscache.Config{})
		assert.Equal(t, 4*time.Second, took(func() { require.NoError(t, c.Ready(t.Context())) }))
		assert.Zero(t, took(func() { require.NoError(t, c.Ready(t.Context())) }))
		serves(t, c, a)
	}))

	t.Run("K11 Ready returns at once when the metadata names another issuer", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		s.at(oidcForm, metadata(strings.TrimSuffix(issuer, "/"), jwksURL))
		c, err := jwkscache.ForIssuer(issuer, configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		defer c.Close()
		assert.Zero(t, took(func() {
			err := c.Ready(t.Context())
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorContains(t, err, "slash")
		}))
	}))

	t.Run("K11 Ready returns when there is no metadata, twice in a row", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, err := jwkscache.ForIssuer(issuer, configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		defer c.Close()
		assert.LessOrEqual(t, took(func() { require.ErrorContains(t, c.Ready(t.Context()), "404") }), time.Second)
		require.Len(t, s.requests(oidcForm), 2)
		s.at(oidcForm, metadata(issuer, jwksURL))
		pass(minute)
		require.NoError(t, c.Ready(t.Context()), "it heals all the same")
	}))

	t.Run("K11 Ready waits when metadata is there at the second attempt", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, err := jwkscache.ForIssuer(issuer, configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		defer c.Close()
		go func() {
			synctest.Wait()
			s.at(oidcForm, metadata(issuer, jwksURL))
		}()
		require.NoError(t, c.Ready(t.Context()))
	}))

	t.Run("K11 Ready waits through failures", inBubble(func(t *testing.T) {
		s := newServer(fail(500))
		c := open(t, s, jwkscache.Config{})
		time.AfterFunc(10*time.Second, func() { s.serve(publish(a)) })
		require.NoError(t, c.Ready(t.Context()))
		serves(t, c, a)
	}))

	t.Run("K11 Ready gives up with its ctx and names the last failure", inBubble(func(t *testing.T) {
		cause := errors.New("connection refused")
		s := newServer(broken(cause))
		c := open(t, s, jwkscache.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		assert.Equal(t, 90*time.Second, took(func() {
			err := c.Ready(ctx)
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, cause)
		}))
		err := c.Health()
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		require.ErrorIs(t, err, cause)
	}))

	t.Run("K11 Ready with its ctx cancelled, before any fetch has ended", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := c.Ready(ctx)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, c.Health(), jwkscache.ErrUnavailable)
		require.ErrorContains(t, c.Health(), "no fetch has ended yet")
	}))
}

// A cold start without Ready works: requests wait for the fetch under way.
func TestEmpty(t *testing.T) {
	a := newKey("a")

	t.Run("K11 EMPTY joins the running fetch", inBubble(func(t *testing.T) {
		s := newServer(slow(1900*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		assert.Equal(t, 1900*time.Millisecond, took(func() {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.NoError(t, err)
			require.Len(t, keys, 1)
		}))
		require.Equal(t, 1, s.fetches())
	}))

	t.Run("K11 EMPTY waits 2 s at most", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		assert.Equal(t, 2*time.Second, took(func() {
			_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorContains(t, err, "took too long")
		}))
	}))

	t.Run("K11 EMPTY waits no longer than its ctx", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		assert.Equal(t, 300*time.Millisecond, took(func() {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		assert.Equal(t, time.Second, took(func() {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorIs(t, err, context.Canceled)
		}))
	}))

	t.Run("K11 EMPTY in the backoff: an error at once, no fetch", inBubble(func(t *testing.T) {
		cause := errors.New("connection refused")
		s := newServer(broken(cause))
		c := open(t, s, jwkscache.Config{})
		for range 100 {
			require.ErrorIs(t, cannotTell(t, c, "a"), cause)
		}
		require.Equal(t, 1, s.fetches())
	}))

	t.Run("K11 EMPTY under Retry-After: an error at once, no fetch", inBubble(func(t *testing.T) {
		s := newServer(fail(503, "Retry-After", "60"))
		c := open(t, s, jwkscache.Config{})
		for range 9 {
			pass(time.Second)
			cannotTell(t, c, "a")
		}
		require.Equal(t, 1, s.fetches())
		s.serve(publish(a))
		pass(time.Second)
		serves(t, c, a)
	}))

	t.Run("K11 EMPTY: a fetch that fails while requests wait answers them", inBubble(func(t *testing.T) {
		c := open(t, newServer(slow(time.Second, fail(500))), jwkscache.Config{})
		assert.Equal(t, time.Second, took(func() {
			_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorContains(t, err, "500")
		}))
	}))

	t.Run("K11 EMPTY: a kid that the first set lacks", inBubble(func(t *testing.T) {
		s := newServer(slow(500*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		assert.Equal(t, time.Second, took(func() {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
			require.NoError(t, err)
			require.Nil(t, keys)
		}))
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K11 EMPTY: the first fetch is waited for, then the one for a kid that it lacked, 5.5 s in all", inBubble(func(t *testing.T) {
		s := newServer(slow(1500*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(4001*time.Millisecond, publish(a)))
		assert.Equal(t, 5500*time.Millisecond, took(func() {
			_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
	}))

	t.Run("K11 EMPTY: at most 1,000 wait", inBubble(func(t *testing.T) {
		s := newServer(slow(1500*time.Millisecond, publish(a)))
		c := open(t, s, jwkscache.Config{})
		var served atomic.Int32
		for range 1000 {
			go func() {
				if keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"}); err == nil && len(keys) == 1 {
					served.Add(1)
				}
			}()
		}
		pass(time.Second)
		for range 100 {
			cannotTell(t, c, "a")
		}
		pass(time.Second)
		assert.EqualValues(t, 1000, served.Load())
		serves(t, c, a)
	}))

	t.Run("K11 EMPTY: those who gave up make room", inBubble(func(t *testing.T) {
		c := open(t, newServer(hang), jwkscache.Config{})
		for range 1000 {
			go c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		}
		synctest.Wait()
		cannotTell(t, c, "a")
		pass(2 * time.Second)
		assert.Equal(t, 2*time.Second, took(func() { c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"}) }))
	}))

	t.Run("K11 EXPIRED joins the due fetch", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		s.serve(slow(time.Second, publish(a)))
		step(25 * time.Hour)
		assert.Equal(t, time.Second, took(func() {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.NoError(t, err)
			require.Len(t, keys, 1)
		}))
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K11 EXPIRED in the backoff: an error at once", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{MaxStale: time.Hour})
		s.serve(fail(503, "Retry-After", "300"))
		pass(time.Hour)
		before := s.fetches()
		cannotTell(t, c, "a")
		require.Equal(t, before, s.fetches())
	}))
}
