package providers

import "github.com/seed-12ed5b1c/jwtguard/verifier"

// Kinde is for access tokens of machine-to-machine applications. The issuer is
// that of the environment, such as https://example.kinde.com; the audience is the
// API's. The scopes are those granted (scope), not those requested (scp).
func Kinde(issuer, audience string) verifier.Config {
	return checked("Kinde", admitting(verifier.Config{
		Issuer:     issuer,
		Audiences:  []string{audience},
		Algorithms: []string{"RS256"},
		Claims:     verifier.Claims{ClientID: []string{"azp"}, Scopes: []string{"scope"}},
	}, verifier.Claim("gty", "client_credentials")),
		unslashedURL("issuer", "https://example.kinde.com", issuer),
		filled("audience", "that of the API", audience))
}
