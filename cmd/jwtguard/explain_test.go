package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

// An explained is an issuer with a token, and files with its keys.
type explained struct {
	*authserver.Server
	issuer, token   string
	jwks, enc, pem  string // files
	empty, metadata string
	requests        *atomic.Int32
}

func newExplained(t *testing.T) *explained {
	t.Helper()
	x := &explained{requests: new(atomic.Int32)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.requests.Add(1)
		x.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	var err error
	x.issuer = web.URL
	x.Server, err = authserver.New(web.URL, "ES256")
	require.NoError(t, err)
	x.token = x.sign(t, map[string]any{"scope": "orders:read", "email": "jane@example.com"})

	set := x.get("/jwks.json")
	x.jwks = file(t, "jwks.json", set)
	x.enc = file(t, "enc.json", strings.Replace(set, `"use":"sig"`, `"use":"enc"`, 1))
	x.empty = file(t, "empty.json", `{"keys":[]}`)
	x.metadata = file(t, "metadata.json", x.get("/.well-known/openid-configuration"))
	der, err := x509.MarshalPKIXPublicKey(x.PublicKey())
	require.NoError(t, err)
	x.pem = file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	return x
}

// sign signs a token for the example's API, with these claims besides.
func (x *explained) sign(t *testing.T, more map[string]any) string {
	t.Helper()
	claims := x.Claims("orders-job", exampleAudience)
	for name, value := range more {
		claims[name] = value
	}
	token, err := x.Token(claims)
	require.NoError(t, err)
	return token
}

func (x *explained) get(path string) string {
	w := httptest.NewRecorder()
	x.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Body.String()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const anyNumber = -1 // of requests

func TestExplain(t *testing.T) {
	x := newExplained(t)
	expired := x.sign(t, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	elsewhere := x.sign(t, map[string]any{"iss": "https://login.example.com"})
	kid, _ := x.Key()
	payload, err := json.Marshal(x.Claims("orders-job", exampleAudience))
	require.NoError(t, err)
	untyped, err := x.Sign([]byte(`{"alg":"ES256","kid":"`+kid+`"}`), payload)
	require.NoError(t, err)
	tests := []struct {
		name, args string // ISSUER, JWKS and AUD stand for what they say
		token      string // x.token if empty
		code       int
		says       string // in the report
		err        string
		requests   int32
	}{
		{name: "J8 admitted, with keys by discovery", args: "--issuer ISSUER AUD", says: "ADMITTED", requests: 2},
		{name: "J8 admitted, with a file", args: "--issuer ISSUER AUD --jwks JWKS", says: "ADMITTED"},
		{name: "J8 admitted, with a PEM file", args: "--issuer ISSUER AUD --jwks " + x.pem, says: "ADMITTED"},
		{name: "J8 every demand", args: "--issuer ISSUER AUD --jwks JWKS --rfc9068 --algorithm ES256 --leeway 10s --max-lifetime 2h --scope orders:read --client orders-job --client x --client-credentials", says: "ADMITTED"},
		{name: "J8 a type", args: "--issuer ISSUER AUD --jwks JWKS --type at+jwt --type none", says: "ADMITTED"},
		{name: "J8 no type", args: "--issuer ISSUER AUD --jwks JWKS --type none --type JOSE", token: untyped, says: "ADMITTED"},
		{name: "J8 several audiences", args: "--issuer ISSUER --audience x AUD --jwks JWKS", says: "ADMITTED"},
		{name: "J8 the token endpoint's response", args: "--issuer ISSUER AUD --jwks JWKS", token: `{"access_token":"` + x.token + `","token_type":"Bearer"}`, says: "ADMITTED"},
		{name: "J1 the issuer's slash", args: "--issuer ISSUER/ AUD --jwks JWKS", code: 1, says: "issuer_slash"},
		{name: "J1 the slash, without keys", args: "--issuer ISSUER/ AUD", code: 1, says: "issuer_slash", requests: anyNumber},
		{name: "J1 the audience", args: "--issuer ISSUER --audience https://other.example.com --jwks JWKS", code: 1, says: "REFUSED at audience"},
		{name: "J1 expired", args: "--issuer ISSUER AUD --jwks JWKS", token: expired, code: 1, says: "expired"},
		{name: "J1 a scope", args: "--issuer ISSUER AUD --jwks JWKS --scope", token: x.token, code: 1, says: "rule Scope"},
		{name: "J1 a role", args: "--issuer ISSUER AUD --jwks JWKS --role admin", code: 1, says: "rule Role"},
		{name: "J1 a client", args: "--issuer ISSUER AUD --jwks JWKS --client other", code: 1, says: "rule Client"},
		{name: "J1 a type that it has not", args: "--issuer ISSUER AUD --jwks JWKS --type JWT", code: 1, says: "REFUSED at type"},
		{name: "J1 an algorithm that it has not", args: "--issuer ISSUER AUD --jwks JWKS --algorithm RS256", code: 1, says: "algorithm_pinned"},
		{name: "J1 the lifetime", args: "--issuer ISSUER AUD --jwks JWKS --max-lifetime 1m", code: 1, says: "MaxLifetime"},
		{name: "J1 an opaque token", args: "--issuer ISSUER AUD --jwks JWKS", token: "abc", code: 1, says: "REFUSED at form"},
		{name: "J1 with Bearer", args: "--issuer ISSUER AUD --jwks JWKS", token: "Bearer " + x.token, code: 1, says: "REFUSED at form"},
		{name: "J1 a key for encryption only", args: "--issuer ISSUER AUD --jwks " + x.enc, code: 1, says: "0 keys"},
		{name: "J8 the cause of that", args: "--issuer ISSUER AUD --jwks " + x.enc, code: 1, says: "key_for_encryption"},
		{name: "J1 no keys in the file", args: "--issuer ISSUER AUD --jwks " + x.empty, code: 1, says: "key_unknown"},
		{name: "J1 the keys' address as issuer", args: "--issuer ISSUER/jwks.json AUD", code: 1, says: "issuer_is_jwks_url"},
		{name: "J1 the metadata's address as issuer", args: "--issuer ISSUER/.well-known/openid-configuration AUD", code: 1, says: "issuer_is_discovery_url"},
		{name: "J1 the token endpoint as issuer", args: "--issuer ISSUER/oauth/token AUD", code: 1, says: "issuer_is_token_url"},
		{name: "J1 nobody there", args: "--issuer http://127.0.0.1:1 AUD", token: x.sign(t, map[string]any{"iss": "http://127.0.0.1:1"}), code: 3, says: "keys_unavailable"},
		{name: "J1 an http issuer", args: "--issuer http://login.example.com AUD", token: x.sign(t, map[string]any{"iss": "http://login.example.com"}), code: 2, says: "REFUSED at signature", err: "is not https"},
		{name: "J1 http for the metadata", args: "--issuer https://login.example.com AUD --metadata-url ISSUER/.well-known/openid-configuration", token: elsewhere, code: 2, says: "REFUSED at signature", err: "is not https"},
		{name: "J8 http for the metadata, allowed", args: "--issuer https://login.example.com AUD --allow-http --metadata-url ISSUER/.well-known/openid-configuration", token: elsewhere, code: 3, says: "keys_unavailable", requests: anyNumber},
		{name: "J8 nothing configured", args: "", code: 3, says: "Not configured: issuer and audience"},
		{name: "J8 keys alone", args: "--jwks JWKS", code: 3, says: "ADMITTED"},
		{name: "J8 no audience", args: "--issuer ISSUER --jwks JWKS", code: 3, says: "Not configured: audience."},
		{name: "J8 nothing configured, expired", args: "", token: expired, code: 1, says: "expired"},
		{name: "J8 nothing configured, opaque", args: "", token: "abc", code: 1, says: "REFUSED at form"},
		{name: "J8 a preset", args: "--provider keycloak:ISSUER/realms/a AUD --jwks JWKS", code: 1, says: "REFUSED at issuer"},
		{name: "J1 a preset's argument", args: "--provider entra:a,b", code: 2, err: "a GUID"},
		{name: "J1 an unknown preset", args: "--provider auth1:a,b", code: 2, err: "there are auth0"},
		{name: "J1 a preset and an issuer", args: "--provider auth0:a,b --issuer ISSUER", code: 2, err: "exclude each other"},
		{name: "J1 a leeway without unit", args: "--leeway 60", code: 2, err: "invalid value"},
		{name: "J1 a leeway that is too large", args: "--issuer ISSUER AUD --jwks JWKS --leeway 1h", code: 2, err: "Leeway"},
		{name: "J1 an unknown algorithm", args: "--issuer ISSUER AUD --jwks JWKS --algorithm rs256", code: 2, err: "rs256"},
		{name: "J1 no file", args: "--jwks /nowhere/at/all", code: 2, err: "no such file"},
		{name: "J1 a file of something else", args: "--jwks " + x.metadata, code: 2, err: "not a JWK Set"},
		{name: "J1 a PEM file without a key", args: "--jwks " + file(t, "a.pem", "nothing"), code: 2, err: "key"},
		{name: "J1 metadata for a file", args: "--jwks JWKS --metadata-url ISSUER", code: 2, err: "nothing is fetched"},
		{name: "J1 an argument", args: "a", code: 2, err: "flags only"},
		{name: "J1 no token", args: "", token: "\n", code: 2, err: "no token"},
		{name: "J8 too much", args: "", token: strings.Repeat("a", 1<<20+1), code: 2, err: "over 1048576 bytes"},
		{name: "J8 a megabyte", args: "--issuer ISSUER AUD --jwks JWKS", token: strings.Repeat("a", 1<<20-1), code: 1, says: "REFUSED at form"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			args := strings.NewReplacer("ISSUER", x.issuer, "JWKS", x.jwks, "AUD", "--audience "+exampleAudience).Replace(test.args)
			c := call{args: "explain " + args, stdin: test.token}
			if c.stdin == "" {
				c.stdin = x.token + "\n"
			}
			if strings.HasSuffix(args, "--scope") {
				c.more = []string{"orders:read orders:write"}
			}
			x.requests.Store(0)
			got := c.run(t)
			assert.Equal(t, test.code, got.code)
			assert.Contains(t, oneLine(got.out), test.says)
			assert.Contains(t, oneLine(got.err), test.err)
			if test.requests != anyNumber {
				assert.Equal(t, test.requests, x.requests.Load(), "requests")
			}
			for _, token := range []string{x.token, expired} {
				assert.NotContains(t, got.out+got.err, token[len(token)-20:], "a signature")
			}
			assertHarmless(t, got.out+got.err)

			c.more = append(c.more, "--json")
			asJSON := c.run(t)
			assert.Equal(t, test.code, asJSON.code)
			if test.says != "" {
				var doc struct {
					NotConfigured []string `json:"not_configured"`
					Admitted      *bool
				}
				require.NoError(t, json.Unmarshal([]byte(asJSON.out), &doc), asJSON.out)
				require.NotNil(t, doc.Admitted)
				assert.Equal(t, strings.Contains(got.out, "ADMITTED"), *doc.Admitted)
				assert.Equal(t, strings.Contains(got.out, "Not configured"), len(doc.NotConfigured) > 0)
			}
		})
	}
}

// What only the token names is never asked.
func TestExplainAsksNobodyThatATokenNames(t *testing.T) {
	x := newExplained(t)
	for _, args := range []string{"", "--audience a", "--allow-http", "--rfc9068 --scope a", "--jwks " + x.jwks} {
		t.Run("J8 "+args, func(t *testing.T) {
			call{args: "explain " + args, stdin: x.token}.run(t)
			assert.Zero(t, x.requests.Load())
		})
	}
}

func TestExplainClaims(t *testing.T) {
	x := newExplained(t)
	for args, want := range map[string]bool{"": false, "--claims": true, "--json": false, "--json --claims": true} {
		t.Run("J8 "+args, func(t *testing.T) {
			got := call{args: "explain --jwks " + x.jwks + " " + args, stdin: x.token}.run(t)
			assert.Equal(t, want, strings.Contains(got.out, "jane@example.com"))
		})
	}
}

func TestExplainOnATerminal(t *testing.T) {
	x := newExplained(t)
	args := "explain --jwks " + x.jwks + " --issuer " + x.issuer + " --audience "
	t.Run("J3 admitted", func(t *testing.T) {
		got := call{args: args + exampleAudience, stdin: x.token, terminal: true}.run(t)
		assert.Contains(t, got.err, "Paste the token")
		assert.Contains(t, got.out, "\x1b[32mADMITTED\x1b[0m\n")
		assert.Contains(t, got.out, "\n\x1b[32mok\x1b[0m    form")
	})
	t.Run("J3 refused", func(t *testing.T) {
		got := call{args: args + "x", stdin: x.token, terminal: true}.run(t)
		assert.Contains(t, got.out, "\x1b[31mREFUSED\x1b[0m at audience")
		assert.Contains(t, got.out, "\n\x1b[31mFAIL\x1b[0m  audience")
	})
}
