package verifier_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestClaims(t *testing.T) {
	const quoted = `"` + issuer + `"`
	tests := []struct {
		name   string
		claims members
		reason error // nil: accepted
	}{
		{"C1 iss with another slash", members{"iss": `"https://login.example.com"`}, verifier.ErrIssuer},
		{"C1 iss with two slashes", members{"iss": `"` + issuer + `/"`}, verifier.ErrIssuer},
		{"C1 iss in another case", members{"iss": `"https://LOGIN.example.com/"`}, verifier.ErrIssuer},
		{"C1 iss with a default port", members{"iss": `"https://login.example.com:443/"`}, verifier.ErrIssuer},
		{"C1 iss with a space", members{"iss": `"` + issuer + ` "`}, verifier.ErrIssuer},
		{"C1 iss percent-encoded", members{"iss": `"https://login%2eexample.com/"`}, verifier.ErrIssuer},
		{"C1 iss untrusted", members{"iss": `"https://evil.example/"`}, verifier.ErrIssuer},
		{"C1 iss missing", members{"iss": ``}, verifier.ErrIssuer},
		{"C1 iss null", members{"iss": `null`}, verifier.ErrIssuer},
		{"C1 iss an array", members{"iss": `[` + quoted + `]`}, verifier.ErrClaims},
		{"C1 iss an object", members{"iss": `{"x":` + quoted + `}`}, verifier.ErrClaims},
		{"C1 iss a number", members{"iss": `1`}, verifier.ErrClaims},
		{"C1 iss escaped", members{"iss": `"https:\/\/login.example.com\/"`}, nil},
		{"C7 iss empty", members{"iss": `""`}, verifier.ErrIssuer},

		{"C2 aud a string", members{"aud": `"` + api + `"`}, nil},
		{"C2 aud an array of one", members{"aud": `["` + api + `"]`}, nil},
		{"C2 aud an array, the last matches", members{"aud": `["a","b","` + api + `"]`}, nil},
		{"C2 aud twice the same", members{"aud": `["` + api + `","` + api + `"]`}, nil},
		{"C2 aud other", members{"aud": `"https://other.example.com"`}, verifier.ErrAudience},
		{"C2 aud others", members{"aud": `["a","b"]`}, verifier.ErrAudience},
		{"C2 aud with a slash", members{"aud": `"` + api + `/"`}, verifier.ErrAudience},
		{"C2 aud in another case", members{"aud": `"HTTPS://api.example.com"`}, verifier.ErrAudience},
		{"C2 aud a part of it", members{"aud": `"https://api"`}, verifier.ErrAudience},
		{"C2 aud with spaces between", members{"aud": `"` + api + ` b"`}, verifier.ErrAudience},
		{"C2 aud empty array", members{"aud": `[]`}, verifier.ErrAudience},
		{"C2 aud missing", members{"aud": ``}, verifier.ErrAudience},
		{"C2 aud null", members{"aud": `null`}, verifier.ErrAudience},
		{"C2 aud with a number", members{"aud": `["` + api + `",1]`}, verifier.ErrClaims},
		{"C2 aud with a number first", members{"aud": `[1,"` + api + `"]`}, verifier.ErrClaims},
		{"C2 aud with null", members{"aud": `["` + api + `",null]`}, verifier.ErrClaims},
		{"C2 aud nested", members{"aud": `[["` + api + `"]]`}, verifier.ErrClaims},
		{"C2 aud with an array", members{"aud": `["` + api + `",["a"]]`}, verifier.ErrClaims},
		{"C2 aud an object", members{"aud": `{"0":"` + api + `"}`}, verifier.ErrClaims},
		{"C2 aud a number", members{"aud": `1`}, verifier.ErrClaims},
		{"C2 aud true", members{"aud": `true`}, verifier.ErrClaims},
		{"C7 aud empty", members{"aud": `""`}, verifier.ErrAudience},
		{"C7 aud an array of an empty string", members{"aud": `[""]`}, verifier.ErrAudience},

		{"C3 exp missing", members{"exp": ``}, verifier.ErrClaims},
		{"C3 exp past", members{"exp": `1300819380`}, verifier.ErrExpired},
		{"C3 exp at the epoch", members{"exp": `0`}, verifier.ErrExpired},
		{"C3 nbf past", members{"nbf": `1300819380`}, nil},
		{"C3 nbf at the epoch", members{"nbf": `0`}, nil},
		{"C3 nbf far off", members{"nbf": `9999999999`}, verifier.ErrNotYetValid},
		{"C3 iat far off", members{"iat": `9999999999`}, nil},
		{"C3 iat long ago", members{"iat": `0`}, nil},
		{"C3 iat missing", members{"iat": ``}, nil},

		{"B1 cnf jkt", members{"cnf": `{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`}, verifier.ErrBinding},
		{"B1 cnf x5t#S256", members{"cnf": `{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}`}, verifier.ErrBinding},
		{"B1 cnf jwk", members{"cnf": `{"jwk":{"kty":"OKP"}}`}, verifier.ErrBinding},
		{"B1 cnf of something unknown", members{"cnf": `{"x":1}`}, verifier.ErrBinding},
		{"B1 cnf empty", members{"cnf": `{}`}, verifier.ErrBinding},
		{"B1 cnf null", members{"cnf": `null`}, verifier.ErrBinding},
		{"B1 cnf a string", members{"cnf": `""`}, verifier.ErrBinding},

		{"C8 sub a number", members{"sub": `1`}, verifier.ErrClaims},
		{"C8 sub an array", members{"sub": `["a"]`}, verifier.ErrClaims},
		{"C8 sub null", members{"sub": `null`}, nil},
		{"C8 jti a number", members{"jti": `1`}, verifier.ErrClaims},
		{"C8 jti null", members{"jti": `null`}, nil},
	}
	v, keys := setup(t)
	s := signerOf("ES256")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys.lookups.Store(0)
			raw := s.token(nil, tt.claims)
			_, err := v.Verify(ctx, raw)
			_, errAuthenticate := v.Authenticate(bearer(raw))
			if tt.reason == nil {
				require.NoError(t, err)
				require.NoError(t, errAuthenticate)
				return
			}
			assertRefused(t, tt.reason, err)
			assertRefused(t, tt.reason, errAuthenticate)
			assert.Zero(t, keys.lookups.Load(), "no key is needed for that")
		})
	}
}

// An issuer that differs by its last slash only is the most common mistake; the error
// names it.
func TestOtherSlash(t *testing.T) {
	s := signerOf("ES256")
	for configured, sent := range map[string]string{
		"https://login.example.com/": "https://login.example.com", "https://login.example.com": "https://login.example.com/",
	} {
		v, _ := setup(t, func(cfg *set) { cfg.Issuer = configured })
		_, err := v.Verify(ctx, s.token(nil, members{"iss": `"` + sent + `"`}))
		assertRefused(t, verifier.ErrIssuer, err) // C1
		assert.Contains(t, err.Error(), `iss is "`+sent+`", configured is "`+configured+`": they differ in the slash at the end`)
		_, err = v.Verify(ctx, s.token(nil, members{"iss": `"https://evil.example"`}))
		assertRefused(t, verifier.ErrIssuer, err)
		assert.Contains(t, err.Error(), configured)
		assert.NotContains(t, err.Error(), "slash")
	}
}

func TestNumericDates(t *testing.T) {
	const year3000 = "32503680000"
	tests := []struct {
		name, date string
		seconds    int64
		nanos      int64
		bad        bool
	}{
		{name: "C4 an integer", date: year3000, seconds: 32503680000},
		{name: "C4 half a second", date: year3000 + ".5", seconds: 32503680000, nanos: 5e8},
		{name: "C4 a quarter", date: year3000 + ".25", seconds: 32503680000, nanos: 25e7},
		{name: "C4 a fraction of zeros", date: year3000 + ".000", seconds: 32503680000},
		{name: "C4 with an exponent", date: "3.250368e10", seconds: 32503680000},
		{name: "C4 with a large exponent sign", date: "3.250368E+10", seconds: 32503680000},
		{name: "C4 with a negative exponent", date: "325036800000e-1", seconds: 32503680000},
		{name: "C4 the last second", date: "253402300799", seconds: 253402300799},
		{name: "C4 past the last second", date: "253402300800", bad: true},
		{name: "C4 a fraction past the last second", date: "253402300799.5", bad: true},
		{name: "C4 1e300", date: "1e300", bad: true},
		{name: "C4 more than a float holds", date: "1e400", bad: true},
		{name: "C4 beyond int64", date: "9223372036854775808", bad: true},
		{name: "C4 milliseconds", date: "32503680000000", bad: true},
		{name: "C4 negative", date: "-1", bad: true},
		{name: "C4 a negative fraction", date: "-0.5", bad: true},
		{name: "C4 negative zero", date: "-0", bad: true},
		{name: "C4 negative zero as a fraction", date: "-0.0e0", bad: true},
		{name: "C4 a string", date: `"` + year3000 + `"`, bad: true},
		{name: "C4 an empty string", date: `""`, bad: true},
		{name: "C4 a date as text", date: `"3000-01-01T00:00:00Z"`, bad: true},
		{name: "C4 null", date: "null", bad: true},
		{name: "C4 true", date: "true", bad: true},
		{name: "C4 an array", date: "[" + year3000 + "]", bad: true},
		{name: "C4 an object", date: `{"x":1}`, bad: true},
	}
	v, keys := setup(t)
	s := signerOf("ES256")
	for _, tt := range tests {
		for _, claim := range []string{"exp", "nbf", "iat"} {
			t.Run(tt.name+" as "+claim, func(t *testing.T) {
				keys.lookups.Store(0)
				tok, err := v.Verify(ctx, s.token(nil, members{claim: tt.date}))
				if tt.bad && claim == "iat" {
					require.NoError(t, err, "C3 it is no limit")
					assert.Zero(t, tok.IssuedAt())
					return
				}
				if tt.bad && (claim != "nbf" || tt.date != "null") { // P6
					assertRefused(t, verifier.ErrClaims, err)
					assert.Zero(t, keys.lookups.Load())
					return
				}
				if tt.bad {
					require.NoError(t, err)
					return
				}
				if claim == "nbf" {
					assertRefused(t, verifier.ErrNotYetValid, err)
					return
				}
				require.NoError(t, err)
				read := map[string]func() time.Time{"exp": tok.Expiry, "iat": tok.IssuedAt}[claim]
				assert.Equal(t, time.Unix(tt.seconds, tt.nanos).UTC(), read())
			})
		}
	}
	t.Run("C4 nbf with a fraction is read", func(t *testing.T) {
		tok := verified(t, v, s.token(nil, members{"nbf": "1.5"}))
		assert.Equal(t, time.Unix(1, 5e8).UTC(), tok.NotBefore())
	})
}

// TestLeeway goes to both sides of every edge, by a nanosecond.
func TestLeeway(t *testing.T) {
	tests := []struct {
		name           string
		config, leeway time.Duration
	}{
		{"C3 by default", 0, 60 * time.Second},
		{"C3 of a second", time.Second, time.Second},
		{"C3 of a millisecond", time.Millisecond, time.Millisecond},
		{"C3 at most", 5 * time.Minute, 5 * time.Minute},
		{"C3 none", -1, 0},
		{"C3 none, by a lot", -time.Hour, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, _ := setup(t, func(cfg *set) { cfg.Leeway = tt.config })
				s := signerOf("ES256")
				until := func(at time.Time) { <-time.After(time.Until(at)) }
				nbf := time.Now().Add(time.Hour)
				exp := nbf.Add(time.Hour)
				for _, half := range []time.Duration{0, time.Second / 2} {
					fraction := map[bool]string{true: "", false: ".5"}[half == 0]
					nbf, exp := nbf.Add(half), exp.Add(half)
					raw := s.token(nil, members{"nbf": seconds(nbf) + fraction, "exp": seconds(exp) + fraction})

					until(nbf.Add(-tt.leeway - 1))
					_, err := v.Verify(ctx, raw)
					assertRefused(t, verifier.ErrNotYetValid, err)
					until(nbf.Add(-tt.leeway))
					verified(t, v, raw)

					if half == 0 {
						continue // time goes on only
					}
					until(exp.Add(tt.leeway - 1))
					verified(t, v, raw)
					until(exp.Add(tt.leeway))
					_, err = v.Verify(ctx, raw)
					assertRefused(t, verifier.ErrExpired, err)
				}
			})
		})
	}
	t.Run("C3 exp in whole seconds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v, _ := setup(t)
			raw := signerOf("ES256").token(nil, members{"exp": seconds(time.Now().Add(time.Minute))})
			<-time.After(2*time.Minute - 1)
			verified(t, v, raw)
			<-time.After(1)
			_, err := v.Verify(ctx, raw)
			assertRefused(t, verifier.ErrExpired, err)
		})
	})
	t.Run("C3 iat is not compared", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v, _ := setup(t, func(cfg *set) { cfg.Leeway = -1 })
			now := time.Now()
			raw := signerOf("ES256").token(nil, members{"iat": seconds(now.Add(time.Minute)), "exp": seconds(now.Add(2 * time.Minute))})
			verified(t, v, raw)
			<-time.After(90 * time.Second)
			verified(t, v, raw)
		})
	})
}

// TestCausesNameTheTokensSide: an operator sees a typo when both sides stand in
// the cause.
func TestCausesNameTheTokensSide(t *testing.T) {
	v, _ := setup(t)
	raw := signerOf("ES256").token(nil, members{"aud": `["` + api + `","x"]`})
	for want, rule := range map[string]verifier.Rule{
		`the token has "orders:read orders:write"`: verifier.Scope("order:read"),
		`there is no claim "tennant"`:              verifier.Claim("tennant", "a"),
		`claim "jti" is`:                           verifier.Claim("jti", "a"),
		`client "billing" is not one of`:           verifier.Client("shop"),
	} {
		_, err := v.Verify(ctx, raw, rule)
		assert.ErrorContains(t, err, want)
	}
	r := anonymous()
	r.Header.Set("Authorization", "Token "+raw)
	_, err := v.Authenticate(r)
	assertRefused(t, verifier.ErrNoToken, err)
	assert.ErrorContains(t, err, "scheme is not Bearer")
}

// Durations in causes are rounded to whole seconds.
func TestDurationsInCauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, now := signerOf("ES256"), time.Now()
		v, _ := setup(t, func(cfg *set) { cfg.MaxLifetime = 90 * time.Second })
		after := func(d time.Duration) string { return seconds(now.Add(d)) }
		for want, claims := range map[string]members{
			"1m40s ago":                           {"iat": after(-150 * time.Second), "exp": after(-100 * time.Second)},
			"in 1m40s":                            {"nbf": after(100 * time.Second), "exp": after(120 * time.Second)},
			"exp is 1m40s after iat; MaxLifetime": {"iat": after(0), "exp": after(100 * time.Second)},
			"exp is 3m20s from now; MaxLifetime":  {"iat": "", "exp": after(200 * time.Second)},
		} {
			_, err := v.Verify(ctx, s.token(nil, claims))
			assert.ErrorContains(t, err, want)
		}
	})
}

// TestNull has every member that is read: null is answered as absence is, and the
// members that refuse by their presence refuse as null, too.
func TestNull(t *testing.T) {
	profile := func(cfg *set) { cfg.RFC9068 = true }
	preset := func(cfg *set) {
		cfg.Claims = verifier.Claims{ClientID: []string{"cid"}, Scopes: []string{"permissions"}}
	}
	// idToken has a nonce, and passes only for what stands beside it.
	idToken := members{"nonce": `"n"`, "scope": ""}
	noClient := members{"client_id": ""}
	tests := []struct {
		name           string
		change         func(*set)
		header, claims members // with the null
		rule           verifier.Rule
		reason         error // nil: accepted
		present        bool  // it is refused for its presence
	}{
		{name: "header alg", header: members{"alg": "null"}, reason: verifier.ErrAlgorithm},
		{name: "header kid", header: members{"kid": "null"}},
		{name: "header typ", header: members{"typ": "null"}},
		{name: "header typ with RFC9068", change: profile, header: members{"typ": "null"}, reason: verifier.ErrType},
		{name: "header cty", header: members{"cty": "null"}},
		{name: "header x5t", header: members{"x5t": "null"}},
		{name: "header x5t#S256", header: members{"x5t#S256": "null"}},
		{name: "header zip", header: members{"zip": "null"}},
		{name: "header jku", header: members{"jku": "null"}},
		{name: "header crit", header: members{"crit": "null"}, reason: verifier.ErrMalformed, present: true},
		{name: "header b64", header: members{"b64": "null"}, reason: verifier.ErrMalformed, present: true},

		{name: "iss", claims: members{"iss": "null"}, reason: verifier.ErrIssuer},
		{name: "aud", claims: members{"aud": "null"}, reason: verifier.ErrAudience},
		{name: "exp", claims: members{"exp": "null"}, reason: verifier.ErrClaims},
		{name: "nbf", claims: members{"nbf": "null"}},
		{name: "iat", claims: members{"iat": "null"}},
		{name: "sub", claims: members{"sub": "null"}},
		{name: "jti", claims: members{"jti": "null"}},
		{name: "client_id", claims: members{"client_id": "null"}},
		{name: "client_id before azp", claims: members{"client_id": "null", "azp": `"a"`}, rule: verifier.Client("a")},
		{name: "azp", claims: members{"azp": "null"}.Over(noClient)},
		{name: "a client id of one's own", change: preset, claims: members{"cid": "null"}},
		{name: "scope", claims: members{"scope": "null"}},
		{name: "scope before scp", claims: members{"scope": "null", "scp": `["s"]`}, rule: verifier.Scope("s")},
		{name: "scp", claims: members{"scope": "", "scp": "null"}},
		{name: "scopes of one's own", change: preset, claims: members{"permissions": "null"}},
		{name: "token_use", claims: members{"token_use": "null"}},
		{name: "typ", claims: members{"typ": "null"}},
		{name: "nonce", claims: members{"nonce": "null", "scope": ""}},
		{name: "nonce beside scope", claims: members{"scope": "null"}.Over(idToken), reason: verifier.ErrType},
		{name: "nonce beside scp", claims: members{"scp": "null"}.Over(idToken), reason: verifier.ErrType},
		{name: "nonce beside roles", claims: members{"roles": "null"}.Over(idToken), reason: verifier.ErrType},
		{name: "nonce beside typ", claims: members{"typ": "null"}.Over(idToken), reason: verifier.ErrType},
		{name: "gty", claims: members{"sub": `"billing@clients"`, "gty": "null"}, rule: verifier.ClientCredentials(), reason: verifier.ErrDenied},
		{name: "a claim that no rule asks for", claims: members{"x": "null"}},
		{name: "a claim in a rule", claims: members{"tenant": "null"}, rule: verifier.Claim("tenant", "null"), reason: verifier.ErrDenied},

		{name: "sub with RFC9068", change: profile, claims: members{"sub": "null"}, reason: verifier.ErrClaims},
		{name: "client_id with RFC9068", change: profile, claims: members{"client_id": "null"}, reason: verifier.ErrClaims},
		{name: "iat with RFC9068", change: profile, claims: members{"iat": "null"}, reason: verifier.ErrClaims},
		{name: "jti with RFC9068", change: profile, claims: members{"jti": "null"}, reason: verifier.ErrClaims},

		{name: "cnf", claims: members{"cnf": "null"}, reason: verifier.ErrBinding, present: true},
		{name: "events", claims: members{"events": "null"}, reason: verifier.ErrType, present: true},
		{name: "at_hash", claims: members{"at_hash": "null"}, reason: verifier.ErrType, present: true},
		{name: "c_hash", claims: members{"c_hash": "null"}, reason: verifier.ErrType, present: true},
	}
	without := func(m members) members {
		rest := m.Over(members{})
		for name, value := range m {
			if value == "null" {
				rest[name] = ""
			}
		}
		return rest
	}
	s := signerOf("ES256")
	for _, tt := range tests {
		t.Run("P6 "+tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // so that all tokens are of one second
				v, keys := setup(t, func(cfg *set) {
					if tt.change != nil {
						tt.change(cfg)
					}
				})
				keys.keys[""] = keys.keys[s.KeyID]
				var rules []verifier.Rule
				if tt.rule != nil {
					rules = append(rules, tt.rule)
				}
				tok, err := v.Verify(ctx, s.token(tt.header, tt.claims), rules...)
				if tt.reason == nil {
					require.NoError(t, err)
				} else {
					assertRefused(t, tt.reason, err)
				}
				other, errOther := v.Verify(ctx, s.token(without(tt.header), without(tt.claims)), rules...)
				if tt.reason != nil && !tt.present {
					assertRefused(t, tt.reason, errOther)
					return
				}
				require.NoError(t, errOther)
				if tt.present {
					return
				}
				assert.Equal(t, other.String(), tok.String())
				assert.Equal(t, other.Scopes(), tok.Scopes())
				assert.Equal(t, other.NotBefore(), tok.NotBefore())
				assert.Equal(t, other.IssuedAt(), tok.IssuedAt())
			})
		})
	}
	t.Run("P6 not in a list", func(t *testing.T) {
		v, _ := setup(t)
		_, err := v.Verify(ctx, s.token(nil, members{"aud": `["` + api + `",null]`}))
		assertRefused(t, verifier.ErrClaims, err)
		_, err = v.Verify(ctx, s.token(nil, members{"scope": `["a",null]`}))
		assertRefused(t, verifier.ErrClaims, err)
	})
	t.Run("P6 the word is no null", func(t *testing.T) {
		v, _ := setup(t)
		tok := verified(t, v, s.token(nil, members{"client_id": `"null"`, "sub": `"null"`}))
		assert.Equal(t, "null", tok.ClientID())
		assert.Equal(t, "null", tok.Subject())
	})
}

func TestMaxLifetime(t *testing.T) {
	s := signerOf("ES256")
	synctest.Test(t, func(t *testing.T) {
		v, keys := setup(t, func(cfg *set) { cfg.MaxLifetime = time.Hour })
		unlimited, _ := setup(t)
		at := func(d time.Duration) string { return seconds(time.Now().Add(d)) }
		for name, row := range map[string]struct {
			iat, exp string
			good     bool
		}{
			"C13 exactly":                         {at(0), at(time.Hour), true},
			"C13 a second more":                   {at(0), at(time.Hour + time.Second), false},
			"C13 issued before":                   {at(-30 * time.Minute), at(30 * time.Minute), true},
			"C13 issued before, for longer":       {at(-30 * time.Minute), at(31 * time.Minute), false},
			"C13 by a clock ahead":                {at(time.Minute), at(time.Hour + time.Minute), true},
			"C13 by a clock ahead of the leeway":  {at(2 * time.Minute), at(time.Hour + 2*time.Minute), false},
			"C13 without iat":                     {"", at(time.Hour + time.Minute), true},
			"C13 without iat, for longer":         {"", at(time.Hour + time.Minute + time.Second), false},
			"C13 with an iat that is not a date":  {`"x"`, at(2 * time.Hour), false},
			"C13 until the end of the year 9999":  {at(0), "253402300799", false},
			"C13 from the beginning of the epoch": {"0", at(time.Minute), false},
		} {
			raw := s.token(nil, members{"iat": row.iat, "exp": row.exp})
			verified(t, unlimited, raw)
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, raw)
			if row.good {
				assert.NoError(t, err, name)
				continue
			}
			assertRefused(t, verifier.ErrClaims, err)
			assert.ErrorContains(t, err, "MaxLifetime is 1h0m0s", name)
			assert.Zero(t, keys.lookups.Load(), name)
		}
	})
}
