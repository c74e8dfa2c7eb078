package jwkscache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// An address that was found by discovery is believed for MaxStale after the last
// good metadata, and so are the keys there.
func TestDiscoveredAddressEnds(t *testing.T) {
	a, b, foreign := newKey("a"), newKey("b"), newKey("foreign")
	broken := map[string]answer{
		"answers 503":               fail(503),
		"answers 404":               fail(404),
		"hangs":                     hang,
		"names another issuer":      metadata("https://evil.example", movedURL),
		"has an address for no one": metadata(issuer, "http://evil.example"),
		"is MaxStale old":           reply(200, toJSON(jwk{"issuer": issuer, "jwks_uri": movedURL}), "Age", "86400"),
	}
	for name, bad := range broken {
		t.Run("K10 a known jwks_uri outlives metadata that "+name+", for MaxStale", inBubble(func(t *testing.T) {
			s := newIssuer(publish(a))
			s.at(movedURL, publish(b))
			c := openIssuer(t, s, issuer, jwkscache.Config{})
			s.at(oidcForm, bad)
			pass(day - 1)
			require.Zero(t, c.Stats().Failures)
			serves(t, c, a)
			asked := len(s.requests(oidcForm))
			require.GreaterOrEqual(t, asked, 18, "about every hour")
			require.LessOrEqual(t, asked, 48, "and more often towards the end")
			pass(1)
			require.Equal(t, jwkscache.Expired, c.Stats().State)
			fetches := s.fetches()
			pass(day)
			require.Error(t, c.Health())
			require.Equal(t, fetches, s.fetches(), "the address is not fetched any more")
			s.at(oidcForm, metadata(issuer, jwksURL))
			pass(2 * minute)
			serves(t, c, a)
		}))
	}

	t.Run("K10 one bad answer moves jwks_uri, and then metadata fails for ever", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		s.at(movedURL, publish(foreign))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.at(oidcForm, func(r *http.Request) (*http.Response, error) {
			s.at(oidcForm, fail(503))
			return metadata(issuer, movedURL)(r)
		})
		for len(s.requests(movedURL)) == 0 {
			pass(minute)
		}
		moved := s.requests(oidcForm)[1].at
		pass(time.Until(moved.Add(day - 1)))
		serves(t, c, foreign)
		fetches := len(s.requests(movedURL))
		pass(1)
		_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "foreign", Algorithm: "ES256"})
		require.ErrorIs(t, err, jwkscache.ErrUnavailable)
		pass(2 * day)
		require.Len(t, s.requests(movedURL), fetches)
		require.Error(t, c.Health())
	}))

	t.Run("K10 one bad answer, and metadata heals", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		s.at(movedURL, publish(foreign))
		f, err := jwkscache.NewFetcher(issuer, "", configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		s.at(oidcForm, metadata(issuer, movedURL))
		fetch := func(noCache, rediscover bool) {
			_, err := f.Fetch(noCache, rediscover)
			require.NoError(t, err)
		}
		fetch(false, false)
		serves(t, f.Cache, foreign)
		s.at(oidcForm, metadata(issuer, jwksURL))
		fetch(true, false)
		serves(t, f.Cache, foreign)
		fetch(true, true)
		serves(t, f.Cache, a)

		s.at(oidcForm, metadata(issuer, movedURL))
		fetch(true, true)
		s.at(oidcForm, metadata(issuer, jwksURL))
		pass(time.Hour)
		fetch(false, false)
		serves(t, f.Cache, a)
	}))

	t.Run("K10 counted from when the metadata was made", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		s.at(oidcForm, reply(200, toJSON(jwk{"issuer": issuer, "jwks_uri": jwksURL}), "Age", "43200"))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.at(oidcForm, fail(503))
		pass(12*time.Hour - 1)
		serves(t, c, a)
		pass(1)
		require.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K10 the keys' own time is not longer for it", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.serve(fail(503))
		pass(day - 1)
		serves(t, c, a)
		pass(1)
		require.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K10 an outage of metadata and keys is outlived for 22 hours at least, whenever it begins", inBubble(func(t *testing.T) {
		for i := range 5 {
			s := newIssuer(publish(a))
			c := openIssuer(t, s, issuer, jwkscache.Config{})
			pass(day + time.Duration(i)*13*minute)
			serves(t, c, a)
			s.serve(fail(503, "Retry-After", "300"))
			s.at(oidcForm, fail(503, "Retry-After", "300"))
			pass(22 * time.Hour)
			serves(t, c, a)
			require.NoError(t, c.Close())
		}
	}))

	t.Run("K4 K10 Refresh is an error where only the metadata fails, and the keys are new all the same", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.at(oidcForm, fail(503))
		s.serve(publish(b))
		require.ErrorContains(t, c.Refresh(t.Context()), "503")
		serves(t, c, b)
		require.NoError(t, c.Health())
		s.at(oidcForm, metadata(issuer, jwksURL))
		require.NoError(t, c.Refresh(t.Context()))
	}))

	t.Run("K10 and the log says which end it was", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newIssuer(publish(a))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		s.at(oidcForm, fail(503))
		pass(day)
		require.Equal(t, 1, j.count("level=WARN", "too old to be used", "metadata at", "503"))
	}))
}

func TestMetadataIsLogged(t *testing.T) {
	t.Run("K10 a WARN of its own when metadata breaks, and one line when it heals", inBubble(func(t *testing.T) {
		j, a := new(journal), newKey("a")
		s := newIssuer(publish(a))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		for i := 1; i <= 3; i++ {
			s.at(oidcForm, fail(503))
			pass(12 * time.Hour)
			require.Equal(t, i, j.count("level=WARN", "metadata", "503", "issuer="+issuer, "jwks_uri="+jwksURL, "until="))
			require.Equal(t, 2*i-1, j.count())
			s.at(oidcForm, metadata(issuer, jwksURL))
			pass(12 * time.Hour)
			require.Equal(t, i, j.count("level=INFO", "metadata", "again"))
			require.Equal(t, 2*i, j.count())
		}
	}))

	t.Run("K10 the end of the address is a failure like any", inBubble(func(t *testing.T) {
		j, a := new(journal), newKey("a")
		s := newIssuer(publish(a))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		s.at(oidcForm, fail(503))
		pass(3 * day)
		require.Equal(t, 1, j.count("level=WARN", "metadata fails"))
		require.Equal(t, 1, j.count("level=WARN", "fetching the issuer's keys fails", "503"))
		s.at(oidcForm, metadata(issuer, jwksURL))
		pass(2 * minute)
		require.Equal(t, 1, j.count("level=INFO", "metadata", "again"))
		require.Equal(t, 1, j.count("level=INFO", "keys works again"))
	}))

	t.Run("K10 no line of its own where no address is in use", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newServer(publish(newKey("a")))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		pass(time.Hour)
		require.Equal(t, 1, j.count())
		require.Equal(t, 1, j.count("level=WARN", "fetching the issuer's keys fails"))
		s.at(oidcForm, metadata(issuer, jwksURL))
		pass(2 * minute)
		assert.Equal(t, 2, j.count())
	}))
}
