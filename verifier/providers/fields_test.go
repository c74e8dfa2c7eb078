package providers_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The fields that the doc comments speak of.
func TestFieldsThatChange(t *testing.T) {
	iss := newIssuer(t)
	t.Run("V1 RFC9068 leaves the other profile out", func(t *testing.T) {
		for _, p := range []struct {
			cfg      verifier.Config
			good, no string
		}{{auth0(), "auth0-rfc9068", "auth0"}, {keycloak(), "keycloak-rfc9068", "keycloak"}} {
			p.cfg.RFC9068 = true
			v := iss.verifier(t, p.cfg)
			_, err := v.Verify(t.Context(), iss.sign(t, readGolden(t, p.good).Machine))
			assert.NoError(t, err, p.good)
			_, err = v.Verify(t.Context(), iss.sign(t, readGolden(t, p.no).Machine))
			refused(t, err, verifier.ErrType, "typ is", p.no)
		}
	})
	t.Run("V1 rules of one's own narrow", func(t *testing.T) {
		v, g := iss.verifier(t, githubMain()), readGolden(t, "github").Machine
		_, err := v.Verify(t.Context(), iss.sign(t, g))
		assert.NoError(t, err)
		_, err = v.Verify(t.Context(), iss.sign(t, g.with(claims{"ref": "refs/pull/1/merge"})))
		refused(t, err, verifier.ErrDenied, `"ref" is`, "a pull request")
	})
	t.Run("V1 scopes and roles", func(t *testing.T) {
		for _, p := range []struct {
			cfg           verifier.Config
			golden        string
			change        claims
			scopes, roles []string
		}{
			{auth0(), "auth0", claims{"permissions": []string{"create:bar"}}, []string{"read:patients", "read:admin"}, []string{"create:bar"}},
			{okta(), "okta", nil, []string{"flights", "custom"}, nil},
			{keycloak(), "keycloak", nil, []string{"email", "profile"}, []string{"offline_access"}},
			{entra(), "entra", nil, []string{"Orders.Read"}, []string{"Orders.Read"}},
			{entraV1(), "entra-v1", nil, []string{"Orders.Read"}, []string{"Orders.Read"}},
			{cognito(), "cognito", nil, []string{"https://api.example.com/orders.read"}, nil},
			{pingOne(), "pingone", nil, []string{"orders:read"}, nil},
			{hydra(), "hydra", claims{"scp": nil, "scope": "orders:read"}, []string{"orders:read"}, nil},
			{duende(), "duende", nil, []string{"invoice.read", "invoice.pay"}, nil},
			{kinde(), "kinde", nil, []string{"read:users", "write:flags"}, nil},
			{workOS(), "workos", nil, []string{"orders:read"}, nil},
		} {
			tok, err := iss.verifier(t, p.cfg).Verify(t.Context(), iss.sign(t, readGolden(t, p.golden).Machine.with(p.change)))
			if assert.NoError(t, err, p.golden) {
				assert.Equal(t, p.scopes, tok.Scopes(), p.golden)
				assert.Equal(t, p.roles, tok.Roles(), p.golden)
			}
		}
	})
	t.Run("V1 a claim below a URL", func(t *testing.T) {
		cfg := aws()
		cfg.Rules = []verifier.Rule{verifier.Claim("/https:~1~1sts.amazonaws.com~1/org_id", "o-abc1234567")}
		_, err := iss.verifier(t, cfg).Verify(t.Context(), iss.sign(t, readGolden(t, "aws").Machine))
		assert.NoError(t, err)
	})
	t.Run("V1 every spelling of a v1.0 audience", func(t *testing.T) {
		v, g := iss.verifier(t, entraV1()), readGolden(t, "entra-v1").Machine
		for _, aud := range []string{"api://orders", "api://orders/", "ef1da9d4-ff77-4c3e-a005-840c3f830745"} {
			_, err := v.Verify(t.Context(), iss.sign(t, g.with(claims{"aud": aud})))
			assert.NoError(t, err, aud)
		}
	})
	t.Run("V1 the other typ of a JWT-SVID", func(t *testing.T) {
		_, err := iss.verifier(t, spiffe()).Verify(t.Context(), iss.sign(t, readGolden(t, "spiffe").Machine.headed("typ", "JOSE")))
		assert.NoError(t, err)
	})
	t.Run("V1 a test's issuer stands in", func(t *testing.T) {
		stand := verifiertest.NewIssuer(t)
		v, err := verifier.New(stand.StandIn(keycloakInside()))
		require.NoError(t, err)
		defer v.Close()
		_, err = v.Verify(t.Context(), stand.Token(verifiertest.Claims{"client_id": "billing", "azp": "billing", "sub": "9f4db6ad"}))
		assert.NoError(t, err)
		_, err = v.Verify(t.Context(), stand.Token(verifiertest.Claims{"client_id": nil, "azp": "billing", "sub": "9f4db6ad"}))
		refused(t, err, verifier.ErrDenied, "a user's token", "a user")
	})
	t.Run("V1 IDs in capital letters", func(t *testing.T) {
		for name, cfg := range map[string]verifier.Config{
			"entra":    providers.Entra("72F988BF-86F1-41AF-91AB-2D7CD011DB47", "6E74172B-BE56-4843-9FF4-E66A39BB12E3"),
			"entra-v1": providers.EntraV1("FA15D692-E9C7-4460-A743-29F2956FD429", "EF1DA9D4-FF77-4C3E-A005-840C3F830745"),
		} {
			_, err := iss.verifier(t, cfg).Verify(t.Context(), iss.sign(t, readGolden(t, name).Machine))
			assert.NoError(t, err, name)
		}
	})
	t.Run("V1 an Auth0 token that names its grant", func(t *testing.T) {
		_, err := iss.verifier(t, auth0()).Verify(t.Context(), iss.sign(t, readGolden(t, "auth0").Machine.with(claims{"gty": "client-credentials"})))
		assert.NoError(t, err)
	})
}

// A list of tenants, each with the same demands.
func TestTenants(t *testing.T) {
	iss := newIssuer(t)
	one, two := "72f988bf-86f1-41af-91ab-2d7cd011db47", "82229342-1101-4AB6-817B-70C0747630F3"
	g := readGolden(t, "entra")
	v := iss.verifier(t, entraTenants([]string{one, two})...)
	for tenant, admitted := range map[string]bool{one: true, strings.ToLower(two): true, "11111111-1111-1111-1111-111111111111": false} {
		t.Run("V1 "+tenant, func(t *testing.T) {
			iss2 := claims{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0"}
			_, err := v.Verify(t.Context(), iss.sign(t, g.Machine.with(iss2)))
			assert.Equal(t, admitted, err == nil, "%v", err)
			_, err = v.Verify(t.Context(), iss.sign(t, g.User.with(iss2)))
			assert.Error(t, err)
		})
	}
	t.Run("V3 none", func(t *testing.T) {
		_, err := verifier.New(providers.Tenants(providers.Entra, "6e74172b-be56-4843-9ff4-e66a39bb12e3")...)
		assert.ErrorContains(t, err, "no Config")
	})
}

// With a preset, New finds the keys by the provider's metadata.
func TestKeysAreDiscovered(t *testing.T) {
	for _, p := range append(presets(), preset{name: "Keycloak inside", cfg: keycloakInside()}, preset{name: "Kubernetes inside", cfg: kubernetesInside()}) {
		t.Run("V1 "+p.name, func(t *testing.T) {
			assert.Nil(t, p.cfg.Keys)
			p.cfg.JWKS.HTTPClient = failing
			v, err := verifier.Settings{Logger: slog.New(slog.DiscardHandler)}.New(p.cfg)
			require.NoError(t, err)
			assert.NoError(t, v.Close())
		})
	}
}
