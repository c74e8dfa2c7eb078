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

// metadata answers with a document of issuer that points to jwksURI.
func metadata(issuer, jwksURI string) answer {
	return reply(http.StatusOK, toJSON(map[string]any{"issuer": issuer, "jwks_uri": jwksURI}))
}

// newIssuer returns a server with metadata in the OpenID Connect place.
func newIssuer(keys answer) *server {
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
		for _, first := range []answer{
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

func TestIssuerMatch(t *testing.T) {
	a := newKey("a")
	for _, row := range []struct {
		name, doc string
		good      bool
	}{
		{"K10 byte for byte", `{"issuer":"https://login.example/t1/","jwks_uri":"` + jwksURL + `"}`, true},
		{"K10 the same bytes, escaped", `{"issuer":"https:\/\/login.example\/t1\u002f","jwks_uri":"` + jwksURL + `"}`, true},
		{"K10 other members do not matter", `{"x":1,"x":[{}],"y":"` + "\xff" + `","issuer":"https://login.example/t1/","jwks_uri":"` + jwksURL + `"}`, true},
		{"K10 without the slash", `{"issuer":"https://login.example/t1","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 with another slash", `{"issuer":"https://login.example/t1//","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 another host", `{"issuer":"https://evil.example/t1/","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 a host in capitals", `{"issuer":"https://LOGIN.example/t1/","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 http", `{"issuer":"http://login.example/t1/","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 the default port", `{"issuer":"https://login.example:443/t1/","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 percent-encoded", `{"issuer":"https://login.example/%741/","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 white space around", `{"issuer":"https://login.example/t1/ ","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 in an array", `{"issuer":["https://login.example/t1/"],"jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 null", `{"issuer":null,"jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 missing", `{"jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 another name", `{"Issuer":"https://login.example/t1/","jwks_uri":"` + jwksURL + `"}`, false},
		{"K10 no jwks_uri", `{"issuer":"https://login.example/t1/"}`, false},
		{"K10 jwks_uri null", `{"issuer":"https://login.example/t1/","jwks_uri":null}`, false},
		{"K10 jwks_uri a number", `{"issuer":"https://login.example/t1/","jwks_uri":7}`, false},
		{"K10 jwks_uri under another name", `{"issuer":"https://login.example/t1/","JWKS_URI":"` + jwksURL + `"}`, false},
		{"K10 trailing rubbish", `{"issuer":"https://login.example/t1/","jwks_uri":"` + jwksURL + `"}{}`, false},
		{"K10 truncated", `{"issuer":"https://login.example/t1/","jwks_uri":"` + jwksURL + `"`, false},
		{"K10 after a byte order mark", "\ufeff" + `{"issuer":"https://login.example/t1/","jwks_uri":"` + jwksURL + `"}`, true},
		{"K10 HTML", `<html></html>`, false},
		{"K10 an array", `["https://login.example/t1/"]`, false},
		{"K10 null instead of a document", `null`, false},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			s.at(oidcForm, reply(200, row.doc))
			c := openIssuer(t, s, issuer, jwkscache.Config{})
			if row.good {
				serves(t, c, a)
				return
			}
			require.Zero(t, s.fetches())
			cannotTell(t, c, "a")
		}))
	}

	t.Run("K10 the slash at the end is pointed out", inBubble(func(t *testing.T) {
		s := newServer(nil)
		s.at(oidcForm, metadata("https://login.example/t1", jwksURL))
		require.ErrorContains(t, openIssuer(t, s, issuer, jwkscache.Config{}).Health(), "slash")
		s.at(oidcForm, metadata("https://login.example/t2", jwksURL))
		require.NotContains(t, openIssuer(t, s, issuer, jwkscache.Config{}).Health().Error(), "slash")
	}))

	t.Run("K7 metadata is bounded like keys: status, size, time", inBubble(func(t *testing.T) {
		for _, doc := range []answer{
			reply(201, toJSON(map[string]any{"issuer": issuer, "jwks_uri": jwksURL})),
			reply(304, ""),
			reply(200, toJSON(map[string]any{"issuer": issuer, "jwks_uri": jwksURL, "x": make([]byte, 512<<10)})),
			slow(10*time.Second+1, metadata(issuer, jwksURL)),
		} {
			s := newServer(publish(a))
			s.at(oidcForm, doc)
			openIssuer(t, s, issuer, jwkscache.Config{})
			pass(11 * time.Second)
			require.Zero(t, s.fetches())
		}
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

	t.Run("K4 K10 rerun by Refresh, past caches in between", inBubble(func(t *testing.T) {
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
			require.NoError(t, c.Refresh(t.Context()))
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
