package jwkscache_test

import (
	"context"
	"crypto"
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
		s.at(rfcForm, metadata(strings.TrimSuffix(issuer, "/"), jwksURL))
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
		require.NoError(t, c.Ready(t.Context()), "it works again nevertheless")
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

	t.Run("K11 Ready waits when there is no metadata twice, with another failure between", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		left := []responder{fail(404), fail(503), fail(404), metadata(issuer, jwksURL)}
		s.at(oidcForm, func(r *http.Request) (*http.Response, error) {
			next := left[0]
			left = left[1:]
			return next(r)
		})
		require.NoError(t, openIssuer(t, s, issuer, jwkscache.Config{}).Ready(t.Context()))
		require.Empty(t, left)
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

func TestRefresh(t *testing.T) {
	t.Run("K8 a withdrawn key goes at the next good refresh", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(b))
		pass(10 * minute)
		serves(t, c, a)
		pass(5 * minute)
		serves(t, c, b)
		denies(t, c, "a")
	}))

	t.Run("K4 Refresh closes the window at once", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(publish(a, b))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		require.Equal(t, 2, s.fetches())
		denies(t, c, "a")
		serves(t, c, b)
	}))

	t.Run("K4 Refresh ignores backoff, Retry-After and the fetch limit", inBubble(func(t *testing.T) {
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		denies(t, c, "y")
		for range 20 {
			s.serve(fail(http.StatusServiceUnavailable, "Retry-After", "300"))
			err := c.Refresh(t.Context())
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorContains(t, err, "503")
			s.serve(publish(newKey("a")))
			require.NoError(t, c.Refresh(t.Context()))
		}
		assert.Equal(t, 43, s.fetches())
	}))

	t.Run("K4 Refresh begins after the call, even while a fetch runs", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(slow(time.Second, publish(a, b)))
		c := open(t, s, jwkscache.Config{}) // the first fetch is under way
		s.serve(slow(time.Second, publish(b)))
		assert.Equal(t, 2*time.Second, took(func() { require.NoError(t, c.Refresh(t.Context())) }))
		require.Equal(t, 2, s.fetches())
		serves(t, c, b)
	}))

	t.Run("K4 Refresh is shared", inBubble(func(t *testing.T) {
		s := newServer(slow(time.Second, publish(newKey("a"))))
		c := open(t, s, jwkscache.Config{})
		for range 100 {
			go func() { assert.NoError(t, c.Refresh(t.Context())) }()
		}
		pass(3 * time.Second)
		assert.Equal(t, 2, s.fetches())
	}))

	t.Run("K4 Refresh is bounded by its ctx, and the fetch goes on", inBubble(func(t *testing.T) {
		a := newKey("a")
		s := newServer(publish(newKey("old")))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(3*time.Second, publish(a)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.Equal(t, time.Second, took(func() {
			require.ErrorIs(t, c.Refresh(ctx), context.DeadlineExceeded)
		}))
		pass(2 * time.Second)
		serves(t, c, a)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K4 Refresh moves the schedule", inBubble(func(t *testing.T) {
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{})
		pass(8 * minute)
		require.NoError(t, c.Refresh(t.Context()))
		pass(10 * minute)
		assert.Equal(t, 2, s.fetches())
	}))
}

// A fetch that ends between a caller's lookup and its wait is used, and not
// repeated.
func TestFetchEndsBeforeTheWait(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	// armed counts down the readings of the clock until the fetch ends.
	expired := func(t *testing.T) (s *server, c *jwkscache.Cache, armed *int) {
		s, armed = newServer(publish(a)), new(int)
		c, err := jwkscache.ForURLWatched(jwksURL, configFor(s, jwkscache.Config{MaxStale: time.Hour}), func() {
			if *armed == 0 {
				return
			}
			if *armed--; *armed > 0 { // by the one who is about to call
				return
			}
			s.serve(publish(a, b))
			if c.Unlocked() { // otherwise no fetch can end in between
				require.NoError(t, c.Refresh(t.Context()))
			}
		})
		c = opened(t, c, err)
		return s, c, armed
	}
	rows := map[string]struct {
		stale   bool // the keys have expired when the call comes
		reading int  // at which the fetch ends
		wait    time.Duration
		call    func(t *testing.T, c *jwkscache.Cache)
	}{
		"K11 Ready at its first look": {true, 1, 0, func(t *testing.T, c *jwkscache.Cache) { require.NoError(t, c.Ready(t.Context())) }},
		"K11 Ready before it waits":   {true, 2, time.Minute, func(t *testing.T, c *jwkscache.Cache) { require.NoError(t, c.Ready(t.Context())) }},
		"K11 Lookup": {true, 1, 0, func(t *testing.T, c *jwkscache.Cache) {
			got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: a.alg})
			require.NoError(t, err)
			assert.Equal(t, []crypto.PublicKey{a.public}, got)
		}},
		"K5 an unknown kid": {false, 1, 0, func(t *testing.T, c *jwkscache.Cache) {
			got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: b.alg})
			require.NoError(t, err)
			assert.Equal(t, []crypto.PublicKey{b.public}, got)
		}},
	}
	for name, row := range rows {
		t.Run(name, inBubble(func(t *testing.T) {
			s, c, armed := expired(t)
			if row.stale {
				s.serve(fail(500))
				pass(2 * time.Hour)
			}
			before := s.fetches()
			*armed = row.reading
			assert.LessOrEqual(t, took(func() { row.call(t, c) }), row.wait)
			assert.Zero(t, *armed)
			assert.Equal(t, before+1, s.fetches())
		}))
	}
}
