package vectors

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Published vectors sign texts that are no access tokens, so their signatures
// are checked beside the verifier. Here the verifier decides for itself, over
// tokens that another library signs.

// asymmetric are the algorithms that a verifier accepts by default, and secret
// those that it accepts with a shared secret (RFC 7518 §3.1, RFC 8037 §3.1, RFC
// 9864 §2.2).
var (
	asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
	secret     = []string{"HS256", "HS384", "HS512"}
)

func TestAlgorithmsAreAllThere(t *testing.T) {
	assert.ElementsMatch(t, algorithmNames(), slices.Concat(asymmetric, secret))
}

// tokensOf is the name of an algorithm's row in the scorecard.
func tokensOf(alg string) string { return "tokens signed with " + alg }

// A signer signs for one algorithm, with another library.
type signer struct {
	alg    string
	public any // for verifiers; a []byte is a shared secret
	key    any // for golang-jwt
}

func newSigner(alg string) signer {
	if strings.HasPrefix(alg, "HS") {
		secret := make([]byte, 64)
		_, _ = rand.Read(secret) // never fails
		return signer{alg, secret, secret}
	}
	s := jwttest.NewSigner(alg)
	return signer{alg, s.Public(), s.Private}
}

// sign returns the token of this header's alg, or another, and payload.
func (s signer) sign(t *testing.T, alg, payload string) string {
	t.Helper()
	return s.signAs(t, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q}`, alg)), payload)
}

func (s signer) signAs(t *testing.T, header, payload string) string {
	t.Helper()
	name := s.alg
	if name == "Ed25519" { // golang-jwt has its other name only
		name = "EdDSA"
	}
	text := header + "." + payload
	sig, err := jwt.GetSigningMethod(name).Sign(text, s.key)
	require.NoError(t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// A oneKey is a KeySource with one key, whatever it is asked for.
type oneKey struct{ key crypto.PublicKey }

func (k oneKey) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return []crypto.PublicKey{k.key}, nil
}

// newVerifier returns one with that key; no algorithms are the default.
func newVerifier(key any, algorithms ...string) (*verifier.Verifier, error) {
	cfg := verifier.Config{Issuer: issuer, Audiences: []string{audience}, Algorithms: algorithms}
	if secret, ok := key.([]byte); ok {
		cfg.SharedSecrets = [][]byte{secret}
	} else {
		cfg.Keys = oneKey{key}
	}
	return verifier.New(cfg)
}

// runTokens has verifiers decide good tokens of alg, and what becomes of them.
func runTokens(t *testing.T, alg string) (r row) {
	s := newSigner(alg)
	decide := func(result, what, raw string, key any, algorithms ...string) {
		t.Helper()
		v, err := newVerifier(key, algorithms...)
		require.NoError(t, err)
		defer func() { assert.NoError(t, v.Close()) }()
		token, err := v.Verify(ctx, raw)
		reason := ""
		if err != nil {
			assert.Nil(t, token)
			reason = err.Error()
		}
		r.add(t, tokensOf(alg), &vector{ID: r.cases + 1, Comment: what, Result: result}, reason)
	}
	claims := goodClaims()
	good := s.sign(t, alg, claims)
	decide("valid", "by default", good, s.public)
	decide("valid", "the only algorithm", good, s.public, alg)

	family := asymmetric
	if slices.Contains(secret, alg) {
		family = secret
	}
	others := slices.DeleteFunc(slices.Clone(family), func(a string) bool { return a == alg })
	decide("valid", "the last of all", good, s.public, append(others, alg)...)
	decide("invalid", "all other algorithms", good, s.public, others...)
	for _, other := range slices.Concat(asymmetric, secret, []string{"none"}) {
		same := alg == "EdDSA" && other == "Ed25519" || alg == "Ed25519" && other == "EdDSA"
		if other != alg && !same {
			decide("invalid", "says "+other, s.sign(t, other, claims), s.public)
		}
	}

	segments := strings.Split(good, ".")
	sig, err := base64.RawURLEncoding.DecodeString(segments[2])
	require.NoError(t, err)
	bad := func(what string, sig []byte) {
		t.Helper()
		decide("invalid", what, segments[0]+"."+segments[1]+"."+base64.RawURLEncoding.EncodeToString(sig), s.public)
	}
	bad("no signature", nil)
	bad("all zeros", make([]byte, len(sig)))
	bad("a byte less", sig[:len(sig)-1])
	bad("a byte more", append(slices.Clone(sig), 0))
	for _, i := range []int{0, len(sig) / 2, len(sig) - 1} {
		for bit := range 8 {
			changed := slices.Clone(sig)
			changed[i] ^= 1 << bit
			bad(fmt.Sprintf("bit %d of byte %d flipped", bit, i), changed)
		}
	}
	more := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","x":1}`))
	decide("invalid", "another header", more+"."+segments[1]+"."+segments[2], s.public)
	decide("invalid", "other claims", segments[0]+"."+boss(t, claims)+"."+segments[2], s.public)
	decide("invalid", "another's key", newSigner(alg).sign(t, alg, claims), s.public)
	return r
}

// boss returns the claims of somebody else.
func boss(t *testing.T, claims string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(claims)
	require.NoError(t, err)
	changed := strings.Replace(string(text), `"sub":"a"`, `"sub":"boss"`, 1)
	require.NotEqual(t, string(text), changed)
	return base64.RawURLEncoding.EncodeToString([]byte(changed))
}

// acceptResigned takes a token that is good but for its claims, and has b's
// verifier accept good claims under the same header, signed with the same key.
func acceptResigned(t *testing.T, b *bench, keys json.RawMessage, v *vector) {
	t.Helper()
	var set gojose.JSONWebKeySet
	require.NoError(t, json.Unmarshal(asSet(keys), &set))
	require.Len(t, set.Keys, 1, "%d", v.ID)
	header, _, _ := strings.Cut(text(v.JWS), ".")
	raw := signer{b.alg, nil, set.Keys[0].Key}.signAs(t, header, goodClaims())
	token, err := b.verifier.Verify(ctx, raw)
	if assert.NoError(t, err, "A1 %d", v.ID) {
		assert.Equal(t, "b", token.ClientID())
	}
}

// refuseForeign has a verifier with key refuse a token with a signature that
// key made over another text, and for its signature only.
func refuseForeign(t *testing.T, alg string, key crypto.PublicKey, v *vector) {
	t.Helper()
	var public any = key
	if secret, ok := key.(jose.Secret); ok {
		public = secret()
	}
	w, err := newVerifier(public, alg)
	if secret, ok := public.([]byte); ok && len(secret) < jose.ByName(alg).MinSecret {
		assert.Error(t, err, "A1 %d a secret of %d bytes", v.ID, len(secret))
		return
	}
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.Close()) }()
	text := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q}`, alg)) + "." + goodClaims()
	token, err := w.Verify(ctx, text+"."+base64.RawURLEncoding.EncodeToString(v.signature()))
	want := verifier.ErrSignature
	if len(v.signature()) == 0 {
		want = verifier.ErrMalformed // no JWS has an empty one
	}
	assert.ErrorIs(t, err, want, "A3 %d", v.ID)
	assert.Nil(t, token)
}
