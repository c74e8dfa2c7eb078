package verifier_test

import (
	"crypto"
	"fmt"
	"net/http"
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
		{"R9 https and http", issuerIs("http://login.example"), claims("iss", `"https://login.example"`), []string{"one is http, the other https"}},
		{"R9 Entra ID version 1.0 for 2.0", issuerIs("https://login.microsoftonline.com/" + tenant + "/v2.0"), claims("iss", `"https://sts.windows.net/`+tenant+`/"`), []string{"version 1.0, where 2.0"}},
		{"R9 Entra ID version 2.0 for 1.0", issuerIs("https://sts.windows.net/" + tenant + "/"), claims("iss", `"https://login.microsoftonline.com/`+tenant+`/v2.0"`), []string{"version 2.0, where 1.0"}},
		{"R9 another realm", issuerIs("https://login.example/realms/test"), claims("iss", `"https://login.example/realms/prod"`), []string{"realms/prod", "realms/test"}},

		{"C2 no aud", nil, claims("aud", ""), []string{"the token has no aud", api}},
		{"C2 aud with a slash", nil, claims("aud", `"`+api+`/"`), []string{"slash at the end"}},
		{"C2 aud of another environment", nil, claims("aud", `"https://test.example"`), []string{"https://test.example", api}},
		{"C2 the route's audience", func(cfg *set) {
			cfg.Audiences = []string{api, "https://b.example"}
			cfg.Rules = []verifier.Rule{verifier.Audience("https://b.example")}
		}, s.good(), []string{"the rule requires", "https://b.example"}},

		{"A1 the allowed algorithms", func(cfg *set) { cfg.Algorithms = []string{"RS256", "PS256"} }, s.good(), []string{`alg is "ES256"`, "not one of PS256, RS256"}},
		{"C5 typ of RFC 9068 demanded", func(cfg *set) { cfg.RFC9068 = true }, s.token(members{"typ": `"JWT"`}, nil), []string{`typ is "JWT"`, "at+jwt"}},
		{"C5 typ missing where RFC 9068 is demanded", func(cfg *set) { cfg.RFC9068 = true }, s.token(members{"typ": ""}, nil), []string{"typ is missing", "at+jwt"}},
		{"C5 another typ", nil, s.token(members{"typ": `"logout+jwt"`}, nil), []string{"logout+jwt", "at+jwt"}},

		{"C8 the claims that were read for scopes", rules(verifier.Scope("a")), claims("scope", `"b"`), []string{`has "b"`, "in scope, scp"}},
		{"C8 no scope", rules(verifier.Scope("a")), claims("scope", ""), []string{`has no scope in scope, scp; the rule requires "a"`}},
		{"C8 no role", rules(verifier.Role("a")), claims("roles", ""), []string{`has no role in roles; the rule requires "a"`}},
		{"C8 another role", rules(verifier.Role("a")), claims("roles", `["b"]`), []string{`has the roles "b" in roles; the rule requires "a"`}},
		{"C8 the scope is in permissions", rules(verifier.Scope("a")), claims("permissions", `["b","a"]`), []string{"permissions has it", "Config.Claims.Scopes"}},
		{"C8 the first of two scopes is in permissions", rules(verifier.Scope("a")), claims("permissions", `["a","b"]`), []string{"permissions has it"}},
		{"C8 the scope is in permissions and in roles", rules(verifier.Scope("a")), claims("permissions", `["a"]`, "roles", `["a"]`), []string{"permissions has it"}},
		{"C8 the scope is in roles", rules(verifier.AnyScope("a", "c")), claims("roles", `["c"]`), []string{"roles has it"}},
		{"C8 the scope is in a string of scopes", rules(verifier.Scope("a")), claims("scopes", `"b a"`), []string{"scopes has it"}},
		{"C8 no client id", rules(verifier.Client("a")), claims("client_id", "", "azp", ""), []string{"no client id found in client_id, azp"}},
		{"C8 the client id is in cid", rules(verifier.Client("a")), claims("client_id", "", "azp", "", "cid", `"a"`), []string{`cid is "a"`, "Config.Claims.ClientID"}},
		{"C8 the client id is in cid and in appid", rules(verifier.Client("a")), claims("client_id", "", "azp", "", "cid", `"a"`, "appid", `"b"`), []string{`cid is "a"`}},
		{"C8 the client id is in appid", rules(verifier.Client("a")), claims("client_id", "", "azp", "", "appid", `"a"`), []string{`appid is "a"`}},

		{"P1 an opaque token", nil, strings.Repeat("x", 40), []string{"an opaque token?"}},
		{"P1 an encrypted token", nil, "a.b.c.d.e", []string{"an encrypted token?"}},
		{"C3 expired, for how long", nil, claims("exp", in(-3*time.Hour)), []string{"3h0m0s ago"}},
		{"C3 not valid yet, for how long", nil, claims("nbf", in(time.Hour)), []string{"in 1h0m0s"}},
		{"C3 not valid yet, by a clock ahead", nil, claims("nbf", in(10*time.Minute), "iat", in(10*time.Minute)), []string{"iat is 10m0s ahead of this machine's clock"}},
		{"C4 the end of 9999 in milliseconds", nil, claims("exp", "253402300799000"), []string{"in milliseconds?"}},
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

// A hint is given only where it is likely.
func TestUnlikelyMistakesAreNotNamed(t *testing.T) {
	s := signerOf("ES256")
	const tenant = "11111111-2222-3333-4444-555555555555"
	for iss, configured := range map[string]string{
		"login.example":  "https://login.example",
		"login2.example": "http://login2.example",
		tenant + "/":     "https://login.microsoftonline.com/" + tenant + "/v2.0",
		tenant + "/v2.0": "https://sts.windows.net/" + tenant + "/",
	} {
		t.Run("R9 iss "+iss, func(t *testing.T) {
			v, _ := setup(t, func(cfg *set) { cfg.Issuer = configured })
			_, err := v.Verify(ctx, s.token(nil, members{"iss": `"` + iss + `"`}))
			assertRefused(t, verifier.ErrIssuer, err)
			assert.True(t, strings.HasSuffix(err.Error(), fmt.Sprintf("configured is %q", configured)), err)
		})
	}
	v, _ := setup(t)
	for name, row := range map[string]struct {
		claims members
		rule   verifier.Rule
		not    string
	}{
		"C3 expired, issued before":             {members{"iat": "1", "exp": "2"}, nil, "clock"},
		"C4 exp negative":                       {members{"exp": "-1"}, nil, "milliseconds"},
		"C4 exp negative zero":                  {members{"exp": "-0"}, nil, "milliseconds"},
		"C4 exp beyond milliseconds":            {members{"exp": "1e300"}, nil, "milliseconds"},
		"C4 exp beyond any number":              {members{"exp": "1e999"}, nil, "milliseconds"},
		"C4 exp after 9999 in milliseconds":     {members{"exp": "253402300800000"}, nil, "milliseconds"},
		"C4 exp in milliseconds and too long":   {members{"exp": "1700000000000." + strings.Repeat("0", 60)}, nil, "milliseconds"},
		"C8 permissions has other scopes":       {members{"permissions": `["b"]`}, verifier.Scope("a"), "has it"},
		"C8 scope has it as part of an element": {members{"scope": `["a b"]`}, verifier.Scope("a"), "has it"},
	} {
		t.Run(name, func(t *testing.T) {
			var rules []verifier.Rule
			if row.rule != nil {
				rules = append(rules, row.rule)
			}
			_, err := v.Verify(ctx, s.token(nil, row.claims), rules...)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), row.not)
		})
	}
	t.Run("C11 the audience that a rule requires, of another issuer", func(t *testing.T) {
		v := newVerifier(t, config(), part("b", func(cfg *set) { cfg.Audiences = []string{"https://b.example"} }))
		_, err := v.Verify(ctx, s.token(nil, members{"aud": `["` + api + `","https://b.example"]`}), verifier.Audience("https://b.example"))
		assertRefused(t, verifier.ErrAudience, err)
		assert.NotContains(t, err.Error(), "slash")
	})
}

// Of many audiences, eight are named or compared.
func TestHintsOfManyAudiences(t *testing.T) {
	s := signerOf("ES256")
	for n, more := range map[int]string{8: "", 9: " and 1 more", 10: " and 2 more"} {
		t.Run(fmt.Sprintf("C2 %d configured", n), func(t *testing.T) {
			var all []string
			for i := range n {
				all = append(all, fmt.Sprint("a", i))
			}
			v, _ := setup(t, func(cfg *set) { cfg.Audiences = all })
			_, err := v.Verify(ctx, s.token(nil, members{"aud": `"x"`}))
			assertRefused(t, verifier.ErrAudience, err)
			assert.True(t, strings.HasSuffix(err.Error(), fmt.Sprintf("configured is %q%s", all[:8], more)), err)
		})
	}
	for n, hinted := range map[int]bool{0: true, 7: true, 8: false} {
		t.Run(fmt.Sprintf("C2 %d before the one with a slash", n), func(t *testing.T) {
			v, _ := setup(t)
			_, err := v.Verify(ctx, s.token(nil, members{"aud": "[" + strings.Repeat(`"x",`, n) + `"` + api + `/"]`}))
			assertRefused(t, verifier.ErrAudience, err)
			assert.Equal(t, hinted, strings.Contains(err.Error(), "slash at the end"), err)
		})
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

// The cause says exactly what is wrong, where the client reads one
// sentence for all.
func TestCausesForOperators(t *testing.T) {
	s := signerOf("ES256")
	stranger := newSigner("ES256")
	v, _ := setup(t)
	for _, row := range []struct {
		name   string
		token  string
		reason error
		cause  string
	}{
		{"C1 no iss", s.token(nil, members{"iss": ""}), verifier.ErrIssuer, "no iss"},
		{"C1 an empty iss", s.token(nil, members{"iss": `""`}), verifier.ErrIssuer, "no iss"},
		{"A1 no alg", s.token(members{"alg": ""}, nil), verifier.ErrAlgorithm, "the header has no alg"},
		{"A1 no alg, of another issuer", s.token(members{"alg": ""}, members{"iss": `"b"`}), verifier.ErrAlgorithm, "the header has no alg"},
		{"C4 the first of two claims", s.token(nil, members{"sub": "7", "exp": `"x"`}), verifier.ErrClaims, "sub: of the wrong kind"},
		{"C4 a string for a date", s.token(nil, members{"exp": `"1"`}), verifier.ErrClaims, "exp: of the wrong kind"},
		{"C4 a boolean for a date", s.token(nil, members{"exp": "true"}), verifier.ErrClaims, "exp: of the wrong kind"},
		{"C4 no date", s.token(nil, members{"exp": "-1"}), verifier.ErrClaims, "exp: out of range"},
		{"P1 the first segment", "=." + encode("{}") + ".AA", verifier.ErrMalformed, "segment 1: not base64url"},
		{"P1 the second segment", encode("{}") + "..AA", verifier.ErrMalformed, "segment 2: empty"},
		{"P1 the third segment", encode("{}") + "." + encode("{}") + ".A=", verifier.ErrMalformed, "segment 3: not base64url"},
		{"A5 no key", s.as("ES256", "other").token(nil, nil), verifier.ErrSignature, "the issuer has no key with kid"},
		{"A5 no key with x5t", s.token(members{"kid": "", "x5t": `"one"`}, nil), verifier.ErrSignature, `the issuer has no key with x5t "one" for ES256`},
		{"A5 no key with x5t#S256", s.token(members{"kid": "", "x5t": `"one"`, "x5t#S256": `"two"`}, nil), verifier.ErrSignature, `the issuer has no key with x5t#S256 "two" for ES256`},
		{"A5 no key with kid, beside thumbprints", s.as("ES256", "other").token(members{"x5t": `"one"`, "x5t#S256": `"two"`}, nil), verifier.ErrSignature, `the issuer has no key with kid "other" for ES256`},
		{"A5 no key without either", s.token(members{"kid": ""}, nil), verifier.ErrSignature, `the issuer has no key with kid "" for ES256`},
		{"A5 a key that does not fit", stranger.token(nil, nil), verifier.ErrSignature, `no key with kid "ES256" verifies the ES256 signature`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := v.Verify(ctx, row.token)
			assertRefused(t, row.reason, err)
			assert.ErrorContains(t, err, row.cause)
		})
	}

	t.Run("C1 one of several issuers", func(t *testing.T) {
		both := newVerifier(t, config(), part("b"))
		_, err := both.Verify(ctx, s.token(nil, members{"iss": `"c"`}))
		assertRefused(t, verifier.ErrIssuer, err)
		assert.ErrorContains(t, err, "none of the 2 configured")
	})

	t.Run("A5 one of two keys that do not fit", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			cfg.Keys = &keyMap{keys: map[string][]crypto.PublicKey{"ES256": {s.Public(), s.Public()}}}
		})
		_, err := v.Verify(ctx, stranger.token(nil, nil))
		assert.ErrorContains(t, err, `no key with kid "ES256" verifies the ES256 signature`)
	})

	t.Run("X1 no Authorization field, and one of another scheme", func(t *testing.T) {
		r := bearer("")
		r.Header.Del("Authorization")
		_, err := v.Authenticate(r)
		assertRefused(t, verifier.ErrNoToken, err)
		assert.NotContains(t, err.Error(), "field")
		r.Header.Set("Authorization", "Basic eDp5")
		_, err = v.Authenticate(r)
		assertRefused(t, verifier.ErrNoToken, err)
		assert.ErrorContains(t, err, "its scheme is not Bearer")
	})

	t.Run("X1 X2 more than one token", func(t *testing.T) {
		r := bearer("a")
		r.Header.Add("Authorization", "Bearer b")
		_, err := v.Authenticate(r)
		assert.ErrorContains(t, err, "2 Authorization fields")
		both, _ := setup(t, func(cfg *set) { cfg.TokenFrom = func(*http.Request) string { return "b" } })
		_, err = both.Authenticate(bearer("a"))
		assert.ErrorContains(t, err, "a token in two places")
	})

	for name, row := range map[string]struct{ text, want string }{
		"R9 198 bytes":              {strings.Repeat("a", 198), `"` + strings.Repeat("a", 198) + `"`},
		"R9 of more, 198 are shown": {strings.Repeat("a", 300), `"` + strings.Repeat("a", 198) + `"`},
		"R9 an escape counts twice": {strings.Repeat("a", 197) + `\"`, `"` + strings.Repeat("a", 148) + `"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(ctx, s.token(nil, members{"iss": `"` + row.text + `"`}))
			assertRefused(t, verifier.ErrIssuer, err)
			assert.ErrorContains(t, err, "iss is "+row.want+", configured")
		})
	}
}

// At its longest a token is still looked through; beyond, it is only too long.
func TestLengthAndCharacters(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.MaxTokenLength = 10 })
	for _, row := range []struct {
		name, raw string
		reason    error
	}{
		{"X1 of that length, with a comma", "aaaa,aaaaa", verifier.ErrBadRequest},
		{"X3 one longer, with a comma", "aaaa,aaaaaa", verifier.ErrMalformed},
		{"X1 of that length, and no JWT", "aaaaaaaaaa", verifier.ErrMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := bearer(row.raw)
			_, err := v.Authenticate(r)
			assertRefused(t, row.reason, err)
			assertRefused(t, row.reason, guardError(v.Protect(), r))
		})
	}
}

// A JSON object can go on so that a reader that forgot the depth would find its
// way out again.
func TestDepthIsNotForgotten(t *testing.T) {
	s := signerOf("ES256")
	v, _ := setup(t)
	// stairs is an array n deep with a number at each step on the way out.
	stairs := func(n int) string {
		return strings.Repeat("[", n) + "1" + strings.Repeat(",1]", n) + `,"y":1`
	}
	verified(t, v, s.Sign(s.Header().Text(), inside(goodClaims(), `"x":`+stairs(31))))
	_, err := v.Verify(ctx, s.Sign(s.Header().Text(), inside(goodClaims(), `"x":`+stairs(32))))
	assertRefused(t, verifier.ErrMalformed, err)
	assert.ErrorContains(t, err, "nested more than 32 deep")
}

func TestAbsentAudience(t *testing.T) {
	v, _ := setup(t, func(cfg *set) {
		cfg.Audiences, cfg.AnyAudience, cfg.Rules = nil, true, []verifier.Rule{verifier.Client("billing")}
	})
	tok := verified(t, v, signerOf("ES256").token(nil, members{"aud": ""}))
	assert.Empty(t, tok.Audience(), "C2 none is not an empty one")
}

func TestShortestType(t *testing.T) {
	v, _ := setup(t, func(cfg *set) { cfg.Types = []string{"x"} })
	verified(t, v, signerOf("ES256").token(members{"typ": `"application/x"`}, nil)) // C5
	_, err := v.Verify(ctx, signerOf("ES256").token(members{"typ": `"application/"`}, nil))
	assertRefused(t, verifier.ErrType, err)
}
