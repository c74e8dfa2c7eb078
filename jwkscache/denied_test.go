package jwkscache_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestDeniedKIDs(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K6 a made-up kid is not asked about twice", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		for range 29 {
			denies(t, c, "x")
			pass(time.Second)
		}
		require.Equal(t, 2, s.fetches())
		require.Equal(t, 29, c.Stats().UnknownKIDs)
	}))

	t.Run("K6 made-up kids are forgotten after 30 s", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: time.Hour})
		denies(t, c, "x")
		pass(30*time.Second - 1)
		denies(t, c, "x")
		require.Equal(t, 2, s.fetches())
		pass(1)
		denies(t, c, "x")
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K6 made-up kids are forgotten after a cooldown, if that is shorter", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: 5 * time.Second})
		denies(t, c, "x")
		pass(5*time.Second - 1)
		denies(t, c, "x")
		require.Equal(t, 2, s.fetches())
		pass(1)
		denies(t, c, "x")
		require.Equal(t, 3, s.fetches())
	}))

	t.Run("K6 what the server denied is no answer while refreshing fails", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		s.serve(fail(503, "Retry-After", "10"))
		require.Error(t, c.Refresh(t.Context()))
		cannotTell(t, c, "x")
		s.serve(publish(a))
		require.NoError(t, c.Refresh(t.Context()))
		denies(t, c, "x")
		require.Equal(t, 4, s.fetches(), "and it is remembered still")
	}))

	t.Run("K6 the time runs from the first of them", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{Cooldown: time.Hour})
		denies(t, c, "x")
		pass(29 * time.Second)
		denies(t, c, "y")
		require.Equal(t, 3, s.fetches())
		require.Equal(t, 3, c.Deny("z"))
		pass(time.Second)
		require.Equal(t, 1, c.Deny("z"))
	}))

	t.Run("K6 made-up kids are forgotten when the keys change", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		denies(t, c, "x")
		s.serve(publish(a, b))
		require.NoError(t, c.Refresh(t.Context()))
		denies(t, c, "x")
		require.Equal(t, 4, s.fetches())
	}))

	t.Run("K6 made-up kids stay when a refresh brings the same keys", inBubble(func(t *testing.T) {
		for _, same := range []answer{publish(a), tagged(`"1"`, a)} {
			s := newServer(same)
			c := open(t, s, jwkscache.Config{})
			denies(t, c, "x")
			require.NoError(t, c.Refresh(t.Context()))
			denies(t, c, "x")
			require.Equal(t, 3, s.fetches())
		}
	}))

	t.Run("K6 the set is bounded to 1,000", inBubble(func(t *testing.T) {
		c := open(t, newServer(publish(a)), jwkscache.Config{})
		for i := range 3000 {
			require.Equal(t, min(i+1, 1000), c.Deny(strconv.Itoa(i)))
		}
		require.Equal(t, 1000, c.Deny(""), "no kid is nothing to remember")
	}))
}
