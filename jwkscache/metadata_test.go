package jwkscache_test

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

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
		{"K10 trailing bytes", `{"issuer":"https://login.example/t1/","jwks_uri":"` + jwksURL + `"}{}`, false},
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
		for _, doc := range []responder{
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

func TestMetadataURL(t *testing.T) {
	a := newKey("a")
	const inner = "http://keycloak.svc:8080/realms/r/.well-known/openid-configuration"
	const outer = "https://login.example/realms/r"

	for _, row := range []struct {
		name, issuer, url string
		allowHTTP, good   bool
	}{
		{"K10 https", outer, "https://other.example/x?policy=p", false, true},
		{"K10 http", outer, inner, false, false},
		{"K10 http with AllowHTTP", outer, inner, true, true},
		{"K10 loopback http, of an https issuer", outer, "http://127.0.0.1/metadata", false, false},
		{"K10 loopback http, of a loopback issuer", "http://localhost:8080", "http://127.0.0.1/metadata", false, true},
		{"K10 an issuer that is not a URL", "accounts.example", "https://accounts.example/metadata", false, true},
		{"K10 an issuer with a query", outer + "?t=1", "https://login.example/metadata", false, true},
		{"K10 no issuer", "", "https://login.example/metadata", false, false},
		{"K10 not a URL", outer, "login.example/metadata", false, false},
		{"K10 a URL with a user", outer, "https://u:secret@login.example/metadata", false, false},
		{"K10 a URL with a fragment", outer, "https://login.example/metadata#a", false, false},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(publish(a))
			s.at(row.url, metadata(row.issuer, jwksURL))
			c, err := jwkscache.ForIssuer(row.issuer, configFor(s, jwkscache.Config{MetadataURL: row.url, AllowHTTP: row.allowHTTP}))
			require.Equal(t, row.good, err == nil, "%v", err)
			if !row.good {
				require.NotContains(t, err.Error(), "secret")
				return
			}
			serves(t, opened(t, c, err), a)
			require.Equal(t, []string{row.url, jwksURL}, s.urls(), "and nowhere else")
		}))
	}

	t.Run("K10 the issuer in it is compared nevertheless", inBubble(func(t *testing.T) {
		for _, doc := range []responder{metadata(outer+"/", jwksURL), metadata("", jwksURL), reply(200, toJSON(jwk{"jwks_uri": jwksURL}))} {
			s := newServer(publish(a))
			s.at(inner, doc)
			c := openIssuer(t, s, outer, jwkscache.Config{MetadataURL: inner, AllowHTTP: true})
			require.ErrorContains(t, c.Health(), "configured one is")
			require.Zero(t, s.fetches())
		}
	}))

	t.Run("K10 metadata by https does not lead to http", inBubble(func(t *testing.T) {
		const url = "https://login.example/metadata"
		for _, keys := range []string{"http://127.0.0.1/jwks", "http://keys.example/jwks"} {
			s := newServer(nil)
			s.at(url, metadata("accounts.example", keys))
			s.at(keys, publish(a))
			c := openIssuer(t, s, "accounts.example", jwkscache.Config{MetadataURL: url})
			require.ErrorContains(t, c.Health(), "https")
			require.Empty(t, s.requests(keys))
		}
	}))

	t.Run("K10 it is rediscovered there", inBubble(func(t *testing.T) {
		b := newKey("b")
		s := newServer(publish(a))
		s.at(inner, metadata(outer, jwksURL))
		c := openIssuer(t, s, outer, jwkscache.Config{MetadataURL: inner, AllowHTTP: true})
		s.at(inner, metadata(outer, movedURL))
		s.at(movedURL, publish(b))
		s.serve(fail(404))
		require.NoError(t, c.Refresh(t.Context()))
		serves(t, c, b)
	}))

	t.Run("K10 it has no meaning for a given address", func(t *testing.T) {
		_, err := jwkscache.ForURL(jwksURL, jwkscache.Config{MetadataURL: "https://login.example/metadata"})
		require.ErrorContains(t, err, "MetadataURL")
	})
}

// The cause names the likely mistake.
func TestMistakesInMetadataAreNamed(t *testing.T) {
	const slash, capitals = "https://login.example/t1", "https://LOGIN.example/t1/"
	for _, row := range []struct {
		name string
		doc  responder
		want []string
		no   string // what the error does not have
	}{
		{"K10 a slash too few", metadata(slash, jwksURL), []string{`is "` + slash + `", the configured one is "` + issuer + `"`, "slash at the end"}, ""},
		{"K10 capital letters", metadata(capitals, jwksURL), []string{"capital letters"}, ""},
		{"K10 http", metadata("http://login.example/t1/", jwksURL), []string{"one is http, the other https"}, ""},
		{"K10 another issuer", metadata("https://other.example", jwksURL), []string{`is "https://other.example"`}, "differ"},
		{"K10 a key set", reply(200, setOf(newKey("a"))), []string{"a JWK Set, not a metadata document", "configured as the issuer"}, ""},
		{"K10 a page", reply(200, "\n<!DOCTYPE html><html></html>"), []string{"an HTML or XML page"}, ""},
		{"K10 a word", reply(200, "word"), []string{"not a metadata document"}, ""},
		{"K10 a redirect", reply(301, "", "Location", "https://www.login.example/x"), []string{"301", `"https://www.login.example/x"`}, ""},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(nil)
			s.at(oidcForm, row.doc)
			cfg := configFor(s, jwkscache.Config{})
			cfg.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			c, err := jwkscache.ForIssuer(issuer, cfg)
			err = opened(t, c, err).Health()
			for _, want := range append(row.want, "metadata at "+oidcForm, "; metadata at "+rfcForm, "404") {
				require.ErrorContains(t, err, want)
			}
			if row.no != "" {
				require.NotContains(t, err.Error(), row.no)
			}
		}))
	}
}

// Whatever the metadata says, keys come from an address that is allowed.
func FuzzParseMetadata(f *testing.F) {
	for _, uri := range []string{
		jwksURL, "http://127.0.0.1/jwks", "http://keys.example/jwks", "HTTP://LOCALHOST/", "https://u:p@keys.example/", "//keys.example",
		"https:keys.example", "https://keys.example/#", "file:///etc/passwd", "http://[::1%25lo]/", "",
	} {
		for _, issuer := range []string{"https://login.example/", "http://localhost/"} {
			f.Add([]byte(toJSON(map[string]string{"issuer": issuer, "jwks_uri": uri})), issuer, false)
		}
	}
	f.Add([]byte(`{"issuer":"https:\/\/login.example","jwks_uri":"http://keys.example/jwks"}`), "https://login.example", true)
	f.Add([]byte(`{"issuer":"http://login.example","jwks_uri":"http://keys.example/jwks"}`), "http://login.example", true)
	f.Add([]byte(`{"issuer":"HTTPS://login.example","jwks_uri":"HTTPS://keys.example/jwks"}`), "HTTPS://login.example", false)
	f.Fuzz(func(t *testing.T, doc []byte, issuer string, allowHTTP bool) {
		uri, err := jwkscache.ParseMetadata(doc, issuer, allowHTTP)
		if err != nil {
			require.Empty(t, uri)
			return
		}
		u, err := url.Parse(uri)
		require.NoError(t, err)
		require.NotEmpty(t, u.Host)
		require.Nil(t, u.User)
		require.Empty(t, u.Fragment)
		if u.Scheme == "https" || u.Scheme == "http" && allowHTTP {
			return
		}
		require.Equal(t, "http", u.Scheme)
		require.False(t, len(issuer) >= 6 && strings.EqualFold(issuer[:6], "https:"), "a step down from https")
		ip := net.ParseIP(u.Hostname())
		require.True(t, strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback(), uri)
	})
}
