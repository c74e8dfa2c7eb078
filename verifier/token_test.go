package verifier_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
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

// assertAfterSignature asserts that nobody without a key learns what v makes of
// claims.
func assertAfterSignature(t testing.TB, v *verifier.Verifier, claims members) {
	t.Helper()
	_, err := v.Verify(ctx, newSigner("ES256").token(nil, claims))
	assertRefused(t, verifier.ErrSignature, err)
}

func TestClientID(t *testing.T) {
	type claimNames = verifier.Claims
	okta, entra := claimNames{ClientID: []string{"cid"}}, claimNames{ClientID: []string{"appid", "azp"}}
	tests := []struct {
		name   string
		preset claimNames
		claims members
		id     string
		bad    bool
	}{
		{name: "C8 client_id", claims: members{"client_id": `"a"`}, id: "a"},
		{name: "C8 client_id before azp", claims: members{"client_id": `"a"`, "azp": `"b"`}, id: "a"},
		{name: "C8 azp", claims: members{"client_id": "", "azp": `"b"`}, id: "b"},
		{name: "C8 azp for an empty client_id", claims: members{"client_id": `""`, "azp": `"b"`}, id: "b"},
		{name: "C8 azp for null", claims: members{"client_id": `null`, "azp": `"b"`}, id: "b"},
		{name: "C8 apart from sub", claims: members{"client_id": "", "sub": `"s"`}, id: ""},
		{name: "C8 never cid unasked", claims: members{"client_id": "", "cid": `"c"`, "appid": `"d"`}, id: ""},
		{name: "C8 a number", claims: members{"client_id": `1`}, bad: true},
		{name: "C8 an array", claims: members{"client_id": `["a"]`}, bad: true},
		{name: "C8 azp a number", claims: members{"client_id": "", "azp": `1`}, bad: true},
		{name: "C8 preset cid", preset: okta, claims: members{"cid": `"c"`}, id: "c"},
		{name: "C8 preset cid and nothing else", preset: okta, claims: members{"client_id": `"a"`, "azp": `"b"`}, id: ""},
		{name: "C8 preset appid", preset: entra, claims: members{"appid": `"d"`, "azp": `"b"`}, id: "d"},
		{name: "C8 preset appid, else azp", preset: entra, claims: members{"azp": `"b"`}, id: "b"},
		{name: "C8 preset of nothing", preset: claimNames{ClientID: []string{}}, id: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, _ := setup(t, func(cfg *set) { cfg.Claims = tt.preset })
			tok, err := v.Verify(ctx, signerOf("ES256").token(nil, tt.claims))
			if tt.bad {
				assertRefused(t, verifier.ErrClaims, err)
				assertAfterSignature(t, v, tt.claims)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.id, tok.ClientID())
			if tt.claims["sub"] == "" {
				assert.Equal(t, "billing", tok.Subject())
			}
		})
	}
}

func TestScopes(t *testing.T) {
	tests := []struct {
		name   string
		names  []string
		claims members
		scopes []string
		bad    bool
	}{
		{name: "C8 scope a string", claims: members{"scope": `"a b:c"`}, scopes: []string{"a", "b:c"}},
		{name: "C8 scope an array", claims: members{"scope": `["a","b"]`}, scopes: []string{"a", "b"}},
		{name: "C8 scp a string", claims: members{"scope": "", "scp": `"a b"`}, scopes: []string{"a", "b"}},
		{name: "C8 scp an array", claims: members{"scope": "", "scp": `["a","b"]`}, scopes: []string{"a", "b"}},
		{name: "C8 scope and scp", claims: members{"scope": `"a b"`, "scp": `["c","b","c"]`}, scopes: []string{"a", "b", "c"}},
		{name: "C8 scp for an empty scope", claims: members{"scope": `""`, "scp": `["b"]`}, scopes: []string{"b"}},
		{name: "C8 scp for null", claims: members{"scope": `null`, "scp": `["b"]`}, scopes: []string{"b"}},
		{name: "C8 scp for an empty array", claims: members{"scope": `[]`, "scp": `["b"]`}, scopes: []string{"b"}},
		{name: "C8 scp alone may repeat a scope", claims: members{"scope": "", "scp": `["a","a"]`}, scopes: []string{"a", "a"}},
		{name: "C8 an empty scope changes nothing", claims: members{"scope": `""`, "scp": `["a","a"]`}, scopes: []string{"a", "a"}},
		{name: "C8 spaces for a scope change nothing", claims: members{"scope": `"  "`, "scp": `["a","a"]`}, scopes: []string{"a", "a"}},
		{name: "C7 empty elements change nothing", claims: members{"scope": `["",""]`, "scp": `["a","a"]`}, scopes: []string{"a", "a"}},
		{name: "C8 none", claims: members{"scope": ""}},
		{name: "C8 only null", claims: members{"scope": `null`}},
		{name: "C8 many spaces", claims: members{"scope": `"  a   b "`}, scopes: []string{"a", "b"}},
		{name: "C8 only a space separates", claims: members{"scope": `"a\tb,c\nd"`}, scopes: []string{"a\tb,c\nd"}},
		{name: "C8 an element is one scope", claims: members{"scope": `["a b","c"]`}, scopes: []string{"a b", "c"}},
		{name: "C7 only spaces", claims: members{"scope": `"   "`}},
		{name: "C7 empty elements", claims: members{"scope": `["","a",""]`}, scopes: []string{"a"}},
		{name: "C7 only empty elements", claims: members{"scope": `[""]`, "scp": `"b"`}, scopes: []string{"b"}},
		{name: "C8 a number", claims: members{"scope": `1`}, bad: true},
		{name: "C8 an object", claims: members{"scope": `{}`}, bad: true},
		{name: "C8 a number among them", claims: members{"scope": `["a",1]`}, bad: true},
		{name: "C8 scp a number", claims: members{"scope": "", "scp": `1`}, bad: true},
		{name: "C8 preset", names: []string{"permissions"}, claims: members{"permissions": `["a"]`}, scopes: []string{"a"}},
		{name: "C8 preset of several", names: []string{"x", "roles"}, claims: members{"roles": `["a"]`}, scopes: []string{"a"}},
		{name: "C8 preset of nothing", names: []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, _ := setup(t, func(cfg *set) { cfg.Claims.Scopes = tt.names })
			tok, err := v.Verify(ctx, signerOf("ES256").token(nil, tt.claims))
			if tt.bad {
				assertRefused(t, verifier.ErrClaims, err)
				assertAfterSignature(t, v, tt.claims)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.scopes, append([]string(nil), tok.Scopes()...))
			for _, s := range tt.scopes {
				assert.True(t, tok.HasScope(s))
			}
			assert.False(t, tok.HasScope(""), "C7")
			assert.False(t, tok.HasScope("A"))
			assert.False(t, tok.HasScope("a b c"))
		})
	}
}

func TestClientCredentials(t *testing.T) {
	app := verifier.Claims{ClientCredentials: verifier.Claim("idtyp", "app")}
	tests := []struct {
		name   string
		preset verifier.Claims
		claims members
		ok     bool
	}{
		{name: "C9 sub is the client id", claims: members{"sub": `"a"`, "client_id": `"a"`}, ok: true},
		{name: "C9 sub is azp", claims: members{"sub": `"a"`, "client_id": "", "azp": `"a"`}, ok: true},
		{name: "C9 sub is a user", claims: members{"sub": `"jane"`, "client_id": `"a"`}},
		{name: "C9 sub in another case", claims: members{"sub": `"A"`, "client_id": `"a"`}},
		{name: "C9 sub missing", claims: members{"sub": "", "client_id": `"a"`}},
		{name: "C7 both missing", claims: members{"sub": "", "client_id": ""}},
		{name: "C7 both empty", claims: members{"sub": `""`, "client_id": `""`}},
		{name: "C7 no client, sub @clients", claims: members{"sub": `"@clients"`, "client_id": "", "gty": `"client-credentials"`}},
		{name: "C9 Auth0", claims: members{"sub": `"a@clients"`, "client_id": "", "azp": `"a"`, "gty": `"client-credentials"`}, ok: true},
		{name: "C9 Auth0 with a list", claims: members{"sub": `"a@clients"`, "client_id": `"a"`, "gty": `["x","client-credentials"]`}, ok: true},
		{name: "C9 Auth0 without gty", claims: members{"sub": `"a@clients"`, "client_id": `"a"`}},
		{name: "C9 Auth0 of another grant", claims: members{"sub": `"a@clients"`, "client_id": `"a"`, "gty": `"password"`}},
		{name: "C9 Auth0 with the RFC's word", claims: members{"sub": `"a@clients"`, "client_id": `"a"`, "gty": `"client_credentials"`}},
		{name: "C9 Auth0 of another client", claims: members{"sub": `"b@clients"`, "client_id": `"a"`, "gty": `"client-credentials"`}},
		{name: "C9 Auth0 with a longer name", claims: members{"sub": `"aa@clients"`, "client_id": `"a"`, "gty": `"client-credentials"`}},
		{name: "C9 gty alone", claims: members{"sub": `"jane"`, "client_id": `"a"`, "gty": `"client-credentials"`}},
		{name: "C9 a name that users choose", claims: members{
			"sub": `"jane"`, "client_id": `"a"`, "preferred_username": `"service-account-a"`, "username": `"a"`, "name": `"a"`, "email": `"a"`,
		}},
		{name: "C9 what the preset says", preset: app, claims: members{"sub": `"7"`, "client_id": `"a"`, "idtyp": `"app"`}, ok: true},
		{name: "C9 what the preset does not say", preset: app, claims: members{"sub": `"7"`, "client_id": `"a"`, "idtyp": `"user"`}},
		{name: "C9 the preset's claim without the preset", claims: members{"sub": `"7"`, "client_id": `"a"`, "idtyp": `"app"`}},
		{name: "C9 the preset alone decides, sub is the client id", preset: app, claims: members{"sub": `"a"`, "client_id": `"a"`}},
		{name: "C9 the preset alone decides, Auth0's form", preset: app, claims: members{"sub": `"a@clients"`, "client_id": `"a"`, "gty": `"client-credentials"`}},
		{name: "C7 the preset without a client id", preset: app, claims: members{"sub": `"7"`, "client_id": "", "idtyp": `"app"`}},
		{name: "C9 with the preset's client id", preset: verifier.Claims{ClientID: []string{"cid"}}, claims: members{"sub": `"c"`, "cid": `"c"`}, ok: true},
		{name: "C9 not with another client id", preset: verifier.Claims{ClientID: []string{"cid"}}, claims: members{"sub": `"a"`, "client_id": `"a"`, "cid": `"c"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, _ := setup(t, func(cfg *set) { cfg.Claims = tt.preset })
			raw := signerOf("ES256").token(nil, tt.claims)
			verified(t, v, raw)
			_, err := v.Verify(ctx, raw, verifier.ClientCredentials())
			if tt.ok {
				require.NoError(t, err)
				return
			}
			assertRefused(t, verifier.ErrDenied, err)
		})
	}
}

// A preset that cannot tell, or knows more than no, has its own answer.
func TestClientCredentialsAnswers(t *testing.T) {
	for name, reason := range map[string]error{
		"R4 cannot tell": verifier.ErrUnavailable, "R2 revoked": verifier.ErrRevoked, "R2 no": verifier.ErrDenied,
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := setup(t, func(cfg *set) {
				cfg.Claims.ClientCredentials = verifier.Check(func(ctx context.Context, tok *verifier.Token) error {
					judged, _ := verifier.FromContext(ctx)
					assert.Same(t, tok, judged, "C11")
					return fmt.Errorf("the directory says: %w", reason)
				})
			})
			_, err := v.Verify(ctx, signerOf("ES256").good(), verifier.ClientCredentials())
			assertRefused(t, reason, err)
			assert.ErrorContains(t, err, "the directory says")
		})
	}
}

// A Token that no verifier made says nothing, and a Verifier that New did not make
// admits nobody.
func TestZeroValues(t *testing.T) {
	tok := new(verifier.Token)
	assert.Empty(t, tok.Raw())
	assert.Empty(t, tok.Roles())
	assert.False(t, tok.HasRole("a"))
	assert.False(t, tok.HasScope("a"))
	assert.NotPanics(t, func() { _ = tok.String(); _ = tok.LogValue() })
	panicText(t, func() { new(verifier.Verifier).Protect() })
}

// The search for what may have the scope that is missing takes linear time.
func TestManyScopesElsewhere(t *testing.T) {
	v, _ := setup(t)
	many := `"` + strings.Repeat("a ", 5000) + `needed"`
	_, err := v.Verify(ctx, signerOf("ES256").token(nil, members{"scope": `"b"`, "permissions": `[` + many + `]`}), verifier.Scope("b", "needed"))
	assertRefused(t, verifier.ErrScope, err)
	assert.ErrorContains(t, err, "permissions has it")
}
