package providers_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/providers"
)

// Every tenant of Entra ID that is a customer, by its ID.
func entraCustomers(isCustomer func(tenant string) bool) verifier.Settings {
	return verifier.Settings{Tenants: func(issuer string) (verifier.Config, bool) {
		tenant, _ := strings.CutPrefix(issuer, "https://login.microsoftonline.com/")
		tenant, _ = strings.CutSuffix(tenant, "/v2.0")
		cfg := providers.Entra(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3")
		return cfg, cfg.Issuer == issuer && isCustomer(tenant)
	}}
}

// Every realm of a Keycloak that is a customer, by its name.
func keycloakCustomers(isCustomer func(realm string) bool) verifier.Settings {
	const realms = "https://sso.example.com/realms/"
	return verifier.Settings{Tenants: func(issuer string) (verifier.Config, bool) {
		realm, found := strings.CutPrefix(issuer, realms)
		return providers.Keycloak(issuer, "orders-api"), found && isCustomer(realm)
	}}
}

// Presets of tenants that are not known when the program starts: each admits its
// own machines, and nobody of a tenant that is no customer.
func TestTenantsByDemand(t *testing.T) {
	const one, two = "72f988bf-86f1-41af-91ab-2d7cd011db47", "82229342-1101-4ab6-817b-70c0747630f3"
	const entraPrefix, realms = "https://login.microsoftonline.com/", "https://sso.example.com/realms/"
	iss := newIssuer(t)
	customers := func(names ...string) func(string) bool {
		return func(name string) bool {
			for _, n := range names {
				if n == name {
					return true
				}
			}
			return false
		}
	}
	for _, tt := range []struct {
		name, golden string
		settings     verifier.Settings
		good, bad    []string
	}{
		{"Entra", "entra", entraCustomers(customers(one, two)),
			[]string{entraPrefix + one + "/v2.0", entraPrefix + two + "/v2.0"},
			[]string{entraPrefix + one, entraPrefix + one + "/v2.0/", one, one + "/v2.0", "https://evil.example.com/" + one + "/v2.0", entraPrefix + "11111111-1111-1111-1111-111111111111/v2.0"}},
		{"Keycloak", "keycloak", keycloakCustomers(customers("shop", "bank")),
			[]string{realms + "shop", realms + "bank"},
			[]string{realms + "shop/", realms + "other", "https://evil.example.com/realms/shop", "shop"}},
	} {
		ask := tt.settings.Tenants
		tt.settings.Tenants = func(issuer string) (verifier.Config, bool) {
			cfg, known := ask(issuer)
			cfg.Keys = oneKey{iss.server.PublicKey()}
			return cfg, known
		}
		tt.settings.Logger = slog.New(slog.DiscardHandler)
		v, err := tt.settings.New()
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, v.Close()) })
		g := readGolden(t, tt.golden)
		for _, issuer := range tt.good {
			t.Run("V2 T1 "+tt.name+" "+issuer, func(t *testing.T) {
				_, err := v.Verify(t.Context(), iss.sign(t, g.Machine.with(claims{"iss": issuer})), verifier.ClientCredentials())
				assert.NoError(t, err)
				_, err = v.Verify(t.Context(), iss.sign(t, g.User.with(claims{"iss": issuer})))
				refused(t, err, verifier.ErrDenied, "a user's token", "a user")
			})
		}
		for _, issuer := range tt.bad {
			t.Run("T1 V5 "+tt.name+" "+issuer, func(t *testing.T) {
				_, err := v.Verify(t.Context(), iss.sign(t, g.Machine.with(claims{"iss": issuer})))
				refused(t, err, verifier.ErrIssuer, "iss is", issuer)
			})
		}
	}
}
