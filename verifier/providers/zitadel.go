package providers

import (
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Zitadel is for JWT access tokens of service accounts. The issuer is the
// instance's domain as a URL, such as https://example.zitadel.cloud; the audience
// is the project's ID, which the client asks for by the scope
// urn:zitadel:iam:org:project:id:{project id}:aud. The accounts are the user IDs
// of the service accounts that may call.
//
// No claim tells a service account from a person, but Zitadel assigns user IDs:
// the list of accounts is the check. Roles are objects, which no rule reads.
func Zitadel(issuer, projectID, account string, more ...string) verifier.Config {
	return checked("Zitadel", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{projectID},
		Claims:    verifier.Claims{ClientID: []string{"sub"}},
	}, verifier.Claim("sub", append([]string{account}, more...)...)),
		unslashedURL("issuer", "https://example.zitadel.cloud", issuer),
		matching(digits, "project", "its ID, which is digits", projectID),
		allOf(func(id string) error {
			return matching(digits, "account", "its user ID, which is digits", id)
		}, account, more))
}
