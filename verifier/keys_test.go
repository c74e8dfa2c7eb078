package verifier_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// staticKeys are those of a JWK Set.
func staticKeys(t testing.TB, keys ...string) verifier.KeySource {
	c, err := jwkscache.Static(jwks(keys...))
	require.NoError(t, err)
	return c
}

// TestKeyFitsAlgorithm gives every key to every algorithm under the same kid.
func TestKeyFitsAlgorithm(t *testing.T) {
	family := func(alg string) string {
		switch alg[:2] {
		case "ES":
			return alg
		case "Ed":
			return "Ed25519"
		}
		return "RSA"
	}
	for _, signs := range asymmetric {
		for _, says := range asymmetric {
			if family(signs) == family(says) {
				continue
			}
			t.Run("A2 a key for "+signs+" with "+says, func(t *testing.T) {
				s := signerOf(signs)
				v, keys := withSigner(t, s)
				_, err := v.Verify(ctx, s.token(members{"alg": `"` + says + `"`}, nil))
				assertRefused(t, verifier.ErrSignature, err)
				assert.EqualValues(t, 1, keys.lookups.Load())
			})
		}
	}
	// Nothing but the curve is wrong: the hash, and the length of a half, fit.
	for _, says := range []string{"ES256", "ES384", "ES512"} {
		for signs := range curveOf {
			if signs == says {
				continue
			}
			t.Run("A2 "+says+" by a key of the curve of "+signs, func(t *testing.T) {
				s := signerOf(signs).as(says, "x")
				v, _ := withSigner(t, s)
				_, err := v.Verify(ctx, s.good())
				assertRefused(t, verifier.ErrSignature, err)
			})
		}
	}
}

func TestJWKAlg(t *testing.T) {
	tests := []struct {
		name, says string
		jwk        string
		reason     error
	}{
		{"A2 the JWK says so", "RS256", jwk(signerOf("RS256"), members{"alg": `"RS256"`}), nil},
		{"A2 the JWK says nothing", "RS256", jwk(signerOf("RS256"), nil), nil},
		{"A2 the JWK says nothing, PSS", "PS512", jwk(signerOf("PS512"), nil), nil},
		{"A2 the JWK says nothing, ECDSA", "ES384", jwk(signerOf("ES384"), nil), nil},
		{"A2 the JWK says PS256", "RS256", jwk(signerOf("RS256"), members{"alg": `"PS256"`}), verifier.ErrSignature},
		{"A2 the JWK says RS512", "RS256", jwk(signerOf("RS256"), members{"alg": `"RS512"`}), verifier.ErrSignature},
		{"A4 use enc", "ES256", jwk(signerOf("ES256"), members{"use": `"enc"`}), verifier.ErrSignature},
		{"A4 key_ops encrypt", "ES256", jwk(signerOf("ES256"), members{"key_ops": `["encrypt"]`}), verifier.ErrSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := signerOf(tt.says)
			jwkOf := strings.Replace(tt.jwk, `"kid":"`, `"kid":"the-`, 1)
			v, _ := setup(t, func(cfg *set) { cfg.Keys = staticKeys(t, jwkOf, jwk(newSigner("ES256"), nil)) })
			_, err := v.Verify(ctx, s.as(tt.says, "the-"+s.kid).good())
			if tt.reason == nil {
				require.NoError(t, err)
				return
			}
			assertRefused(t, tt.reason, err)
		})
	}
}

// TestPublicKeyAsSecret is the confusion of RFC 8725 §2.1.
func TestPublicKeyAsSecret(t *testing.T) {
	public := signerOf("RS256").public()
	der := must(x509.MarshalPKIXPublicKey(public))
	secrets := map[string][]byte{
		"DER":     der,
		"PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"PKCS #1": x509.MarshalPKCS1PublicKey(public.(*rsa.PublicKey)),
		"modulus": public.(*rsa.PublicKey).N.Bytes(),
		"JWK":     []byte(jwk(signerOf("RS256"), nil)),
		"empty":   {},
	}
	v, keys := setup(t)
	for name, secret := range secrets {
		for _, alg := range []string{"HS256", "HS384", "HS512"} {
			t.Run("A1 "+alg+" with the public key's "+name, func(t *testing.T) {
				_, err := v.Verify(ctx, hmacSigner(alg, secret).as(alg, "RS256").good())
				assertRefused(t, verifier.ErrAlgorithm, err)
			})
		}
	}
	assert.Zero(t, keys.lookups.Load())
}

// TestStrangeKeys has KeySources that bring what they should not.
func TestStrangeKeys(t *testing.T) {
	var noRSA *rsa.PublicKey
	var noECDSA *ecdsa.PublicKey
	secret := []byte(strings.Repeat("s", 64))
	tests := []struct {
		name, alg string
		key       crypto.PublicKey
	}{
		{"A1 a []byte for HS256's signature", "RS256", secret},
		{"A2 nil", "RS256", nil},
		{"A2 no pointer", "RS256", *signerOf("RS256").public().(*rsa.PublicKey)},
		{"A2 a private key", "RS256", signerOf("RS256").private},
		{"A2 a private Ed25519 key", "Ed25519", signerOf("Ed25519").private},
		{"A2 a string", "ES256", "key"},
		{"A2 a nil RSA key", "RS256", noRSA},
		{"A2 a nil RSA key, PSS", "PS256", noRSA},
		{"A2 an RSA key without modulus", "RS256", &rsa.PublicKey{E: 65537}},
		{"A2 a nil ECDSA key", "ES256", noECDSA},
		{"A2 an ECDSA key without curve", "ES256", &ecdsa.PublicKey{}},
		{"A2 a nil Ed25519 key", "Ed25519", ed25519.PublicKey(nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := signerOf(tt.alg)
			v, _ := setup(t, func(cfg *set) {
				cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{s.kid: {tt.key}}}
			})
			require.NotPanics(t, func() {
				_, err := v.Verify(ctx, s.good())
				assertRefused(t, verifier.ErrSignature, err)
			})
			hs := hmacSigner("HS256", secret).as(tt.alg, s.kid)
			hs.alg = "HS256"
			_, err := v.Verify(ctx, hs.token(members{"alg": `"` + tt.alg + `"`}, nil))
			assert.Error(t, err)
		})
	}
}
