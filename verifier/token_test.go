package verifier_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestToken(t *testing.T) {
	v, _ := setup(t)
	exp := time.Now().Add(time.Hour).Truncate(time.Second)
	tok := verified(t, v, signerOf("ES256").token(nil, members{
		"sub": `"s"`, "client_id": `"c"`, "jti": `"j"`, "aud": `["a","` + api + `"]`, "scope": `"x y"`,
		"iat": "1300819380", "nbf": "1300819381", "exp": seconds(exp),
	}))
	assert.Equal(t, issuer, tok.Issuer())
	assert.Equal(t, "s", tok.Subject())
	assert.Equal(t, "c", tok.ClientID())
	assert.Equal(t, "j", tok.ID())
	assert.Equal(t, []string{"a", api}, tok.Audience())
	assert.Equal(t, []string{"x", "y"}, tok.Scopes())
	assert.True(t, tok.HasScope("x"))
	assert.False(t, tok.HasScope("z"))
	assert.Equal(t, time.Unix(1300819380, 0).UTC(), tok.IssuedAt())
	assert.Equal(t, time.Unix(1300819381, 0).UTC(), tok.NotBefore())
	assert.Equal(t, exp.UTC(), tok.Expiry())
	for _, at := range []time.Time{tok.IssuedAt(), tok.NotBefore(), tok.Expiry()} {
		assert.Equal(t, time.UTC, at.Location())
	}

	bare := verified(t, v, signerOf("ES256").token(nil, members{
		"sub": "", "client_id": "", "jti": "", "iat": "", "scope": "",
	}))
	assert.Empty(t, bare.Subject()+bare.ClientID()+bare.ID())
	assert.Empty(t, bare.Scopes())
	assert.True(t, bare.IssuedAt().IsZero())
	assert.True(t, bare.NotBefore().IsZero())
}

func TestTokenIsImmutable(t *testing.T) {
	v, _ := setup(t)
	tok := verified(t, v, signerOf("ES256").good())
	tok.Audience()[0] = "changed"
	tok.Scopes()[0] = "changed"
	assert.Equal(t, []string{api}, tok.Audience())
	assert.Equal(t, []string{"orders:read", "orders:write"}, tok.Scopes())
	assert.False(t, tok.HasScope("changed"))
	_ = append(tok.Scopes()[:1], "changed")
	assert.True(t, tok.HasScope("orders:write"))

	type claims = map[string]any
	first, err := verifier.ClaimsOf[claims](tok)
	require.NoError(t, err)
	first["sub"] = "changed"
	second, err := verifier.ClaimsOf[claims](tok)
	require.NoError(t, err)
	assert.Equal(t, "billing", second["sub"])

	a, err := verifier.ClaimsOf[*json.RawMessage](tok)
	require.NoError(t, err)
	text := string(*a)
	for i := range *a {
		(*a)[i] = 'x'
	}
	b, err := verifier.ClaimsOf[*json.RawMessage](tok)
	require.NoError(t, err)
	assert.NotSame(t, a, b, "decoded afresh")
	assert.Equal(t, text, string(*b))
}

func TestFromContext(t *testing.T) {
	tok := verifiertest.NewToken(verifiertest.Claims{"client_id": "c"})
	got, ok := verifier.FromContext(verifier.NewContext(ctx, tok))
	require.True(t, ok)
	assert.Same(t, tok, got)
	_, ok = verifier.FromContext(ctx)
	assert.False(t, ok)
	got, ok = verifier.FromContext(verifier.NewContext(verifier.NewContext(ctx, tok), nil))
	assert.False(t, ok)
	assert.Nil(t, got)
}

// TestManyGoroutines is for the race detector.
func TestManyGoroutines(t *testing.T) {
	deny := &verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"x"}}
	v, _ := setup(t, func(cfg *set) {
		cfg.Rules = []verifier.Rule{verifier.Audience(api), verifier.Check(pass)}
	})
	s := signerOf("Ed25519")
	good, bad, forged := s.good(), s.token(nil, members{"scope": ""}), newSigner("Ed25519").good()
	shared := verified(t, v, good)
	protect, optional := v.Protect(verifier.Scope("orders:read")), v.Optional()
	refuse := verifier.Check(func(context.Context, *verifier.Token) error { return deny })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				_, err := v.Verify(ctx, good)
				assert.NoError(t, err)
				_, err = v.Authenticate(bearer(forged))
				assertRefused(t, verifier.ErrSignature, err)
				_, err = v.Verify(ctx, good, refuse)
				assertRefused(t, verifier.ErrScope, err)
				assert.NoError(t, guardError(protect, bearer(good)))
				assertRefused(t, verifier.ErrScope, guardError(protect, bearer(bad)))
				assert.NoError(t, guardError(optional, anonymous()))
				claims, err := verifier.ClaimsOf[map[string]any](shared)
				assert.NoError(t, err)
				claims["x"] = 1
				shared.Scopes()[0] = "x"
				assert.NoError(t, verifier.Require(verifier.NewContext(ctx, shared), verifier.Scope("orders:read")))
				assert.NoError(t, v.Health())
			}
		})
	}
	wg.Wait()
	assert.Equal(t, &verifier.Error{Reason: verifier.ErrScope, Scopes: []string{"x"}}, deny)
}
