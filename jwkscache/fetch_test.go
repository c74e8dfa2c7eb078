package jwkscache_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// confirms answers 304 to whoever brings a validator (RFC 9110 §13.1.2), and
// otherwise as first does.
func confirms(first answer) answer {
	return func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
			return reply(http.StatusNotModified, "")(r)
		}
		return first(r)
	}
}

// Only a full answer is believed, and what it says ends.
func TestNoConditionalRequests(t *testing.T) {
	a, foreign := newKey("a"), newKey("foreign")
	own := tagged(`"honest"`, a)

	for name, bad := range map[string]answer{
		"ETag: *":                     reply(200, setOf(a, foreign), "ETag", "*"),
		"the honest server's ETag":    reply(200, setOf(a, foreign), "ETag", `"honest"`),
		"a Last-Modified ahead of us": reply(200, setOf(a, foreign), "Last-Modified", "Fri, 31 Dec 2100 23:59:59 GMT"),
	} {
		t.Run("K4 one answer with a foreign key and "+name+" ends", inBubble(func(t *testing.T) {
			s := newServer(bad)
			c := open(t, s, jwkscache.Config{Refresh: 2 * time.Hour})
			serves(t, c, foreign)
			s.serve(confirms(own))
			pass(2 * time.Hour)
			denies(t, c, "foreign")
			pass(30 * day)
			denies(t, c, "foreign")
			serves(t, c, a)
			for _, r := range s.requests(jwksURL) {
				require.NotContains(t, r.header, "If-None-Match")
				require.NotContains(t, r.header, "If-Modified-Since")
			}
		}))
	}

	t.Run("K4 an ETag of 9 KiB does no harm", inBubble(func(t *testing.T) {
		long := `"` + strings.Repeat("e", 9<<10) + `"`
		s := newServer(func(r *http.Request) (*http.Response, error) {
			if size := len(toJSON(r.Header)); size > 8<<10 {
				return reply(http.StatusRequestHeaderFieldsTooLarge, "")(r)
			}
			return reply(200, setOf(a), "ETag", long)(r)
		})
		c := open(t, s, jwkscache.Config{Refresh: 2 * time.Hour})
		pass(30 * day)
		serves(t, c, a)
		assert.Zero(t, c.Stats().Failures)
	}))

	t.Run("K4 304 is a failure, at the start and later", inBubble(func(t *testing.T) {
		s := newServer(reply(http.StatusNotModified, "", "ETag", "*"))
		c := open(t, s, jwkscache.Config{})
		require.Equal(t, jwkscache.Empty, c.Stats().State)
		require.ErrorContains(t, c.Health(), "304")
		s.serve(reply(200, setOf(a), "ETag", "*"))
		require.NoError(t, c.Refresh(t.Context()))
		s.serve(reply(http.StatusNotModified, "", "ETag", "*"))
		require.ErrorContains(t, c.Refresh(t.Context()), "304")
		pass(day - 1)
		serves(t, c, a)
		pass(1)
		require.ErrorContains(t, c.Health(), "304")
	}))
}

// A cache in between may answer with what was made long ago.
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
		{"K4 rubbish beside a number", []string{"x, 100", "-1"}, 100 * time.Second},
		{"K4 negative is no number", []string{"-3600"}, 0},
		{"K4 rubbish is no number", []string{"an hour"}, 0},
		{"K4 a fraction is no number", []string{"90.5"}, 0},
		{"K4 hexadecimal is no number", []string{"0x5a"}, 0},
		{"K4 with a sign", []string{"+90"}, 0},
		{"K4 empty", []string{""}, 0},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			answered := []string{}
			for _, age := range row.ages {
				answered = append(answered, "Age", age)
			}
			s := newServer(reply(200, setOf(a), answered...))
			c := open(t, s, jwkscache.Config{})
			s.serve(fail(500))
			pass(day - row.want - 1)
			serves(t, c, a)
			require.Equal(t, jwkscache.Stale, c.Stats().State)
			pass(1)
			require.Error(t, c.Health(), "counted from when the answer was made")
			require.Equal(t, jwkscache.Expired, c.Stats().State)
		}))
	}

	for _, age := range []string{"86400", "86401", "4294967296", "99999999999999999999"} {
		t.Run("K4 an answer that is MaxStale old is a failure: Age "+age, inBubble(func(t *testing.T) {
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
		t.Run("K4 an answer to Refresh that is over 5 s old is an error that names the age: "+age.String(), inBubble(func(t *testing.T) {
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

	t.Run("K4 K9 a redirect that a cache in between kept has an age, too", inBubble(func(t *testing.T) {
		const moved = "https://issuer.example/moved"
		s := newServer(reply(http.StatusFound, "", "Age", "3600", "Location", moved))
		s.at(moved, publish(a))
		c := open(t, s, jwkscache.Config{}) // configFor's client follows redirects
		serves(t, c, a)
		require.ErrorContains(t, c.Refresh(t.Context()), "1h0m0s old")
		s.serve(fail(500))
		s.at(moved, fail(500))
		pass(23*time.Hour - 1)
		require.NoError(t, c.Health())
		pass(1)
		require.Error(t, c.Health())
	}))

	t.Run("K4 the time that the answer took is taken off, too (RFC 9111 §4.2.3)", inBubble(func(t *testing.T) {
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

	t.Run("K4 answers that are nearly too old cannot make us ask at any rate", inBubble(func(t *testing.T) {
		s := newServer(reply(200, setOf(a), "Age", "86399"))
		open(t, s, jwkscache.Config{})
		pass(time.Hour)
		require.LessOrEqual(t, s.fetches(), 9*60)
	}))

	t.Run("K4 the largest age of what was asked is kept", inBubble(func(t *testing.T) {
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

func TestFetchMode(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K9 no-cache is said in every request, or in none", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		s.at(rfcForm, metadata(issuer, jwksURL))
		for _, noCache := range []bool{true, false} {
			f, err := jwkscache.NewFetcher(issuer, "", configFor(s, jwkscache.Config{}))
			require.NoError(t, err)
			_, err = f.Fetch(noCache, false)
			require.NoError(t, err)
		}
		require.Equal(t, []string{oidcForm, rfcForm, jwksURL, oidcForm, rfcForm, jwksURL}, s.urls())
		for _, url := range []string{oidcForm, rfcForm, jwksURL} {
			got := s.requests(url)
			require.Equal(t, []string{"no-cache"}, got[0].header["Cache-Control"], url)
			require.NotContains(t, got[1].header, "Cache-Control", url)
		}
	}))

	t.Run("K9 and on every hop of a redirect", inBubble(func(t *testing.T) {
		s := newServer(reply(http.StatusFound, "", "Location", movedURL))
		s.at(movedURL, publish(a))
		f, err := jwkscache.NewFetcher("", jwksURL, configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		_, err = f.Fetch(true, false)
		require.NoError(t, err)
		require.Equal(t, "no-cache", s.requests(movedURL)[0].header.Get("Cache-Control"))
	}))

	t.Run("K10 rediscovery on demand", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		f, err := jwkscache.NewFetcher(issuer, "", configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.NoError(t, err)
		s.at(oidcForm, metadata(issuer, movedURL))
		s.at(movedURL, publish(b))
		_, err = f.Fetch(true, false)
		require.NoError(t, err)
		serves(t, f.Cache, a)
		_, err = f.Fetch(true, true)
		require.NoError(t, err)
		serves(t, f.Cache, b)
		require.Equal(t, []string{oidcForm, jwksURL, jwksURL, oidcForm, movedURL}, s.urls())
	}))
}
