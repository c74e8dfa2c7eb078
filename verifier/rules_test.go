package verifier_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const billingAPI = "https://billing.example.com"

// twoAudiences is config for two audiences.
func twoAudiences(cfg *set) { cfg.Audiences = []string{api, billingAPI} }

func pass(context.Context, *verifier.Token) error { return nil }

func TestRules(t *testing.T) {
	v, _ := setup(t, twoAudiences)
	raw := signerOf("ES256").token(nil, members{
		"aud": `["` + api + `","https://other.example.com"]`, "roles": `["admin","auditor"]`, "tenant": `"blue"`,
		"mixed": `["blue",1]`, "number": `1`, "flag": `true`, "nothing": `null`, "a/b": `{"x":{"c~d":"y"}, "c~d" : "x"}`,
		"https://example.com/tenant": `"green"`, "empty": `""`, "object": `{"a":"b"}`, "Tenant": `"red"`,
	})
	tests := []struct {
		name   string
		rule   verifier.Rule
		reason error
		scopes []string
	}{
		{"C11 Scope", verifier.Scope("orders:read"), nil, nil},
		{"C11 Scope of two", verifier.Scope("orders:write", "orders:read"), nil, nil},
		{"C11 Scope of which one is missing", verifier.Scope("orders:read", "x"), verifier.ErrScope, []string{"orders:read", "x"}},
		{"C11 Scope in another case", verifier.Scope("Orders:read"), verifier.ErrScope, []string{"Orders:read"}},
		{"C11 Scope that is a part", verifier.Scope("orders"), verifier.ErrScope, []string{"orders"}},
		{"C11 AnyScope", verifier.AnyScope("x", "orders:read"), nil, nil},
		{"C11 AnyScope of the first", verifier.AnyScope("orders:read", "x"), nil, nil},
		{"C11 AnyScope of none", verifier.AnyScope("x", "y"), verifier.ErrScope, []string{"x", "y"}},
		{"C11 Audience", verifier.Audience(api), nil, nil},
		{"C11 Audience of two", verifier.Audience(billingAPI, api), nil, nil},
		{"C11 Audience missing", verifier.Audience(billingAPI), verifier.ErrAudience, nil},
		{"C11 Issuer", verifier.Issuer(issuer), nil, nil},
		{"C11 Client", verifier.Client("billing"), nil, nil},
		{"C11 Client of two", verifier.Client("x", "billing"), nil, nil},
		{"C11 Client missing", verifier.Client("x", "Billing"), verifier.ErrDenied, nil},
		{"C11 Claim a string", verifier.Claim("tenant", "blue"), nil, nil},
		{"C11 Claim of two values", verifier.Claim("tenant", "red", "blue"), nil, nil},
		{"C11 Claim in an array", verifier.Claim("roles", "auditor"), nil, nil},
		{"C11 Claim first in an array", verifier.Claim("roles", "admin"), nil, nil},
		{"C11 Claim of another value", verifier.Claim("tenant", "red"), verifier.ErrDenied, nil},
		{"C11 Claim in another case", verifier.Claim("tenant", "Blue"), verifier.ErrDenied, nil},
		{"C11 Claim's name in another case", verifier.Claim("TENANT", "blue"), verifier.ErrDenied, nil},
		{"C11 Claim of the exact name", verifier.Claim("Tenant", "red"), nil, nil},
		{"C11 Claim missing", verifier.Claim("x", "blue"), verifier.ErrDenied, nil},
		{"C11 Claim of a mixed array", verifier.Claim("mixed", "blue"), verifier.ErrDenied, nil},
		{"C11 Claim a number as it is spelled", verifier.Claim("number", "1"), nil, nil},
		{"C11 Claim a number in another spelling", verifier.Claim("number", "1.0"), verifier.ErrDenied, nil},
		{"C11 Claim a number that begins alike", verifier.Claim("number", "10"), verifier.ErrDenied, nil},
		{"C11 Claim true", verifier.Claim("flag", "true"), nil, nil},
		{"C11 Claim true is not false", verifier.Claim("flag", "false"), verifier.ErrDenied, nil},
		{"C11 Claim null is absent", verifier.Claim("nothing", "null"), verifier.ErrDenied, nil},
		{"C11 Claim by a pointer", verifier.Claim("/object/a", "b"), nil, nil},
		{"C11 Claim by a pointer of one part", verifier.Claim("/tenant", "blue"), nil, nil},
		{"C11 Claim by a pointer with escapes", verifier.Claim("/a~1b/c~0d", "x"), nil, nil},
		{"C11 Claim by a pointer into an array", verifier.Claim("/roles/0", "admin"), verifier.ErrDenied, nil},
		{"C11 Claim by a pointer into a string", verifier.Claim("/tenant/x", "blue"), verifier.ErrDenied, nil},
		{"C11 Claim by a pointer to nothing", verifier.Claim("/object/b", "b"), verifier.ErrDenied, nil},
		{"C11 Claim by a name that looks like a URL", verifier.Claim("https://example.com/tenant", "green"), nil, nil},
		{"C11 Role", verifier.Role("admin"), nil, nil},
		{"C11 Role of two", verifier.Role("auditor", "admin"), nil, nil},
		{"C11 Role of which one is missing", verifier.Role("admin", "x"), verifier.ErrDenied, nil},
		{"C11 Role in another case", verifier.Role("Admin"), verifier.ErrDenied, nil},
		{"C11 AnyRole", verifier.AnyRole("x", "auditor"), nil, nil},
		{"C11 AnyRole of none", verifier.AnyRole("x", "y"), verifier.ErrDenied, nil},
		{"C11 NoClaim", verifier.NoClaim("sid", "/object/b"), nil, nil},
		{"C11 NoClaim null is absent", verifier.NoClaim("nothing"), nil, nil},
		{"C11 NoClaim of one that is there", verifier.NoClaim("sid", "tenant"), verifier.ErrDenied, nil},
		{"C11 NoClaim of an empty one", verifier.NoClaim("empty"), verifier.ErrDenied, nil},
		{"C11 NoClaim by a pointer", verifier.NoClaim("/object/a"), verifier.ErrDenied, nil},
		{"C11 Claim an object", verifier.Claim("object", "b"), verifier.ErrDenied, nil},
		{"C7 Claim empty", verifier.Claim("empty", "x"), verifier.ErrDenied, nil},
		{"C11 ClientCredentials", verifier.ClientCredentials(), nil, nil},
		{"C11 Check", verifier.Check(pass), nil, nil},
	}
	for _, tt := range tests {
		for place, verify := range map[string]func() error{
			"Verify":       func() error { _, err := v.Verify(ctx, raw, tt.rule); return err },
			"Authenticate": func() error { _, err := v.Authenticate(bearer(raw), tt.rule); return err },
			"Protect":      func() error { return guardError(v.Protect(tt.rule), bearer(raw)) },
			"Optional":     func() error { return guardError(v.Optional(tt.rule), bearer(raw)) },
			"Require": func() error {
				return verifier.Require(verifier.NewContext(ctx, verified(t, v, raw)), tt.rule)
			},
			"RequireGuard": func() error {
				r := bearer("")
				return guardError(verifier.RequireGuard(tt.rule), r.WithContext(verifier.NewContext(ctx, verified(t, v, raw))))
			},
			"Config": func() error {
				v, _ := setup(t, twoAudiences, func(cfg *set) { cfg.Rules = []verifier.Rule{tt.rule} })
				_, err := v.Verify(ctx, raw)
				return err
			},
			"Config of one of two issuers": func() error {
				v := newVerifier(t, part("b"), part(issuer, twoAudiences, func(cfg *set) { cfg.Rules = []verifier.Rule{tt.rule} }))
				_, err := v.Verify(ctx, raw)
				return err
			},
			"Config.With": func() error {
				v, _ := setup(t, twoAudiences, func(cfg *set) {
					cfg.Config = cfg.With(tt.rule)
					cfg.Rules = nil
				})
				_, err := v.Verify(ctx, raw)
				return err
			},
		} {
			t.Run(tt.name+" in "+place, func(t *testing.T) {
				err := verify()
				if tt.reason == nil {
					require.NoError(t, err)
					return
				}
				assertRefused(t, tt.reason, err)
				var e *verifier.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, tt.scopes, e.Scopes)
			})
		}
	}
}

// TestRuleOrder gives every order of rules that pass and rules that fail.
func TestRuleOrder(t *testing.T) {
	v, _ := setup(t, twoAudiences)
	raw := signerOf("ES256").good()
	good := []verifier.Rule{
		verifier.Scope("orders:read"), verifier.Audience(api), verifier.Client("billing"), verifier.Issuer(issuer),
	}
	permute(good, func(rules []verifier.Rule) {
		_, err := v.Verify(ctx, raw, rules...)
		require.NoError(t, err)
	})
	for name, bad := range map[string]struct {
		rule   verifier.Rule
		reason error
	}{
		"Scope": {verifier.Scope("x"), verifier.ErrScope}, "Client": {verifier.Client("x"), verifier.ErrDenied},
		"Audience": {verifier.Audience(billingAPI), verifier.ErrAudience},
	} {
		t.Run("C11 one that fails, "+name, func(t *testing.T) {
			permute(append(slices.Clone(good[:3]), bad.rule), func(rules []verifier.Rule) {
				_, err := v.Verify(ctx, raw, rules...)
				assertRefused(t, bad.reason, err)
			})
		})
	}
	t.Run("C11 audience answers first", func(t *testing.T) {
		permute([]verifier.Rule{verifier.Scope("x"), verifier.Audience(billingAPI), verifier.Client("x")}, func(rules []verifier.Rule) {
			_, err := v.Verify(ctx, raw, rules...)
			assertRefused(t, verifier.ErrAudience, err)
		})
	})
	t.Run("C11 audience answers first, wherever the rules stand", func(t *testing.T) {
		v, _ := setup(t, twoAudiences, func(cfg *set) { cfg.Rules = []verifier.Rule{verifier.Scope("x")} })
		_, err := v.Verify(ctx, raw, verifier.Audience(billingAPI))
		assertRefused(t, verifier.ErrAudience, err)
	})
	t.Run("C11 issuer answers first", func(t *testing.T) {
		v := newVerifier(t, config(), part("b"))
		permute([]verifier.Rule{verifier.Scope("x"), verifier.Issuer("b"), verifier.Check(pass)}, func(rules []verifier.Rule) {
			_, err := v.Verify(ctx, raw, rules...)
			assertRefused(t, verifier.ErrIssuer, err)
		})
	})
}

// What one request is told is not changed by another's.
func TestRefusalsAreNotShared(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.TokenCache = -1 })
	rules := []verifier.Rule{
		verifier.Scope("x"), verifier.AnyScope("x"), verifier.Client("x"), verifier.Claim("x", "x"), verifier.ClientCredentials(),
		verifier.Check(func(context.Context, *verifier.Token) error { return verifier.ErrRevoked }),
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			sub := fmt.Sprintf("caller-%d", i)
			raw := signerOf("EdDSA").token(nil, members{"sub": `"` + sub + `"`, "client_id": `"billing"`})
			for range 50 {
				for _, rule := range rules {
					_, err := v.Verify(ctx, raw, rule)
					var e *verifier.Error
					if assert.ErrorAs(t, err, &e) {
						assert.Equal(t, sub, e.Caller().Subject)
					}
				}
			}
		})
	}
	all.Wait()
}

func permute[T any](list []T, f func([]T)) {
	if len(list) == 0 {
		f(nil)
		return
	}
	for i := range list {
		rest := append(slices.Clone(list[:i]), list[i+1:]...)
		permute(rest, func(p []T) { f(append([]T{list[i]}, p...)) })
	}
}

func TestRulesOnlyNarrow(t *testing.T) {
	t.Run("C11 several Audience rules are all demanded", func(t *testing.T) {
		v, _ := setup(t, twoAudiences)
		one, two := signerOf("ES256").good(), signerOf("ES256").token(nil, members{"aud": `["` + api + `","` + billingAPI + `"]`})
		rules := []verifier.Rule{verifier.Audience(api), verifier.Audience(billingAPI)}
		permute(rules, func(rules []verifier.Rule) {
			verified(t, v, two, rules...)
			_, err := v.Verify(ctx, one, rules...)
			assertRefused(t, verifier.ErrAudience, err)
		})
		v, _ = setup(t, twoAudiences, func(cfg *set) { cfg.Rules = rules[:1] })
		verified(t, v, two, rules[1])
		_, err := v.Verify(ctx, one, rules[1])
		assertRefused(t, verifier.ErrAudience, err)
	})
	t.Run("C11 several Scope, Client and Claim rules are all demanded", func(t *testing.T) {
		v, _ := setup(t)
		raw := signerOf("ES256").good()
		for _, pair := range [][2]verifier.Rule{
			{verifier.Scope("orders:read"), verifier.Scope("x")},
			{verifier.AnyScope("orders:read"), verifier.AnyScope("x")},
			{verifier.Client("billing"), verifier.Client("x")},
			{verifier.Claim("sub", "billing"), verifier.Claim("sub", "x")},
			{verifier.Check(pass), verifier.Check(func(context.Context, *verifier.Token) error { return verifier.ErrRevoked })},
		} {
			permute(pair[:], func(rules []verifier.Rule) {
				_, err := v.Verify(ctx, raw, rules...)
				assert.Error(t, err)
			})
		}
	})
	t.Run("C11 no rule makes a bad token good", func(t *testing.T) {
		v, _ := setup(t, twoAudiences)
		other := signerOf("ES256").token(nil, members{"aud": `"https://other.example.com"`})
		for _, rule := range []verifier.Rule{
			verifier.Audience(api), verifier.Issuer(issuer), verifier.Check(pass), verifier.AnyScope("orders:read"),
		} {
			_, err := v.Verify(ctx, other, rule)
			assertRefused(t, verifier.ErrAudience, err)
		}
	})
	t.Run("C11 an audience of another issuer does not count", func(t *testing.T) {
		v := newVerifier(t, config(), part("b", func(cfg *set) { cfg.Audiences = []string{billingAPI} }))
		s := signerOf("ES256")
		both := `["` + api + `","` + billingAPI + `"]`
		verified(t, v, s.token(nil, members{"aud": both}), verifier.Audience(api))
		verified(t, v, s.token(nil, members{"aud": both, "iss": `"b"`}), verifier.Audience(billingAPI))
		for iss, audience := range map[string]string{issuer: billingAPI, "b": api} {
			_, err := v.Verify(ctx, s.token(nil, members{"aud": both, "iss": `"` + iss + `"`}), verifier.Audience(audience))
			assertRefused(t, verifier.ErrAudience, err)
			_, err = v.Verify(ctx, s.token(nil, members{"aud": `"` + audience + `"`, "iss": `"` + iss + `"`}))
			assertRefused(t, verifier.ErrAudience, err)
		}
	})
}

// TestRulesThatNothingCanSatisfy has rules that are wrong whatever the
// configuration. They never panic where they are made, since what they are made
// of is often configuration, and never let a token pass.
func TestRulesThatNothingCanSatisfy(t *testing.T) {
	v, _ := setup(t)
	raw := signerOf("ES256").good()
	tok := verified(t, v, raw)
	for name, row := range map[string]struct {
		kind string // of rule
		rule verifier.Rule
	}{
		"Scope, no list":          {"Scope", verifier.Scope()},
		"Scope":                   {"Scope", verifier.Scope("")},
		"Scope, the second":       {"Scope", verifier.Scope("orders:read", "")},
		"Scope of two words":      {"Scope", verifier.Scope("orders:read orders:write")},
		"Scope of a quote":        {"Scope", verifier.Scope(`a"b`)},
		"Scope of a backslash":    {"Scope", verifier.Scope(`a\b`)},
		"Scope with a newline":    {"Scope", verifier.Scope("a\r\nX: y")},
		"Scope with DEL":          {"Scope", verifier.Scope("a\x7f")},
		"Scope beyond ASCII":      {"Scope", verifier.Scope("é")},
		"AnyScope, no list":       {"AnyScope", verifier.AnyScope()},
		"AnyScope":                {"AnyScope", verifier.AnyScope("")},
		"AnyScope, the second":    {"AnyScope", verifier.AnyScope("orders:read", "")},
		"AnyScope of two words":   {"AnyScope", verifier.AnyScope("orders:read", "b c")},
		"Audience, no list":       {"Audience", verifier.Audience()},
		"Audience":                {"Audience", verifier.Audience("")},
		"Audience, the second":    {"Audience", verifier.Audience(api, "")},
		"Issuer, no list":         {"Issuer", verifier.Issuer()},
		"Issuer":                  {"Issuer", verifier.Issuer("")},
		"Issuer, the second":      {"Issuer", verifier.Issuer(issuer, "")},
		"Client, no list":         {"Client", verifier.Client()},
		"Client":                  {"Client", verifier.Client("")},
		"Client, the second":      {"Client", verifier.Client("billing", "")},
		"Claim, no list":          {"Claim", verifier.Claim("sub")},
		"Claim's name":            {"Claim", verifier.Claim("", "billing")},
		"Claim's value":           {"Claim", verifier.Claim("sub", "")},
		"Claim's value, a second": {"Claim", verifier.Claim("sub", "billing", "")},
		"Check of nil":            {"Check", verifier.Check(nil)},
		"Role, no list":           {"Role", verifier.Role()},
		"AnyRole":                 {"AnyRole", verifier.AnyRole("a", "")},
		"NoClaim, no list":        {"NoClaim", verifier.NoClaim()},
		"NoClaim":                 {"NoClaim", verifier.NoClaim("a", "")},
	} {
		rule := row.rule
		kind := "rule " + row.kind + ": (the (list|name) is empty|there is an empty string in the list|.+ is not one scope|it needs a function)"
		rules := []verifier.Rule{verifier.ClientCredentials(), rule}
		t.Run("C11 C7 "+name+", when a route is made", func(t *testing.T) {
			for _, change := range []func(*set){
				func(cfg *set) { cfg.Rules = rules },
				func(cfg *set) { cfg.Claims.ClientCredentials = rule },
			} {
				_, err := verifier.New(newSet(change).Config)
				require.Error(t, err)
				assert.Regexp(t, kind, err.Error())
			}
			for _, wire := range []func(){func() { v.Protect(rules...) }, func() { v.Optional(rules...) }, func() { verifier.RequireGuard(rules...) }} {
				assert.Regexp(t, kind, panicText(t, wire))
			}
			require.Error(t, v.CheckRules(rules...))
			assert.Regexp(t, kind, v.CheckRules(rules...).Error())
		})
		t.Run("C11 C7 "+name+", with a request", func(t *testing.T) {
			_, errVerify := v.Verify(ctx, raw, rules...)
			_, errAuthenticate := v.Authenticate(bearer(raw), rules...)
			for _, err := range []error{errVerify, errAuthenticate, verifier.Require(verifier.NewContext(ctx, tok), rules...)} {
				assertConfigurationError(t, err)
				assert.Regexp(t, kind, err.Error())
			}
		})
	}
	for _, none := range []*verifier.Verifier{nil, {}} {
		assert.Contains(t, panicText(t, func() { _ = none.CheckRules() }), "nil Verifier")
	}
	require.NoError(t, v.CheckRules(verifier.ClientCredentials(), verifier.Audience(api)))
	require.Error(t, v.CheckRules(verifier.Audience("https://nobody.example.com")), "which is not configured")
	assert.NotPanics(t, func() { v.Protect(verifier.Scope("!#[]^~AZaz09:/.-_")) }, "the ends of RFC 6749's characters")
}
