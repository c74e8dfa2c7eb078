package jwkscache_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

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
		{"K10 http by name", outer, inner, true, true},
		{"K10 loopback http, of an https issuer", outer, "http://127.0.0.1/metadata", false, false},
		{"K10 loopback http, of a loopback issuer", "http://localhost:8080", "http://127.0.0.1/metadata", false, true},
		{"K10 an issuer that is no URL", "accounts.example", "https://accounts.example/metadata", false, true},
		{"K10 an issuer with a query", outer + "?t=1", "https://login.example/metadata", false, true},
		{"K10 no issuer", "", "https://login.example/metadata", false, false},
		{"K10 no URL", outer, "login.example/metadata", false, false},
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

	t.Run("K10 the issuer in it is compared all the same", inBubble(func(t *testing.T) {
		for _, doc := range []answer{metadata(outer+"/", jwksURL), metadata("", jwksURL), reply(200, toJSON(jwk{"jwks_uri": jwksURL}))} {
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

// What waiting does not mend: two are enough for Ready to return.
func TestHopelessness(t *testing.T) {
	other, notFound, page := metadata("https://other.example", jwksURL), fail(404), reply(200, "<html></html>")
	for _, row := range []struct {
		name       string
		oidc, rfc  answer
		keys       answer
		want       int
		onlyOneURL bool
	}{
		{name: "K11 no metadata", oidc: notFound, rfc: notFound, want: 1},
		{name: "K11 no metadata any more", oidc: fail(410), rfc: notFound, want: 1},
		{name: "K11 another issuer's, and none", oidc: other, rfc: notFound, want: 2},
		{name: "K11 none, and another issuer's", oidc: notFound, rfc: other, want: 2},
		{name: "K11 another issuer's twice", oidc: other, rfc: other, want: 2},
		{name: "K11 another issuer's, and a page", oidc: other, rfc: page, want: 2},
		{name: "K11 another issuer's, and forbidden", oidc: other, rfc: fail(403), want: 2},
		{name: "K11 another issuer's, and a broken server", oidc: other, rfc: fail(503), want: 0},
		{name: "K11 another issuer's, and a busy server", oidc: other, rfc: fail(429), want: 0},
		{name: "K11 another issuer's, and no connection", oidc: other, rfc: broken(errors.New("refused")), want: 0},
		{name: "K11 none, and a broken server", oidc: notFound, rfc: fail(500), want: 0},
		{name: "K11 none, and a page", oidc: notFound, rfc: page, want: 0},
		{name: "K11 none, and a timeout", oidc: notFound, rfc: hang, want: 0},
		{name: "K11 a page twice", oidc: page, rfc: page, want: 0},
		{name: "K11 a key set that is not there", oidc: metadata(issuer, jwksURL), keys: notFound, want: 0},
		{name: "K11 MetadataURL: none", oidc: notFound, onlyOneURL: true, want: 1},
		{name: "K11 MetadataURL: another issuer's", oidc: other, onlyOneURL: true, want: 2},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(row.keys)
			s.at(oidcForm, row.oidc)
			s.at(rfcForm, row.rfc)
			cfg := configFor(s, jwkscache.Config{})
			if row.onlyOneURL {
				cfg.MetadataURL = oidcForm
			}
			f, err := jwkscache.NewFetcher(issuer, "", cfg)
			require.NoError(t, err)
			_, err = f.Fetch(false, false)
			require.Error(t, err)
			require.Equal(t, row.want, jwkscache.Permanence(err), "%v", err)
		}))
	}
	t.Run("K11 a given address that is not there may come", inBubble(func(t *testing.T) {
		f, err := jwkscache.NewFetcher("", jwksURL, configFor(newServer(notFound), jwkscache.Config{}))
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.Zero(t, jwkscache.Permanence(err))
	}))
}

// The cause names the likely mistake.
func TestMistakesInMetadataAreNamed(t *testing.T) {
	const slash, capitals = "https://login.example/t1", "https://LOGIN.example/t1/"
	for _, row := range []struct {
		name string
		doc  answer
		want []string
	}{
		{"K10 a slash too few", metadata(slash, jwksURL), []string{`is "` + slash + `", the configured one is "` + issuer + `"`, "slash at the end"}},
		{"K10 capital letters", metadata(capitals, jwksURL), []string{"capital letters"}},
		{"K10 http", metadata("http://login.example/t1/", jwksURL), []string{"one is http, the other https"}},
		{"K10 another issuer", metadata("https://other.example", jwksURL), []string{`is "https://other.example"`}},
		{"K10 a key set", reply(200, setOf(newKey("a"))), []string{"a JWK Set, not a metadata document", "configured as the issuer"}},
		{"K10 a page", reply(200, "\n<!DOCTYPE html><html></html>"), []string{"an HTML or XML page"}},
		{"K10 rubbish", reply(200, "rubbish"), []string{"not a metadata document"}},
		{"K10 a redirect", reply(301, "", "Location", "https://www.login.example/x"), []string{"301", `"https://www.login.example/x"`}},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			s := newServer(nil)
			s.at(oidcForm, row.doc)
			cfg := configFor(s, jwkscache.Config{})
			cfg.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			c, err := jwkscache.ForIssuer(issuer, cfg)
			err = opened(t, c, err).Health()
			for _, want := range append(row.want, "metadata at "+oidcForm, "404") {
				require.ErrorContains(t, err, want)
			}
			if row.name == "K10 another issuer" {
				require.NotContains(t, err.Error(), "differ")
			}
		}))
	}
}

// Whose clock is wrong is often the question when tokens count as expired.
func TestClockDifference(t *testing.T) {
	a := newKey("a")
	dated := func(ahead time.Duration, fields ...string) answer {
		return func(r *http.Request) (*http.Response, error) {
			date := time.Now().Add(ahead).UTC().Format(http.TimeFormat)
			return reply(200, setOf(a), append(fields, "Date", date)...)(r)
		}
	}
	for _, row := range []struct {
		name string
		a    answer
		want string        // in the log; "" is nothing
		diff time.Duration // in Stats
	}{
		{"K14 none", publish(a), "", 0},
		{"K14 the same clock", dated(0), "", 0},
		{"K14 a minute", dated(time.Minute), "", time.Minute},
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
