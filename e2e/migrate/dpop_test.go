package migrate

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A dpopCase is a request, GET /orders if nothing changes that.
type dpopCase struct {
	name string
	// change changes a good request, whose proof has these header members and claims.
	change func(c *dpopRequest)
	want   int // of jwtguard
}

type dpopRequest struct {
	iss            *verifiertest.Issuer
	key            *verifiertest.DPoPKey
	scheme, token  string
	target, host   string
	method         string
	typ, alg, more string // members of the header, and of jwk
	claims         verifiertest.Claims
	fields, sends  int
	header         http.Header
}

func (c *dpopRequest) proof() string {
	whole := c.key.Proof("GET", audience+"/orders", c.token, c.claims)
	if c.typ == "" && c.alg == "" && c.more == "" {
		return whole
	}
	parts := strings.Split(whole, ".")
	header := strings.Replace(decoded(parts[0]), `"typ":"dpop+jwt"`, `"typ":"`+cmp.Or(c.typ, "dpop+jwt")+`"`, 1)
	header = strings.Replace(header, `"alg":"ES256"`, `"alg":"`+cmp.Or(c.alg, "ES256")+`"`, 1)
	header = strings.Replace(header, `"jwk":{`, `"jwk":{`+c.more, 1)
	return c.key.Sign(header, decoded(parts[1]))
}

func decoded(segment string) string {
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		panic(err)
	}
	return string(text)
}

var dpopCases = []dpopCase{
	{"good", func(*dpopRequest) {}, 200},
	{"a query in the request", func(c *dpopRequest) { c.target = "/orders?page=1" }, 200},
	{"a query in htu", func(c *dpopRequest) { c.claims["htu"] = audience + "/orders?page=1" }, 200},
	{"a fragment in htu", func(c *dpopRequest) { c.claims["htu"] = audience + "/orders#top" }, 200},
	{"htu with the default port", func(c *dpopRequest) { c.claims["htu"] = "https://api.example.com:443/orders" }, 200},
	{"htu with the host in upper case", func(c *dpopRequest) { c.claims["htu"] = "https://API.example.com/orders" }, 200},
	{"htu with dot segments", func(c *dpopRequest) { c.claims["htu"] = audience + "/a/../orders" }, 200},
	{"htu with the escape of a letter", func(c *dpopRequest) { c.claims["htu"] = audience + "/%6Frders" }, 200},
	{"an escaped slash in both", func(c *dpopRequest) { c.target, c.claims["htu"] = "/a%2Fb", audience+"/a%2Fb" }, 200},
	{"the scheme in lower case", func(c *dpopRequest) { c.scheme = "dpop" }, 200},
	{"unknown members of cnf beside jkt", func(c *dpopRequest) {
		c.token = c.iss.DPoPToken(c.key, verifiertest.Claims{"cnf": map[string]any{"kc-jkt-type": "DPoP"}})
	}, 200},
	{"typ JWT", func(c *dpopRequest) { c.typ = "JWT" }, 401},
	{"alg none", func(c *dpopRequest) { c.alg = "none" }, 401},
	{"alg HS256", func(c *dpopRequest) { c.alg = "HS256" }, 401},
	{"a private member in jwk", func(c *dpopRequest) { c.more = `"d":"` + strings.Repeat("A", 42) + `E",` }, 401},
	{"two DPoP fields", func(c *dpopRequest) { c.fields = 2 }, 401},
	{"no DPoP field", func(c *dpopRequest) { c.fields = 0 }, 401},
	{"htm in lower case", func(c *dpopRequest) { c.claims["htm"] = "get" }, 401},
	{"htm of another method", func(c *dpopRequest) { c.claims["htm"] = "POST" }, 401},
	{"htu with another port", func(c *dpopRequest) { c.claims["htu"] = "https://api.example.com:8443/orders" }, 401},
	{"htu with another path", func(c *dpopRequest) { c.claims["htu"] = audience + "/other" }, 401},
	{"htu with another host", func(c *dpopRequest) { c.claims["htu"] = "https://evil.example/orders" }, 401},
	{"htu with http", func(c *dpopRequest) { c.claims["htu"] = "http://api.example.com/orders" }, 401},
	{"a slash for an escaped one", func(c *dpopRequest) { c.target, c.claims["htu"] = "/a%2Fb", audience+"/a/b" }, 401},
	{"the proof of another API, with its Host", func(c *dpopRequest) { c.host, c.claims["htu"] = "evil.example", "https://evil.example/orders" }, 401},
	{"the same, forwarded by a stranger", func(c *dpopRequest) {
		c.claims["htu"], c.header["X-Forwarded-Host"] = "https://evil.example/orders", []string{"evil.example"}
	}, 401},
	{"no ath", func(c *dpopRequest) { c.claims["ath"] = nil }, 401},
	{"ath of another token", func(c *dpopRequest) { c.claims["ath"] = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" }, 401},
	{"another key", func(c *dpopRequest) { c.key = verifiertest.NewDPoPKey() }, 401},
	{"made two minutes ago", func(c *dpopRequest) { c.claims["iat"] = time.Now().Add(-2 * time.Minute) }, 401},
	{"made ten minutes ago", func(c *dpopRequest) { c.claims["iat"] = time.Now().Add(-10 * time.Minute) }, 401},
	{"made in a minute", func(c *dpopRequest) { c.claims["iat"] = time.Now().Add(time.Minute) }, 401},
	{"no jti", func(c *dpopRequest) { c.claims["jti"] = nil }, 401},
	{"the same request again", func(c *dpopRequest) { c.sends = 2 }, 401},
	{"a bound token as Bearer, with its proof", func(c *dpopRequest) { c.scheme = "Bearer" }, 401},
	{"a bound token as Bearer, without", func(c *dpopRequest) { c.scheme, c.fields = "Bearer", 0 }, 401},
	{"a token that is not bound, as DPoP", func(c *dpopRequest) { c.token = c.iss.Token(nil) }, 401},
	{"bound to a certificate, as Bearer, without one", func(c *dpopRequest) {
		c.scheme, c.fields, c.token = "Bearer", 0, c.iss.CertificateToken(verifiertest.NewCertificate(), nil)
	}, 401},
}

// How jwtguard and the best-known Go library with DPoP answer, as docs/reliability.md
// shows. Neither has settings but its address.
func TestDPoP(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	orders := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	proofs, err := dpop.New(dpop.Config{Origins: []string{audience}})
	require.NoError(t, err)
	v, err := verifier.Settings{Bindings: []verifier.Binding{proofs}}.New(iss.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	ours := httpauth.Protect(v)(orders)

	issuerURL, err := url.Parse(iss.URL())
	require.NoError(t, err)
	keys, err := jwks.NewCachingProvider(jwks.WithIssuerURL(issuerURL), jwks.WithCustomClient(iss.HTTPClient()))
	require.NoError(t, err)
	check, err := validator.New(validator.WithKeyFunc(keys.KeyFunc), validator.WithAlgorithm(validator.ES256), validator.WithIssuer(iss.URL()), validator.WithAudience(audience))
	require.NoError(t, err)
	mw, err := jwtmiddleware.New(jwtmiddleware.WithValidator(check))
	require.NoError(t, err)
	theirs := mw.CheckJWT(orders)

	var table strings.Builder
	table.WriteString("| request | jwtguard | auth0 |\n|---|---|---|\n")
	for _, row := range dpopCases {
		send := func(h http.Handler) int {
			key := verifiertest.NewDPoPKey()
			c := &dpopRequest{
				iss: iss, key: key, scheme: "DPoP", token: iss.DPoPToken(key, nil), target: "/orders", host: "api.example.com",
				method: "GET", claims: verifiertest.Claims{}, fields: 1, sends: 1, header: http.Header{},
			}
			row.change(c)
			r := httptest.NewRequest(c.method, "https://api.example.com"+c.target, nil)
			r.RequestURI, r.Host = c.target, c.host
			maps.Copy(r.Header, c.header)
			r.Header.Set("Authorization", c.scheme+" "+c.token)
			proof := c.proof()
			for range c.fields {
				r.Header.Add("DPoP", proof)
			}
			status := 0
			for range c.sends {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				status = w.Code
			}
			return status
		}
		got, peer := send(ours), send(theirs)
		assert.Equal(t, row.want, got, "B2 %s", row.name)
		fmt.Fprintf(&table, "| %s | %d | %d |\n", row.name, got, peer)
	}
	page, err := os.ReadFile("../../docs/reliability.md")
	require.NoError(t, err)
	assert.Contains(t, string(page), table.String(), "the table in docs/reliability.md is now:\n%s", &table)
}
