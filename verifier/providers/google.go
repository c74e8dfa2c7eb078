package providers

import "github.com/seed-12ed5b1c/jwtguard/verifier"

// GoogleServiceAccounts is for the ID tokens that Google signs for service
// accounts: from the metadata server, or by generateIdToken. The audience is what
// the caller asks for; the ids are the accounts' unique ids, which are digits. The
// client id is that id.
//
// Every service account and every person in the world can have a token of this
// issuer, so who may call is compulsory. An email is no id: a deleted account's can
// be given to another.
//
// Google's OAuth access tokens are opaque and cannot be verified.
func GoogleServiceAccounts(audience, id string, more ...string) verifier.Config {
	return checked("GoogleServiceAccounts", admitting(verifier.Config{
		Issuer:     "https://accounts.google.com",
		Audiences:  []string{audience},
		Algorithms: []string{"RS256"},
		Claims:     verifier.Claims{ClientID: []string{"sub"}},
	}, verifier.Claim("sub", append([]string{id}, more...)...)),
		filled("audience", "that which the caller asks for", audience),
		allOf(func(id string) error {
			return matching(digits, "service account", "its unique id, which is digits", id)
		}, id, more))
}
