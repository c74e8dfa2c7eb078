package jwkscache_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// openSkewed is open with a wall clock that the returned function steps. A step
// forward is also what a suspended machine sees when it wakes: its timers and
// its monotonic clock have stood still.
func openSkewed(t *testing.T, s *server, cfg jwkscache.Config) (c *jwkscache.Cache, step func(time.Duration)) {
	t.Helper()
	skew := new(atomic.Int64)
	c, err := jwkscache.ForURLSkewed(jwksURL, configFor(s, cfg), skew)
	return opened(t, c, err), func(d time.Duration) { skew.Add(int64(d)) }
}

func TestTimeJumps(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	for _, row := range []struct {
		name string
		step time.Duration
	}{
		{"K13 forward by a minute", time.Minute},
		{"K13 forward by an hour", time.Hour},
		{"K13 forward by a day", day},
		{"K13 forward by a hundred years", 100 * year},
		{"K13 back by a minute", -time.Minute},
		{"K13 back by an hour", -time.Hour},
		{"K13 back by a day", -day},
		{"K13 back by a hundred years", -100 * year},
	} {
		t.Run(row.name+": refreshing goes on", inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c, step := openSkewed(t, s, jwkscache.Config{})
			step(row.step)
			s.serve(publish(a, b))
			pass(14 * minute)
			serves(t, c, b)
			require.NoError(t, c.Refresh(t.Context()))
			before := s.fetches()
			pass(day)
			assert.InDelta(t, 24*5, s.fetches()-before, 8)
			require.Equal(t, jwkscache.Fresh, c.Stats().State)
		}))

		t.Run(row.name+": an unknown kid is found, the fetch limit recovers", inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c, step := openSkewed(t, s, jwkscache.Config{})
			denies(t, c, "x")
			denies(t, c, "y")
			denies(t, c, "z") // the fetch limit is used up
			step(row.step)
			pass(31 * time.Second)
			s.serve(publish(a, b))
			pass(31 * time.Second)
			serves(t, c, b)
			require.LessOrEqual(t, s.fetches(), 6)
		}))

		t.Run(row.name+": an outage heals", inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c, step := openSkewed(t, s, jwkscache.Config{})
			s.serve(fail(503, "Retry-After", "300"))
			require.Error(t, c.Refresh(t.Context()))
			step(row.step)
			s.serve(publish(a, b))
			pass(5 * minute)
			serves(t, c, b)
		}))
	}

	t.Run("K13 a suspended machine refreshes within a minute", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{Refresh: 12 * time.Hour})
		pass(minute + 10*time.Second) // somewhere between two readings of the clock
		step(11 * time.Hour)
		s.serve(publish(b))
		pass(minute)
		require.Equal(t, 2, s.fetches(), "by itself")
		serves(t, c, b)
	}))

	t.Run("K13 a suspended machine finds a rotated key at its first use", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		step(8 * time.Hour)
		s.serve(publish(a, b))
		serves(t, c, a)
		serves(t, c, b)
	}))

	t.Run("K13 also at the fetch limit: the refresh is due anyway", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		for _, kid := range []string{"1", "2", "3"} {
			denies(t, c, kid)
		}
		step(8 * time.Hour)
		s.serve(publish(a, b))
		serves(t, c, b)
	}))

	t.Run("K13 a machine suspended beyond MaxStale serves at its first request", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		step(2 * day)
		require.Equal(t, jwkscache.Expired, c.Stats().State)
		serves(t, c, a)
		require.Equal(t, jwkscache.Fresh, c.Stats().State)
	}))

	t.Run("K13 Ready on a machine suspended beyond MaxStale", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		step(2 * day)
		assert.Zero(t, took(func() { require.NoError(t, c.Ready(t.Context())) }))
	}))

	t.Run("K13 a machine suspended in the backoff asks at its first request", inBubble(func(t *testing.T) {
		s := newServer(fail(503, "Retry-After", "300"))
		c, step := openSkewed(t, s, jwkscache.Config{})
		cannotTell(t, c, "a")
		step(10*time.Second - 1)
		cannotTell(t, c, "a")
		step(1)
		s.serve(publish(a))
		serves(t, c, a)
	}))

	t.Run("K13 a clock that was wrong for a while", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		s.serve(fail(500))
		step(year)
		require.Error(t, c.Health())
		pass(minute)
		step(-year)
		serves(t, c, a) // a minute has passed, no more
		s.serve(publish(a, b))
		pass(2 * minute)
		serves(t, c, b)
	}))

	t.Run("K13 made-up kids are forgotten by the monotonic clock", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		denies(t, c, "x")
		step(-day)
		pass(30 * time.Second)
		denies(t, c, "x")
		require.Equal(t, 3, s.fetches())
	}))
}

// When a machine wakes, a refresh is due by the wall clock, while the timer still
// waits. A lookup then waits for that fetch, and for no other.
func TestDueByTheWallClock(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K13 an unknown kid uses the fetch that is due, and no other", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		step(time.Hour)
		denies(t, c, "x")
		require.Equal(t, 2, s.fetches())
		denies(t, c, "y")
		denies(t, c, "z")
		require.Equal(t, 4, s.fetches(), "K5 the fetch limit was unused")
	}))

	t.Run("K13 due from exactly that moment on", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		c, step := openSkewed(t, s, jwkscache.Config{})
		denies(t, c, "x")
		denies(t, c, "y") // the fetch limit is used up
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
