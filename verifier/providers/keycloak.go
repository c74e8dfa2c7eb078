package providers

import (
	"context"
	"errors"
	"regexp"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Keycloak is for access tokens of service accounts. The realm is its URL, as
// clients reach it, such as https://sso.example.com/realms/shop; the audience is
// what an Audience mapper adds to the tokens of the clients that call this API.
//
// Where the API reaches Keycloak under another name only, JWKS.MetadataURL is the
// metadata document there, https://keycloak.internal/realms/shop/.well-known/openid-configuration;
// the issuer stays the outer one.
//
// Set RFC9068 where every calling client has the option for at+jwt. Roles are
// those of the realm; those of a client stand at /resource_access/{client}/roles.
func Keycloak(realm, audience string) verifier.Config {
	return checked("Keycloak", admitting(verifier.Config{
		Issuer:    realm,
		Audiences: []string{audience},
		Claims: verifier.Claims{
			ClientID: []string{"azp"},
			Scopes:   []string{"scope"},
			Roles:    []string{"/realm_access/roles"},
		},
	}, keycloakMachine),
		matching(keycloakRealm, "realm", "its URL, such as https://sso.example.com/realms/shop", realm),
		filled("audience", "what an Audience mapper adds to the tokens", audience))
}

var keycloakRealm = regexp.MustCompile(`^https?://[^/?#@\s]+(/[^?#\s]*)?/realms/[^/?#\s]+$`)

// Only the client-credentials grant writes the session note that client_id is
// made of. A user may be named like a client, so sub and preferred_username say
// nothing.
var keycloakMachine = verifier.Check(func(_ context.Context, t *verifier.Token) error {
	switch id := claim(t, "client_id"); {
	case id == "":
		return errors.New("there is no client_id, which service accounts have: a user's token, or the client lacks the scope service_account")
	case id != claim(t, "azp"):
		return errors.New("client_id is not azp, so it is not from a service account")
	}
	return nil
})
