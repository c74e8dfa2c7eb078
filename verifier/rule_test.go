package verifier_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// TestMisconfiguredRules has rules that could not do what they say. They panic where a
// route is made, and otherwise refuse every request as a mistake of the API's.
func TestMisconfiguredRules(t *testing.T) {
	a, _ := setup(t)
	both := newVerifier(t, config(), part("b", func(cfg *set) { cfg.Audiences = []string{billingAPI} }))
	tests := []struct {
		name  string
		v     *verifier.Verifier
		rules []verifier.Rule
		good  bool
	}{
		{"C11 Audience not configured", a, []verifier.Rule{verifier.Audience("x")}, false},
		{"C11 Audience of which one is not configured", a, []verifier.Rule{verifier.Audience(api, "x")}, false},
		{"C11 Audience with a slash more", a, []verifier.Rule{verifier.Audience(api + "/")}, false},
		{"C11 Audience of any issuer", both, []verifier.Rule{verifier.Audience(api, billingAPI)}, true},
		{"C11 Audience of no issuer", both, []verifier.Rule{verifier.Audience("x")}, false},
		{"C11 Issuer not trusted", a, []verifier.Rule{verifier.Issuer("x")}, false},
		{"C11 Issuer of which one is not trusted", both, []verifier.Rule{verifier.Issuer("b", "x")}, false},
		{"C11 Issuer of any issuer", both, []verifier.Rule{verifier.Issuer("b", issuer)}, true},
		{"C11 Client with one issuer", a, []verifier.Rule{verifier.Client("x")}, true},
		{"C11 Client with several issuers", both, []verifier.Rule{verifier.Client("x")}, false},
		{"C11 Client with Issuer beside it", both, []verifier.Rule{verifier.Client("x"), verifier.Issuer("b")}, true},
		{"C11 Client with Issuer before it", both, []verifier.Rule{verifier.Issuer("b"), verifier.Client("x")}, true},
		{"C11 Client with Audience beside it", both, []verifier.Rule{verifier.Client("x"), verifier.Audience(api)}, false},
		{"C11 nil", a, []verifier.Rule{nil}, false},
		{"C11 nil after another", a, []verifier.Rule{verifier.Scope("a"), nil}, false},
		{"C11 NoClaim with what is no pointer", a, []verifier.Rule{verifier.NoClaim("/~2")}, false},
		{"C11 Claim with what is no pointer", a, []verifier.Rule{verifier.Claim("/~2", "a")}, false},
		{"C11 no rule", a, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			protect, optional := func() { tt.v.Protect(tt.rules...) }, func() { tt.v.Optional(tt.rules...) }
			raw := signerOf("ES256").good()
			tok := verified(t, tt.v, raw)
			_, errVerify := tt.v.Verify(ctx, raw, tt.rules...)
			_, errAuthenticate := tt.v.Authenticate(bearer(raw), tt.rules...)
			errRequire := verifier.Require(verifier.NewContext(ctx, tok), tt.rules...)
			if tt.good {
				assert.NotPanics(t, protect)
				assert.NotPanics(t, optional)
				for _, err := range []error{errVerify, errAuthenticate, errRequire} {
					var e *verifier.Error
					if assert.True(t, err == nil || assert.ErrorAs(t, err, &e)) && e != nil {
						assert.NotEqual(t, 500, e.Status(), err)
					}
				}
				return
			}
			panicText(t, protect)
			panicText(t, optional)
			assertConfigurationError(t, errVerify)
			assertConfigurationError(t, errAuthenticate)
			assertConfigurationError(t, errRequire)
		})
	}
	t.Run("C11 an Audience with another slash is named", func(t *testing.T) {
		_, err := a.Verify(ctx, signerOf("ES256").good(), verifier.Audience(api+"/"))
		assert.ErrorContains(t, err, "; configured is \""+api+"\": they differ in the slash at the end")
		_, err = a.Verify(ctx, signerOf("ES256").good(), verifier.Audience("x"))
		assert.NotContains(t, err.Error(), "configured is")
	})
	t.Run("C11 nil in RequireGuard", func(t *testing.T) {
		panicText(t, func() { verifier.RequireGuard(verifier.Scope("a"), nil) })
	})
	t.Run("C11 nil Verifier", func(t *testing.T) {
		var v *verifier.Verifier
		panicText(t, func() { v.Protect() })
		panicText(t, func() { v.Optional() })
	})
	t.Run("C11 a wrong rule before anything is read", func(t *testing.T) {
		_, err := a.Verify(ctx, "rubbish", verifier.Audience("x"))
		assertConfigurationError(t, err)
	})
}

// TestCopies changes what was handed in, after it was handed in.
func TestCopies(t *testing.T) {
	s := signerOf("ES256")
	t.Run("Config", func(t *testing.T) {
		cfg := config()
		cfg.Algorithms = []string{"ES256"}
		cfg.Types = []string{"x+jwt"}
		cfg.Rules = []verifier.Rule{verifier.Scope("orders:read")}
		cfg.Claims = verifier.Claims{ClientID: []string{"client_id"}, Scopes: []string{"scope"}}
		v := newVerifier(t, cfg)
		cfg.Issuer, cfg.Audiences[0], cfg.Algorithms[0], cfg.Types[0], cfg.Rules[0] = "", "", "", "", verifier.Scope("x")
		cfg.Claims.ClientID[0], cfg.Claims.Scopes[0] = "sub", "sub"
		tok := verified(t, v, s.token(members{"typ": `"x+jwt"`}, members{"sub": `"s"`}))
		assert.Equal(t, "billing", tok.ClientID())
		assert.True(t, tok.HasScope("orders:read"))
	})
	t.Run("SharedSecret", func(t *testing.T) {
		secret := []byte("0123456789abcdef0123456789abcdef")
		hs := hmacSigner("HS256", append([]byte{}, secret...))
		v := newVerifier(t, verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{secret}})
		secret[0] = 'x'
		verified(t, v, hs.good())
	})
	t.Run("rules", func(t *testing.T) {
		v, _ := setup(t, twoAudiences)
		scopes := []string{"orders:read", "orders:write"}
		rules := []verifier.Rule{verifier.Scope(scopes...)}
		scopes[0] = "x"
		protect, inner := v.Protect(rules...), verifier.RequireGuard(rules...)
		rules[0] = verifier.Scope("y")
		r := bearer(s.good())
		inside, refused := protect(r)
		require.Nil(t, refused)
		_, refused = inner(r.WithContext(inside))
		require.Nil(t, refused)
	})
	t.Run("Error.Scopes", func(t *testing.T) {
		v, _ := setup(t)
		for _, rule := range []verifier.Rule{verifier.Scope("x", "y"), verifier.AnyScope("x", "y")} {
			for range 2 {
				_, err := v.Verify(ctx, s.good(), rule)
				var e *verifier.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, []string{"x", "y"}, e.Scopes)
				e.Scopes[0] = "z"
			}
		}
	})
}
