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

const minute = time.Minute

// The time between refreshes is 80 % of the period, give or take 10 % of that.
func TestPeriod(t *testing.T) {
	k := newKey("a")
	for _, row := range []struct {
		name   string
		fields []string
		cfg    jwkscache.Config
		want   time.Duration
	}{
		{name: "K2 no header", want: 15 * minute},
		{name: "K2 no max-age", fields: []string{"Cache-Control", "public, must-revalidate"}, want: 15 * minute},
		{name: "K2 max-age", fields: []string{"Cache-Control", "max-age=1200"}, want: 20 * minute},
		{name: "K2 max-age less Age", fields: []string{"Cache-Control", "max-age=1200", "Age", "600"}, want: 10 * minute},
		{name: "K2 max-age over the most less Age", fields: []string{"Cache-Control", "max-age=7200", "Age", "4200"}, want: 50 * minute},
		{name: "K2 Age over max-age", fields: []string{"Cache-Control", "max-age=1200", "Age", "3000"}, want: 5 * minute},
		{name: "K2 Age alone", fields: []string{"Age", "600"}, want: 15 * minute},
		{name: "K2 15 s is clamped to 5 min", fields: []string{"Cache-Control", "max-age=15"}, want: 5 * minute},
		{name: "K2 max-age 0", fields: []string{"Cache-Control", "max-age=0"}, want: 5 * minute},
		{name: "K2 the least, exactly", fields: []string{"Cache-Control", "max-age=300"}, want: 5 * minute},
		{name: "K2 30 days are clamped to 1 h", fields: []string{"Cache-Control", "max-age=2592000"}, want: 60 * minute},
		{name: "K2 the most, exactly", fields: []string{"Cache-Control", "max-age=3600"}, want: 60 * minute},
		{name: "K2 max-age beyond counting (RFC 9111 §1.2.2)", fields: []string{"Cache-Control", "max-age=99999999999999999999"}, want: 60 * minute},
		{name: "K2 no-cache", fields: []string{"Cache-Control", "no-cache"}, want: 5 * minute},
		{name: "K2 no-store", fields: []string{"Cache-Control", "no-store"}, want: 5 * minute},
		{name: "K2 no-cache before max-age", fields: []string{"Cache-Control", "no-cache, max-age=3600"}, want: 5 * minute},
		{name: "K2 no-cache after max-age", fields: []string{"Cache-Control", "max-age=3600, no-cache"}, want: 5 * minute},
		{name: "K2 case, quotes and white space", fields: []string{"Cache-Control", `Public ,  Max-Age="1200"`}, want: 20 * minute},
		{name: "K2 in a second field", fields: []string{"Cache-Control", "public", "Cache-Control", "max-age=1200"}, want: 20 * minute},
		{name: "K2 Config.Refresh overrides the header", cfg: jwkscache.Config{Refresh: 2 * time.Hour},
			fields: []string{"Cache-Control", "max-age=600"}, want: 120 * minute},
		{name: "K2 Config.Refresh may be short", cfg: jwkscache.Config{Refresh: 30 * time.Second},
			fields: []string{"Cache-Control", "max-age=3600"}, want: 30 * time.Second},
		{name: "K2 never beyond MaxStale", cfg: jwkscache.Config{MaxStale: 10 * minute},
			fields: []string{"Cache-Control", "max-age=3600"}, want: 10 * minute},
		{name: "K2 Config.Refresh never beyond MaxStale", cfg: jwkscache.Config{MaxStale: 10 * minute, Refresh: time.Hour}, want: 10 * minute},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(reply(http.StatusOK, setOf(k), row.fields...))
			c := open(t, s, row.cfg)
			for range 100 {
				pass(row.want)
				require.Equal(t, jwkscache.Fresh, c.Stats().State)
			}
			gaps := s.gaps()
			require.GreaterOrEqual(t, len(gaps), 100)
			share := func(d time.Duration) float64 { return float64(d) / float64(row.want) }
			assert.GreaterOrEqual(t, share(slices.Min(gaps)), 0.72)
			assert.LessOrEqual(t, share(slices.Max(gaps)), 0.88)
			assert.Less(t, share(slices.Min(gaps)), 0.75, "no jitter to the front")
			assert.Greater(t, share(slices.Max(gaps)), 0.85, "no jitter to the back")
		}))
	}
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

	t.Run("K3 begins anew after a success", inBubble(func(t *testing.T) {
		s := newServer(fail(http.StatusInternalServerError))
		c := open(t, s, jwkscache.Config{})
		pass(time.Hour)
		for range 50 {
			s.serve(publish(newKey("a")))
			pass(minute) // the bucket is full again
			require.NoError(t, c.Refresh(t.Context()))
			s.serve(fail(http.StatusInternalServerError))
			require.Error(t, c.Refresh(t.Context()))
			before := s.fetches()
			pass(time.Second)
			require.Greater(t, s.fetches(), before)
		}
	}))
}

// What servers write that is no number is as if it were not there.
func TestHeadersThatAreNoNumbers(t *testing.T) {
	for _, value := range []string{"max-age", "max-age=", "max-age=soon", "max-age=-1", "max-age=1.5"} {
		assert.Equal(t, 15*minute, jwkscache.CachePeriod(http.Header{"Cache-Control": {value}}), "K2 %s", value)
		assert.Equal(t, 20*minute, jwkscache.CachePeriod(http.Header{"Cache-Control": {"max-age=1200", value}}), "K2 %s", value)
	}
	for age, want := range map[string]time.Duration{"99999999999999999999": 5 * minute, "-1": time.Hour, "rubbish": time.Hour} {
		assert.Equal(t, want, jwkscache.CachePeriod(http.Header{"Cache-Control": {"max-age=18446744073709551615"}, "Age": {age}}), "K2 Age %s", age)
	}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, value := range []string{"", "0", "-5", "soon", now.Format(http.TimeFormat), now.Add(-time.Hour).Format(http.TimeFormat)} {
		assert.Zero(t, jwkscache.ParseRetryAfter(value, now), "K3 %q", value)
	}
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
		{"K3 Retry-After beyond counting is capped", 503, "99999999999999999999", 5 * minute, 5 * minute},
		{"K3 Retry-After of 33 bits is capped", 503, "4294967296", 5 * minute, 5 * minute},
		{"K3 Retry-After as a date", 503, in(90 * time.Second), 90 * time.Second, 90 * time.Second},
		{"K3 Retry-After as a date is capped", 503, in(24 * time.Hour), 5 * minute, 5 * minute},
		{"K3 Retry-After in the past", 503, in(-time.Hour), 0, time.Second},
		{"K3 Retry-After 0", 503, "0", 0, time.Second},
		{"K3 Retry-After that is negative", 503, "-5", 0, time.Second},
		{"K3 Retry-After that is rubbish", 503, "soon", 0, time.Second},
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
