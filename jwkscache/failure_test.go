package jwkscache_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Failures that waiting does not end: a weight of 2 is enough for Ready to return.
func TestPermanence(t *testing.T) {
	other, notFound, page := metadata("https://other.example", jwksURL), fail(404), reply(200, "<html></html>")
	for _, row := range []struct {
		name       string
		oidc, rfc  responder
		keys       responder
		want       int
		onlyOneURL bool
	}{
		{name: "K11 no metadata", oidc: notFound, rfc: notFound, want: 1},
		{name: "K11 metadata gone", oidc: fail(410), rfc: notFound, want: 1},
		{name: "K11 another issuer's, and none", oidc: other, rfc: notFound, want: 2},
		{name: "K11 none, and another issuer's", oidc: notFound, rfc: other, want: 2},
		{name: "K11 another issuer's twice", oidc: other, rfc: other, want: 2},
		{name: "K11 another issuer's, and a page", oidc: other, rfc: page, want: 2},
		{name: "K11 another issuer's, and forbidden", oidc: other, rfc: fail(403), want: 2},
		{name: "K11 another issuer's, and a broken server", oidc: other, rfc: fail(500), want: 0},
		{name: "K11 another issuer's, and a busy server", oidc: other, rfc: fail(429), want: 0},
		{name: "K11 another issuer's, and no connection", oidc: other, rfc: broken(errors.New("refused")), want: 0},
		{name: "K11 another issuer's, and a server's time-out", oidc: other, rfc: fail(408), want: 0},
		{name: "K11 another issuer's, and a conflict", oidc: other, rfc: fail(409), want: 2},
		{name: "K11 another issuer's, and a status below 500", oidc: other, rfc: fail(499), want: 2},
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
	t.Run("K11 a key set that is not at the given address", inBubble(func(t *testing.T) {
		f, err := jwkscache.NewFetcher("", jwksURL, configFor(newServer(notFound), jwkscache.Config{}))
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.Zero(t, jwkscache.Permanence(err))
	}))
}
