package verifier_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// staticKeys are those of a JWK Set.
func staticKeys(t testing.TB, keys ...string) verifier.KeySource {
	c, err := jwkscache.Static(jwttest.JWKS(keys...))
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
	for _, signs := range jwttest.Asymmetric {
		for _, says := range jwttest.Asymmetric {
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
	// Nothing but the curve is wrong: the hash fits, and the halves are as long as they
	// should be.
	for _, row := range [][2]string{{"ES384", "ES256"}, {"ES512", "ES256"}, {"ES512", "ES384"}} {
		says, signs := row[0], row[1]
		t.Run("A2 "+says+" by a key of the curve of "+signs, func(t *testing.T) {
			s := signerOf(signs).as(says, "x")
			v, _ := withSigner(t, s)
			signed := s.unsigned()
			sig := s.Signature(signed)
			r, rest := new(big.Int).SetBytes(sig[:len(sig)/2]), new(big.Int).SetBytes(sig[len(sig)/2:])
			_, err := v.Verify(ctx, jwttest.Attach(signed, jwttest.Concat(jwttest.Curves[says], r, rest)))
			assertRefused(t, verifier.ErrSignature, err)
		})
	}
}

func TestJWKAlg(t *testing.T) {
	tests := []struct {
		name, says string
		jwk        string
		reason     error
	}{
		{"A2 the JWK says so", "RS256", signerOf("RS256").JWK(members{"alg": `"RS256"`}), nil},
		{"A2 the JWK says nothing", "RS256", signerOf("RS256").JWK(nil), nil},
		{"A2 the JWK says nothing, PSS", "PS512", signerOf("PS512").JWK(nil), nil},
		{"A2 the JWK says nothing, ECDSA", "ES384", signerOf("ES384").JWK(nil), nil},
		{"A2 the JWK says PS256", "RS256", signerOf("RS256").JWK(members{"alg": `"PS256"`}), verifier.ErrSignature},
		{"A2 the JWK says RS512", "RS256", signerOf("RS256").JWK(members{"alg": `"RS512"`}), verifier.ErrSignature},
		{"A4 use enc", "ES256", signerOf("ES256").JWK(members{"use": `"enc"`}), verifier.ErrSignature},
		{"A4 key_ops encrypt", "ES256", signerOf("ES256").JWK(members{"key_ops": `["encrypt"]`}), verifier.ErrSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := signerOf(tt.says)
			jwkOf := strings.Replace(tt.jwk, `"kid":"`, `"kid":"the-`, 1)
			v, _ := setup(t, func(cfg *set) { cfg.Keys = staticKeys(t, jwkOf, newSigner("ES256").JWK(nil)) })
			_, err := v.Verify(ctx, s.as(tt.says, "the-"+s.KeyID).good())
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
	public := signerOf("RS256").Public()
	der := must(x509.MarshalPKIXPublicKey(public))
	secrets := map[string][]byte{
		"DER":     der,
		"PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"PKCS #1": x509.MarshalPKCS1PublicKey(public.(*rsa.PublicKey)),
		"modulus": public.(*rsa.PublicKey).N.Bytes(),
		"JWK":     []byte(signerOf("RS256").JWK(nil)),
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
		{"A2 no pointer", "RS256", *signerOf("RS256").Public().(*rsa.PublicKey)},
		{"A2 a private key", "RS256", signerOf("RS256").Private},
		{"A2 a private Ed25519 key", "Ed25519", signerOf("Ed25519").Private},
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
				cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{s.KeyID: {tt.key}}}
			})
			require.NotPanics(t, func() {
				_, err := v.Verify(ctx, s.good())
				assertRefused(t, verifier.ErrSignature, err)
			})
			hs := hmacSigner("HS256", secret).as(tt.alg, s.KeyID)
			hs.Alg = "HS256"
			_, err := v.Verify(ctx, hs.token(members{"alg": `"` + tt.alg + `"`}, nil))
			assert.Error(t, err)
		})
	}
}

func TestCandidates(t *testing.T) {
	right := signerOf("ES256").as("ES256", "")
	others := func(n int) (list []crypto.PublicKey) {
		for range n {
			list = append(list, newSigner("ES256").Public())
		}
		return list
	}
	tests := []struct {
		name string
		keys []crypto.PublicKey
		ok   bool
	}{
		{"A5 none", nil, false},
		{"A5 one that fits", []crypto.PublicKey{right.Public()}, true},
		{"A5 one that does not", others(1), false},
		{"A5 the second of a doubled kid", append(others(1), right.Public()), true},
		{"A5 the first of a doubled kid", append([]crypto.PublicKey{right.Public()}, others(1)...), true},
		{"A5 the fourth of four", append(others(3), right.Public()), true},
		{"A5 none of four", others(4), false},
		{"A5 the fifth of five", append(others(4), right.Public()), false},
		{"A5 the first of five", append([]crypto.PublicKey{right.Public()}, others(4)...), false},
		{"A5 keys of other kinds between", []crypto.PublicKey{signerOf("ES384").Public(), signerOf("RS256").Public(), right.Public()}, true},
	}
	for _, tt := range tests {
		for _, kid := range []string{"", "k"} {
			name := tt.name
			if kid == "" {
				name += ", no kid"
			}
			t.Run(name, func(t *testing.T) {
				v, keys := setup(t, func(cfg *set) {
					cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{kid: tt.keys}}
				})
				header := members{"kid": `"k"`}
				if kid == "" {
					header["kid"] = ""
				}
				_, err := v.Verify(ctx, right.token(header, nil))
				assert.EqualValues(t, 1, keys.lookups.Load())
				if tt.ok {
					require.NoError(t, err)
					return
				}
				assertRefused(t, verifier.ErrSignature, err)
			})
		}
	}
}

type lookup struct {
	ctx      context.Context
	kid, alg string
}

// asking is a KeySource that remembers what it was asked.
type asking struct {
	asked []lookup
	keys  []crypto.PublicKey
}

func (a *asking) Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	a.asked = append(a.asked, lookup{ctx, q.KeyID, q.Algorithm})
	return a.keys, nil
}

func TestWhatKeysAreAsked(t *testing.T) {
	t.Run("A5 once, for the header's kid and alg", func(t *testing.T) {
		src := &asking{keys: []crypto.PublicKey{signerOf("PS384").Public()}}
		v, _ := setup(t, func(cfg *set) { cfg.Keys = src })
		type mark struct{}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(context.WithValue(r.Context(), mark{}, "request"))
		r.Header.Set("Authorization", "Bearer "+signerOf("PS384").token(members{"kid": `"\u006b/../1"`}, nil))
		_, err := v.Authenticate(r)
		require.NoError(t, err)
		require.Len(t, src.asked, 1, "A5 one lookup")
		assert.Equal(t, "k/../1", src.asked[0].kid, "A5 the kid after unescaping")
		assert.Equal(t, "PS384", src.asked[0].alg, "A5 the header's alg")
		assert.Equal(t, "request", src.asked[0].ctx.Value(mark{}), "A5 the request's context")
	})
}

func TestThumbprintsAreAsked(t *testing.T) {
	const x5t, x5tS256 = "dGhlLXNoYS0xLW9mLWEtY2VydA", "dGhlLXNoYS0yNTYtb2YtYS1jZXJ0aWZpY2F0ZQ"
	for _, tt := range []struct {
		name   string
		header members
		want   jwkscache.Query
	}{
		{"A5 none", nil, jwkscache.Query{KeyID: "ES256"}},
		{"A5 x5t beside kid", members{"x5t": `"` + x5t + `"`}, jwkscache.Query{KeyID: "ES256", X5T: x5t}},
		{"A5 x5t alone", members{"kid": "", "x5t": `"` + x5t + `"`}, jwkscache.Query{X5T: x5t}},
		{"A5 x5t#S256 alone", members{"kid": "", "x5t#S256": `"` + x5tS256 + `"`}, jwkscache.Query{X5TS256: x5tS256}},
		{"A5 both, escaped", members{"x5t": `"\u0064` + x5t[1:] + `"`, "x5t#\u0053256": `"` + x5tS256 + `"`},
			jwkscache.Query{KeyID: "ES256", X5T: x5t, X5TS256: x5tS256}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []jwkscache.Query
			s := signerOf("ES256")
			v, _ := setup(t, func(cfg *set) {
				cfg.Keys = keyFunc(func(_ context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
					asked = append(asked, q)
					return []crypto.PublicKey{s.Public()}, nil
				})
			})
			token := s.token(tt.header, nil)
			verified(t, v, token)
			verified(t, v, token) // remembered: its key is asked for in the same way
			require.NotEmpty(t, asked)
			for _, q := range asked {
				q.Now, tt.want.Algorithm = time.Time{}, "ES256"
				assert.Equal(t, tt.want, q)
			}
		})
	}
}

// Real servers publish more keys than are tried, without kid (ADFS).
func TestManyKeysWithoutKID(t *testing.T) {
	var published []string
	signers := make([]signer, 8)
	mark := func(i int) members { return members{"kid": "", "x5t": fmt.Sprintf(`"thumbprint-%d"`, i)} }
	for i := range signers {
		signers[i] = newSigner("ES256")
		published = append(published, signers[i].JWK(mark(i)))
	}
	keys := must(jwkscache.Static(jwttest.JWKS(published...)))
	v, _ := setup(t, func(cfg *set) { cfg.Keys = keys })

	t.Run("A5 x5t tells which one is meant", func(t *testing.T) {
		for i, s := range signers {
			verified(t, v, s.token(mark(i), nil))
			verified(t, v, s.token(members{"x5t": mark(i)["x5t"]}, nil)) // beside a kid that no key has
			_, err := v.Verify(ctx, s.token(mark((i+1)%8), nil))
			assertRefused(t, verifier.ErrSignature, err)
		}
	})
	t.Run("A5 without it there are too many", func(t *testing.T) {
		_, err := v.Verify(ctx, signers[0].token(members{"kid": ""}, nil))
		assertRefused(t, verifier.ErrSignature, err)
		assert.ErrorContains(t, err, "8 keys match")
	})
	t.Run("A5 an unknown one is named", func(t *testing.T) {
		_, err := v.Verify(ctx, signers[0].token(members{"kid": "", "x5t": `"unknown"`}, nil))
		assertRefused(t, verifier.ErrSignature, err)
		assert.ErrorContains(t, err, `no key with x5t "unknown" for ES256`)
	})
}

func TestSameKIDElsewhere(t *testing.T) {
	t.Run("A5 the same kid at another trusted issuer", func(t *testing.T) {
		a, b := newSigner("ES256"), newSigner("ES256")
		require.Equal(t, a.KeyID, b.KeyID)
		cfgA, cfgB := config(), config()
		cfgA.Keys, cfgB.Keys, cfgB.Issuer = keysOf(a), keysOf(b), "b"
		v := newVerifier(t, cfgA, cfgB)
		ofB := members{"iss": `"b"`}
		verified(t, v, a.good())
		verified(t, v, b.token(nil, ofB))
		_, err := v.Verify(ctx, b.good())
		assertRefused(t, verifier.ErrSignature, err)
		_, err = v.Verify(ctx, a.token(nil, ofB))
		assertRefused(t, verifier.ErrSignature, err)
	})
}

// relooking is a KeySource that may know newer keys.
type relooking struct {
	keyMap
	newer []crypto.PublicKey
	fails error
	asked lookup
	tried [][]crypto.PublicKey
}

func (r *relooking) Lookup(ctx context.Context, q jwkscache.Query) ([]crypto.PublicKey, error) {
	if q.Tried == nil {
		return r.keyMap.Lookup(ctx, q)
	}
	r.asked, r.tried = lookup{ctx, q.KeyID, q.Algorithm}, append(r.tried, q.Tried)
	return r.newer, r.fails
}

func TestTriedKeys(t *testing.T) {
	right, wrong := signerOf("ES256"), newSigner("ES256").Public()
	fits, doesNot := []crypto.PublicKey{right.Public()}, []crypto.PublicKey{wrong}
	five := append(fits[:1:1], wrong, wrong, wrong, wrong)
	down := errors.New("down")
	tests := []struct {
		name         string
		first, newer []crypto.PublicKey
		fails        error
		reason       error
		calls        int
	}{
		{"A5 not when a key fits", fits, nil, nil, nil, 0},
		{"A5 not when there is no key", nil, fits, nil, verifier.ErrSignature, 0},
		{"A5 not after too many", five, fits, nil, verifier.ErrSignature, 0},
		{"A5 a newer key fits", doesNot, fits, nil, nil, 1},
		{"A5 no newer key", doesNot, nil, nil, verifier.ErrSignature, 1},
		{"A5 a newer key does not fit", doesNot, doesNot, nil, verifier.ErrSignature, 1},
		{"A5 too many newer keys", doesNot, five, nil, verifier.ErrSignature, 1},
		{"R4 looking again cannot tell", doesNot, fits, down, verifier.ErrUnavailable, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &relooking{newer: tt.newer, fails: tt.fails}
			src.keys = map[string][]crypto.PublicKey{right.KeyID: tt.first}
			v, _ := setup(t, func(cfg *set) { cfg.Keys = src })
			_, err := v.Verify(ctx, right.good())
			require.Len(t, src.tried, tt.calls)
			if tt.calls > 0 {
				assert.Equal(t, lookup{ctx, right.KeyID, right.Alg}, src.asked)
				assert.Equal(t, tt.first, src.tried[0])
			}
			if tt.reason == nil {
				require.NoError(t, err)
				return
			}
			assertRefused(t, tt.reason, err)
			if len(tt.first) > 4 || len(tt.newer) > 4 {
				assert.Contains(t, err.Error(), "5 keys match")
			}
			if tt.fails != nil {
				assert.ErrorIs(t, err, tt.fails)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	t.Run("A5 a token without kid survives the overlap", func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		v := iss.Verifier(api)
		require.NoError(t, v.Ready(ctx))
		withoutKID := func() string {
			return iss.Sign(`{"alg":"ES256"}`, strings.Replace(goodClaims().Text(), issuer, iss.URL(), 1))
		}
		old := withoutKID()
		verified(t, v, old)
		iss.Rotate()
		verified(t, v, withoutKID()) // A5 a token without kid finds the new key
		verified(t, v, old)          // A5 and survives the overlap
		iss.Rotate()
		verified(t, v, iss.Token(nil)) // A5 a new kid at first use
		_, err := v.Verify(ctx, old)
		assertRefused(t, verifier.ErrSignature, err)
	})
}
