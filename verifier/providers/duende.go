package providers

import (
	"context"
	"errors"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Duende is for access tokens that Duende IdentityServer gives to clients with the
// client-credentials grant. The issuer is as in its discovery document; the
// audience is the name of the API resource.
//
// Types is at+jwt, IdentityServer's default (AccessTokenJwtType). The tokens have
// no sub, so RFC9068 stays off.
func Duende(issuer, audience string) verifier.Config {
	return checked("Duende", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
		Types:     []string{"at+jwt"},
		Claims:    verifier.Claims{ClientID: []string{"client_id"}, Scopes: []string{"scope"}},
	}, noUser),
		issuerURL("issuer", "https://identity.example.com", issuer),
		filled("audience", "the name of the API resource", audience))
}

// noUser is for providers that leave sub out where no user has a part in it.
var noUser = verifier.Check(func(_ context.Context, t *verifier.Token) error {
	if t.Subject() != "" {
		return errors.New("there is a sub, which tokens of clients do not have: a user's token")
	}
	return nil
})
