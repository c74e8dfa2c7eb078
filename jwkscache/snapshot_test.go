package jwkscache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestMaxStale(t *testing.T) {
	a := newKey("a")

	t.Run("K4 MaxStale is 24 h since the last good response", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(500))
		pass(day - 1)
		serves(t, c, a)
		require.NoError(t, c.Health())
		require.Equal(t, jwkscache.Stale, c.Stats().State)
		pass(1)
		_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		require.ErrorContains(t, err, "500")
		require.ErrorIs(t, c.Health(), jwkscache.ErrUnavailable)
		require.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K4 Config.MaxStale", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{MaxStale: time.Hour})
		s.serve(fail(500))
		pass(time.Hour - 1)
		serves(t, c, a)
		pass(1)
		require.Error(t, c.Health())
	}))

	t.Run("K4 a response that is not accepted does not count", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(reply(200, `{"keys":[]}`))
		pass(day)
		require.Error(t, c.Health())
	}))

	t.Run("K4 every good response counts", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		pass(3 * day)
		require.NoError(t, c.Refresh(t.Context()))
		s.serve(fail(500))
		pass(day - 1)
		serves(t, c, a)
		pass(1)
		require.Error(t, c.Health())
	}))

	t.Run("K4 by the wall clock, where that is the larger age", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		s.serve(fail(500))
		pass(time.Hour)
		step(23*time.Hour - 1)
		require.NoError(t, c.Health())
		step(1)
		require.Error(t, c.Health())
		require.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K4 by the monotonic clock, where that is the larger age", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		s.serve(fail(500))
		step(-year)
		pass(day - 1)
		serves(t, c, a)
		pass(1)
		require.Error(t, c.Health())
		require.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K4 the two clocks are read separately", func(t *testing.T) {
		// A difference of two times with monotonic readings ignores the wall clock
		// (package time), and so would miss a suspend.
		wall, mono := jwkscache.Clocks()
		assert.True(t, wall == wall.Round(0), "the wall clock only")
		assert.False(t, mono == mono.Round(0), "the monotonic clock, too")
		assert.True(t, wall == mono.Round(0), "read at once")
	})

	t.Run("K4 keys that have expired are not served when the fetch fails", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		s.serve(slow(time.Second, fail(500)))
		step(2 * day)
		assert.Equal(t, time.Second, took(func() {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)
			require.ErrorContains(t, err, "500")
			require.Nil(t, keys)
		}))
	}))

	t.Run("K4 Static is exempt", inBubble(func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a)))
		require.NoError(t, err)
		pass(100 * year)
		serves(t, c, a)
		denies(t, c, "b")
		require.NoError(t, c.Health())
		require.NoError(t, c.Ready(t.Context()))
		require.Equal(t, jwkscache.Fresh, c.Stats().State)
	}))
}
