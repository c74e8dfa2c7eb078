package jwkscache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const (
	issuer   = "https://login.example/t1/"
	oidcForm = "https://login.example/t1/.well-known/openid-configuration"
	rfcForm  = "https://login.example/.well-known/oauth-authorization-server/t1"
	movedURL = "https://keys.example/moved"
)

// metadata responds with metadata of issuer that has jwksURI.
func metadata(issuer, jwksURI string) responder {
	return reply(http.StatusOK, toJSON(map[string]any{"issuer": issuer, "jwks_uri": jwksURI}))
}

// newIssuer returns a server with metadata in the OpenID Connect place.
func newIssuer(keys responder) *server {
	s := newServer(keys)
	s.at(oidcForm, metadata(issuer, jwksURL))
	return s
}

func TestWellKnownPlaces(t *testing.T) {
	for _, row := range []struct{ name, issuer, oidc, rfc8414 string }{
		{"K10 without path", "https://login.example",
			"https://login.example/.well-known/openid-configuration",
			"https://login.example/.well-known/oauth-authorization-server"},
		{"K10 only a slash", "https://login.example/",
			"https://login.example/.well-known/openid-configuration",
			"https://login.example/.well-known/oauth-authorization-server"},
		{"K10 with a path", "https://login.example/t1",
			"https://login.example/t1/.well-known/openid-configuration",
			"https://login.example/.well-known/oauth-authorization-server/t1"},
		{"K10 with a path and a slash at the end", "https://login.example/t1/",
			"https://login.example/t1/.well-known/openid-configuration",
			"https://login.example/.well-known/oauth-authorization-server/t1"},
		{"K10 with port, long path and escapes", "https://login.example:8443/a/b%2Fc/%7Ed",
			"https://login.example:8443/a/b%2Fc/%7Ed/.well-known/openid-configuration",
			"https://login.example:8443/.well-known/oauth-authorization-server/a/b%2Fc/%7Ed"},
	} {
		t.Run(row.name+": OpenID Connect first, then RFC 8414", inBubble(func(t *testing.T) {
			s := newServer(nil)
			c := openIssuer(t, s, row.issuer, jwkscache.Config{})
			require.Equal(t, []string{row.oidc, row.rfc8414}, s.urls())
			err := cannotTell(t, c, "a")
			require.ErrorContains(t, err, row.oidc)
			require.ErrorContains(t, err, row.rfc8414)
		}))

		for place, found := range map[string][]string{
			row.oidc:    {row.oidc, jwksURL},
			row.rfc8414: {row.oidc, row.rfc8414, jwksURL},
		} {
			t.Run(row.name+": found at "+place, inBubble(func(t *testing.T) {
				a := newKey("a")
				s := newServer(publish(a))
				s.at(place, metadata(row.issuer, jwksURL))
				c := openIssuer(t, s, row.issuer, jwkscache.Config{})
				serves(t, c, a)
				require.Equal(t, found, s.urls())
			}))
		}
	}

	t.Run("K10 a foreign document in the first place does not hide the second", inBubble(func(t *testing.T) {
		a := newKey("a")
		for _, first := range []responder{
			metadata("https://other.example", jwksURL), metadata(issuer, "http://issuer.example/jwks"),
			reply(http.StatusOK, "<html></html>"), reply(http.StatusOK, ""), hang,
		} {
			s := newServer(publish(a))
			s.at(oidcForm, first)
			s.at(rfcForm, metadata(issuer, jwksURL))
			c := openIssuer(t, s, issuer, jwkscache.Config{})
			pass(10 * time.Second)
			serves(t, c, a)
		}
	}))
}

func TestIssuerOverHTTP(t *testing.T) {
	t.Run("K10 AllowHTTP is for metadata and keys", inBubble(func(t *testing.T) {
		const inCluster = "http://auth.default.svc"
		a := newKey("a")
		s := newServer(nil)
		s.at(inCluster+"/.well-known/openid-configuration", metadata(inCluster, inCluster+"/jwks"))
		s.at(inCluster+"/jwks", publish(a))
		_, err := jwkscache.ForIssuer(inCluster, configFor(s, jwkscache.Config{}))
		require.Error(t, err)
		serves(t, openIssuer(t, s, inCluster, jwkscache.Config{AllowHTTP: true}), a)
	}))
}

func TestRediscovery(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	asked := func(s *server) int { return len(s.requests(oidcForm)) }

	t.Run("K10 rerun with the first refresh after an hour", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		openIssuer(t, s, issuer, jwkscache.Config{})
		pass(time.Hour - 1)
		require.Equal(t, 1, asked(s))
		pass(15 * minute)
		require.Equal(t, 2, asked(s))
		pass(day)
		require.InDelta(t, 22, asked(s), 4)
	}))

	t.Run("K4 K10 rerun by Refresh, past intermediate caches", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.at(oidcForm, metadata(issuer, movedURL))
		s.at(movedURL, publish(b))
		require.NoError(t, c.Refresh(t.Context()))
		serves(t, c, b)
		require.Equal(t, 2, asked(s))
		assert.Equal(t, "no-cache", s.requests(oidcForm)[1].header.Get("Cache-Control"))
		assert.Equal(t, "no-cache", s.requests(movedURL)[0].header.Get("Cache-Control"))
	}))

	t.Run("K5 not rerun for a missing key", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		denies(t, c, "x")
		require.Equal(t, 2, s.fetches())
		require.Equal(t, 1, asked(s))
	}))

	t.Run("K10 rerun sooner where MaxStale is short", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{MaxStale: 20 * minute})
		for range 24 * 60 {
			pass(minute)
			serves(t, c, a)
		}
	}))

	t.Run("K10 however seldom the keys are refreshed", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{Refresh: 7 * day})
		for range 24 * 10 {
			pass(time.Hour)
			serves(t, c, a)
		}
	}))

	t.Run("K10 a move is noticed", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.at(oidcForm, metadata(issuer, movedURL))
		s.at(movedURL, publish(b))
		pass(time.Hour - 1)
		serves(t, c, a)
		pass(15 * minute)
		serves(t, c, b)
	}))

	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		t.Run("K10 rerun on "+http.StatusText(status), inBubble(func(t *testing.T) {
			s := newIssuer(tagged(`"1"`, a))
			c := openIssuer(t, s, issuer, jwkscache.Config{})
			s.serve(fail(status))
			s.at(oidcForm, metadata(issuer, movedURL))
			s.at(movedURL, tagged(`"1"`, b))
			pass(15 * minute) // the metadata is not due yet
			serves(t, c, b)
			require.Empty(t, s.requests(movedURL)[0].header.Get("If-None-Match"), "K4")
			require.Zero(t, c.Stats().Failures)
		}))
	}

	t.Run("K10 not rerun on other failures", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.serve(fail(400))
		pass(14 * minute)
		for _, status := range []int{400, 401, 403, 405, 429, 500, 503} {
			s.serve(fail(status))
			pass(2 * minute)
			require.Error(t, c.Stats().LastError)
		}
		require.Equal(t, 1, asked(s))
	}))

	t.Run("K10 a 404 while discovery fails does not lose the address", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.serve(fail(404))
		s.at(oidcForm, fail(503, "Retry-After", "100"))
		s.at(rfcForm, fail(503))
		err := c.Refresh(t.Context())
		require.ErrorContains(t, err, "404", "what is wrong with the keys")
		require.ErrorContains(t, err, "503", "and with the metadata")
		serves(t, c, a)
		s.serve(publish(a, b)) // the keys are back before the metadata
		pass(100*time.Second - 1)
		require.Equal(t, 2, s.fetches(), "K3 Retry-After")
		pass(1)
		serves(t, c, b)
	}))

	t.Run("K10 a 404 that discovery cannot explain is a failure", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.serve(fail(404))
		require.ErrorContains(t, c.Refresh(t.Context()), "404")
		serves(t, c, a)
		require.LessOrEqual(t, s.fetches(), 3)
		require.Equal(t, 2, asked(s))
	}))

	t.Run("K10 a given address has no discovery", inBubble(func(t *testing.T) {
		s := newServer(fail(404))
		open(t, s, jwkscache.Config{})
		pass(day)
		for _, url := range s.urls() {
			require.Equal(t, jwksURL, url)
		}
	}))
}

// An address that was found by discovery is used for MaxStale after the last
// good metadata, and so are the keys there.
func TestDiscoveredAddressEnds(t *testing.T) {
	a, b, foreign := newKey("a"), newKey("b"), newKey("foreign")
	broken := map[string]responder{
		"is 503":                   fail(503),
		"is 404":                   fail(404),
		"hangs":                    hang,
		"names another issuer":     metadata("https://evil.example", movedURL),
		"has a forbidden jwks_uri": metadata(issuer, "http://evil.example"),
		"is MaxStale old":          reply(200, toJSON(jwk{"issuer": issuer, "jwks_uri": movedURL}), "Age", "86400"),
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

	t.Run("K10 one forged response moves jwks_uri, and then metadata keeps failing", inBubble(func(t *testing.T) {
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

	t.Run("K10 one forged response moves jwks_uri, and then metadata works again", inBubble(func(t *testing.T) {
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

	t.Run("K10 good metadata does not prolong MaxStale of the keys", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		s.serve(fail(503))
		pass(day - 1)
		serves(t, c, a)
		pass(1)
		require.Equal(t, jwkscache.Expired, c.Stats().State)
	}))

	t.Run("K10 an outage of metadata and keys is outlived for 22 hours at least, whenever that begins", inBubble(func(t *testing.T) {
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

	t.Run("K4 K10 Refresh brings new keys and is an error where only the metadata fails", inBubble(func(t *testing.T) {
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

	t.Run("K10 the log has the metadata as the reason", inBubble(func(t *testing.T) {
		j := new(journal)
		s := newIssuer(publish(a))
		openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		s.at(oidcForm, fail(503))
		pass(day)
		require.Equal(t, 1, j.count("level=WARN", "too old to be used", "metadata at", "503"))
	}))
}
