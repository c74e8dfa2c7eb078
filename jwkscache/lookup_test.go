package jwkscache_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestUnknownKID(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K5 a rotated key is found at its first use", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(a, b))
		serves(t, c, b)
		serves(t, c, a)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 unknown kid: five fetches, then one per 5 s, for which callers wait", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		for i := range 5 {
			denies(t, c, strconv.Itoa(i))
		}
		require.Equal(t, 6, s.fetches(), "the first load and five")
		for i := range 5 {
			keys, err := lookupTakes(t, t.Context(), c, strconv.Itoa(5+i), 5*time.Second)
			require.NoError(t, err)
			require.Nil(t, keys)
			require.Equal(t, 7+i, s.fetches())
		}
		pass(2 * minute)
		require.Equal(t, 11, s.fetches(), "no fetch since")
		for i := range 5 {
			denies(t, c, strconv.Itoa(10+i))
		}
		assert.NotZero(t, took(func() { c.Lookup(t.Context(), jwkscache.Query{KeyID: "15", Algorithm: "ES256"}) }))
		require.Equal(t, 17, s.fetches(), "the bucket holds five, not more")
	}))

	t.Run("K5 Config.Cooldown", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: 2 * time.Second})
		pass(minute)
		for i := range 5 {
			denies(t, c, strconv.Itoa(i))
		}
		assert.Equal(t, 2*time.Second, took(func() {
			c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
		}))
		require.Equal(t, 7, s.fetches())
	}))

	t.Run("K5 the limit recovers steadily, also after a late use", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: 5 * time.Second})
		pass(minute)
		for i := range 5 {
			denies(t, c, strconv.Itoa(i))
		}
		pass(7500 * time.Millisecond) // one more is allowed at 5 s
		denies(t, c, "6")
		require.Equal(t, 7, s.fetches())
		assert.Equal(t, 2500*time.Millisecond, took(func() { // the next at 10 s
			c.Lookup(t.Context(), jwkscache.Query{KeyID: "x", Algorithm: "ES256"})
		}))
		require.Equal(t, 8, s.fetches())
	}))

	t.Run("K5 at the fetch limit the next fetch is for the pending kid", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		for i := range 5 {
			denies(t, c, strconv.Itoa(i))
		}
		s.serve(publish(a, b))
		go c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
		pass(5*time.Second - 1)
		require.Equal(t, 6, s.fetches())
		pass(1)
		require.Equal(t, 7, s.fetches())
		serves(t, c, b)
		require.Equal(t, 7, s.fetches())
	}))

	t.Run("K5 a pending kid never delays the refresh", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Refresh: minute, Cooldown: time.Hour})
		for i := range 10 {
			go c.Lookup(t.Context(), jwkscache.Query{KeyID: strconv.Itoa(i), Algorithm: "ES256"})
			pass(time.Second)
		}
		before := s.fetches()
		pass(10 * minute)
		assert.InDelta(t, 12, s.fetches()-before, 3)
	}))

	t.Run("K5 a fetch for a missing key says no-cache, a refresh does not", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		require.NoError(t, c.Refresh(t.Context()))
		pass(15 * minute)
		var said []string
		for _, r := range s.requests(jwksURL)[:4] {
			said = append(said, r.header.Get("Cache-Control"))
		}
		require.Equal(t, []string{"", "no-cache", "no-cache", ""}, said)
	}))

	t.Run("K5 one shared fetch at a time", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		var running, most, found atomic.Int32
		s.serve(func(r *http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			<-time.After(time.Second)
			return publish(a, b)(r)
		})
		for range 500 {
			go func() {
				if keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"}); err == nil && len(keys) == 1 {
					found.Add(1)
				}
			}()
		}
		pass(time.Second)
		assert.EqualValues(t, 500, found.Load())
		assert.EqualValues(t, 1, most.Load())
		assert.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 the fetches of the backoff count for the limit too", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: 20 * time.Second})
		pass(2 * minute)
		s.serve(fail(500))
		cannotTell(t, c, "x")
		pass(time.Second)
		for range 200 {
			cannotTell(t, c, "x")
			pass(time.Second)
		}
		assert.Equal(t, 1+5+10, s.fetches())
	}))

	t.Run("K5 the fetch is on the cache's own context", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(3*time.Second, publish(a, b)))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := lookupTakes(t, ctx, c, "b", time.Second)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		require.ErrorIs(t, err, context.Canceled)
		pass(2 * time.Second)
		serves(t, c, b)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 callers wait at most 5.5 s", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(5500*time.Millisecond+1, publish(a, b)))
		_, err := lookupTakes(t, t.Context(), c, "b", 5500*time.Millisecond)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		pass(1)
		serves(t, c, b)
	}))

	t.Run("K5 callers wait at most as long as their ctx", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := lookupTakes(t, ctx, c, "b", 300*time.Millisecond)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
	}))

	t.Run("K5 after a fetch that began before the kid was published, there is another", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(time.Second, publish(a)))
		go c.Refresh(t.Context())
		synctest.Wait()
		s.serve(publish(a, b))
		keys, err := lookupTakes(t, t.Context(), c, "b", time.Second)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K5 a fetch that fails ends the waiting, though another begins", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(time.Second, fail(500)))
		time.AfterFunc(500*time.Millisecond, func() { c.Refresh(t.Context()) })
		_, err := lookupTakes(t, t.Context(), c, "b", time.Second)
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		synctest.Wait()
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K5 while fetching fails an unknown kid is ErrUnavailable", inBubble(func(t *testing.T) {
		cause := errors.New("connection refused")
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(broken(cause))
		for i := range 100 {
			require.ErrorIs(t, cannotTell(t, c, strconv.Itoa(i)), cause)
			serves(t, c, a)
		}
		require.Zero(t, c.Stats().UnknownKeys)
	}))

	t.Run("K5 a known kid with another alg fetches once in 15 s, and nobody waits", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		for _, alg := range []string{"RS256", "ES384", "EdDSA", "none", "HS256", "es256", ""} {
			assert.Zero(t, took(func() {
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: alg})
				require.NoError(t, err)
				require.Nil(t, keys)
			}))
		}
		synctest.Wait()
		require.Equal(t, 2, s.fetches())
		pass(15*time.Second - 1)
		c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "RS256"})
		synctest.Wait()
		require.Equal(t, 2, s.fetches())
		r := rsaKey("a")
		s.serve(publish(r))
		pass(1)
		c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "RS256"})
		synctest.Wait()
		serves(t, c, r)
	}))

	t.Run("K5 at the fetch limit, after a failed fetch, an unknown kid is ErrUnavailable", inBubble(func(t *testing.T) {
		s := newServer(publish(newKey("a")))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "1")
		denies(t, c, "2")
		s.serve(fail(500))
		require.Error(t, c.Refresh(t.Context()))
		cannotTell(t, c, "3")
		require.Equal(t, 4, s.fetches())
	}))
}
