package verifier_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// Explanations where more is set than one Config.
func TestExplainSettings(t *testing.T) {
	s := signerOf("ES256")

	t.Run("E2 a revoked token", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			cfg.Revocation = revokedFunc(func(context.Context, *verifier.Token) (bool, error) { return true, nil })
		})
		assert.Equal(t, "revoked", checkReport(t, v, s.good()).Mistake.Code)
	})
	t.Run("E4 no tenant is kept for a token that is refused anyway", func(t *testing.T) {
		resolve, _ := tenantsOf(2, s)
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 1})
		expired := v.Explain(ctx, s.token(nil, members{"iss": `"t0"`, "exp": "1"}))
		assert.Equal(t, "expired", expired.Mistake.Code)
		assert.Empty(t, v.Issuers())
		assert.True(t, checkReport(t, v, ofTenant(s, 1)).Admitted)
	})
	t.Run("E2 a bound token, where a request could prove possession", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			cfg.Bindings = []verifier.Binding{{Member: "jkt", Scheme: "DPoP", Confirm: func(*http.Request, *verifier.Token, string) (verifier.Confirmation, error) {
				return verifier.Confirmation{}, nil
			}}}
		})
		m := checkReport(t, v, s.token(nil, members{"cnf": `{"jkt":"x"}`})).Mistake
		assert.Equal(t, "bound_token", m.Code)
		assert.NotContains(t, m.Text, "without DPoP")
	})
	t.Run("E2 revocation that cannot be decided", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			cfg.Revocation = revokedFunc(func(context.Context, *verifier.Token) (bool, error) { return false, errors.New("no answer") })
		})
		assert.Equal(t, "rule_unavailable", checkReport(t, v, s.good()).Mistake.Code)
	})
	t.Run("E2 the kind of a token of no known issuer", func(t *testing.T) {
		v := newVerifier(t, config(), part("https://other.example/"))
		assert.Equal(t, "dpop_proof", checkReport(t, v, s.token(members{"typ": `"dpop+jwt"`}, members{"iss": "", "exp": ""})).Mistake.Code)
	})
	t.Run("E2 a claim of the wrong type is not called missing", func(t *testing.T) {
		v, _ := setup(t)
		assert.Equal(t, []string{"claims"}, failedChecks(checkReport(t, v, s.token(nil, members{"iss": "1"}))))
		assert.Equal(t, []string{"claims"}, failedChecks(checkReport(t, v, s.token(nil, members{"aud": "{}"}))))
	})
	t.Run("E4 nobody asks whether a token is revoked that is refused already", func(t *testing.T) {
		asked := 0
		v, _ := setup(t, func(cfg *set) {
			cfg.Revocation = revokedFunc(func(context.Context, *verifier.Token) (bool, error) { asked++; return false, nil })
		})
		v.Explain(ctx, s.token(nil, members{"exp": "1"}))
		assert.Zero(t, asked)
		v.Explain(ctx, s.good())
		assert.Equal(t, 1, asked)
	})
	t.Run("E1 the refusal names the caller, as that of Verify does", func(t *testing.T) {
		v, _ := setup(t)
		assert.Equal(t, "billing", v.Explain(ctx, s.good(), verifier.Scope("x")).Refusal.Caller().ClientID)
	})
	t.Run("E2 a token as long as is permitted", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) { cfg.MaxTokenLength = len(s.good()) })
		assert.True(t, checkReport(t, v, s.good()).Admitted)
	})
	t.Run("E2 the audience of another issuer", func(t *testing.T) {
		v := newVerifier(t, config(), part("b", func(cfg *set) { cfg.Audiences = []string{"https://b.example"} }))
		raw := s.token(nil, members{"aud": `["` + api + `","https://b.example"]`})
		assert.Equal(t, "audience_of_other_issuer", checkReport(t, v, raw, verifier.Audience("https://b.example")).Mistake.Code)
	})
	t.Run("E2 more tenants than there is room for", func(t *testing.T) {
		resolve, _ := tenantsOf(2, s)
		v := newVerifierWith(t, verifier.Settings{Tenants: resolve, MaxTenants: 1})
		assert.True(t, checkReport(t, v, ofTenant(s, 0)).Admitted)
		assert.Equal(t, "tenants_full", checkReport(t, v, ofTenant(s, 1)).Mistake.Code)
		assert.Equal(t, "issuer_other", checkReport(t, v, ofTenant(s, 7)).Mistake.Code)
	})
	t.Run("E4 with several issuers the one that was meant is compared", func(t *testing.T) {
		v := newVerifier(t, part("https://b.example/", func(cfg *set) { cfg.Audiences = []string{"https://other.example"} }), config(), part("https://c.example/"))
		r := checkReport(t, v, s.token(nil, members{"iss": `"https://login.example.com"`, "scope": ""}), verifier.Scope("a"))
		assert.Equal(t, "issuer_slash", r.Mistake.Code)
		require.Equal(t, "rule Scope", r.Checks[len(r.Checks)-1].Check)
		assert.Equal(t, "no_scope", r.Checks[len(r.Checks)-1].Mistake.Code)
		assert.Equal(t, []string{"issuer", "rule Scope"}, failedChecks(r))

		r = checkReport(t, v, s.token(nil, members{"iss": `"https://C.example"`}))
		assert.Contains(t, r.Mistake.Text, `and Config.Issuer is "https://c.example/"`, "the most alike")

		r = checkReport(t, v, s.token(nil, members{"iss": `"https://nobody.example.net/x/y"`}))
		assert.Equal(t, "issuer_other", r.Mistake.Code)
		assert.Equal(t, verifier.CheckSkipped, r.Checks[len(r.Checks)-1].Result)
	})
	t.Run("E4 everything that is wrong is named at once", func(t *testing.T) {
		v, _ := setup(t)
		r := checkReport(t, v, newSigner("ES256").token(nil, members{
			"iss": `"https://login.example.com"`, "exp": "1", "aud": "[]", "scope": `"orders.read"`,
		}), verifier.Scope("orders:read"), verifier.Client("shipping"))
		assert.Equal(t, []string{"time", "issuer", "audience", "signature", "rule Scope", "rule Client"}, failedChecks(r))
		assert.Equal(t, "time", r.StoppedAt)
	})
	t.Run("E4 a Check is called only with a token that is valid so far", func(t *testing.T) {
		called := 0
		check := verifier.Check(func(context.Context, *verifier.Token) error { called++; return nil })
		v, _ := setup(t, func(cfg *set) { cfg.Claims.ClientCredentials = check })
		for name, raw := range map[string]string{
			"expired": s.token(nil, members{"exp": "1"}), "forged": newSigner("ES256").good(), "another issuer's": s.token(nil, members{"iss": `"x"`}),
		} {
			r := v.Explain(ctx, raw, check, verifier.ClientCredentials())
			assert.Zero(t, called, name)
			assert.Equal(t, verifier.CheckSkipped, r.Checks[len(r.Checks)-1].Result, name)
			assert.Equal(t, verifier.CheckSkipped, r.Checks[len(r.Checks)-2].Result, name)
		}
		assert.True(t, v.Explain(ctx, s.good(), check, verifier.ClientCredentials()).Admitted)
		assert.Equal(t, 2, called)
	})
	t.Run("E1 nothing is remembered, logged or observed", func(t *testing.T) {
		var log bytes.Buffer
		observed := 0
		v := newVerifierWith(t, verifier.Settings{
			Logger:  slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Observe: func(context.Context, verifier.Decision) { observed++ },
		}, config())
		assert.True(t, v.Explain(ctx, s.good()).Admitted)
		assert.False(t, v.Explain(ctx, "x").Admitted)
		assert.Equal(t, verifier.Stats{}, v.Stats())
		assert.Zero(t, observed)
		assert.Empty(t, log.String())
	})
}

func failedChecks(r verifier.Report) (names []string) {
	for _, c := range r.Checks {
		if c.Result == verifier.CheckFailed {
			names = append(names, c.Check)
		}
	}
	return names
}

// What a Report says of keys that are fetched.
func TestExplainFetchedKeys(t *testing.T) {
	in := func(name string, f func(*testing.T, *verifiertest.Issuer, *verifier.Verifier)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iss := verifiertest.NewIssuer(t)
				v := iss.Verifier(api)
				require.NoError(t, v.Ready(ctx))
				f(t, iss, v)
			})
		})
	}
	other := func(t *testing.T, iss *verifiertest.Issuer) string {
		return newSigner("ES256").token(members{"kid": `"other"`}, members{"iss": `"` + iss.URL() + `"`})
	}
	in("E2 a key that is missing, and an issuer that responds", func(t *testing.T, iss *verifiertest.Issuer, v *verifier.Verifier) {
		time.Sleep(3 * time.Minute)
		r := v.Explain(ctx, other(t, iss))
		assert.Equal(t, "key_unknown", r.Mistake.Code)
		assert.Contains(t, r.Mistake.Text, `The issuer has no key with kid "other" for ES256: it has 1 key, fetched 0 seconds ago.`)
		assert.Contains(t, r.Mistake.Text, "The last attempt to fetch them succeeded.")
		assert.Equal(t, 1, r.Keys.Keys)
	})
	in("E2 a key that is missing, and an issuer that does not respond", func(t *testing.T, iss *verifiertest.Issuer, v *verifier.Verifier) {
		time.Sleep(3 * time.Minute)
		iss.Fail(500)
		r := v.Explain(ctx, other(t, iss))
		assert.Equal(t, "keys_unavailable", r.Mistake.Code)
		assert.Equal(t, 503, r.Refusal.Status())
		last := r.Checks[len(r.Checks)-2]
		assert.Equal(t, "signature", last.Check)
		assert.Contains(t, last.Demanded, "1 key, fetched 3 minutes ago")
		assert.Contains(t, last.Cause, "500")
		assert.Contains(t, string(must(json.Marshal(r))), `"last_error":"`)
	})
	in("E2 clocks that differ", func(t *testing.T, iss *verifiertest.Issuer, v *verifier.Verifier) {
		client := iss.HTTPClient()
		client.Transport = datedBy{client.Transport, -10 * time.Minute}
		cfg := iss.Config(api)
		cfg.JWKS.HTTPClient = client
		late := newVerifier(t, cfg)
		require.NoError(t, late.Ready(ctx))
		raw := iss.Token(verifiertest.Claims{"exp": time.Now().Add(-5 * time.Minute).Unix()})
		r := late.Explain(ctx, raw)
		assert.Equal(t, "clock_off", r.Mistake.Code)
		assert.Contains(t, r.Mistake.Text, "10 minutes")
		assert.Equal(t, "expired", v.Explain(ctx, raw).Mistake.Code)
		old := iss.Token(verifiertest.Claims{"exp": time.Now().Add(-time.Hour).Unix()})
		assert.Equal(t, "expired", late.Explain(ctx, old).Mistake.Code, "the clocks are not why")
	})
}

// datedBy adds a Date to each response, which is ahead of this machine's clock.
type datedBy struct {
	http.RoundTripper
	ahead time.Duration
}

func (d datedBy) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := d.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Header.Set("Date", time.Now().Add(d.ahead).UTC().Format(http.TimeFormat))
	}
	return res, err
}

// The sentences of a mistake are true where they are printed.
func TestMistakeTexts(t *testing.T) {
	s, secret := signerOf("ES256"), []byte(strings.Repeat("s", 32))
	for name, row := range map[string]struct {
		change   func(*set)
		signer   signer
		header   members
		claims   members
		rule     verifier.Rule
		has, not string
	}{
		"E2 a token without kid": {
			header: members{"kid": ""}, has: "does not name its key"},
		"E2 a secret that is too short for HS512": {
			change: func(s *set) { s.Keys, s.SharedSecrets = nil, [][]byte{secret} },
			signer: hmacSigner("HS512", secret), has: "the length of the SharedSecrets"},
		"E2 one of several scopes":   {rule: verifier.AnyScope("a", "b"), has: `has none of "a b". Grant one`},
		"E2 a scope that is a role":  {claims: members{"roles": `["a"]`}, rule: verifier.Scope("a"), has: "or demand it with Role"},
		"E2 a role that is a scope":  {rule: verifier.Role("orders:read"), has: "or demand it with Scope"},
		"E2 a word of several":       {claims: members{"groups": `["b"]`}, rule: verifier.Role("a", "b"), has: `"b" is in "groups"`},
		"E2 the name of a member":    {claims: members{"roles": "", "x:roles": `{"a":{}}`}, rule: verifier.Role("a"), has: "Use a Check"},
		"E2 a claim that is missing": {rule: verifier.Claim("hd", "a"), has: `There is no claim "hd"`},
		"E2 another value":           {claims: members{"hd": `"b"`}, rule: verifier.Claim("hd", "a"), has: `"hd" has none of the values`},
		"E2 the claim that is one too many": {
			claims: members{"uid": `"b"`}, rule: verifier.NoClaim("x", "uid"), has: `forbids: "uid"`},
		"E2 ClientCredentials is set": {
			change: func(s *set) { s.Claims.ClientCredentials = verifier.Claim("idtyp", "app") },
			rule:   verifier.ClientCredentials(), not: "set Config.Claims.ClientCredentials"},
		"E2 the actor is listed": {claims: members{"act": `{"sub":"a","iss":"b"}`}, rule: verifier.Actor("a"), not: "not in the rule"},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := setup(t, func(s *set) {
				if row.change != nil {
					row.change(s)
				}
			})
			if row.signer.Signer == nil {
				row.signer = s
			}
			if row.rule == nil {
				row.rule = verifier.Scope("orders:read")
			}
			text := checkReport(t, v, row.signer.token(row.header, row.claims), row.rule).Mistake.Text
			assert.Contains(t, text, row.has)
			if row.not != "" {
				assert.NotContains(t, text, row.not)
			}
		})
	}
}

// FuzzExplain: a Report agrees with Verify and can be shown anywhere.
func FuzzExplain(f *testing.F) {
	v, _, good := fuzzed(f)
	for _, raw := range good {
		f.Add(raw)
	}
	for _, b := range brokenSetups() {
		f.Add(b.token())
	}
	fails := verifier.Check(func(context.Context, *verifier.Token) error { return errors.New("no") })
	f.Fuzz(func(t *testing.T, raw string) {
		checkReport(t, v, raw)
		checkReport(t, v, raw, verifier.Scope("orders:read"), verifier.Role("x"), verifier.Issuer(issuer), fails)
	})
}
