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

// The configurations of docs/providers.md let in what that page calls a
// machine's token, in the shape it has there, and keep users' out: also a user
// who is named like a client, where users can be.
func TestProvidersAdmitMachinesOnly(t *testing.T) {
	const (
		client, uuid = "0oa1-client", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
		bot          = "bot@project.iam.gserviceaccount.com"
		atJWT        = "at+jwt"
	)
	keycloakUser := claims{"typ": "Bearer", "azp": client, "sub": uuid, "scope": "profile", "preferred_username": "service-account-" + client, "jti": "1"}
	keycloakNamed := claims{"typ": "Bearer", "azp": client, "sub": client, "scope": "profile", "jti": "1"}
	keycloakJob := claims{"typ": "Bearer", "azp": client, "client_id": client, "sub": uuid, "scope": "profile", "preferred_username": "service-account-" + client, "jti": "1"}
	for _, provider := range []struct {
		name     string
		cfg      verifier.Config
		typ      string
		machines []claims
		users    map[string]claims
	}{
		{
			name: "Auth0", cfg: auth0(), typ: "JWT",
			machines: []claims{{"azp": client, "sub": client + "@clients", "gty": "client-credentials", "scope": "a b"}},
			users: map[string]claims{
				"login":    {"azp": client, "sub": "auth0|5f7c", "aud": []string{"https://api.example.com", "https://tenant.eu.auth0.com/userinfo"}, "scope": "openid"},
				"password": {"azp": client, "sub": "auth0|5f7c", "gty": "password"},
			},
		},
		{
			name: "Auth0 RFC 9068", cfg: auth0RFC9068(), typ: atJWT,
			machines: []claims{{"client_id": client, "sub": client + "@clients", "jti": "1", "scope": "a"}},
			users:    map[string]claims{"login": {"client_id": client, "sub": "auth0|5f7c", "jti": "1", "scope": "openid"}},
		},
		{
			name: "Okta", cfg: okta(),
			machines: []claims{{"cid": client, "sub": client, "scp": []string{"a"}, "jti": "AT.1"}},
			users: map[string]claims{
				"login":               {"cid": client, "uid": "00u1", "sub": "jane@example.com", "scp": []string{"openid"}, "jti": "AT.1"},
				"named like a client": {"cid": client, "uid": "00u1", "sub": client, "scp": []string{"openid"}, "jti": "AT.1"},
			},
		},
		{
			name: "Keycloak", cfg: keycloak(), typ: "JWT", machines: []claims{keycloakJob},
			users: map[string]claims{"login": keycloakUser, "named like a client": keycloakNamed},
		},
		{
			name: "Entra v2", cfg: entraV2(), typ: "JWT",
			machines: []claims{{"azp": client, "sub": uuid, "oid": uuid, "roles": []string{"Orders.Read"}, "idtyp": "app", "ver": "2.0"}},
			users: map[string]claims{
				"login":               {"azp": client, "sub": "AAAA", "oid": uuid, "scp": "Orders.Read", "ver": "2.0"},
				"with the claim":      {"azp": client, "sub": "AAAA", "oid": uuid, "scp": "Orders.Read", "idtyp": "user", "ver": "2.0"},
				"named like a client": {"azp": client, "sub": client, "oid": uuid, "scp": "Orders.Read", "ver": "2.0"},
			},
		},
		{
			name: "Entra v1", cfg: entraV1(), typ: "JWT",
			machines: []claims{{"appid": client, "sub": uuid, "roles": []string{"Orders.Read"}, "idtyp": "app", "ver": "1.0"}},
			users: map[string]claims{
				"login":               {"appid": client, "sub": "AAAA", "scp": "Orders.Read", "ver": "1.0"},
				"named like a client": {"appid": client, "sub": client, "scp": "Orders.Read", "ver": "1.0"},
			},
		},
		{
			name: "Cognito", cfg: cognito(),
			machines: []claims{{"client_id": "2example34567890", "sub": "2example34567890", "token_use": "access", "scope": "https://api.example.com/orders.read", "aud": nil}},
			users: map[string]claims{
				"login": {"client_id": "3example45678901", "sub": uuid, "username": "jane", "token_use": "access", "scope": "openid", "aud": nil},
			},
		},
		{
			name: "Google ID tokens", cfg: googleIDTokens(),
			machines: []claims{{"email": bot, "email_verified": true, "sub": "1234", "azp": "1234"}},
			users: map[string]claims{
				"login":          {"email": "jane@example.com", "email_verified": true, "sub": "5678", "azp": client},
				"not verified":   {"email": bot, "email_verified": false, "sub": "5678"},
				"another's":      {"email": "bot@elsewhere.iam.gserviceaccount.com", "email_verified": true, "sub": "9", "azp": "9"},
				"of that client": {"email": "jane@example.com", "email_verified": true, "sub": "5678", "azp": bot},
			},
		},
		{
			name: "Google self-signed", cfg: googleSelfSigned(nil), machines: []claims{{"sub": bot}},
		},
		{
			name: "PingOne", cfg: pingOne(), typ: atJWT,
			machines: []claims{{"client_id": client, "scope": "a", "sub": nil}},
			users: map[string]claims{
				"login":               {"client_id": client, "scope": "a", "sub": uuid, "sid": uuid, "acr": "Single_Factor"},
				"named like a client": {"client_id": client, "scope": "a", "sub": client},
			},
		},
		{
			name: "PingFederate", cfg: pingFederate(nil),
			machines: []claims{{"client_id": "orders-job", "scope": "a", "sub": nil}},
			users: map[string]claims{
				"login":               {"client_id": "shop", "scope": "a", "sub": "jane"},
				"named like a client": {"client_id": "shop", "scope": "a", "sub": "orders-job"},
			},
		},
		{
			name: "Hydra", cfg: hydra(), typ: "JWT",
			machines: []claims{{"client_id": "orders-job", "sub": "orders-job", "scp": []string{"a"}, "ext": claims{}}},
			users: map[string]claims{
				"login":               {"client_id": "shop", "sub": uuid, "scp": []string{"a"}},
				"named like a client": {"client_id": "shop", "sub": "shop", "scp": []string{"a"}},
				"named like a job":    {"client_id": "shop", "sub": "orders-job", "scp": []string{"a"}},
			},
		},
		{
			name: "Zitadel", cfg: zitadel(), typ: "JWT",
			machines: []claims{
				{"azp": "orders-job", "sub": "77", "client_id": nil, "urn:zitadel:iam:org:project:roles": claims{"reader": claims{}}},
				{"client_id": "orders-job", "sub": "77"},
			},
			users: map[string]claims{"login": {"azp": "99@shop", "client_id": "99@shop", "sub": "42"}},
		},
		{
			name: "Keycloak RFC 9068", cfg: keycloakRFC9068(), typ: atJWT, machines: []claims{keycloakJob},
			users: map[string]claims{"with client_id, of another party": {"typ": "Bearer", "azp": client, "client_id": "x", "sub": uuid, "jti": "1"}},
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
			for who, c := range provider.users {
				_, err := v.Verify(t.Context(), token(c))
				assert.ErrorIs(t, err, verifier.ErrDenied, who)
			}
		})
	}
}
