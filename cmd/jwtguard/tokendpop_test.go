package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/dpopkey"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// keyFiles writes a private key of each kind that --dpop-key reads.
func keyFiles(t *testing.T) map[string]string {
	dir, files := t.TempDir(), map[string]string{}
	write := func(name, text string) {
		files[name] = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(files[name], []byte(text), 0o600))
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, key := range map[string]any{"ES256": p256, "ES384": p384, "ES512": p521, "EdDSA": ed, "RS256": rsaKey} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		require.NoError(t, err)
		write(name+" PKCS8", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	}
	sec1, err := x509.MarshalECPrivateKey(p256)
	require.NoError(t, err)
	// openssl ecparam -genkey writes the curve before the key.
	write("ES256 SEC1", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"+string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})))
	write("RS256 PKCS1", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})))

	jwk := func(k *dpopkey.Key, d string) string { return strings.TrimSuffix(k.JWK, "}") + d + "}" }
	ec, err := dpopkey.Of(p384)
	require.NoError(t, err)
	d, err := p384.Bytes()
	require.NoError(t, err)
	write("ES384 JWK", jwk(ec, `,"d":"`+base64.RawURLEncoding.EncodeToString(d)+`","kid":"mine"`))
	okp, err := dpopkey.Of(ed)
	require.NoError(t, err)
	write("EdDSA JWK", jwk(okp, `,"d":"`+base64.RawURLEncoding.EncodeToString(ed.Seed())+`"`))
	rk, err := dpopkey.Of(rsaKey)
	require.NoError(t, err)
	write("RS256 JWK", jwk(rk, `,"d":"`+base64.RawURLEncoding.EncodeToString(rsaKey.D.Bytes())+`","p":"`+base64.RawURLEncoding.EncodeToString(rsaKey.Primes[0].Bytes())+`","q":"`+base64.RawURLEncoding.EncodeToString(rsaKey.Primes[1].Bytes())+`"`))

	// What is refused.
	write("bad: empty", "")
	write("bad: text", "no key")
	write("bad: a public key", ec.JWK)
	write("bad: another public part", jwk(ec, `,"d":"`+base64.RawURLEncoding.EncodeToString(append([]byte{0}, d[:len(d)-1]...))+`"`))
	write("bad: symmetric", `{"kty":"oct","k":"AAAA"}`)
	write("bad: X25519", `{"kty":"OKP","crv":"X25519","d":"`+base64.RawURLEncoding.EncodeToString(ed.Seed())+`"}`)
	write("bad: RSA numbers", jwk(rk, `,"d":"AQAB","p":"AQAB","q":"AQAB"`))
	write("bad: PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(p224)
	require.NoError(t, err)
	write("bad: P-224", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	return files
}

var (
	curlLine = regexp.MustCompile(`(?s)^curl -X ([A-Z]+) -H 'Authorization: DPoP (\S+)' \\\n  -H 'DPoP: (\S+)' \\\n  (\S+)\n$`)
	keyLine  = regexp.MustCompile(`(?m)^key: (\S+), jkt (\S{43})$`)
)

// The token and the proof that the command prints are what package dpop accepts, once.
func TestTokenDPoP(t *testing.T) {
	out, _, _ := startDev(t, "")
	issuer := out.waitFor(t, `issuer\n  (http://127\.0\.0\.1:\d+)\n`)[1]
	const api = "https://api.example.com"
	verify := func(t *testing.T, secrets ...[]byte) *verifier.Verifier {
		binding, err := dpop.New(dpop.Config{Origins: []string{api}, NonceSecrets: secrets})
		require.NoError(t, err)
		v, err := verifier.Settings{Bindings: []verifier.Binding{binding}}.New(verifier.Config{Issuer: issuer, Audiences: []string{exampleAudience}, RFC9068: true})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, v.Close()) })
		return v
	}
	// send does what the printed command does.
	send := func(t *testing.T, v *verifier.Verifier, printed string) *httptest.ResponseRecorder {
		m := curlLine.FindStringSubmatch(printed)
		require.NotNil(t, m, printed)
		r := httptest.NewRequest(m[1], strings.Trim(m[4], "'"), nil)
		r.Header.Set("Authorization", "DPoP "+m[2])
		r.Header.Set("DPoP", m[3])
		w := httptest.NewRecorder()
		httpauth.Protect(v, verifier.Bound())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		return w
	}
	files := keyFiles(t)
	files["ES256 new"] = ""
	base := "token --style none --client-id orders --issuer " + issuer
	v := verify(t)
	for name, file := range files {
		args := []string{"--dpop"}
		if file != "" {
			args = []string{"--dpop-key", file}
		}
		if strings.HasPrefix(name, "bad: ") {
			t.Run("J5 "+name, func(t *testing.T) {
				got := call{args: base, more: args}.run(t)
				assert.Equal(t, exitUsage, got.code)
				assert.Contains(t, got.err, "--dpop-key: ")
				assert.Empty(t, got.out)
			})
			continue
		}
		t.Run("J5 B2 "+name, func(t *testing.T) {
			got := call{args: base, more: append(args, "--proof", "GET", api+"/orders?page=1&x='")}.run(t)
			require.Equal(t, exitOK, got.code, got.err)
			key := keyLine.FindStringSubmatch(got.err)
			require.NotNil(t, key, got.err)
			assert.Equal(t, strings.Fields(name)[0], key[1])
			w := send(t, v, strings.ReplaceAll(got.out, `'\''`, ""))
			assert.Equal(t, http.StatusOK, w.Code, w.Body)
			assert.Equal(t, http.StatusUnauthorized, send(t, v, strings.ReplaceAll(got.out, `'\''`, "")).Code, "a replay")

			got = call{args: base, more: args}.run(t)
			require.Equal(t, exitOK, got.code)
			g := grant{AccessToken: strings.TrimSpace(got.out)}
			again := keyLine.FindStringSubmatch(got.err)
			assert.Equal(t, again[2], g.boundTo())
			assert.Equal(t, file != "", again[2] == key[2], "a new key is another one")
		})
	}
	t.Run("B8 the API's nonce", func(t *testing.T) {
		v := verify(t, []byte(strings.Repeat("s", 32)))
		line := base + " --dpop --proof POST " + api + "/orders"
		w := send(t, v, call{args: line}.run(t).out)
		require.Equal(t, http.StatusUnauthorized, w.Code)
		assert.Equal(t, http.StatusOK, send(t, v, call{args: line + " --nonce " + w.Header().Get("DPoP-Nonce")}.run(t).out).Code)
	})
	t.Run("J5 JSON has the thumbprint and no token", func(t *testing.T) {
		got := call{args: base + " --dpop --json"}.run(t)
		var view grantView
		require.NoError(t, json.Unmarshal([]byte(got.out), &view))
		assert.Len(t, view.JKT, 43)
		assert.Equal(t, "DPoP", view.TokenType)
		assert.NotContains(t, got.out, "eyJ")
	})
	t.Run("J6 explain names the token, and the proof", func(t *testing.T) {
		got := call{args: base + " --dpop --proof GET " + api}.run(t)
		m := curlLine.FindStringSubmatch(got.out)
		require.NotNil(t, m)
		for code, text := range map[string]string{"bound_token": m[2], "dpop_proof": m[3]} {
			o := call{args: "explain --issuer " + issuer + " --audience " + exampleAudience, stdin: text}.run(t)
			assert.Contains(t, o.out, code)
		}
	})
}

// A server may want its own nonce in the proof (RFC 9449 §8), once.
func TestTokenDPoPServer(t *testing.T) {
	const nonce = "eyJ7S_zG.eyJH0-Z.HX4w-7v"
	bound := func(jkt string) string {
		return "eyJ." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"cnf":{"jkt":"%s"}}`, jkt)) + ".c"
	}
	for _, test := range []struct {
		name     string
		nonces   []string // that responses give; as many refuse
		kind     string
		other    bool // bound to another key
		requests int
		code     int
		err      string
	}{
		{name: "B8 no nonce", kind: "DPoP", requests: 1},
		{name: "B8 a nonce", nonces: []string{nonce}, kind: "DPoP", requests: 2},
		{name: "B8 two nonces", nonces: []string{nonce, "another"}, kind: "DPoP", requests: 2, code: exitRefused, err: "refused twice"},
		{name: "J3 a nonce with spaces", nonces: []string{"a b"}, requests: 1, code: exitRefused, err: "use_dpop_nonce"},
		{name: "J3 a long nonce", nonces: []string{strings.Repeat("n", 257)}, requests: 1, code: exitRefused, err: "use_dpop_nonce"},
		{name: "B8 no nonce is given", nonces: []string{""}, requests: 1, code: exitRefused, err: "use_dpop_nonce"},
		{name: "B3 a server without DPoP", kind: "Bearer", requests: 1, code: exitRefused, err: "did not bind the token"},
		{name: "B3 bound to another key", kind: "DPoP", other: true, requests: 1, err: `not bound to the key: cnf.jkt is "other"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				parts := strings.Split(r.Header.Get("DPoP"), ".")
				require.Len(t, parts, 3)
				var header struct{ JWK json.RawMessage }
				decode(t, parts[0], &header)
				var claims struct{ Htm, Htu, Nonce, Ath string }
				decode(t, parts[1], &claims)
				assert.Equal(t, "POST http://"+r.Host+"/t", claims.Htm+" "+claims.Htu)
				assert.Empty(t, claims.Ath)
				if requests > 1 {
					assert.Equal(t, test.nonces[requests-2], claims.Nonce)
				}
				if requests <= len(test.nonces) {
					w.Header().Set("DPoP-Nonce", test.nonces[requests-1])
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(w, `{"error":"use_dpop_nonce"}`)
					return
				}
				jkt := (&dpopkey.Key{JWK: string(header.JWK)}).Thumbprint()
				if test.other {
					jkt = "other"
				}
				fmt.Fprintf(w, `{"access_token":"%s","token_type":"%s"}`, bound(jkt), test.kind)
			}))
			defer server.Close()
			got := call{args: "token --dpop --style none --client-id a --token-url " + server.URL + "/t?x=1"}.run(t)
			assert.Equal(t, test.code, got.code, got.err)
			assert.Contains(t, oneLine(got.err), test.err)
			assert.Equal(t, test.requests, requests)
			assert.Equal(t, test.code == exitOK, strings.HasPrefix(got.out, "eyJ."))
		})
	}
}

func decode(t *testing.T, segment string, into any) {
	text, err := base64.RawURLEncoding.DecodeString(segment)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}

func TestTokenDPoPUsage(t *testing.T) {
	for name, args := range map[string]string{
		"a proof without a URL":     "--dpop --proof GET",
		"a proof for two":           "--dpop --proof GET https://a.example https://b.example",
		"a proof without a key":     "--proof GET https://a.example",
		"a nonce without a proof":   "--dpop --nonce x",
		"no method":                 "--dpop --proof G;T https://a.example",
		"no URL":                    "--dpop --proof GET a.example",
		"a URL with a fragment":     "--dpop --proof GET https://a.example/#x",
		"a URL with a password":     "--dpop --proof GET https://a:b@a.example/",
		"a proof and JSON":          "--dpop --json --proof GET https://a.example",
		"a URL without a proof":     "--dpop https://a.example",
		"a file that is not there":  "--dpop-key /does/not/exist",
		"a nonce that can be none":  "--dpop --proof GET https://a.example --nonce ä",
		"an empty name of the file": "--dpop-key=",
	} {
		t.Run("J1 "+name, func(t *testing.T) {
			got := call{args: "token --style none --client-id a --token-url http://127.0.0.1:1 " + args}.run(t)
			assert.Equal(t, exitUsage, got.code, got.err)
			assert.Empty(t, got.out)
		})
	}
}
