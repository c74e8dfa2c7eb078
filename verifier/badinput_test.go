package verifier_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// TestBadInput is the table of bad input and its answers. The tests of the
// single requirements have more of each kind.
func TestBadInput(t *testing.T) {
	es, rs := signerOf("ES256"), signerOf("RS256")
	good := es.good()
	signed := es.unsigned()
	sig := es.signature(signed)
	der := must(ecdsa.SignASN1(rand.Reader, es.private.(*ecdsa.PrivateKey), digest(es.hash(), signed)))
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(rs.public()))})
	long := strings.Repeat("k", 10_000)
	header := func(m members) string { return es.token(m, nil) }
	claims := func(m members) string { return es.token(nil, m) }
	payload := func(text string) string { return es.sign(es.header().text(), text) }
	const (
		free    = 0 // refused before any key is looked up
		looksUp = 1
	)
	bad := verifier.ErrBadRequest
	tests := []struct {
		name, raw string
		reason    error
		lookups   int64
		request   error // the reason of Authenticate, where it is another
	}{
		{"X1 spaces", good + " x", verifier.ErrMalformed, free, bad},
		{"X1 commas", good + ",x", verifier.ErrMalformed, free, bad},
		{"X1 newlines", good + "\n", verifier.ErrMalformed, free, bad},
		{"X1 empty", "", verifier.ErrMalformed, free, bad},
		{"X3 oversized", ofLength(t, 16385), verifier.ErrMalformed, free, nil},
		{"P1 two segments", signed, verifier.ErrMalformed, free, nil},
		{"P1 four segments", good + ".x", verifier.ErrMalformed, free, nil},
		{"P1 JWE", good + ".x.x", verifier.ErrMalformed, free, nil},
		{"P1 JSON JWS", `{"payload":"e30","signatures":[]}`, verifier.ErrMalformed, free, bad},

		{"A1 alg none", header(members{"alg": `"none"`}), verifier.ErrAlgorithm, free, nil},
		{"A1 alg none, unsigned", encode(`{"alg":"none"}`) + "." + encode(goodClaims().text()) + ".", verifier.ErrMalformed, free, nil},
		{"A1 alg nOnE", header(members{"alg": `"nOnE"`}), verifier.ErrAlgorithm, free, nil},
		{"A1 alg rs256", rs.token(members{"alg": `"rs256"`}, nil), verifier.ErrAlgorithm, free, nil},
		{"A1 alg missing", header(members{"alg": ""}), verifier.ErrAlgorithm, free, nil},
		{"A1 alg doubled", es.sign(inside(es.header(), `"alg":"ES256"`), goodClaims().text()), verifier.ErrMalformed, free, nil},
		{"A1 HS256 keyed with the public key", hmacSigner("HS256", public).as("HS256", rs.kid).good(), verifier.ErrAlgorithm, free, nil},
		{"A2 alg of another key", rs.as("RS256", "ES256").good(), verifier.ErrSignature, looksUp, nil},
		{"A2 P-384 key with ES256", signerOf("ES384").as("ES256", "ES384").good(), verifier.ErrSignature, looksUp, nil},
		{"A5 kid like SQL", header(members{"kid": `"x' UNION SELECT 'key"`}), verifier.ErrSignature, looksUp, nil},
		{"A5 kid like a path", header(members{"kid": `"../../dev/null"`}), verifier.ErrSignature, looksUp, nil},
		{"A5 kid of 10 KB", header(members{"kid": `"` + long + `"`}), verifier.ErrSignature, looksUp, nil},
		{"A5 kid a number", header(members{"kid": "1"}), verifier.ErrMalformed, free, nil},
		{"A5 kid null", header(members{"kid": "null"}), verifier.ErrMalformed, free, nil},
		{"P3 crit", header(members{"crit": `["exp"]`}), verifier.ErrMalformed, free, nil},
		{"P3 b64 false", header(members{"b64": "false"}), verifier.ErrMalformed, free, nil},
		{"A3 r and s zero", es.attach(signed, make([]byte, 64)), verifier.ErrSignature, looksUp, nil},
		{"A3 DER", es.attach(signed, der), verifier.ErrSignature, looksUp, nil},
		{"A3 wrong length", es.attach(signed, sig[:63]), verifier.ErrSignature, looksUp, nil},
		{"A3 wrong PSS salt", pssToken(20), verifier.ErrSignature, looksUp, nil},
		{"P1 padding", es.signEncoded(encode(`{"alg":"ES256"} `)+"==", encode(goodClaims().text())), verifier.ErrMalformed, free, bad},
		{"P1 plus", es.signEncoded(encode(es.header().text()), encode(goodClaims().text())+"++++"), verifier.ErrMalformed, free, nil},
		{"P1 slash", es.signEncoded(encode(es.header().text()), encode(goodClaims().text())+"////"), verifier.ErrMalformed, free, nil},
		{"P1 trailing bits", signed + "." + encode(string(sig))[:85] + "_", verifier.ErrMalformed, free, nil},
		{"P2 duplicate names", payload(inside(goodClaims(), `"exp":9999999999`)), verifier.ErrMalformed, free, nil},
		{"P2 case variants", payload(inside(goodClaims(), `"EXP":9999999999`)), verifier.ErrMalformed, free, nil},
		{"P2 trailing object", payload(goodClaims().text() + "{}"), verifier.ErrMalformed, free, nil},
		{"P2 bad UTF-8", payload(inside(goodClaims(), "\"x\":\"\xff\"")), verifier.ErrMalformed, free, nil},
		{"P2 BOM", payload("\ufeff" + goodClaims().text()), verifier.ErrMalformed, free, nil},
		{"P2 deep nesting", payload(inside(goodClaims(), `"x":`+nested("[", "]", 5000))), verifier.ErrMalformed, free, nil},

		{"C3 exp missing", claims(members{"exp": ""}), verifier.ErrClaims, free, nil},
		{"C4 exp a string", claims(members{"exp": `"9999999999"`}), verifier.ErrClaims, free, nil},
		{"C4 exp null", claims(members{"exp": "null"}), verifier.ErrClaims, free, nil},
		{"C4 exp 1e300", claims(members{"exp": "1e300"}), verifier.ErrClaims, free, nil},
		{"C4 exp negative", claims(members{"exp": "-1"}), verifier.ErrClaims, free, nil},
		{"C1 iss an array", claims(members{"iss": `["` + issuer + `"]`}), verifier.ErrClaims, free, nil},
		{"C1 iss null", claims(members{"iss": "null"}), verifier.ErrClaims, free, nil},
		{"C1 iss with another slash", claims(members{"iss": `"` + strings.TrimSuffix(issuer, "/") + `"`}), verifier.ErrIssuer, free, nil},
		{"C1 iss untrusted", claims(members{"iss": `"https://evil.example/"`}), verifier.ErrIssuer, free, nil},
		{"C2 aud empty", claims(members{"aud": "[]"}), verifier.ErrAudience, free, nil},
		{"C2 aud with a number", claims(members{"aud": `["` + api + `",1]`}), verifier.ErrClaims, free, nil},
		{"C2 aud an object", claims(members{"aud": "{}"}), verifier.ErrClaims, free, nil},
		{"C2 aud missing", claims(members{"aud": ""}), verifier.ErrAudience, free, nil},
		{"C2 aud other", claims(members{"aud": `"https://other.example.com"`}), verifier.ErrAudience, free, nil},
		{"C10 ID token", claims(members{"scope": "", "nonce": `"n"`}), verifier.ErrType, free, nil},
		{"C5 logout+jwt", header(members{"typ": `"logout+jwt"`}), verifier.ErrType, free, nil},
		{"C10 refresh token", claims(members{"typ": `"Refresh"`}), verifier.ErrType, free, nil},
		{"B1 bound to a key", claims(members{"cnf": `{"jkt":"x"}`}), verifier.ErrBinding, free, nil},
		{"A5 the same kid elsewhere", newSigner("ES256").good(), verifier.ErrSignature, looksUp, nil},
	}
	v, keys := setup(t)
	protect, optional := v.Protect(), v.Optional()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys.lookups.Store(0)
			tok, err := v.Verify(ctx, tt.raw)
			assert.Nil(t, tok)
			assertRefused(t, tt.reason, err)
			assertDiscreet(t, tt.raw, err)
			assert.Equal(t, tt.lookups, keys.lookups.Load())

			reason := tt.reason
			if tt.request != nil {
				reason = tt.request
			}
			_, err = v.Authenticate(bearer(tt.raw))
			for _, err := range []error{err, gateError(protect, bearer(tt.raw)), gateError(optional, bearer(tt.raw))} {
				assertRefused(t, reason, err)
				assertDiscreet(t, tt.raw, err)
			}
		})
	}
	t.Run("R2 scope missing", func(t *testing.T) {
		_, err := v.Authenticate(bearer(good), verifier.Scope("orders:delete"))
		assertRefused(t, verifier.ErrScope, err)
		assert.Contains(t, challengeOf(t, err), `scope="orders:delete"`)
	})
	t.Run("R1 no header; another scheme", func(t *testing.T) {
		r := anonymous()
		_, err := v.Authenticate(r)
		assert.Equal(t, `Bearer realm="api"`, challengeOf(t, err))
		r.Header.Set("Authorization", "Basic dTpw")
		_, err = v.Authenticate(r)
		assert.Equal(t, `Bearer realm="api"`, challengeOf(t, err))
	})
}

// pssToken is a good PS256 token but for the length of its salt.
func pssToken(salt int) string {
	s := signerOf("PS256")
	signed := s.unsigned()
	return s.attach(signed, s.pss(signed, salt))
}

// TestZeroNetwork counts what reaches the issuer's server.
func TestZeroNetwork(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(api)
	require.NoError(t, v.Ready(ctx))
	before := iss.Fetches()
	kid, _ := iss.Key()
	header := `{"alg":"ES256","kid":"` + kid + `"}`
	body := strings.Replace(goodClaims().text(), issuer, iss.URL(), 1)
	verified(t, v, iss.Sign(header, body))
	good := iss.Token(nil)
	for name, raw := range map[string]string{
		"A5 a bad signature on a known kid": good[:len(good)-4] + "AAAA",
		"C1 untrusted issuer":               iss.Token(verifiertest.Claims{"iss": "https://evil.example"}),
		"C1 untrusted issuer, unknown kid":  signerOf("ES256").good(),
		"C2 other audience":                 iss.Token(verifiertest.Claims{"aud": "x"}),
		"C3 expired, unknown kid":           iss.Sign(`{"alg":"ES256","kid":"x"}`, strings.Replace(body, `"exp":`, `"exp":1,"old":`, 1)),
		"A1 none, unknown kid":              iss.Sign(`{"alg":"none","kid":"x"}`, body),
		"P3 crit, unknown kid":              iss.Sign(`{"alg":"ES256","kid":"x","crit":["a"]}`, body),
		"P4 cty JWT, unknown kid":           iss.Sign(`{"alg":"ES256","kid":"x","cty":"JWT"}`, body),
		"C5 another type, unknown kid":      iss.Sign(`{"alg":"ES256","kid":"x","typ":"dpop+jwt"}`, body),
		"B1 bound, unknown kid":             iss.Sign(`{"alg":"ES256","kid":"x"}`, strings.Replace(body, "{", `{"cnf":{},`, 1)),
		"P1 no JWT":                         "x.y.z",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, raw)
			var e *verifier.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, http.StatusUnauthorized, e.Status())
			assert.Equal(t, before, iss.Fetches())
		})
	}
}
