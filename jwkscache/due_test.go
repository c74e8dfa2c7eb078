package jwkscache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A machine that wakes finds its refresh due by the wall clock, while the timer
// still sleeps. Whoever asks then has that fetch, and only that.
func TestDueByTheWallClock(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K13 an unknown kid costs the fetch that is due, and none besides", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		step(time.Hour)
		denies(t, c, "x")
		require.Equal(t, 2, s.fetches())
		denies(t, c, "y")
		denies(t, c, "z")
		require.Equal(t, 4, s.fetches(), "K5 the bucket was full")
	}))

	t.Run("K13 due means from that very moment on", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		denies(t, c, "x")
		denies(t, c, "y") // the bucket is empty
		s.serve(fail(503, "Retry-After", "120"))
		require.Error(t, c.Refresh(t.Context()))
		s.serve(publish(a, b))
		step(2*minute - 1)
		cannotTell(t, c, "b")
		step(1)
		serves(t, c, b)
		require.Equal(t, 5, s.fetches())
	}))
}

func TestOneFailureIsEnough(t *testing.T) {
	t.Run("K5 with the bucket empty and the last refresh failed nobody can tell", inBubble(func(t *testing.T) {
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
