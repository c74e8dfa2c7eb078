package providers

import (
	"context"
	"errors"
	"regexp"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// WorkOS is for access tokens of WorkOS Connect M2M applications. The issuer is
// the AuthKit domain as a URL, such as https://example.authkit.app; the audience
// is the environment's client ID.
//
// That audience cannot be chosen: all APIs of an environment accept each other's
// tokens. Put a Scope rule on every route, and tell customers apart by the claim
// org_id.
func WorkOS(issuer, environmentClientID string) verifier.Config {
	return checked("WorkOS", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{environmentClientID},
		Claims:    verifier.Claims{ClientID: []string{"client_id"}, Scopes: []string{"scope"}},
	}, workOSMachine),
		unslashedURL("issuer", "https://example.authkit.app", issuer),
		matching(workOSClient, "audience", "the environment's client ID, such as client_01ABC", environmentClientID))
}

var workOSClient = regexp.MustCompile(`^client_[0-9A-Za-z]+$`)

// A user's sub is an id that WorkOS assigns, and never an application's.
var workOSMachine = verifier.Check(func(_ context.Context, t *verifier.Token) error {
	if id := claim(t, "client_id"); id == "" || t.Subject() != id {
		return errors.New("sub is not the client id: a user's token")
	}
	return nil
})
