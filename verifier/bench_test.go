package verifier_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// BenchmarkVerify stands beside the bare cryptography of the same token in the
// same run: decode, hash, check the signature, and nothing else. Only the ratio
// means anything.
func BenchmarkVerify(b *testing.B) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(b, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(b, err)

	b.Run("RS256", func(b *testing.B) {
		raw := benchToken(b, "RS256", func(signed string) ([]byte, error) {
			digest := sha256.Sum256([]byte(signed))
			return rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, digest[:])
		})
		b.Run("bare", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				signed, signature := bare(b, raw)
				digest := sha256.Sum256([]byte(signed))
				require.NoError(b, rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, digest[:], signature))
			}
		})
		b.Run("jwtguard", func(b *testing.B) { benchVerify(b, raw, &rsaKey.PublicKey) })
	})
	b.Run("EdDSA", func(b *testing.B) {
		raw := benchToken(b, "EdDSA", func(signed string) ([]byte, error) { return ed25519.Sign(edKey, []byte(signed)), nil })
		public := edKey.Public().(ed25519.PublicKey)
		b.Run("bare", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				signed, signature := bare(b, raw)
				if !ed25519.Verify(public, []byte(signed), signature) {
					b.Fatal("refused")
				}
			}
		})
		b.Run("jwtguard", func(b *testing.B) { benchVerify(b, raw, public) })
	})
}

// benchToken returns a token of some 900 bytes.
func benchToken(b *testing.B, alg string, sign func(string) ([]byte, error)) string {
	b.Helper()
	claims, err := json.Marshal(map[string]any{
		"iss": "https://login.example.com/", "aud": []string{"https://api.example.com"},
		"sub": "billing-service", "client_id": "billing-service", "jti": rand.Text(),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"scope": "orders:read orders:write invoices:read", "tenant": "acme", "roles": []string{"reader", "writer"},
	})
	require.NoError(b, err)
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"alg":"`+alg+`","kid":"k1","typ":"at+jwt"}`)) + "." + enc.EncodeToString(claims)
	signature, err := sign(signed)
	require.NoError(b, err)
	return signed + "." + enc.EncodeToString(signature)
}

func bare(b *testing.B, raw string) (signed string, signature []byte) {
	b.Helper()
	dot := strings.LastIndexByte(raw, '.')
	signature, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
	require.NoError(b, err)
	return raw[:dot], signature
}

func benchVerify(b *testing.B, raw string, key crypto.PublicKey) {
	v, err := verifier.New(verifier.Config{
		Issuer: "https://login.example.com/", Audiences: []string{"https://api.example.com"}, Keys: &keyMap{keys: map[string][]crypto.PublicKey{"k1": {key}}},
	})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
}
