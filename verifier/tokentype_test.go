package verifier_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestHeaderType(t *testing.T) {
	const okta = "application/okta-internal-at+jwt"
	plain := func(*set) {}
	profile := func(cfg *set) { cfg.RFC9068 = true }
	further := func(cfg *set) { cfg.Types = []string{okta} }
	both := func(cfg *set) { profile(cfg); further(cfg) }
	tests := []struct {
		typ                           string // as JSON, "" for none
		plain, profile, further, both bool   // accepted
	}{
		{``, true, false, false, false},
		{`"JWT"`, true, false, false, false},
		{`"jwt"`, true, false, false, false},
		{`"jWt"`, true, false, false, false},
		{`"application/JWT"`, true, false, false, false}, // RFC 7515 §4.1.9
		{`"at+jwt"`, true, true, false, false},
		{`"AT+JWT"`, true, true, false, false},
		{`"application/at+jwt"`, true, true, false, false},
		{`"Application/At+Jwt"`, true, true, false, false},
		{`"` + okta + `"`, false, false, true, true},
		{`"okta-internal-at+jwt"`, false, false, true, true},
		{`"APPLICATION/okta-internal-AT+jwt"`, false, false, true, true},

		{`""`, false, false, false, false}, // C7
		{`"application/"`, false, false, false, false},
		{`"application/application/at+jwt"`, false, false, false, false},
		{`"application/x/at+jwt"`, false, false, false, false},
		{`"text/at+jwt"`, false, false, false, false},
		{`"at+jwt; charset=utf-8"`, false, false, false, false},
		{`" at+jwt"`, false, false, false, false},
		{`"at+jwt2"`, false, false, false, false},
		{`"at"`, false, false, false, false},
		{`"logout+jwt"`, false, false, false, false},
		{`"dpop+jwt"`, false, false, false, false},
		{`"id_token+jwt"`, false, false, false, false},
		{`"secevent+jwt"`, false, false, false, false},
		{`"token-introspection+jwt"`, false, false, false, false},
		{`"oauth-authz-req+jwt"`, false, false, false, false},
		{`"client-authentication+jwt"`, false, false, false, false},
		{`"JOSE"`, false, false, false, false},
		{`"Bearer"`, false, false, false, false},
	}
	s := signerOf("ES256")
	for _, tt := range tests {
		for name, c := range map[string]struct {
			change func(*set)
			ok     bool
		}{
			"by default":         {plain, tt.plain},
			"with RFC9068":       {profile, tt.profile},
			"with Types":         {further, tt.further},
			"with both of these": {both, tt.both},
		} {
			t.Run("C5 "+tt.typ+" "+name, func(t *testing.T) {
				v, keys := setup(t, c.change)
				_, err := v.Verify(ctx, s.token(members{"typ": tt.typ}, nil))
				if c.ok {
					require.NoError(t, err)
					return
				}
				assertRefused(t, verifier.ErrType, err)
				assert.Zero(t, keys.lookups.Load())
			})
		}
	}
	t.Run("C5 an empty string in Types is for a token without typ", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) { cfg.Types = []string{"", "x+jwt"} })
		verified(t, v, s.token(members{"typ": ""}, nil))
		verified(t, v, s.token(members{"typ": "null"}, nil))
		verified(t, v, s.token(members{"typ": `"x+jwt"`}, nil))
		for _, typ := range []string{`""`, `"JWT"`, `"application/"`} {
			_, err := v.Verify(ctx, s.token(members{"typ": typ}, nil))
			assertRefused(t, verifier.ErrType, err)
		}
	})
	t.Run("C5 only one slash is left out", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) { cfg.Types = []string{"text/x+jwt"} })
		verified(t, v, s.token(members{"typ": `"text/x+jwt"`}, nil))
		_, err := v.Verify(ctx, s.token(members{"typ": `"application/text/x+jwt"`}, nil))
		assertRefused(t, verifier.ErrType, err) // RFC 7515 §4.1.9
	})
	for _, typ := range []string{"1", `["at+jwt"]`, "true"} {
		t.Run("C5 "+typ, func(t *testing.T) {
			v, keys := setup(t)
			_, err := v.Verify(ctx, s.token(members{"typ": typ}, nil))
			assertRefused(t, verifier.ErrMalformed, err)
			assert.Zero(t, keys.lookups.Load())
		})
	}
}

func TestProfile(t *testing.T) {
	v, keys := setup(t, func(cfg *set) { cfg.RFC9068 = true })
	loose, _ := setup(t)
	s := signerOf("ES256")
	verified(t, v, s.good())
	verified(t, v, s.token(nil, members{"scope": ""})) // RFC 9068 §2.2.3: not required
	reasons := map[string]error{"iss": verifier.ErrIssuer, "aud": verifier.ErrAudience}
	for _, name := range []string{"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} {
		reason := reasons[name]
		if reason == nil {
			reason = verifier.ErrClaims
		}
		t.Run("C6 "+name+" missing", func(t *testing.T) {
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, s.token(nil, members{name: ""}))
			assertRefused(t, reason, err)
			assert.Zero(t, keys.lookups.Load())
		})
		if name == "exp" || name == "iat" {
			continue // no strings
		}
		for _, value := range []string{`""`, "null", "1", "[]", `{"x":1}`} {
			t.Run("C6 C7 "+name+" "+value, func(t *testing.T) {
				_, err := v.Verify(ctx, s.token(nil, members{name: value}))
				assert.Error(t, err)
			})
		}
	}
	for _, name := range []string{"sub", "client_id", "iat", "jti"} {
		t.Run("C6 "+name+" is not required without RFC9068", func(t *testing.T) {
			verified(t, loose, s.token(nil, members{name: ""}))
		})
	}
	for _, name := range []string{"sub", "client_id", "jti"} {
		for _, value := range []string{`""`, "null"} {
			t.Run("C7 "+name+" "+value, func(t *testing.T) {
				_, err := v.Verify(ctx, s.token(nil, members{name: value}))
				assertRefused(t, verifier.ErrClaims, err)
				verified(t, loose, s.token(nil, members{name: value}))
			})
		}
	}
	t.Run("C6 azp is no client_id", func(t *testing.T) {
		_, err := v.Verify(ctx, s.token(nil, members{"client_id": "", "azp": `"billing"`}))
		assertRefused(t, verifier.ErrClaims, err)
	})
	t.Run("C6 client_id whatever the preset", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) {
			cfg.RFC9068, cfg.Claims.ClientID = true, []string{"cid"}
		})
		_, err := v.Verify(ctx, s.token(nil, members{"client_id": "", "cid": `"billing"`}))
		assertRefused(t, verifier.ErrClaims, err)
	})
	for _, iat := range []string{`"1"`, "-1", "1e300", "[]", "true"} {
		t.Run("C6 iat "+iat, func(t *testing.T) {
			_, err := v.Verify(ctx, s.token(nil, members{"iat": iat}))
			assertRefused(t, verifier.ErrClaims, err)
			verified(t, loose, s.token(nil, members{"iat": iat}))
		})
	}
	anyAudience, _ := setup(t, func(cfg *set) {
		cfg.RFC9068, cfg.Audiences, cfg.AnyAudience = true, nil, true
		cfg.Rules = []verifier.Rule{verifier.Client("billing")}
	})
	for _, aud := range []string{"", "[]", `""`, `[""]`, `["",""]`} {
		t.Run("C6 C7 aud "+aud+" with AnyAudience", func(t *testing.T) {
			_, err := anyAudience.Verify(ctx, s.token(nil, members{"aud": aud}))
			assertRefused(t, verifier.ErrClaims, err)
		})
	}
	verified(t, anyAudience, s.token(nil, members{"aud": `["","x"]`}))
}

// TestProfileIssuedAt goes to both sides of what the leeway permits, for a token
// that is new and for one that is remembered.
func TestProfileIssuedAt(t *testing.T) {
	for leeway, want := range map[time.Duration]time.Duration{0: 60 * time.Second, -1: 0, time.Second: time.Second} {
		t.Run(fmt.Sprintf("C3 leeway %s", want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, _ := remembering(t, func(cfg *set) { cfg.RFC9068, cfg.Leeway = true, leeway })
				iat := time.Now().Add(time.Hour)
				raw := signerOf("ES256").token(nil, members{"iat": seconds(iat), "exp": seconds(iat.Add(time.Hour))})
				<-time.After(time.Hour - want - 1)
				_, err := v.Verify(ctx, raw)
				assertRefused(t, verifier.ErrNotYetValid, err)
				var e *verifier.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, "The access token is not valid for this API.", e.Description(), "R3 it depends on the issuer")
				<-time.After(1)
				verified(t, v, raw)
				require.NotNil(t, verifier.LookupCached(v, raw, iat.Add(-want)))
				require.Nil(t, verifier.LookupCached(v, raw, iat.Add(-want-1)), "the clock stepped back")
			})
		})
	}
}

// TestOtherKinds has tokens of our issuer that are no access tokens.
func TestOtherKinds(t *testing.T) {
	noScope := members{"scope": ""}
	tests := []struct {
		name   string
		claims members
		ok     bool
	}{
		{"C10 events", members{"events": `{"http://schemas.openid.net/event/backchannel-logout":{}}`}, false},
		{"C10 events empty", members{"events": `{}`}, false},
		{"C10 events null", members{"events": `null`}, false},
		{"C10 at_hash", members{"at_hash": `"MTIzNDU2Nzg5MDEyMzQ1Ng"`}, false},
		{"C10 at_hash empty", members{"at_hash": `""`}, false},
		{"C10 c_hash", members{"c_hash": `"LDktKdoQak3Pk0cnXxCltA"`}, false},
		{"C10 token_use id", members{"token_use": `"id"`}, false},
		{"C10 token_use refresh", members{"token_use": `"refresh"`}, false},
		{"C10 token_use Access", members{"token_use": `"Access"`}, false},
		{"C10 token_use empty", members{"token_use": `""`}, false},
		{"C10 P6 token_use null", members{"token_use": `null`}, true},
		{"C10 token_use a list", members{"token_use": `["access"]`}, false},
		{"C10 token_use access", members{"token_use": `"access"`}, true},
		{"C10 typ ID", members{"typ": `"ID"`}, false},
		{"C10 typ id", members{"typ": `"id"`}, false},
		{"C10 typ Refresh", members{"typ": `"Refresh"`}, false},
		{"C10 typ REFRESH", members{"typ": `"REFRESH"`}, false},
		{"C10 typ Offline", members{"typ": `"Offline"`}, false},
		{"C10 typ Logout", members{"typ": `"Logout"`}, false},
		{"C10 typ Bearer", members{"typ": `"Bearer"`}, true},
		{"C10 typ of another word", members{"typ": `"at"`}, true},
		{"C10 typ a number", members{"typ": `1`}, true},
		{"C10 typ a list with ID", members{"typ": `["x","ID"]`}, false},
		{"C10 typ a list that begins with ID", members{"typ": `["ID","x"]`}, false},
		{"C10 nonce with a scope before an empty one", members{"nonce": `"n"`, "scope": `["a",""]`}, true},
		{"C10 nonce with roles of which one is a number", members{"nonce": `"n"`, "scope": "", "roles": `["a",1]`}, false},
		{"C10 typ a list with Refresh", members{"typ": `["refresh"]`}, false},
		{"C10 typ a list with Bearer", members{"typ": `["x","Bearer"]`}, true},
		{"C10 nonce alone", members{"nonce": `"n"`}.Over(noScope), false},
		{"C10 nonce empty", members{"nonce": `""`}.Over(noScope), false},
		{"C10 nonce with another typ", members{"nonce": `"n"`, "typ": `"JWT"`}.Over(noScope), false},
		{"C10 nonce with Roles", members{"nonce": `"n"`, "Roles": `["a"]`}.Over(noScope), false},
		{"C10 C7 nonce with an empty scope", members{"nonce": `"n"`, "scope": `""`}, false},
		{"C10 C7 nonce with a scope of spaces", members{"nonce": `"n"`, "scope": `"  "`}, false},
		{"C10 C7 nonce with empty lists", members{"nonce": `"n"`, "scope": `[]`, "scp": `[]`, "roles": `[""]`}, false},
		{"C10 C7 nonce with null", members{"nonce": `"n"`, "scp": `null`, "roles": `null`}.Over(noScope), false},
		{"C10 nonce with roles that are none", members{"nonce": `"n"`, "roles": `{"admin":true}`}.Over(noScope), false},
		{"C10 nonce with a list with Bearer", members{"nonce": `"n"`, "typ": `["Bearer"]`}.Over(noScope), true},
		{"C10 nonce with scope", members{"nonce": `"n"`}, true},
		{"C10 nonce with one of several", members{"nonce": `"n"`, "scope": `""`, "scp": `"a"`, "roles": `[]`}, true},
		{"C10 nonce with scp", members{"nonce": `"n"`, "scp": `["a"]`}.Over(noScope), true},
		{"C10 nonce with roles", members{"nonce": `"n"`, "roles": `["a"]`}.Over(noScope), true},
		{"C10 nonce with typ Bearer", members{"nonce": `"n"`, "typ": `"Bearer"`}.Over(noScope), true},
		{"C10 nonce with typ bearer", members{"nonce": `"n"`, "typ": `"bearer"`}.Over(noScope), true},
		{"C10 neither nonce nor scope", noScope, true},
		{"C10 an ID token", members{
			"client_id": "", "scope": "", "jti": "", "azp": `"billing"`, "nonce": `"n-0S6_WzA2Mj"`,
			"auth_time": "1300819380", "acr": `"1"`, "email": `"jane@example.com"`,
		}, false},
		{"C10 a refresh token of Keycloak", members{"typ": `"Refresh"`, "scope": `"openid orders:read"`}, false},
		{"C10 a logout token", members{"events": `{"x":{}}`, "sid": `"1"`, "scope": ""}, false},
	}
	for _, header := range []members{{"typ": ""}, {"typ": `"JWT"`}, {"typ": `"at+jwt"`}} {
		v, keys := setup(t)
		s := signerOf("ES256")
		for _, tt := range tests {
			t.Run(tt.name+", header "+header.Text(), func(t *testing.T) {
				keys.lookups.Store(0)
				_, err := v.Verify(ctx, s.token(header, tt.claims))
				if tt.ok {
					require.NoError(t, err)
					return
				}
				assertRefused(t, verifier.ErrType, err)
				if tt.claims["typ"] != "" || tt.claims["nonce"] != "" { // with a list, perhaps
					assertAfterSignature(t, v, tt.claims)
					return
				}
				assert.Zero(t, keys.lookups.Load())
			})
		}
	}
	for name, tt := range map[string]struct {
		configured []string
		claims     members
		ok         bool
	}{
		"where it is configured":            {[]string{"permissions"}, members{"permissions": `["orders:read"]`}, true},
		"in the second that is configured":  {[]string{"x", "permissions"}, members{"permissions": `"orders:read"`}, true},
		"by a common name all the same":     {[]string{"permissions"}, members{"scope": `"orders:read"`}, true},
		"where it is not configured":        {nil, members{"permissions": `["orders:read"]`}, false},
		"C7 empty where it is configured":   {[]string{"permissions"}, members{"permissions": `[""]`}, false},
		"C7 null where it is configured":    {[]string{"permissions"}, members{"permissions": `null`}, false},
		"C7 a space where it is configured": {[]string{"permissions"}, members{"permissions": `" "`}, false},
		"a flag where it is configured":     {[]string{"email_verified"}, members{"email_verified": `true`}, false},
	} {
		t.Run("C10 nonce with a permission "+name, func(t *testing.T) {
			v, _ := setup(t, func(cfg *set) { cfg.Claims.Scopes = tt.configured })
			_, err := v.Verify(ctx, signerOf("ES256").token(nil, tt.claims.Over(members{"nonce": `"n"`, "scope": ""})))
			if tt.ok {
				require.NoError(t, err)
				return
			}
			assertRefused(t, verifier.ErrType, err)
		})
	}
	t.Run("C10 only RFC9068 tells the rest", func(t *testing.T) {
		id := signerOf("ES256").token(members{"typ": `"JWT"`}, members{"client_id": "", "scope": ""})
		loose, _ := setup(t)
		verified(t, loose, id)
		strict, _ := setup(t, func(cfg *set) { cfg.RFC9068 = true })
		_, err := strict.Verify(ctx, id)
		assertRefused(t, verifier.ErrType, err)
	})
}
