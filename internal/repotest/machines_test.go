package repotest

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

type claims map[string]any

// A oneKey is a KeySource with one key.
type oneKey struct{ key crypto.PublicKey }

func (k oneKey) Lookup(context.Context, jwkscache.Query) ([]crypto.PublicKey, error) {
	return []crypto.PublicKey{k.key}, nil
}

// The configurations of docs/providers for which there is no preset let in what
// their page calls a machine's token, and keep the others out: also a user who is
// named like a client, where users can be.
func TestProvidersWithoutPresetAdmitMachinesOnly(t *testing.T) {
	const (
		bot          = "bot@project.iam.gserviceaccount.com"
		authentikJob = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	)
	for _, provider := range []struct {
		name     string
		cfg      verifier.Config
		typ      string
		machines []claims
		others   map[string]claims
	}{
		{
			name: "Google self-signed", cfg: googleSelfSigned(nil), machines: []claims{{"sub": bot}},
		},
		{
			name: "PingFederate", cfg: pingFederate(nil),
			machines: []claims{{"client_id": "orders-job", "scope": "a", "sub": nil}},
			others: map[string]claims{
				"login":               {"client_id": "shop", "scope": "a", "sub": "jane"},
				"named like a client": {"client_id": "shop", "scope": "a", "sub": "orders-job"},
			},
		},
		{
			name: "authentik", cfg: authentik(), typ: "JWT",
			machines: []claims{{"sub": authentikJob, "azp": "orders-client-id", "uid": "1"}},
			others: map[string]claims{
				"login":       {"sub": "jane", "azp": "orders-client-id", "uid": "1"},
				"an ID token": {"sub": authentikJob, "azp": "orders-client-id"},
			},
		},
		{
			name: "users as well", cfg: usersAsWell(), typ: "at+jwt",
			machines: []claims{{"client_id": "a", "sub": "a@clients", "jti": "1"}},
		},
		{
			name: "Supabase", cfg: supabase(nil), typ: "JWT",
			others: map[string]claims{
				"anonymous": {"sub": "1", "role": "authenticated", "is_anonymous": true},
				"anon":      {"sub": "1", "role": "anon", "is_anonymous": false},
			},
		},
		{
			name: "Firebase", cfg: firebase(nil), typ: "JWT",
			others: map[string]claims{
				"without sub":       {"sub": nil, "auth_time": 1},
				"without auth_time": {"sub": "1"},
				"from the future":   {"sub": "1", "auth_time": 253402300799},
			},
		},
		{
			name: "Clerk", cfg: clerk(nil), typ: "JWT",
			others: map[string]claims{
				"another page":   {"sub": "user_1", "azp": "https://evil.example.com"},
				"impersonated":   {"sub": "user_1", "azp": "https://app.example.com", "act": claims{"sub": "user_2"}},
				"without origin": {"sub": "user_1"},
			},
		},
		{
			name: "Descope", cfg: descope(nil), typ: "JWT",
			others: map[string]claims{"without the permission": {"sub": "1", "permissions": []string{"x"}}},
		},
	} {
		t.Run("C9 "+provider.name, func(t *testing.T) {
			server, err := authserver.New(provider.cfg.Issuer, "RS256")
			require.NoError(t, err)
			cfg := provider.cfg
			cfg.Keys = oneKey{server.PublicKey()}
			v, err := verifier.New(cfg)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, v.Close()) })

			token := func(c claims) string {
				all := claims{"iss": cfg.Issuer, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
				if len(cfg.Audiences) > 0 {
					all["aud"] = cfg.Audiences[0]
				}
				maps.Copy(all, c)
				maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
				payload, err := json.Marshal(all)
				require.NoError(t, err)
				header := `{"alg":"RS256"}`
				if provider.typ != "" {
					header = fmt.Sprintf(`{"alg":"RS256","typ":%q}`, provider.typ)
				}
				raw, err := server.Sign([]byte(header), payload)
				require.NoError(t, err)
				return raw
			}
			for _, c := range provider.machines {
				_, err := v.Verify(t.Context(), token(c), verifier.ClientCredentials())
				assert.NoError(t, err, "a machine is refused: %v", c)
			}
			for who, c := range provider.others {
				_, err := v.Verify(t.Context(), token(c))
				assert.ErrorIs(t, err, verifier.ErrDenied, who)
			}
		})
	}
}
