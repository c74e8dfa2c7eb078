package jwkscache_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Over many rounds the whole of each range is used, and nothing beyond it.
func TestJitter(t *testing.T) {
	t.Run("K2 a refresh comes at 72 to 88 % of the period", inBubble(func(t *testing.T) {
		s := newServer(publish(newKey("a")))
		open(t, s, jwkscache.Config{Refresh: 100 * time.Second})
		pass(1000 * 100 * time.Second)
		gaps := s.gaps()
		require.Greater(t, len(gaps), 1000)
		assert.GreaterOrEqual(t, slices.Min(gaps), 72*time.Second)
		assert.Less(t, slices.Min(gaps), 72500*time.Millisecond)
		assert.Greater(t, slices.Max(gaps), 87500*time.Millisecond)
		assert.LessOrEqual(t, slices.Max(gaps), 88*time.Second)
	}))

	t.Run("K3 the first retry comes within a second", inBubble(func(t *testing.T) {
		good := publish(newKey("a"))
		s := newServer(good)
		c := open(t, s, jwkscache.Config{})
		var gaps []time.Duration
		for range 500 {
			s.serve(good)
			pass(minute) // the fetch limit is unused again
			require.NoError(t, c.Refresh(t.Context()))
			s.serve(fail(http.StatusInternalServerError))
			require.Error(t, c.Refresh(t.Context()))
			failed := time.Now()
			retried := s.fetches()
			pass(time.Second)
			require.Greater(t, s.fetches(), retried)
			gaps = append(gaps, s.requests(jwksURL)[retried].at.Sub(failed))
		}
		assert.Less(t, slices.Min(gaps), 50*time.Millisecond)
		assert.Greater(t, slices.Max(gaps), 950*time.Millisecond)
	}))

	t.Run("K3 no retry comes later than after a minute", inBubble(func(t *testing.T) {
		s := newServer(fail(http.StatusInternalServerError))
		open(t, s, jwkscache.Config{})
		pass(6 * time.Hour)
		require.Greater(t, len(s.gaps()), 500)
		assert.LessOrEqual(t, slices.Max(s.gaps()), minute)
		assert.Greater(t, slices.Max(s.gaps()), 57*time.Second)
	}))
}

// The waits after n failures are uniform between 0 and 1, 2, 4 ... 60 seconds.
func TestBackoff(t *testing.T) {
	t.Run("K3 from 1 s, doubling, cap 60 s, full jitter", inBubble(func(t *testing.T) {
		servers := make([]*server, 150)
		for i := range servers {
			servers[i] = newServer(fail(http.StatusInternalServerError))
			open(t, servers[i], jwkscache.Config{})
		}
		for slices.ContainsFunc(servers, func(s *server) bool { return s.fetches() <= 10 }) {
			pass(minute)
		}
		for n, limit := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60, 60} {
			limit *= time.Second
			least, most := time.Hour, time.Duration(0)
			for _, s := range servers {
				gap := s.gaps()[n]
				least, most = min(least, gap), max(most, gap)
			}
			assert.LessOrEqual(t, most, limit, "failure %d", n+1)
			assert.Greater(t, most, limit*8/10, "failure %d", n+1)
			assert.Less(t, least, limit*2/10, "failure %d: jitter is not full", n+1)
		}
	}))

	t.Run("K3 starts again at 1 s after a success", inBubble(func(t *testing.T) {
		s := newServer(fail(http.StatusInternalServerError))
		c := open(t, s, jwkscache.Config{})
		pass(time.Hour)
		for range 50 {
			s.serve(publish(newKey("a")))
			pass(minute) // the fetch limit is unused again
			require.NoError(t, c.Refresh(t.Context()))
			s.serve(fail(http.StatusInternalServerError))
			require.Error(t, c.Refresh(t.Context()))
			before := s.fetches()
			pass(time.Second)
			require.Greater(t, s.fetches(), before)
		}
	}))
}

func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) string {
		// A bubble begins at midnight UTC, 2000-01-01.
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
	}
	for _, row := range []struct {
		name        string
		status      int
		value       string
		least, most time.Duration
	}{
		{"K3 Retry-After in seconds", 503, "120", 2 * minute, 2 * minute},
		{"K3 Retry-After with 429", 429, "120", 2 * minute, 2 * minute},
		{"K3 Retry-After is capped at 5 min", 503, "301", 5 * minute, 5 * minute},
		{"K3 Retry-After of a day is capped", 503, "86400", 5 * minute, 5 * minute},
		{"K3 Retry-After of 20 digits is capped", 503, "99999999999999999999", 5 * minute, 5 * minute},
		{"K3 Retry-After of 33 bits is capped", 503, "4294967296", 5 * minute, 5 * minute},
		{"K3 Retry-After as a date", 503, in(90 * time.Second), 90 * time.Second, 90 * time.Second},
		{"K3 Retry-After as a date is capped", 503, in(24 * time.Hour), 5 * minute, 5 * minute},
		{"K3 Retry-After in the past", 503, in(-time.Hour), 0, time.Second},
		{"K3 Retry-After 0", 503, "0", 0, time.Second},
		{"K3 Retry-After that is negative", 503, "-5", 0, time.Second},
		{"K3 Retry-After that is a word", 503, "soon", 0, time.Second},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(publish(newKey("a")))
			c := open(t, s, jwkscache.Config{})
			s.serve(fail(row.status, "Retry-After", row.value))
			require.Error(t, c.Refresh(t.Context()))
			pass(10 * minute)
			require.Greater(t, len(s.gaps()), 1)
			first := s.gaps()[1]
			assert.GreaterOrEqual(t, first, row.least)
			assert.LessOrEqual(t, first, row.most)
		}))
	}

	t.Run("K3 Retry-After of the second well-known place", inBubble(func(t *testing.T) {
		const second = "https://issuer.example/.well-known/oauth-authorization-server"
		s := newServer(nil)
		s.at(second, fail(http.StatusServiceUnavailable, "Retry-After", "8"))
		openIssuer(t, s, "https://issuer.example", jwkscache.Config{})
		pass(8*time.Second - 1)
		assert.Len(t, s.requests(second), 1)
		pass(1)
		assert.Len(t, s.requests(second), 2)
	}))

	t.Run("K11 without any keys it is honoured up to 10 s", inBubble(func(t *testing.T) {
		s := newServer(fail(http.StatusServiceUnavailable, "Retry-After", "120"))
		c := open(t, s, jwkscache.Config{})
		s.serve(publish(newKey("a")))
		pass(10*time.Second - 1)
		require.Error(t, c.Health())
		pass(1)
		require.NoError(t, c.Health())
	}))

	t.Run("K3 Retry-After does not shorten the backoff", inBubble(func(t *testing.T) {
		s := newServer(fail(http.StatusServiceUnavailable, "Retry-After", "5"))
		open(t, s, jwkscache.Config{})
		pass(6 * time.Hour)
		assert.Equal(t, 5*time.Second, slices.Min(s.gaps()))
		assert.Greater(t, slices.Max(s.gaps()), 50*time.Second)
	}))

	t.Run("K3 Retry-After holds back the fetch for an unknown kid", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(http.StatusServiceUnavailable, "Retry-After", "120"))
		require.Error(t, c.Refresh(t.Context()))
		for range 119 {
			cannotTell(t, c, "b")
			serves(t, c, a)
			pass(time.Second)
		}
		require.Equal(t, 2, s.fetches())
		s.serve(publish(a, b))
		pass(time.Second)
		serves(t, c, b)
	}))

	t.Run("K3 Retry-After is over once a refresh succeeds", inBubble(func(t *testing.T) {
		a, b := newKey("a"), newKey("b")
		s := newServer(publish(a))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(http.StatusServiceUnavailable, "Retry-After", "300"))
		require.Error(t, c.Refresh(t.Context()))
		s.serve(publish(a))
		require.NoError(t, c.Refresh(t.Context()))
		s.serve(publish(a, b))
		serves(t, c, b)
	}))
}
