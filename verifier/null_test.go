package verifier_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

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
		{name: "azp", claims: members{"azp": "null"}.over(noClient)},
		{name: "a client id of one's own", change: preset, claims: members{"cid": "null"}},
		{name: "scope", claims: members{"scope": "null"}},
		{name: "scope before scp", claims: members{"scope": "null", "scp": `["s"]`}, rule: verifier.Scope("s")},
		{name: "scp", claims: members{"scope": "", "scp": "null"}},
		{name: "scopes of one's own", change: preset, claims: members{"permissions": "null"}},
		{name: "token_use", claims: members{"token_use": "null"}},
		{name: "typ", claims: members{"typ": "null"}},
		{name: "nonce", claims: members{"nonce": "null", "scope": ""}},
		{name: "nonce beside scope", claims: members{"scope": "null"}.over(idToken), reason: verifier.ErrType},
		{name: "nonce beside scp", claims: members{"scp": "null"}.over(idToken), reason: verifier.ErrType},
		{name: "nonce beside roles", claims: members{"roles": "null"}.over(idToken), reason: verifier.ErrType},
		{name: "nonce beside typ", claims: members{"typ": "null"}.over(idToken), reason: verifier.ErrType},
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
		rest := m.over(members{})
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
				keys.keys[""] = keys.keys[s.kid]
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
