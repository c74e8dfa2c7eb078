package providers

import (
	"context"
	"errors"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Auth0 is for access tokens of machine-to-machine applications, in either token
// profile. The domain is the tenant's, such as tenant.eu.auth0.com, or the custom
// domain that all clients ask for their tokens; the audience is the API's
// identifier.
//
// Set RFC9068 where the API has the RFC 9068 profile: with it an ID token cannot
// be taken for an access token, whatever its audience. The claim permissions is
// read as roles.
func Auth0(domain, audience string) verifier.Config {
	domain = strings.ToLower(domain)
	return checked("Auth0", admitting(verifier.Config{
		Issuer:    "https://" + domain + "/",
		Audiences: []string{audience},
		Claims: verifier.Claims{
			ClientID: []string{"client_id", "azp"}, // of the RFC 9068 profile, of the Auth0 profile
			Scopes:   []string{"scope"},
			Roles:    []string{"permissions"},
		},
	}, auth0Machine),
		matching(hostName, "domain", "a host such as tenant.eu.auth0.com", domain),
		filled("audience", "the API's identifier", audience))
}

// A user's sub is the name of a connection, a bar and an id; a machine's is the
// client id with a suffix. No other claim tells them apart in both profiles.
var auth0Machine = verifier.Check(func(_ context.Context, t *verifier.Token) error {
	id, found := strings.CutSuffix(t.Subject(), "@clients")
	if !found || id == "" || id != t.ClientID() {
		return errors.New("sub is not the client id with @clients behind it: a user's token")
	}
	return nil
})
