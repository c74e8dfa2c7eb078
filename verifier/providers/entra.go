package providers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Entra is for app-only access tokens of Microsoft Entra ID, version 2.0: of
// daemons and of managed identities. The tenant is its ID, a GUID; the audience is
// the application (client) ID of the API.
//
// The API's registration must have api.requestedAccessTokenVersion 2 and the
// optional claim idtyp. Scopes are the application permissions (app roles): any
// application of the tenant can get a token without one, so put a Scope rule on
// every route. See [Tenants] for several tenants.
func Entra(tenant, audience string) verifier.Config {
	return checked("Entra", entra(verifier.Config{
		Issuer:    "https://login.microsoftonline.com/" + strings.ToLower(tenant) + "/v2.0",
		Audiences: []string{strings.ToLower(audience)},
	}, "azp"),
		entraTenant(tenant),
		matching(guid, "audience", "the API's application (client) ID, a GUID", audience))
}

// EntraV1 is [Entra] for tokens of version 1.0, which the API gets whose
// registration does not say 2. The audience is the App ID URI, with and without a
// slash at the end, or the application (client) ID: Entra ID may write either, so
// append the other to Audiences.
func EntraV1(tenant, audience string) verifier.Config {
	tenant, audiences := strings.ToLower(tenant), []string{strings.ToLower(audience)}
	if !guid.MatchString(audience) {
		bare := strings.TrimSuffix(audience, "/")
		audiences = []string{bare, bare + "/"}
	}
	cfg := verifier.Config{Issuer: "https://sts.windows.net/" + tenant + "/", Audiences: audiences}
	// The issuer is not where the document is.
	cfg.JWKS.MetadataURL = "https://login.microsoftonline.com/" + tenant + "/.well-known/openid-configuration"
	return checked("EntraV1", entra(cfg, "appid"),
		entraTenant(tenant),
		filled("audience", "the API's App ID URI or its application (client) ID", audience))
}

func entra(cfg verifier.Config, clientID string) verifier.Config {
	cfg.Types = []string{"JWT"}
	cfg.Claims = verifier.Claims{ClientID: []string{clientID}, Scopes: []string{"roles"}}
	return admitting(cfg, entraApp)
}

var entraApp = verifier.Check(func(_ context.Context, t *verifier.Token) error {
	switch typ := claim(t, "idtyp"); typ {
	case "app":
		return nil
	case "":
		return errors.New("there is no idtyp: a user's token, or the API's registration lacks that optional claim")
	default:
		return fmt.Errorf("idtyp is %.40q, not app: a user's token", typ)
	}
})

func entraTenant(tenant string) error {
	switch strings.ToLower(tenant) {
	case "common", "organizations", "consumers":
		return notA("tenant", "one tenant's ID (see Tenants for several)", tenant)
	}
	return matching(guid, "tenant", "its ID, a GUID", tenant)
}
