package jwkscache_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Whatever a document says, what is served from it is fit to verify with.
func FuzzParseKeySet(f *testing.F) {
	const (
		ed = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"e"}`                                                  // RFC 8037 A.2
		ec = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"sig"}` // RFC 7515 A.3
	)
	for _, doc := range []string{
		rawSet(ed), rawSet(ec, ed), rawSet(rsaOf(2048, 65537).String()), rawSet(rsaOf(2048, 3).with("kid", 7).String()),
		rawSet(ed, ed), rawSet(ec, `{"kty":"oct","k":"AQ"}`), rawSet(`{"kty":"EC"}`, "null", "7", "[]"),
		`{"keys":[]}`, `{}`, `null`, `[]`, ``, ed, rawSet(ed) + "x", rawSet(ed)[:40], `{"keys":[],"keys":[` + ed + `]}`,
		`{"keys":[` + strings.Repeat("[", 20_000), "\ufeff" + rawSet(ed), "{\"\xff\":1,\"keys\":[" + ec + "]}",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, err := jwkscache.Static(doc)
		if err != nil {
			require.Nil(t, c)
			return
		}
		var set map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(bytes.TrimPrefix(doc, []byte("\ufeff")), &set), "a set is a JSON object")
		var members []json.RawMessage
		require.NoError(t, json.Unmarshal(set["keys"], &members))
		st := c.Stats()
		require.LessOrEqual(t, st.Keys, len(members))
		require.LessOrEqual(t, len(members), 256)
		require.Positive(t, st.Keys)

		served := 0
		for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"} {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: alg})
			require.NoError(t, err)
			served += len(keys)
			for _, k := range keys {
				switch k := k.(type) {
				case *rsa.PublicKey:
					require.Contains(t, []string{"RS", "PS"}, alg[:2])
					require.True(t, k.N.BitLen() >= 2048 && k.N.BitLen() <= 8192 && k.E >= 65537 && k.E%2 == 1)
				case *ecdsa.PublicKey:
					require.Equal(t, map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg], k.Curve.Params().Name)
					_, err := k.ECDH()
					require.NoError(t, err, "on its curve")
				case ed25519.PublicKey:
					require.Contains(t, []string{"EdDSA", "Ed25519"}, alg)
					require.NoError(t, jose.CheckEd25519(k))
				default:
					require.Fail(t, "unknown kind of key", "%T", k)
				}
			}
		}
		require.GreaterOrEqual(t, served, st.Keys)
		for _, alg := range []string{"", "none", "HS256"} {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{Algorithm: alg})
			require.NoError(t, err)
			require.Empty(t, keys)
		}
	})
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
