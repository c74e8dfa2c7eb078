package jwkscache_test

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const minute = time.Minute

// The time between refreshes is 80 % of the period, plus or minus 10 % of that.
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
		{name: "K2 max-age over the maximum less Age", fields: []string{"Cache-Control", "max-age=7200", "Age", "4200"}, want: 50 * minute},
		{name: "K2 Age over max-age", fields: []string{"Cache-Control", "max-age=1200", "Age", "3000"}, want: 5 * minute},
		{name: "K2 Age alone", fields: []string{"Age", "600"}, want: 15 * minute},
		{name: "K2 15 s is clamped to 5 min", fields: []string{"Cache-Control", "max-age=15"}, want: 5 * minute},
		{name: "K2 max-age 0", fields: []string{"Cache-Control", "max-age=0"}, want: 5 * minute},
		{name: "K2 exactly the minimum", fields: []string{"Cache-Control", "max-age=300"}, want: 5 * minute},
		{name: "K2 30 days is clamped to 1 h", fields: []string{"Cache-Control", "max-age=2592000"}, want: 60 * minute},
		{name: "K2 exactly the maximum", fields: []string{"Cache-Control", "max-age=3600"}, want: 60 * minute},
		{name: "K2 max-age of 20 digits (RFC 9111 §1.2.2)", fields: []string{"Cache-Control", "max-age=99999999999999999999"}, want: 60 * minute},
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

// Values that are not numbers are ignored.
func TestHeaderValues(t *testing.T) {
	assert.Equal(t, time.Hour, jwkscache.CachePeriod(http.Header{"Cache-Control": {"max-age=7200"}, "Age": {"10"}}), "K2")
	for _, value := range []string{"max-age", "max-age=", "max-age=soon", "max-age=-1", "max-age=1.5"} {
		assert.Equal(t, 15*minute, jwkscache.CachePeriod(http.Header{"Cache-Control": {value}}), "K2 %s", value)
		assert.Equal(t, 20*minute, jwkscache.CachePeriod(http.Header{"Cache-Control": {"max-age=1200", value}}), "K2 %s", value)
	}
	for age, want := range map[string]time.Duration{"99999999999999999999": 5 * minute, "-1": time.Hour, "a word": time.Hour} {
		assert.Equal(t, want, jwkscache.CachePeriod(http.Header{"Cache-Control": {"max-age=18446744073709551615"}, "Age": {age}}), "K2 Age %s", age)
	}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, value := range []string{"", "0", "-5", "soon", now.Format(http.TimeFormat), now.Add(-time.Hour).Format(http.TimeFormat)} {
		assert.Zero(t, jwkscache.ParseRetryAfter(value, now), "K3 %q", value)
	}
}

// Whatever the headers say, the times stay within our bounds.
func FuzzCachePeriod(f *testing.F) {
	for _, seed := range [][3]string{
		{"", "", ""}, {"max-age=900", "100", "120"}, {"no-cache", "", "Sat, 01 Jan 2000 00:01:30 GMT"}, {"no-store", "", "Fri, 31 Dec 1999 23:59:59 GMT"},
		{`public, max-age="3600"`, "-1", "-1"}, {"max-age=99999999999999999999", "99999999999999999999", "99999999999999999999"},
		{"max-age=18446744073709551615", "4294967295", "4294967295"}, {"max-age=1e9,,=,max-age", "x", "Friday, 31-Dec-99 23:59:59 GMT"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, cacheControl, age, retryAfter string) {
		period := jwkscache.CachePeriod(http.Header{"Cache-Control": {cacheControl}, "Age": {age}})
		assert.GreaterOrEqual(t, period, 5*minute)
		assert.LessOrEqual(t, period, time.Hour)
		wait := jwkscache.ParseRetryAfter(retryAfter, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
		assert.GreaterOrEqual(t, wait, time.Duration(0))
		assert.LessOrEqual(t, wait, 5*minute)
	})
}

// An intermediate cache may send an old response.
func TestAge(t *testing.T) {
	a := newKey("a")
	for _, row := range []struct {
		name string
		ages []string
		want time.Duration
	}{
		{"K4 none", nil, 0},
		{"K4 in seconds", []string{"90"}, 90 * time.Second},
		{"K4 white space around it", []string{" 90\t"}, 90 * time.Second},
		{"K4 several: the largest", []string{"90", "100", "30"}, 100 * time.Second},
		{"K4 several in one field", []string{"90, 100,30"}, 100 * time.Second},
		{"K4 a word beside a number", []string{"x, 100", "-1"}, 100 * time.Second},
		{"K4 negative is not a number", []string{"-3600"}, 0},
		{"K4 a word is not a number", []string{"an hour"}, 0},
		{"K4 a fraction is not a number", []string{"90.5"}, 0},
		{"K4 hexadecimal is not a number", []string{"0x5a"}, 0},
		{"K4 with a sign", []string{"+90"}, 0},
		{"K4 empty", []string{""}, 0},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			fields := []string{}
			for _, age := range row.ages {
				fields = append(fields, "Age", age)
			}
			s := newServer(reply(200, setOf(a), fields...))
			c := open(t, s, jwkscache.Config{})
			s.serve(fail(500))
			pass(day - row.want - 1)
			serves(t, c, a)
			require.Equal(t, jwkscache.Stale, c.Stats().State)
			pass(1)
			require.Error(t, c.Health(), "counted from when the response was made")
			require.Equal(t, jwkscache.Expired, c.Stats().State)
		}))
	}

	for _, age := range []string{"86400", "86401", "4294967296", "99999999999999999999"} {
		t.Run("K4 a response that is MaxStale old is a failure: Age "+age, inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			c := open(t, s, jwkscache.Config{})
			s.serve(reply(200, setOf(a), "Age", age))
			require.ErrorContains(t, c.Refresh(t.Context()), "Age")
			pass(day)
			require.Error(t, c.Health())
			s.serve(reply(200, setOf(a), "Age", "86399"))
			require.ErrorContains(t, c.Refresh(t.Context()), "23h59m59s old")
			serves(t, c, a)
		}))
	}

	for age, ok := range map[time.Duration]bool{0: true, 5 * time.Second: true, 6 * time.Second: false, time.Hour: false} {
		t.Run("K4 a response to Refresh that is over 5 s old is an error that names the age: "+age.String(), inBubble(func(t *testing.T) {
			s := newServer(publish(newKey("old")))
			c := open(t, s, jwkscache.Config{})
			s.serve(reply(200, setOf(a), "Age", strconv.Itoa(int(age.Seconds()))))
			err := c.Refresh(t.Context())
			serves(t, c, a)
			if ok {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, age.String())
			require.NotErrorIs(t, err, jwkscache.ErrUnavailable, "there are keys")
		}))
	}

	t.Run("K4 K9 a redirect from an intermediate cache has an age, too", inBubble(func(t *testing.T) {
		const moved = "https://issuer.example/moved"
		s := newServer(reply(http.StatusFound, "", "Age", "3600", "Location", moved))
		s.at(moved, publish(a))
		c := open(t, s, jwkscache.Config{}) // configFor's client follows redirects
		serves(t, c, a)
		require.ErrorContains(t, c.Refresh(t.Context()), "1h0m0s old")
		s.at(moved, reply(200, setOf(a), "Age", "7200"))
		require.ErrorContains(t, c.Refresh(t.Context()), "2h0m0s old")
		s.at(moved, publish(a))
		require.ErrorContains(t, c.Refresh(t.Context()), "1h0m0s old")
		s.serve(fail(500))
		s.at(moved, fail(500))
		pass(23*time.Hour - 1)
		require.NoError(t, c.Health())
		pass(1)
		require.Error(t, c.Health())
	}))

	t.Run("K4 the time that the response took is subtracted, too (RFC 9111 §4.2.3)", inBubble(func(t *testing.T) {
		s := newServer(slow(4*time.Second, reply(200, setOf(a), "Age", "60")))
		c := open(t, s, jwkscache.Config{})
		pass(4 * time.Second)
		s.serve(fail(500))
		pass(day - minute - 4*time.Second - 1)
		serves(t, c, a)
		pass(1)
		require.Error(t, c.Health())
	}))

	t.Run("K4 by both clocks", inBubble(func(t *testing.T) {
		s := newServer(reply(200, setOf(a), "Age", "3600"))
		c, step := openSkewed(t, s, jwkscache.Config{})
		s.serve(fail(500))
		step(23*time.Hour - 1)
		require.NoError(t, c.Health())
		step(1)
		require.Error(t, c.Health())
		step(-year)
		pass(23*time.Hour - 1)
		require.NoError(t, c.Health())
		pass(1)
		require.Error(t, c.Health())
	}))

	t.Run("K4 the next refresh comes before the keys are too old", inBubble(func(t *testing.T) {
		s := newServer(reply(200, setOf(a), "Age", "86200", "Cache-Control", "max-age=3600"))
		c := open(t, s, jwkscache.Config{})
		for range 4 * 360 { // for 4 hours
			require.NoError(t, c.Health())
			pass(minute / 6)
		}
		require.Equal(t, jwkscache.Fresh, c.Stats().State)
		require.Less(t, s.fetches(), 110, "200 s were left each time")
	}))

	t.Run("K4 responses that are nearly too old do not cause a flood of fetches", inBubble(func(t *testing.T) {
		s := newServer(reply(200, setOf(a), "Age", "86399"))
		open(t, s, jwkscache.Config{})
		pass(time.Hour)
		require.LessOrEqual(t, s.fetches(), 465, "about every 8 seconds")
	}))

	t.Run("K4 the largest age of the responses counts", inBubble(func(t *testing.T) {
		s := newServer(reply(200, setOf(a), "Age", "7"))
		s.at(oidcForm, reply(200, toJSON(map[string]any{"issuer": issuer, "jwks_uri": jwksURL}), "Age", "9"))
		f, err := jwkscache.NewFetcher(issuer, "", configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		for _, row := range []struct {
			rediscover bool
			want       time.Duration
		}{{false, 9}, {false, 7}, {true, 9}} {
			age, err := f.Fetch(false, row.rediscover)
			require.NoError(t, err)
			require.Equal(t, row.want*time.Second, age)
		}
	}))
}
