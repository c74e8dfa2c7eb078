package jwkscache_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestStats(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K14 state, keys, last success and error, fetches, failures, refusals", inBubble(func(t *testing.T) {
		start := time.Now()
		s := newServer(slow(time.Second, fail(500)))
		c := open(t, s, jwkscache.Config{})
		assert.Equal(t, jwkscache.Stats{State: jwkscache.Empty, Fetches: 1}, c.Stats())

		pass(time.Second)
		st := c.Stats()
		assert.ErrorContains(t, st.LastError, "500")
		st.LastError = nil
		assert.WithinRange(t, st.NextRefresh, time.Now(), time.Now().Add(time.Second), "the backoff")
		assert.Equal(t, jwkscache.Stats{State: jwkscache.Empty, Fetches: 1, Failures: 1, NextRefresh: st.NextRefresh}, st)

		s.serve(publish(a, b, key{jwk: jwk{"kty": "mystery"}}))
		require.NoError(t, c.Refresh(t.Context()))
		st = c.Stats()
		require.Len(t, st.KeyWarnings, 1)
		assert.True(t, st.LastSuccess.Equal(start.Add(time.Second)), "it is %v", st.LastSuccess)
		assert.WithinRange(t, st.NextRefresh, time.Now().Add(648*time.Second), time.Now().Add(792*time.Second), "72 to 88 % of the period")
		assert.Equal(t, jwkscache.Stats{
			NextRefresh: st.NextRefresh, State: jwkscache.Fresh, Keys: 2, KeySet: st.KeySet, KeyWarnings: st.KeyWarnings, LastSuccess: st.LastSuccess, Fetches: 2, Failures: 1, Period: 15 * minute,
		}, st)

		denies(t, c, "x") // the server says so
		denies(t, c, "x") // remembered
		denies(t, c, "y") // the server says so
		assert.Equal(t, 3, c.Stats().UnknownKeys)
		assert.Equal(t, 4, c.Stats().Fetches)
		_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: "RS256"})
		require.NoError(t, err)
		assert.Equal(t, 3, c.Stats().UnknownKeys, "a known kid is not unknown")

		require.NoError(t, c.Close())
		assert.Equal(t, jwkscache.Closed, c.Stats().State)
		assert.Equal(t, 2, c.Stats().Keys)
	}))

	t.Run("K14 fresh for the period, then stale, then expired", inBubble(func(t *testing.T) {
		s := newServer(reply(200, setOf(a), "Cache-Control", "max-age=1800"))
		c := open(t, s, jwkscache.Config{})
		s.serve(fail(500))
		pass(30 * minute)
		assert.Equal(t, 30*minute, c.Stats().Period)
		assert.Equal(t, jwkscache.Fresh, c.Stats().State)
		assert.Positive(t, c.Stats().Failures)
		pass(1)
		assert.Equal(t, jwkscache.Stale, c.Stats().State)
		pass(day - 30*minute - 2)
		assert.Equal(t, jwkscache.Stale, c.Stats().State)
		pass(1)
		assert.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K14 last success is the last good fetch", inBubble(func(t *testing.T) {
		start := time.Now()
		s := newServer(tagged(`"1"`, a))
		c := open(t, s, jwkscache.Config{})
		pass(minute)
		require.NoError(t, c.Refresh(t.Context()))
		assert.True(t, c.Stats().LastSuccess.Equal(start.Add(minute)))
		s.serve(fail(500))
		pass(minute)
		require.Error(t, c.Refresh(t.Context()))
		assert.True(t, c.Stats().LastSuccess.Equal(start.Add(minute)))
		assert.Error(t, c.Stats().LastError)
	}))

	t.Run("K14 a Static cache is fresh", inBubble(func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a, b)))
		require.NoError(t, err)
		st := c.Stats()
		assert.Equal(t, jwkscache.Stats{State: jwkscache.Fresh, Keys: 2, KeySet: st.KeySet, LastSuccess: st.LastSuccess}, st)
	}))

	t.Run("K14 warnings name their key", func(t *testing.T) {
		long := strings.Repeat("k", 300)
		c, err := jwkscache.Static([]byte(setOf(a, key{jwk: a.jwk.with("kid", "e", "use", "enc")},
			key{jwk: a.jwk.with("kid", long, "use", "other")}, key{jwk: a.jwk.with("kid", "p", "x", a.jwk["x"].(string)+"=")})))
		require.NoError(t, err)
		all := c.Stats().KeyWarnings
		require.Len(t, all, 3)
		for i := range all {
			assert.Contains(t, all[i].Text, fmt.Sprintf("key %d", i+1))
			all[i].Text = ""
		}
		assert.Equal(t, []jwkscache.KeyWarning{{KeyID: "e", Encryption: true}, {KeyID: long[:200]}, {KeyID: "p", Used: true}}, all)
	})

	t.Run("K14 the result is the caller's own", inBubble(func(t *testing.T) {
		c, err := jwkscache.Static([]byte(setOf(a, key{jwk: jwk{"kty": "mystery"}})))
		require.NoError(t, err)
		c.Stats().KeyWarnings[0].Text = "overwritten"
		assert.NotEqual(t, "overwritten", c.Stats().KeyWarnings[0].Text)
	}))
}

// A clock that is wrong makes tokens count as expired.
func TestClockDifference(t *testing.T) {
	a := newKey("a")
	dated := func(ahead time.Duration, fields ...string) responder {
		return func(r *http.Request) (*http.Response, error) {
			date := time.Now().Add(ahead).UTC().Format(http.TimeFormat)
			return reply(200, setOf(a), append(fields, "Date", date)...)(r)
		}
	}
	for _, row := range []struct {
		name string
		a    responder
		want string        // in the log; "" is nothing
		diff time.Duration // in Stats
	}{
		{"K14 none", publish(a), "", 0},
		{"K14 the same clock", dated(0), "", 0},
		{"K14 a minute", dated(time.Minute), "", time.Minute},
		{"K14 over a minute", dated(62 * time.Second), "ahead=1m2s", 62 * time.Second},
		{"K14 two minutes ahead", dated(2 * time.Minute), "ahead=2m0s", 2 * time.Minute},
		{"K14 two minutes behind", dated(-2 * time.Minute), "ahead=-2m0s", -2 * time.Minute},
		{"K14 years", dated(-10 * year), "ahead=-87600h0m0s", -10 * year},
		{"K14 from a cache", dated(-10*time.Minute, "Age", "600"), "", 0},
		{"K14 from a cache, and two minutes", dated(-12*time.Minute, "Age", "600"), "ahead=-2m0s", -2 * time.Minute},
		{"K14 no date", reply(200, setOf(a), "Date", "yesterday"), "", 0},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			j := new(journal)
			s := newServer(row.a)
			c := open(t, s, jwkscache.Config{Logger: j.logger()})
			require.Equal(t, row.diff, c.Stats().ClockDifference)
			if row.want == "" {
				require.Zero(t, j.count())
				return
			}
			pass(day)
			require.Equal(t, 1, j.count("level=WARN", "clock", row.want), "once")
			require.Equal(t, 1, j.count())
			s.serve(dated(0))
			pass(day)
			require.Equal(t, 1, j.count("level=INFO", "clock", "again"))
			assert.Equal(t, 2, j.count())
			assert.LessOrEqual(t, c.Stats().ClockDifference.Abs(), time.Second)
		}))
	}
}
