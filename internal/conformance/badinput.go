package conformance

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// badInput is the table of bad input and its answers, from verifier.Verify
// to what a client of the framework sees. Nothing in it causes a request to
// anybody, but unknown kids to their own issuer, within the budget.
func badInput(t *testing.T, f Framework) {
	iss, partner := newForge(t), newForge(t)
	guest := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("P4 a token caused a request to its own address") }))
	defer guest.Close()

	config := func(f *forge, audience string) verifier.Config {
		cfg := verifier.Config{Issuer: f.URL, Audiences: []string{audience}}
		cfg.JWKS.Cooldown = time.Millisecond // so that nobody waits for the fetch limit
		return cfg
	}
	v, err := verifier.Settings{Realm: "orders"}.New(config(iss, OrdersAPI), config(partner, BillingAPI))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	require.NoError(t, v.Ready(t.Context()))

	good := iss.with(nil, nil)
	header := func(name, value string) string { return iss.with(members{name: value}, nil) }
	claim := func(name, value string) string { return iss.with(nil, members{name: value}) }
	payload := func(text string) string { return iss.es.Sign(iss.header().Text(), text) }
	rs := iss.unsigned(members{"alg": `"RS256"`, "kid": `"rs"`})
	ps := iss.unsigned(members{"alg": `"PS256"`, "kid": `"rs"`})
	es := iss.unsigned(nil)
	sig := iss.es.Signature(es)
	public, err := x509.MarshalPKIXPublicKey(iss.rs.Public())
	require.NoError(t, err)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	hs := iss.unsigned(members{"alg": `"HS256"`, "kid": `"rs"`})
	hmacWith := func(key []byte) []byte { return (&jwttest.Signer{Alg: "HS256", Private: key}).Signature(hs) }
	nest := func(depth int) string {
		return payload(iss.claims().With(`"x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth)))
	}
	address := `"` + guest.URL + `/key"`
	itsKey := partner.es.JWK(members{"kid": ""})
	partners := func(header, claims members) string { // as the partner can sign
		return partner.es.Sign(header.Over(iss.header()).Text(), claims.Over(iss.claims()).Text())
	}
	bearer := func(tokens ...string) (fields []string) {
		for _, raw := range tokens {
			fields = append(fields, "Bearer "+raw)
		}
		return fields
	}

	tests := []struct {
		name   string
		fields []string // of Authorization
		want   answer
		reason error
		asks   int64 // how often the issuer may be asked: once for a made-up kid, in each request where a signature without kid fits no key
	}{
		{"R1 no header", nil, noToken, verifier.ErrNoToken, 0},
		{"R1 an empty header", []string{""}, noToken, verifier.ErrNoToken, 0},
		{"R1 another scheme", []string{"Basic dTpw"}, noToken, verifier.ErrNoToken, 0},
		{"R1 another scheme with our token", []string{"DPoP " + good}, noToken, verifier.ErrNoToken, 0},
		{"R1 a scheme that begins like ours", []string{"Bearerx " + good}, noToken, verifier.ErrNoToken, 0},
		{"X1 two fields", bearer(good, good), badRequest, verifier.ErrBadRequest, 0},
		{"X1 a good and a bad one", bearer(good, "x"), badRequest, verifier.ErrBadRequest, 0},
		{"X1 another scheme first", []string{"Basic dTpw", "Bearer " + good}, badRequest, verifier.ErrBadRequest, 0},
		{"X1 another scheme last", []string{"Bearer " + good, "Basic dTpw"}, badRequest, verifier.ErrBadRequest, 0},
		{"X1 an empty field first", []string{"", "Bearer " + good}, badRequest, verifier.ErrBadRequest, 0},
		{"X1 empty Bearer", []string{"Bearer"}, badRequest, verifier.ErrBadRequest, 0},
		{"X1 spaces only", []string{"Bearer   "}, badRequest, verifier.ErrBadRequest, 0},
		{"X1 a space inside", bearer(good + " x"), badRequest, verifier.ErrBadRequest, 0},
		{"X1 a tab", []string{"Bearer\t" + good}, badRequest, verifier.ErrBadRequest, 0},
		{"X1 a list in one field", bearer(good + ", Bearer " + good), badRequest, verifier.ErrBadRequest, 0},
		{"X1 a newline", bearer(good + "\n"), badRequest, verifier.ErrBadRequest, 0},
		{"X1 a header's end", bearer(good + "\r\nX-Admin: 1"), badRequest, verifier.ErrBadRequest, 0},
		{"X1 a zero byte", bearer(good + "\x00"), badRequest, verifier.ErrBadRequest, 0},
		{"X1 not ASCII", bearer(good + "\u00e9"), badRequest, verifier.ErrBadRequest, 0},
		{"X1 quotes", bearer(`"` + good + `"`), badRequest, verifier.ErrBadRequest, 0},
		{"P1 padding", bearer(good + "=="), malformed, verifier.ErrMalformed, 0},

		{"X3 oversized", bearer(strings.Repeat("a", 16<<10+1)), malformed, verifier.ErrMalformed, 0},
		{"X3 oversized, of points", bearer(strings.Repeat(".", 1<<20)), malformed, verifier.ErrMalformed, 0},
		{"X3 a megabyte, well signed", bearer(claim("pad", `"`+strings.Repeat("a", 1<<20)+`"`)), malformed, verifier.ErrMalformed, 0},
		{"P1 no JWT", bearer("abc"), malformed, verifier.ErrMalformed, 0},
		{"P1 two segments", bearer(es), malformed, verifier.ErrMalformed, 0},
		{"P1 an empty signature", bearer(es + "."), malformed, verifier.ErrMalformed, 0},
		{"P1 four segments", bearer(good + ".x"), malformed, verifier.ErrMalformed, 0},
		{"P1 JWE", bearer(encode(`{"alg":"dir","enc":"A256GCM"}`) + "..AAAA.AAAA.AAAA"), malformed, verifier.ErrMalformed, 0},
		{"P1 JSON JWS", bearer(`{"payload":"e30","signatures":[]}`), badRequest, verifier.ErrBadRequest, 0},
		{"P1 plus", bearer(iss.es.SignEncoded(encode(iss.header().Text()), encode(iss.claims().Text())+"++++")), malformed, verifier.ErrMalformed, 0},
		{"P1 slash", bearer(iss.es.SignEncoded(encode(iss.header().Text()), encode(iss.claims().Text())+"////")), malformed, verifier.ErrMalformed, 0},
		{"P1 trailing bits", bearer(es + "." + jwttest.Encode(sig)[:85] + "_"), malformed, verifier.ErrMalformed, 0},

		{"A1 alg none", bearer(header("alg", `"none"`)), notValid, verifier.ErrAlgorithm, 0},
		{"A1 alg none, unsigned", bearer(iss.unsigned(members{"alg": `"none"`}) + "."), malformed, verifier.ErrMalformed, 0},
		{"A1 alg nOnE", bearer(header("alg", `"nOnE"`)), notValid, verifier.ErrAlgorithm, 0},
		{"A1 alg es256", bearer(header("alg", `"es256"`)), notValid, verifier.ErrAlgorithm, 0},
		{"A1 alg missing", bearer(header("alg", "")), notValid, verifier.ErrAlgorithm, 0},
		{"A1 alg empty", bearer(header("alg", `""`)), notValid, verifier.ErrAlgorithm, 0},
		{"A1 alg a list", bearer(header("alg", `["ES256"]`)), malformed, verifier.ErrMalformed, 0},
		{"A1 alg doubled", bearer(iss.es.Sign(iss.header().With(`"alg":"ES256"`), iss.claims().Text())), malformed, verifier.ErrMalformed, 0},
		{"A1 HS256 keyed with the public key, PEM", bearer(jwttest.Attach(hs, hmacWith(publicPEM))), notValid, verifier.ErrAlgorithm, 0},
		{"A1 HS256 keyed with the public key, DER", bearer(jwttest.Attach(hs, hmacWith(public))), notValid, verifier.ErrAlgorithm, 0},
		{"A1 HS256 keyed with the modulus", bearer(jwttest.Attach(hs, hmacWith(iss.rs.Public().(*rsa.PublicKey).N.Bytes()))), notValid, verifier.ErrAlgorithm, 0},
		{"A1 HS256 keyed with nothing", bearer(jwttest.Attach(hs, hmacWith([]byte{}))), notValid, verifier.ErrAlgorithm, 0},
		{"A2 alg is not the JWK's", bearer(header("kid", `"pinned"`)), notValid, verifier.ErrSignature, 1},
		{"A2 PS256 with an RS256 key", bearer(func() string {
			text := iss.unsigned(members{"alg": `"PS256"`, "kid": `"rs256"`})
			return jwttest.Attach(text, iss.rs.PSS(text, 32))
		}()), notValid, verifier.ErrSignature, 1},
		{"A2 P-384 key with ES256", bearer(func() string {
			text := iss.unsigned(members{"kid": `"p384"`})
			return jwttest.Attach(text, iss.p384.As("ES256", "").Signature(text))
		}()), notValid, verifier.ErrSignature, 1},
		{"A4 use is enc", bearer(header("kid", `"enc"`)), notValid, verifier.ErrSignature, 1},
		{"A4 key_ops is encrypt", bearer(header("kid", `"ops"`)), notValid, verifier.ErrSignature, 1},
		{"A5 kid like SQL", bearer(header("kid", `"x' UNION SELECT 'key"`)), notValid, verifier.ErrSignature, 1},
		{"A5 kid like a path", bearer(header("kid", `"../../../../dev/null"`)), notValid, verifier.ErrSignature, 1},
		{"A5 kid like a URL", bearer(header("kid", address)), notValid, verifier.ErrSignature, 1},
		{"A5 kid of 10 KB", bearer(header("kid", `"`+strings.Repeat("k", 10_000)+`"`)), notValid, verifier.ErrSignature, 1},
		{"A5 kid a number", bearer(header("kid", "1")), malformed, verifier.ErrMalformed, 0},
		{"A5 kid in another case", bearer(header("kid", `"ES"`)), notValid, verifier.ErrSignature, 1},
		{"P4 jku of the attacker", bearer(partners(members{"jku": address}, nil)), notValid, verifier.ErrSignature, 0},
		{"P4 x5u of the attacker", bearer(partners(members{"x5u": address}, nil)), notValid, verifier.ErrSignature, 1},
		{"P4 jwk of the attacker", bearer(partners(members{"jwk": itsKey}, nil)), notValid, verifier.ErrSignature, 0},
		{"P4 jwk of the attacker, no kid", bearer(partners(members{"jwk": itsKey, "kid": ""}, nil)), notValid, verifier.ErrSignature, 8},
		{"P4 x5c of the attacker", bearer(partners(members{"x5c": `["` + jwttest.Encode(public) + `"]`}, nil)), notValid, verifier.ErrSignature, 0},
		{"P4 a nested JWT", bearer(header("cty", `"JWT"`)), notValid, verifier.ErrType, 0},
		{"P3 crit", bearer(header("crit", `["exp"]`)), malformed, verifier.ErrMalformed, 0},
		{"P3 crit empty", bearer(header("crit", `[]`)), malformed, verifier.ErrMalformed, 0},
		{"P3 b64 false", bearer(header("b64", "false")), malformed, verifier.ErrMalformed, 0},

		{"A3 r and s zero", bearer(jwttest.Attach(es, make([]byte, 64))), notValid, verifier.ErrSignature, 0},
		{"A3 DER", bearer(jwttest.Attach(es, der(sig))), notValid, verifier.ErrSignature, 0},
		{"A3 a byte less", bearer(jwttest.Attach(es, sig[:63])), notValid, verifier.ErrSignature, 0},
		{"A3 a zero before each half", bearer(jwttest.Attach(es, append(append([]byte{0}, sig[:32]...), append([]byte{0}, sig[32:]...)...))), notValid, verifier.ErrSignature, 0},
		{"A3 PSS without salt", bearer(jwttest.Attach(ps, iss.rs.PSSWithoutSalt(ps))), notValid, verifier.ErrSignature, 0},
		{"A3 PSS with a salt of 20", bearer(jwttest.Attach(ps, iss.rs.PSS(ps, 20))), notValid, verifier.ErrSignature, 0},
		{"A3 PSS under the name of PKCS #1", bearer(jwttest.Attach(rs, iss.rs.PSS(rs, 32))), notValid, verifier.ErrSignature, 0},
		{"A3 PKCS #1 under the name of PSS", bearer(jwttest.Attach(ps, iss.rs.Signature(ps))), notValid, verifier.ErrSignature, 0},
		{"A3 a signature of another token", bearer(jwttest.Attach(iss.unsigned(members{"typ": `"JWT"`}), sig)), notValid, verifier.ErrSignature, 0},

		{"P2 duplicate names", bearer(payload(iss.claims().With(`"exp":9999999999`))), malformed, verifier.ErrMalformed, 0},
		{"P2 duplicate names, escaped", bearer(payload(iss.claims().With(`"\u0065xp":9999999999`))), malformed, verifier.ErrMalformed, 0},
		{"P2 duplicate names, deep inside", bearer(claim("act", `{"a":{"b":1,"b":2}}`)), malformed, verifier.ErrMalformed, 0},
		{"P2 case variants", bearer(payload(iss.claims().With(`"EXP":9999999999`))), malformed, verifier.ErrMalformed, 0},
		{"P2 a variant with U+017F", bearer(payload(iss.claims().With(`"iſs":"x"`))), malformed, verifier.ErrMalformed, 0},
		{"P2 a variant with U+212A", bearer(iss.es.Sign(iss.header().With(`"`+"\u212a"+`id":"x"`), iss.claims().Text())), malformed, verifier.ErrMalformed, 0},
		{"P2 trailing object", bearer(payload(iss.claims().Text() + "{}")), malformed, verifier.ErrMalformed, 0},
		{"P2 bad UTF-8", bearer(payload(iss.claims().With("\"x\":\"\xff\""))), malformed, verifier.ErrMalformed, 0},
		{"P2 BOM", bearer(payload("\ufeff" + iss.claims().Text())), malformed, verifier.ErrMalformed, 0},
		{"P2 33 deep", bearer(nest(32)), malformed, verifier.ErrMalformed, 0},
		{"P2 5,000 deep, nearly what a token holds", bearer(nest(5_000)), malformed, verifier.ErrMalformed, 0},
		{"P2 100,000 deep", bearer(nest(100_000)), malformed, verifier.ErrMalformed, 0},
		{"P2 a list", bearer(payload("[" + iss.claims().Text() + "]")), malformed, verifier.ErrMalformed, 0},

		{"C3 exp missing", bearer(claim("exp", "")), notValid, verifier.ErrClaims, 0},
		{"C4 exp a string", bearer(claim("exp", `"9999999999"`)), notValid, verifier.ErrClaims, 0},
		{"C4 exp null", bearer(claim("exp", "null")), notValid, verifier.ErrClaims, 0},
		{"C4 exp 1e300", bearer(claim("exp", "1e300")), notValid, verifier.ErrClaims, 0},
		{"C4 exp negative", bearer(claim("exp", "-1")), notValid, verifier.ErrClaims, 0},
		{"C3 not yet valid", bearer(claim("nbf", "9999999999")), notYet, verifier.ErrNotYetValid, 0},
		{"C1 iss an array", bearer(claim("iss", `["`+iss.URL+`"]`)), notValid, verifier.ErrClaims, 0},
		{"C1 iss null", bearer(claim("iss", "null")), notValid, verifier.ErrIssuer, 0},
		{"C1 iss with another slash", bearer(claim("iss", `"`+iss.URL+`/"`)), notValid, verifier.ErrIssuer, 0},
		{"C1 iss in another case", bearer(claim("iss", `"`+strings.Replace(iss.URL, "http", "HTTP", 1)+`"`)), notValid, verifier.ErrIssuer, 0},
		{"C1 iss untrusted", bearer(claim("iss", `"`+guest.URL+`"`)), notValid, verifier.ErrIssuer, 0},
		{"C2 aud empty", bearer(claim("aud", "[]")), notValid, verifier.ErrAudience, 0},
		{"C2 aud with a number", bearer(claim("aud", `["`+OrdersAPI+`",1]`)), notValid, verifier.ErrClaims, 0},
		{"C2 aud an object", bearer(claim("aud", `{"`+OrdersAPI+`":1}`)), notValid, verifier.ErrClaims, 0},
		{"C2 aud missing", bearer(claim("aud", "")), notValid, verifier.ErrAudience, 0},
		{"C2 aud that begins like ours", bearer(claim("aud", `"`+OrdersAPI+`.evil.example"`)), notValid, verifier.ErrAudience, 0},
		{"C10 ID token", bearer(iss.with(nil, members{"scope": "", "nonce": `"n"`})), notValid, verifier.ErrType, 0},
		{"C10 ID token with at_hash", bearer(claim("at_hash", `"x"`)), notValid, verifier.ErrType, 0},
		{"C10 refresh token", bearer(claim("typ", `"Refresh"`)), notValid, verifier.ErrType, 0},
		{"C10 logout token", bearer(claim("events", "{}")), notValid, verifier.ErrType, 0},
		{"C5 logout+jwt", bearer(header("typ", `"logout+jwt"`)), notValid, verifier.ErrType, 0},
		{"B1 bound to a DPoP key", bearer(claim("cnf", `{"jkt":"x"}`)), notValid, verifier.ErrBinding, 0},
		{"B1 bound to a certificate", bearer(claim("cnf", `{"x5t#S256":"x"}`)), notValid, verifier.ErrBinding, 0},
		{"B1 bound to nothing", bearer(claim("cnf", "null")), notValid, verifier.ErrBinding, 0},

		// An attacker with a genuine token of the same issuer.
		{"C2 genuine, for another API of ours", bearer(claim("aud", `"`+BillingAPI+`"`)), notValid, verifier.ErrAudience, 0},
		{"C3 genuine, expired", bearer(claim("exp", "1300819380")), expired, verifier.ErrExpired, 0},
		{"C5 genuine, another type", bearer(header("typ", `"dpop+jwt"`)), notValid, verifier.ErrType, 0},
		{"A3 genuine, its claims changed", bearer(strings.Replace(good, strings.Split(good, ".")[1], encode(members{"scope": `"admin"`}.Over(iss.claims()).Text()), 1)), notValid, verifier.ErrSignature, 0},
		{"A3 genuine, its header changed", bearer(strings.Replace(good, strings.Split(good, ".")[0], encode(members{"zip": `"NONE"`}.Over(iss.header()).Text()), 1)), notValid, verifier.ErrSignature, 0},

		// An attacker who owns an issuer that we trust for another audience, and
		// publishes what keys they like under what kid they like.
		{"A5 the same kid at another trusted issuer", bearer(partners(nil, nil)), notValid, verifier.ErrSignature, 0},
		{"A5 without kid", bearer(partners(members{"kid": ""}, nil)), notValid, verifier.ErrSignature, 8},
		{"C11 another issuer's audience", bearer(partners(nil, members{"iss": `"` + partner.URL + `"`})), notValid, verifier.ErrAudience, 0},
		{"C1 two issuers in one", bearer(partner.es.Sign(iss.header().Text(), strings.Replace(iss.claims().Text(), `"iss":`, `"iss":"`+partner.URL+`","iss":`, 1))), malformed, verifier.ErrMalformed, 0},
		{"A5 our issuer's key at theirs", bearer(claim("iss", `"`+partner.URL+`"`)), notValid, verifier.ErrAudience, 0},
		{"A5 our issuer's key at theirs, for their audience", bearer(iss.with(nil, members{"iss": `"` + partner.URL + `"`, "aud": `"` + BillingAPI + `"`})), notValid, verifier.ErrSignature, 0},
	}

	api := f.Build([]Route{
		{Path: "/group", Layers: []Layer{{Kind: Protect, Verifier: v}}, Handle: whoami},
		{Path: "/open", Layers: []Layer{{Kind: Optional, Verifier: v}}, Handle: whoami},
	})
	ask := func(path string, fields []string) *httptest.ResponseRecorder {
		return Send(api, "", path, "", http.Header{"Authorization": fields})
	}
	require.Equal(t, 200, ask("/group", bearer(good)).Code)
	before, start, most := iss.requests.Load(), time.Now(), int64(0)
	for _, tt := range tests {
		most += tt.asks
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header["Authorization"] = tt.fields
			tok, err := v.Authenticate(r)
			assert.Nil(t, tok)
			require.ErrorIs(t, err, tt.reason)
			assert.Equal(t, tt.want, rendered(t, err))
			if raw, ok := strings.CutPrefix(strings.Join(tt.fields, "\n"), "Bearer "); ok && tt.want.status == 401 {
				tok, err = v.Verify(t.Context(), raw)
				assert.Nil(t, tok)
				require.ErrorIs(t, err, tt.reason)
				assert.Equal(t, tt.want, rendered(t, err))
			}
			res := ask("/group", tt.fields)
			assert.Equal(t, tt.want, seen(res))
			assert.Equal(t, "no-store", res.Header().Get("Cache-Control"))
			assert.Empty(t, res.Header().Get(Ran))
			if tt.reason != verifier.ErrNoToken {
				assert.Equal(t, tt.want, seen(ask("/open", tt.fields)), "R8")
			}
		})
	}
	slot := 1 + int64(time.Since(start)/(15*time.Second)) // for signatures that fit no key of their kid
	assert.Greater(t, iss.requests.Load(), before, "K5 made-up kids are asked for")
	assert.LessOrEqual(t, iss.requests.Load()-before, most+slot, "K5 K6 network")
	assert.LessOrEqual(t, partner.requests.Load(), 2+slot)

	t.Run("R2 scope missing", func(t *testing.T) {
		_, err := v.Verify(t.Context(), good, verifier.Scope("orders:delete"))
		assert.Equal(t, lacks("orders:delete"), rendered(t, err))
	})
	t.Run("P3 P4 what is ignored", func(t *testing.T) {
		for name, raw := range map[string]string{
			"zip": header("zip", `"NONE"`), "jku": header("jku", address), "x5u": header("x5u", address),
			"jwk": header("jwk", itsKey), "x5c": header("x5c", `["`+jwttest.Encode(public)+`"]`), "cty": header("cty", `"json"`),
		} {
			assert.Equal(t, 200, ask("/group", bearer(raw)).Code, name)
		}
	})
}

// rendered is the answer that err makes by itself.
func rendered(t *testing.T, err error) answer {
	t.Helper()
	var e *verifier.Error
	require.True(t, errors.As(err, &e))
	h := http.Header{}
	e.SetHeaders(h)
	body, marshalErr := json.Marshal(e)
	require.NoError(t, marshalErr)
	assert.Equal(t, "no-store", h.Get("Cache-Control"))
	return answer{e.Status(), h["Www-Authenticate"], h.Get("Retry-After"), string(body)}
}
