package verifier_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// BenchmarkVerify stands beside the bare cryptography of the same token in the
// same run: decode, hash, check the signature, and nothing else. Only the ratio
// means anything. A miss is a token seen for the first time, which is then
// remembered; off is without the cache of tokens.
func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		b.Run(alg, func(b *testing.B) {
			s := signerOf(alg)
			pool := make([]string, 256)
			for i := range pool {
				pool[i] = s.token(nil, machineClaims(i))
			}
			b.Run("bare", func(b *testing.B) {
				verify := bare(s)
				for i := 0; b.Loop(); i++ {
					if !verify(pool[i%len(pool)]) {
						b.Fatal("refused")
					}
				}
			})
			// The pool comes round before a token is remembered well enough to stay.
			b.Run("miss", func(b *testing.B) { benchVerify(b, s, pool, 8) })
			b.Run("off", func(b *testing.B) { benchVerify(b, s, pool, -1) })
			b.Run("hit", func(b *testing.B) { benchVerify(b, s, pool[:1], 0) })
		})
	}
}

// machineClaims make tokens of some 900 bytes with an RSA signature.
func machineClaims(i int) members {
	return members{
		"jti": fmt.Sprintf(`"%032d"`, i), "nbf": seconds(time.Now()), "aud": `["` + api + `"]`,
		"sub": `"billing-service"`, "client_id": `"billing-service"`, "tenant": `"acme"`,
		"scope": `"orders:read orders:write invoices:read"`, "roles": `["reader","writer"]`,
	}
}

// bare returns the cryptography alone.
func bare(s signer) func(raw string) bool {
	split := func(raw string) (signed, signature []byte) {
		dot := strings.LastIndexByte(raw, '.')
		return []byte(raw[:dot]), must(base64.RawURLEncoding.DecodeString(raw[dot+1:]))
	}
	switch k := s.Public().(type) {
	case *rsa.PublicKey:
		return func(raw string) bool {
			signed, signature := split(raw)
			digest := sha256.Sum256(signed)
			return rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], signature) == nil
		}
	case *ecdsa.PublicKey:
		return func(raw string) bool {
			signed, signature := split(raw)
			digest := sha256.Sum256(signed)
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			return ecdsa.Verify(k, digest[:], r, s)
		}
	case ed25519.PublicKey:
		return func(raw string) bool {
			signed, signature := split(raw)
			return ed25519.Verify(k, signed, signature)
		}
	}
	panic("no such key")
}

func benchVerify(b *testing.B, s signer, pool []string, tokenCache int) {
	v := warm(b, s, tokenCache)
	_, err := v.Verify(ctx, pool[0])
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := v.Verify(ctx, pool[i%len(pool)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkObserve has decisions of each kind without an observer and with one that
// counts. Only the ratio means anything.
func BenchmarkObserve(b *testing.B) {
	s := signerOf("RS256")
	pool := make([]*http.Request, 256)
	for i := range pool {
		pool[i] = bearer(s.token(nil, machineClaims(i)))
	}
	word, expired := []*http.Request{bearer("rubbish")}, []*http.Request{bearer(s.token(nil, members{"exp": "1"}))}
	for _, row := range []struct {
		name       string
		requests   []*http.Request
		tokenCache int
	}{{"hit", pool[:1], 4096}, {"miss", pool, 8}, {"off", pool, -1}, {"a word", word, 4096}, {"expired", expired, 4096}} {
		for how, observe := range map[string]func(context.Context, verifier.Decision){
			"without": nil, "with": func(context.Context, verifier.Decision) { counted.Add(1) },
		} {
			b.Run(row.name+"/"+how, func(b *testing.B) {
				g := warmWith(b, s, verifier.Settings{TokenCache: row.tokenCache, Observe: observe}).Protect()
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					_, _ = g(row.requests[i%len(row.requests)])
				}
			})
		}
	}
}

var counted atomic.Int64

// warm returns a verifier over a key cache as programs have it, with the key of
// s in it.
func warm(t testing.TB, s signer, tokenCache int) *verifier.Verifier {
	t.Helper()
	return warmWith(t, s, verifier.Settings{TokenCache: tokenCache})
}

func warmWith(t testing.TB, s signer, settings verifier.Settings) *verifier.Verifier {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(jwttest.JWKS(s.JWK(nil)))
	}))
	t.Cleanup(srv.Close)
	keys := must(jwkscache.ForURL(srv.URL, jwkscache.Config{}))
	t.Cleanup(func() { keys.Close() })
	require.NoError(t, keys.Ready(t.Context()))
	return newVerifierWith(t, settings, verifier.Config{Issuer: issuer, Audiences: []string{api}, Keys: keys})
}

// BenchmarkRefuse has each reason for which a token is refused, beside the bare
// cryptography of a good one.
func BenchmarkRefuse(b *testing.B) {
	s := signerOf("RS256")
	v := warm(b, s, 0)
	good := s.token(nil, machineClaims(0))
	verified(b, v, good)
	token := func(header, claims members) string { return s.token(header, claims.Over(machineClaims(0))) }
	b.Run("bare", func(b *testing.B) {
		verify := bare(s)
		for b.Loop() {
			if !verify(good) {
				b.Fatal("refused")
			}
		}
	})
	for _, row := range []struct {
		name, raw string
		reason    error
	}{
		{"a word", "rubbish", verifier.ErrMalformed},
		{"oversized", strings.Repeat("x", 1<<20), verifier.ErrMalformed},
		{"no base64", good[:len(good)-1] + "*", verifier.ErrBadRequest},
		{"a broken header", "e30" + good[strings.IndexByte(good, '.'):], verifier.ErrAlgorithm},
		{"expired", token(nil, members{"exp": "1"}), verifier.ErrExpired},
		{"not yet valid", token(nil, members{"nbf": "9999999999"}), verifier.ErrNotYetValid},
		{"another issuer", token(nil, members{"iss": `"x"`}), verifier.ErrIssuer},
		{"another algorithm", token(members{"alg": `"none"`}, nil), verifier.ErrAlgorithm},
		{"another audience", token(nil, members{"aud": `"x"`}), verifier.ErrAudience},
		{"another type", token(members{"typ": `"logout+jwt"`}, nil), verifier.ErrType},
		{"a bad signature", jwttest.Attach(good[:strings.LastIndexByte(good, '.')], make([]byte, 256)), verifier.ErrSignature},
		{"a scope missing", good, verifier.ErrScope},
	} {
		b.Run(row.name, func(b *testing.B) {
			r, rule := bearer(row.raw), verifier.Scope("x")
			_, err := v.Authenticate(r, rule)
			require.ErrorIs(b, err, row.reason)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Authenticate(r, rule); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
