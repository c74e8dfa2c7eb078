package jwkscache_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Which addresses keys may come from.
func TestAddresses(t *testing.T) {
	for _, row := range []struct {
		name, url            string
		plain, withAllowHTTP bool
	}{
		{"K9 https", "https://keys.example/jwks", true, true},
		{"K9 https with port and query", "https://keys.example:8443/jwks?v=2", true, true},
		{"K9 https in capitals", "HTTPS://keys.example/jwks", true, true},
		{"K9 http", "http://keys.example/jwks", false, true},
		{"K9 http in the cluster", "http://auth.default.svc:8080/jwks", false, true},
		{"K9 http to a private address", "http://10.0.0.1/jwks", false, true},
		{"K9 http to localhost", "http://localhost:8080/jwks", true, true},
		{"K9 http to LOCALHOST", "http://LOCALHOST/jwks", true, true},
		{"K9 http to 127.0.0.1", "http://127.0.0.1:8080/jwks", true, true},
		{"K9 http to 127.1.2.3", "http://127.1.2.3/jwks", true, true},
		{"K9 http to ::1", "http://[::1]:8080/jwks", true, true},
		{"K9 http to what begins like loopback", "http://127.0.0.1.keys.example/jwks", false, true},
		{"K9 http to what begins like localhost", "http://localhost.keys.example/jwks", false, true},
		{"K9 http to what ends like localhost", "http://notlocalhost/jwks", false, true},
		{"K9 http to 0.0.0.0", "http://0.0.0.0/jwks", false, true},
		{"K9 with a password", "https://user:secret@keys.example/jwks", false, false},
		{"K9 with a user", "http://user@localhost/jwks", false, false},
		{"K9 with a fragment", "https://keys.example/jwks#a", false, false},
		{"K9 with an @ that names no user", "https://keys.example/@tenant/jwks", true, true},
		{"K9 without host", "https:///jwks", false, false},
		{"K9 opaque", "https:keys.example", false, false},
		{"K9 without scheme", "keys.example/jwks", false, false},
		{"K9 only a scheme-relative address", "//keys.example/jwks", false, false},
		{"K9 a file", "file:///etc/jwks.json", false, false},
		{"K9 another scheme", "ftp://localhost/jwks", false, false},
		{"K9 nothing", "", false, false},
		{"K9 not a URL", "https://keys.example/%zz", false, false},
		{"K9 a control character", "https://keys.example/\njwks", false, false},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			for _, allowHTTP := range []bool{false, true} {
				want := row.plain
				if allowHTTP {
					want = row.withAllowHTTP
				}
				s := newServer(nil)
				cfg := configFor(s, jwkscache.Config{AllowHTTP: allowHTTP})
				c, err := jwkscache.ForURL(row.url, cfg)
				if assert.Equal(t, want, err == nil, "ForURL: %v", err) && err == nil {
					require.NoError(t, c.Close())
				}

				_, err = jwkscache.ParseMetadata([]byte(toJSON(map[string]any{
					"issuer": "http://localhost/", "jwks_uri": row.url,
				})), "http://localhost/", allowHTTP)
				assert.Equal(t, want, err == nil, "jwks_uri: %v", err)
			}
		}))
	}

	for _, row := range []struct {
		name, issuer string
		good         bool
	}{
		{"K10 an issuer", "https://login.example", true},
		{"K10 an issuer with path and slash", "https://login.example/t1/", true},
		{"K10 an issuer on loopback", "http://127.0.0.1:8080", true},
		{"K10 an issuer over http", "http://login.example", false},
		{"K10 an issuer with a query", "https://login.example/?t=1", false},
		{"K10 an issuer with an empty query", "https://login.example/?", false},
		{"K10 an issuer with a fragment", "https://login.example/#t", false},
		{"K10 an issuer with an empty fragment", "https://login.example/#", false},
		{"K10 an issuer with a user", "https://u@login.example/", false},
		{"K10 an issuer that is its metadata's address", "https://login.example/.well-known/openid-configuration", false},
		{"K10 no issuer", "", false},
		{"K10 an issuer that is not a URL", "accounts.example", false},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			c, err := jwkscache.ForIssuer(row.issuer, configFor(newServer(nil), jwkscache.Config{}))
			if assert.Equal(t, row.good, err == nil, "%v", err) && err == nil {
				require.NoError(t, c.Close())
			}
		}))
	}

	t.Run("K9 a password is not repeated in the error", func(t *testing.T) {
		for _, url := range []string{
			"https://user:secret@keys.example/jwks", "http://user:secret@keys.example/jwks", "https://user:secret@keys.example/%zz",
		} {
			_, err := jwkscache.ForURL(url, jwkscache.Config{})
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
			_, err = jwkscache.ForIssuer(url+"?t=1", jwkscache.Config{})
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
		}
	})

	t.Run("K9 an address that is refused is named", func(t *testing.T) {
		for _, url := range []string{"https://keys.example/%zz", "http://keys.example/jwks", "https:///jwks"} {
			_, err := jwkscache.ForURL(url, jwkscache.Config{})
			require.ErrorContains(t, err, `"`+url+`"`)
		}
		_, err := jwkscache.ForIssuer("", jwkscache.Config{})
		require.ErrorContains(t, err, "no issuer")
	})

	t.Run("K10 a hostile document does not fill the log", func(t *testing.T) {
		long := strings.Repeat("x", 400<<10)
		for _, doc := range []map[string]any{
			{"issuer": long, "jwks_uri": jwksURL},
			{"issuer": issuer, "jwks_uri": long},
			{"issuer": issuer, "jwks_uri": "http://" + long},
			{"issuer": issuer, "jwks_uri": "https://u@" + long},
			{"issuer": issuer, "jwks_uri": "%" + long},
		} {
			_, err := jwkscache.ParseMetadata([]byte(toJSON(doc)), issuer, false)
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 1000)
		}
	})

	for _, row := range []struct {
		name, issuer, uri    string
		plain, withAllowHTTP bool
	}{
		{"K10 jwks_uri of an https issuer", "https://login.example", "https://keys.example/jwks", true, true},
		{"K10 jwks_uri of an https issuer, http", "https://login.example", "http://login.example/jwks", false, true},
		{"K10 jwks_uri of an https issuer, loopback", "https://login.example", "http://127.0.0.1/jwks", false, true},
		{"K10 jwks_uri of an https issuer, HTTPS in capitals", "https://login.example", "HTTPS://keys.example/jwks", true, true},
		{"K10 jwks_uri of an issuer with HTTPS in capitals, loopback", "HTTPS://login.example", "http://127.0.0.1/jwks", false, true},
		{"K10 jwks_uri of a loopback issuer, loopback", "http://127.0.0.1:8080", "http://127.0.0.1:8080/jwks", true, true},
		{"K10 jwks_uri of a loopback issuer, https", "http://127.0.0.1:8080", "https://keys.example/jwks", true, true},
		{"K10 jwks_uri of an http issuer, http", "http://login.example", "http://login.example/jwks", false, true},
		{"K10 jwks_uri of a loopback issuer, http", "http://127.0.0.1:8080", "http://keys.example/jwks", false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			doc := []byte(toJSON(map[string]any{"issuer": row.issuer, "jwks_uri": row.uri}))
			for allowHTTP, want := range map[bool]bool{false: row.plain, true: row.withAllowHTTP} {
				uri, err := jwkscache.ParseMetadata(doc, row.issuer, allowHTTP)
				if assert.Equal(t, want, err == nil, "AllowHTTP %v: %v", allowHTTP, err) && want {
					assert.Equal(t, row.uri, uri)
				}
			}
		})
	}
}

// Addresses of an authorization server that are not its issuer.
func TestAddressesThatAreNotIssuers(t *testing.T) {
	for address, what := range map[string]string{
		"https://login.example/.well-known/openid-configuration":              "an issuer's metadata",
		"https://login.example/.well-known/oauth-authorization-server/t1":     "an issuer's metadata",
		"https://login.example/.well-known/jwks.json":                         "a key set",
		"https://login.example/jwks":                                          "a key set",
		"https://login.example/t1/discovery/v2.0/keys":                        "a key set",
		"https://login.example/realms/r/protocol/openid-connect/certs":        "a key set",
		"https://login.example/realms/r/protocol/openid-connect/token":        "an endpoint",
		"https://login.example/oauth2/authorize":                              "an endpoint",
		"https://login.example/" + strings.Repeat("x", 1000) + "/oauth/token": "an endpoint",
	} {
		t.Run("K10 "+what, func(t *testing.T) {
			_, err := jwkscache.ForIssuer(address, jwkscache.Config{})
			require.ErrorContains(t, err, "looks like the address of "+what)
			require.ErrorContains(t, err, "the issuer is the value of iss in tokens")
			require.Less(t, len(err.Error()), 500)
			c, err := jwkscache.ForIssuer(address, jwkscache.Config{MetadataURL: "https://login.example/metadata"})
			require.NoError(t, err, "if that really is the issuer")
			require.NoError(t, c.Close())
		})
	}
	for _, issuer := range []string{
		"https://token.actions.githubusercontent.com", "https://login.example/keystone", "https://login.example/tokens/v2", "https://keys.example",
	} {
		c, err := jwkscache.ForIssuer(issuer, jwkscache.Config{})
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
}
