package verifier_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// What is often set up wrongly, and the words by which the operator learns it.
func TestLikelyMistakesAreNamed(t *testing.T) { synctest.Test(t, testLikelyMistakesAreNamed) }

func testLikelyMistakesAreNamed(t *testing.T) {
	s := signerOf("ES256")
	type change = func(*set)
	claims := func(pairs ...string) string {
		m := members{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return s.token(nil, m)
	}
	issuerIs := func(iss string) change { return func(cfg *set) { cfg.Issuer = iss } }
	rules := func(r ...verifier.Rule) change { return func(cfg *set) { cfg.Rules = r } }
	in := func(d time.Duration) string { return seconds(time.Now().Add(d)) }
	const tenant = "11111111-2222-3333-4444-555555555555"
	for _, tt := range []struct {
		name  string
		setup change
		raw   string
		says  []string
	}{
		{"R9 iss without the slash", issuerIs("https://login.example/"), claims("iss", `"https://login.example"`), []string{"slash at the end"}},
		{"R9 iss with the slash", issuerIs("https://login.example"), claims("iss", `"https://login.example/"`), []string{"slash at the end"}},
		{"R9 http and https", issuerIs("https://login.example"), claims("iss", `"http://login.example"`), []string{"one is http, the other https"}},
		{"R9 Entra ID version 1.0 for 2.0", issuerIs("https://login.microsoftonline.com/" + tenant + "/v2.0"), claims("iss", `"https://sts.windows.net/`+tenant+`/"`), []string{"version 1.0, where 2.0"}},
		{"R9 Entra ID version 2.0 for 1.0", issuerIs("https://sts.windows.net/" + tenant + "/"), claims("iss", `"https://login.microsoftonline.com/`+tenant+`/v2.0"`), []string{"version 2.0, where 1.0"}},
		{"R9 another realm", issuerIs("https://login.example/realms/test"), claims("iss", `"https://login.example/realms/prod"`), []string{"realms/prod", "realms/test"}},

		{"C2 no aud", nil, claims("aud", ""), []string{"the token has no aud", api}},
		{"C2 aud with a slash", nil, claims("aud", `"`+api+`/"`), []string{"slash at the end"}},
		{"C2 aud of another environment", nil, claims("aud", `"https://test.example"`), []string{"https://test.example", api}},
		{"C2 the route's audience", func(cfg *set) {
			cfg.Audiences = []string{api, "https://b.example"}
			cfg.Rules = []verifier.Rule{verifier.Audience("https://b.example")}
		}, s.good(), []string{"the route is for", "https://b.example"}},

		{"A1 the allowed algorithms", func(cfg *set) { cfg.Algorithms = []string{"RS256", "PS256"} }, s.good(), []string{`alg is "ES256"`, "not one of PS256, RS256"}},
		{"C5 typ of RFC 9068 demanded", func(cfg *set) { cfg.RFC9068 = true }, s.token(members{"typ": `"JWT"`}, nil), []string{`typ is "JWT"`, "at+jwt"}},
		{"C5 typ missing where RFC 9068 is demanded", func(cfg *set) { cfg.RFC9068 = true }, s.token(members{"typ": ""}, nil), []string{"typ is missing", "at+jwt"}},
		{"C5 another typ", nil, s.token(members{"typ": `"logout+jwt"`}, nil), []string{"logout+jwt", "at+jwt"}},

		{"C8 the claims that were read for scopes", rules(verifier.Scope("a")), claims("scope", `"b"`), []string{`has "b"`, "in scope, scp"}},
		{"C8 the scope is in permissions", rules(verifier.Scope("a")), claims("permissions", `["b","a"]`), []string{"permissions has it", "Config.Claims.Scopes"}},
		{"C8 the scope is in roles", rules(verifier.AnyScope("a", "c")), claims("roles", `["c"]`), []string{"roles has it"}},
		{"C8 the scope is in a string of scopes", rules(verifier.Scope("a")), claims("scopes", `"b a"`), []string{"scopes has it"}},
		{"C8 no client id", rules(verifier.Client("a")), claims("client_id", "", "azp", ""), []string{"no client id found in client_id, azp"}},
		{"C8 the client id is in cid", rules(verifier.Client("a")), claims("client_id", "", "azp", "", "cid", `"a"`), []string{`cid is "a"`, "Config.Claims.ClientID"}},
		{"C8 the client id is in appid", rules(verifier.Client("a")), claims("client_id", "", "azp", "", "appid", `"a"`), []string{`appid is "a"`}},

		{"P1 an opaque token", nil, strings.Repeat("x", 40), []string{"an opaque token?"}},
		{"P1 an encrypted token", nil, "a.b.c.d.e", []string{"an encrypted token?"}},
		{"C3 expired, for how long", nil, claims("exp", in(-3*time.Hour)), []string{"3h0m0s ago"}},
		{"C3 not valid yet, for how long", nil, claims("nbf", in(time.Hour)), []string{"in 1h0m0s"}},
		{"C3 not valid yet, by a clock ahead", nil, claims("nbf", in(10*time.Minute), "iat", in(10*time.Minute)), []string{"iat is 10m0s ahead of this machine's clock"}},
		{"C4 a lifetime in milliseconds", nil, claims("exp", in(time.Hour)+"000"), []string{"exp: out of range", "in milliseconds?"}},
	} {
		var changes []func(*set)
		if tt.setup != nil {
			changes = append(changes, tt.setup)
		}
		v, _ := setup(t, changes...)
		_, err := v.Verify(ctx, tt.raw)
		var e *verifier.Error
		require.ErrorAs(t, err, &e, tt.name)
		for _, words := range tt.says {
			assert.ErrorContains(t, err, words, tt.name)
			assert.NotContains(t, e.Description()+e.Code(), words, "R3 clients do not learn it: %s", tt.name)
		}
	}
}

func TestManyAudiences(t *testing.T) {
	for _, n := range []int{1, 8, 9, 300} {
		t.Run(fmt.Sprintf("C2 %d audiences", n), func(t *testing.T) {
			var all []string
			for i := range n {
				all = append(all, fmt.Sprintf("https://%d.example", i))
			}
			s := signerOf("ES256")
			v, _ := setup(t, func(cfg *set) { cfg.Audiences = all })
			for _, a := range all {
				verified(t, v, s.token(nil, members{"aud": `"` + a + `"`}), verifier.Audience(a))
			}
			_, err := v.Verify(ctx, s.token(nil, members{"aud": `"https://x.example"`}))
			assertRefused(t, verifier.ErrAudience, err)
			assert.Less(t, len(err.Error()), 500, "R9")
		})
	}
}

func TestLikelyIssuerOfALongOne(t *testing.T) {
	s := signerOf("ES256")
	for n, says := range map[int]bool{200: true, 201: false} {
		t.Run(fmt.Sprintf("R9 an iss of %d bytes", n), func(t *testing.T) {
			configured := "https://login.example/" + strings.Repeat("x", n-1-len("https://login.example/"))
			v, _ := setup(t, func(cfg *set) { cfg.Issuer = configured })
			_, err := v.Verify(ctx, s.token(nil, members{"iss": `"` + configured + `/"`}))
			assertRefused(t, verifier.ErrIssuer, err)
			assert.Equal(t, says, strings.Contains(err.Error(), "slash"))
		})
	}
}

func TestLikelyIssuerOfMany(t *testing.T) {
	t.Run("R9 the likely one of several issuers is named", func(t *testing.T) {
		var parts []verifier.Config
		for i := range 5 {
			parts = append(parts, part(fmt.Sprintf("https://login%d.example", i)))
		}
		v := newVerifier(t, parts...)
		_, err := v.Verify(ctx, signerOf("ES256").token(nil, members{"iss": `"https://login3.example/"`}))
		assert.ErrorContains(t, err, `configured is "https://login3.example": they differ in the slash at the end`)
	})
}
