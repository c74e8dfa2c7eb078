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

	t.Run("K5 unknown kid: two fetches, then one per cooldown", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(10 * time.Second)
		for _, kid := range []string{"1", "2", "3", "4", "5"} {
			denies(t, c, kid)
		}
		require.Equal(t, 3, s.fetches(), "the first load and two")
		pass(30*time.Second - 1)
		require.Equal(t, 3, s.fetches())
		pass(1)
		require.Equal(t, 4, s.fetches(), "one refilled, for those refused")
		denies(t, c, "6")
		pass(30*time.Second - 1)
		require.Equal(t, 4, s.fetches())
		pass(1)
		require.Equal(t, 5, s.fetches())
		pass(2 * minute)
		require.Equal(t, 5, s.fetches(), "nobody was refused since")
		for _, kid := range []string{"7", "8", "9"} {
			denies(t, c, kid)
		}
		require.Equal(t, 7, s.fetches(), "the bucket holds two, not more")
	}))

	t.Run("K5 Config.Cooldown", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: 7 * time.Second})
		denies(t, c, "1")
		denies(t, c, "2")
		denies(t, c, "3")
		pass(7*time.Second - 1)
		require.Equal(t, 3, s.fetches())
		pass(1)
		require.Equal(t, 4, s.fetches())
	}))

	t.Run("K5 refilling is steady: a late use loses nothing", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "1")
		denies(t, c, "2")
		pass(45 * time.Second) // one refilled at 30 s
		denies(t, c, "3")
		require.Equal(t, 4, s.fetches())
		pass(15 * time.Second) // the next at 60 s
		denies(t, c, "4")
		require.Equal(t, 5, s.fetches())
		denies(t, c, "5")
		require.Equal(t, 5, s.fetches())
	}))

	t.Run("K5 the bucket never holds more than two", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "1")
		pass(5 * minute)
		for _, kid := range []string{"2", "3", "4"} {
			denies(t, c, kid)
		}
		require.Equal(t, 4, s.fetches())
	}))

	t.Run("K5 with the bucket empty the next refill fetches for the pending kid", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "1")
		denies(t, c, "2")
		s.serve(publish(a, b))
		denies(t, c, "b")
		pass(30 * time.Second)
		require.Equal(t, 4, s.fetches())
		serves(t, c, b)
		require.Equal(t, 4, s.fetches())
	}))

	t.Run("K5 the pending kid never delays the refresh", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Refresh: minute, Cooldown: time.Hour})
		for _, kid := range []string{"1", "2", "3"} {
			denies(t, c, kid)
		}
		pass(10 * minute)
		assert.InDelta(t, 3+12, s.fetches(), 3)
	}))

	t.Run("K5 an empty bucket never waits, nor asks", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for i := range 1000 {
			denies(t, c, strconv.Itoa(i))
		}
		require.Equal(t, 3, s.fetches())
		require.Equal(t, 1000, c.Stats().UnknownKIDs)
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

	t.Run("K5 counted per attempt: those that fail count too", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(500))
		for _, kid := range []string{"1", "2", "3", "4"} {
			cannotTell(t, c, kid)
		}
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K5 the fetch is on the cache's own context", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(3*time.Second, publish(a, b)))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		assert.Equal(t, time.Second, took(func() {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorIs(t, err, context.Canceled)
		}))
		pass(2 * time.Second)
		serves(t, c, b)
		require.Equal(t, 2, s.fetches())
	}))

	t.Run("K5 callers wait at most 2 s", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(2*time.Second+1, publish(a, b)))
		assert.Equal(t, 2*time.Second, took(func() {
			_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
		pass(1)
		serves(t, c, b)
	}))

	t.Run("K5 callers wait at most as long as their ctx", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		assert.Equal(t, 300*time.Millisecond, took(func() {
			_, err := c.Lookup(ctx, jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		}))
	}))

	t.Run("K5 a fetch that began before the kid was published is not the last word", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(slow(time.Second, publish(a)))
		go c.Refresh(t.Context())
		synctest.Wait()
		s.serve(publish(a, b))
		assert.Equal(t, time.Second, took(func() {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: "ES256"})
			require.NoError(t, err)
			require.Len(t, keys, 1)
		}))
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K5 while refreshing fails an unknown kid cannot be told", inBubble(func(t *testing.T) {
		cause := errors.New("connection refused")
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(broken(cause))
		for i := range 100 {
			require.ErrorIs(t, cannotTell(t, c, strconv.Itoa(i)), cause)
			serves(t, c, a)
		}
		require.Zero(t, c.Stats().UnknownKIDs)
	}))

	t.Run("K5 a known kid with another alg never fetches", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for _, alg := range []string{"RS256", "ES384", "EdDSA", "none", "HS256", "es256", ""} {
			assert.Zero(t, took(func() {
				keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: alg})
				require.NoError(t, err)
				require.Nil(t, keys)
			}))
		}
		require.Equal(t, 1, s.fetches())
	}))

	t.Run("K5 no kid, and no key for the alg: within the same bucket", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for range 10 {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "RS256"})
			require.NoError(t, err)
			require.Nil(t, keys)
		}
		require.Equal(t, 3, s.fetches())
		s.serve(publish(a, rsaKey("r")))
		pass(minute)
		keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: "RS256"})
		require.NoError(t, err)
		require.Len(t, keys, 1)
	}))
}
