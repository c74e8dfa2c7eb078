package verifier_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestHeaderMembers(t *testing.T) {
	s := signerOf("ES256")
	v, keys := setup(t)
	long := `"` + strings.Repeat("k", 10_000) + `"`
	tests := []struct {
		name    string
		header  members
		reason  error // nil: accepted
		lookups int64
	}{
		{"P3 crit", members{"crit": `["exp"]`, "exp": "1"}, verifier.ErrMalformed, 0},
		{"P3 crit of something unknown", members{"crit": `["x"]`, "x": "1"}, verifier.ErrMalformed, 0},
		{"P3 crit without names", members{"crit": `[]`}, verifier.ErrMalformed, 0},
		{"P3 crit null", members{"crit": `null`}, verifier.ErrMalformed, 0},
		{"P3 crit false", members{"crit": `false`}, verifier.ErrMalformed, 0},
		{"P3 b64 false", members{"b64": `false`}, verifier.ErrMalformed, 0},
		{"P3 b64 false and critical", members{"b64": `false`, "crit": `["b64"]`}, verifier.ErrMalformed, 0},
		{"P3 b64 true", members{"b64": `true`}, verifier.ErrMalformed, 0},
		{"P3 b64 null", members{"b64": `null`}, verifier.ErrMalformed, 0},
		{"P3 zip NONE", members{"zip": `"NONE"`}, nil, 1},
		{"P3 zip DEF", members{"zip": `"DEF"`}, nil, 1},
		{"P3 zip of another kind", members{"zip": `7`}, nil, 1},

		{"P4 cty JWT", members{"cty": `"JWT"`}, verifier.ErrType, 0},
		{"P4 cty jwt", members{"cty": `"jwt"`}, verifier.ErrType, 0},
		{"P4 cty application/jwt", members{"cty": `"application/jwt"`}, verifier.ErrType, 0},
		{"P4 cty APPLICATION/JWT", members{"cty": `"APPLICATION/JWT"`}, verifier.ErrType, 0},
		{"P4 cty a number", members{"cty": `7`}, verifier.ErrMalformed, 0},
		{"P4 cty null", members{"cty": `null`}, nil, 1},
		{"P4 cty json", members{"cty": `"json"`}, nil, 1},

		{"A1 alg none", members{"alg": `"none"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg nOnE", members{"alg": `"nOnE"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg NONE", members{"alg": `"NONE"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg es256", members{"alg": `"es256"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg with a space", members{"alg": `"ES256 "`}, verifier.ErrAlgorithm, 0},
		{"A1 alg with NUL", members{"alg": `"ES256\u0000"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg empty", members{"alg": `""`}, verifier.ErrAlgorithm, 0},
		{"A1 alg missing", members{"alg": ``}, verifier.ErrAlgorithm, 0},
		{"A1 alg null", members{"alg": `null`}, verifier.ErrAlgorithm, 0},
		{"A1 alg an array", members{"alg": `["ES256"]`}, verifier.ErrMalformed, 0},
		{"A1 alg a number", members{"alg": `256`}, verifier.ErrMalformed, 0},
		{"A1 alg HS256", members{"alg": `"HS256"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg ES256K", members{"alg": `"ES256K"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg RS1", members{"alg": `"RS1"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg Ed448", members{"alg": `"Ed448"`}, verifier.ErrAlgorithm, 0},
		{"A1 alg of an encryption", members{"alg": `"RSA-OAEP-256"`, "enc": `"A256GCM"`}, verifier.ErrAlgorithm, 0},

		{"A5 kid unknown", members{"kid": `"x"`}, verifier.ErrSignature, 1},
		{"A5 kid like SQL", members{"kid": `"' OR 1=1 --"`}, verifier.ErrSignature, 1},
		{"A5 kid like a path", members{"kid": `"../../../../dev/null"`}, verifier.ErrSignature, 1},
		{"A5 kid of 10 KB", members{"kid": long}, verifier.ErrSignature, 1},
		{"A5 kid in another case", members{"kid": `"es256"`}, verifier.ErrSignature, 1},
		{"A5 kid a number", members{"kid": `7`}, verifier.ErrMalformed, 0},
		{"A5 kid null", members{"kid": `null`}, verifier.ErrSignature, 1},
		{"A5 kid an object", members{"kid": `{}`}, verifier.ErrMalformed, 0},
		{"A5 x5t a number", members{"x5t": `7`}, nil, 1},
		{"A5 x5t#S256 an array", members{"x5t#S256": `["x"]`}, nil, 1},
		{"A5 x5t empty", members{"x5t": `""`, "x5t#S256": `""`}, nil, 1},
		{"A5 kid of another key", members{"kid": `"ES384"`}, verifier.ErrSignature, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, s.token(tt.header, nil))
			if tt.reason == nil {
				require.NoError(t, err)
			} else {
				assertRefused(t, tt.reason, err)
			}
			assert.Equal(t, tt.lookups, keys.lookups.Load())
		})
	}
	t.Run("A1 alg twice", func(t *testing.T) {
		_, err := v.Verify(ctx, s.sign(inside(s.header(), `"alg":"none"`), goodClaims().text()))
		assertRefused(t, verifier.ErrMalformed, err)
	})
	t.Run("A1 none with an empty signature", func(t *testing.T) {
		_, err := v.Verify(ctx, s.attach(encode(`{"alg":"none"}`)+"."+encode(goodClaims().text()), nil))
		assertRefused(t, verifier.ErrMalformed, err)
	})
}

// TestKeysInTheHeader lets an attacker point at keys that do fit the signature.
func TestKeysInTheHeader(t *testing.T) {
	theirs, ours := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
	attacker := newSigner("ES256")
	cfg := ours.Config(api)
	cfg.JWKS.Cooldown = time.Millisecond // so that nobody waits for the budget
	v := newVerifier(t, cfg)
	require.NoError(t, v.Ready(ctx))
	kid, _ := ours.Key()
	theirKID, _ := theirs.Key()
	claims := strings.Replace(goodClaims().text(), issuer, ours.URL(), 1)
	tests := []struct {
		name, value, kid string
		sign             func(header, payload string) string
	}{
		{"jku", `"` + theirs.URL() + `/jwks.json"`, theirKID, theirs.Sign},
		{"x5u", `"` + theirs.URL() + `/jwks.json"`, theirKID, theirs.Sign},
		{"jwk", jwk(attacker, nil), attacker.kid, attacker.sign},
		{"x5c", `["` + certificate(t, attacker) + `"]`, attacker.kid, attacker.sign},
	}
	for _, tt := range tests {
		t.Run("P4 "+tt.name, func(t *testing.T) {
			header := members{"alg": `"ES256"`, "kid": `"` + kid + `"`, tt.name: tt.value}
			_, err := v.Verify(ctx, ours.Sign(header.text(), claims))
			require.NoError(t, err, "ignored in a good token")
			for _, other := range []string{`"` + kid + `"`, `"` + tt.kid + `"`, ""} {
				header["kid"] = other
				_, err = v.Verify(ctx, tt.sign(header.text(), claims))
				assertRefused(t, verifier.ErrSignature, err)
			}
		})
	}
	assert.Zero(t, theirs.Fetches(), "P4 zero network")
}

// certificate returns one that s gives itself, as x5c has it.
func certificate(t *testing.T, s *signer) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.public(), s.private)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(der)
}

// verbatim keeps the text that it is decoded from.
type verbatim string

func (v *verbatim) UnmarshalJSON(text []byte) error {
	*v = verbatim(text)
	return nil
}

func TestClaimsAreTheSignedBytes(t *testing.T) {
	t.Run("P5 to the byte", func(t *testing.T) {
		s := signerOf("ES256")
		v, _ := setup(t)
		payload := inside(goodClaims(), "\t\"z\" : [1.0, 1e2,\"\\u0041\\/\"] ")
		tok := verified(t, v, s.sign(s.header().text(), payload))
		text, err := verifier.ClaimsOf[verbatim](tok)
		require.NoError(t, err)
		assert.Equal(t, payload, string(text))

		var claims struct{ Jti, Aud string }
		require.NoError(t, json.Unmarshal([]byte(payload), &claims))
		assert.Equal(t, claims.Jti, tok.ID())
		assert.Equal(t, []string{claims.Aud}, tok.Audience())
	})
}
