package adapters

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// An oddServer publishes whatever it is told to, as servers in the wild do.
type oddServer struct {
	*httptest.Server
	path     string                 // of the issuer
	metadata string                 // where its metadata is
	keys     atomic.Pointer[string] // joined by commas
}

func (s *oddServer) publish(jwks ...string) {
	all := strings.Join(jwks, ",")
	s.keys.Store(&all)
}

func newOddServer(t *testing.T, path, metadata string) *oddServer {
	s := &oddServer{path: path, metadata: metadata}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case s.metadata:
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, s.issuer(), s.URL+"/keys")
		case "/keys":
			_, _ = fmt.Fprintf(w, `{"keys":[%s]}`, *s.keys.Load())
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *oddServer) issuer() string { return s.URL + s.path }

// token returns a token with claims.
func token(t *testing.T, k *jwttest.Signer, header string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	return k.Sign(header, string(payload))
}

func claimsFor(s *oddServer, more map[string]any) map[string]any {
	claims := map[string]any{"iss": s.issuer(), "aud": conformance.OrdersAPI, "sub": "shop", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range more {
		claims[name] = value
	}
	return claims
}

// status calls a protected route.
func status(t *testing.T, v *verifier.Verifier, token string, rules ...verifier.Rule) int {
	t.Helper()
	h := httpauth.Protect(v, rules...)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return conformance.Send(h, "", "/", token, nil).Code
}

func verifierFor(t *testing.T, s *oddServer, change func(*verifier.Config)) *verifier.Verifier {
	t.Helper()
	cfg := verifier.Config{Issuer: s.issuer(), Audiences: []string{conformance.OrdersAPI}}
	if change != nil {
		change(&cfg)
	}
	v, err := verifier.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// Where the kid is missing on either side, and alg, use and typ with it, a
// rotated key is still accepted at first use.
func TestServersWithoutKid(t *testing.T) {
	for name, header := range map[string]string{
		"neither has a kid":  `{"alg":"ES256"}`,
		"only tokens have":   `{"alg":"ES256","kid":"1"}`,
		"an empty kid":       `{"alg":"ES256","kid":""}`,
		"kids that say more": `{"alg":"ES256","kid":"2026/11","typ":"JWT"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newOddServer(t, "", "/.well-known/openid-configuration")
			old, renewed := jwttest.NewSigner("ES256"), jwttest.NewSigner("ES256")
			s.publish(old.JWK(jwttest.Members{"kid": ""}))
			v := verifierFor(t, s, nil)
			first := token(t, old, header, claimsFor(s, nil))
			assert.Equal(t, 200, status(t, v, first))
			s.publish(renewed.JWK(jwttest.Members{"kid": ""}))
			assert.Equal(t, 200, status(t, v, token(t, renewed, header, claimsFor(s, nil))), "the rotated key's first token")
			assert.Equal(t, 401, status(t, v, first), "the withdrawn key's token")
		})
	}
}

// Beside keys that cannot be used, or that no one should publish, the good ones
// work.
func TestServersWithOddKeys(t *testing.T) {
	s := newOddServer(t, "", "/.well-known/openid-configuration")
	good := jwttest.NewSigner("ES256")
	s.publish(
		`{"kty":"AKP","alg":"ML-DSA-44","kid":"pq","pub":"AAAA"}`,
		`{"kty":"EC","crv":"secp256k1","kid":"k1","x":"AA","y":"AA"}`,
		`{"kty":"oct","kid":"s","k":"c2VjcmV0"}`,
		`{"kty":"RSA","kid":"weak","n":"sXch","e":"AQAB"}`,
		`"no key at all"`,
		jwttest.NewSigner("ES256").JWK(jwttest.Members{"kid": `"enc"`, "use": `"enc"`}),
		good.JWK(jwttest.Members{"kid": `"good"`, "use": `"sig"`, "x5c": `"not an array"`, "x5t": "1", "ext": "true", "vendor": `{"a":[1]}`}),
	)
	v := verifierFor(t, s, nil)
	assert.Equal(t, 200, status(t, v, token(t, good, `{"alg":"ES256","kid":"good"}`, claimsFor(s, nil))))
}

func TestServersWithOddClaims(t *testing.T) {
	rows := map[string]struct {
		claims map[string]any
		change func(*verifier.Config)
		rules  []verifier.Rule
		want   int
	}{
		"no scope":                   {want: 200},
		"scope null":                 {claims: map[string]any{"scope": nil}, want: 200},
		"no scope, but demanded":     {rules: []verifier.Rule{verifier.Scope("a")}, want: 403},
		"scp array":                  {claims: map[string]any{"scp": []string{"b", "a"}}, rules: []verifier.Rule{verifier.Scope("a", "b")}, want: 200},
		"scope array":                {claims: map[string]any{"scope": []string{"a"}}, rules: []verifier.Rule{verifier.Scope("a")}, want: 200},
		"empty scope, scp beside it": {claims: map[string]any{"scope": "", "scp": "a b"}, rules: []verifier.Rule{verifier.Scope("b")}, want: 200},
		"empty aud":                  {claims: map[string]any{"aud": ""}, want: 401},
		"empty aud, any audience": {claims: map[string]any{"aud": "", "azp": "shop"}, want: 200, change: func(c *verifier.Config) {
			c.Audiences, c.AnyAudience, c.Rules = nil, true, []verifier.Rule{verifier.Client("shop")}
		}},
		"empty aud, any audience, another client": {claims: map[string]any{"aud": "", "azp": "other"}, want: 403, change: func(c *verifier.Config) {
			c.Audiences, c.AnyAudience, c.Rules = nil, true, []verifier.Rule{verifier.Client("shop")}
		}},
		"exp with a fraction": {claims: map[string]any{"exp": float64(time.Now().Unix()) + 100.5}, want: 200},
		"cid and scp (Okta)": {claims: map[string]any{"cid": "shop", "scp": []string{"a"}}, want: 200, rules: []verifier.Rule{verifier.Client("shop"), verifier.ClientCredentials()},
			change: func(c *verifier.Config) { c.Claims.ClientID = []string{"cid"} }},
	}
	s := newOddServer(t, "", "/.well-known/openid-configuration")
	k := jwttest.NewSigner("ES256")
	s.publish(k.JWK(jwttest.Members{"kid": ""}))
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			raw := token(t, k, `{"alg":"ES256"}`, claimsFor(s, row.claims))
			assert.Equal(t, row.want, status(t, verifierFor(t, s, row.change), raw, row.rules...))
		})
	}
}

func TestServersMetadataPlaces(t *testing.T) {
	for name, place := range map[string][2]string{
		"OpenID Connect, slash at the end": {"/", "/.well-known/openid-configuration"},
		"OpenID Connect, path":             {"/realms/a", "/realms/a/.well-known/openid-configuration"},
		"RFC 8414":                         {"", "/.well-known/oauth-authorization-server"},
		"RFC 8414, path":                   {"/tenant/a", "/.well-known/oauth-authorization-server/tenant/a"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newOddServer(t, place[0], place[1])
			k := jwttest.NewSigner("ES256")
			s.publish(k.JWK(jwttest.Members{"kid": ""}))
			assert.Equal(t, 200, status(t, verifierFor(t, s, nil), token(t, k, `{"alg":"ES256"}`, claimsFor(s, nil))))
		})
	}
}

// RFC 9864's name for EdDSA with Ed25519, on either side.
func TestServersThatSayEd25519(t *testing.T) {
	k := jwttest.NewSigner("Ed25519")
	for _, jwkAlg := range []string{"EdDSA", "Ed25519"} {
		for _, alg := range []string{"EdDSA", "Ed25519"} {
			s := newOddServer(t, "", "/.well-known/openid-configuration")
			s.publish(k.JWK(jwttest.Members{"kid": `"1"`, "alg": `"` + jwkAlg + `"`}))
			raw := token(t, k, `{"alg":"`+alg+`","kid":"1"}`, claimsFor(s, nil))
			assert.Equal(t, 200, status(t, verifierFor(t, s, nil), raw), "%s by a key for %s", alg, jwkAlg)
		}
	}
}
