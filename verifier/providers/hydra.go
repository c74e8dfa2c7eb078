package providers

import "github.com/seed-12ed5b1c/jwtguard/verifier"

// Hydra is for JWT access tokens of Ory Hydra and the Ory Network. The issuer is
// urls.self.issuer as it is configured, slash or none; the audience is one of the
// client's allow-list, which the client also has to ask for. The clients are those
// whose only grant type is client_credentials.
//
// No claim tells a machine from a user: a user's sub is what your login
// application says, so it can be a client's id. The list of clients is the check.
func Hydra(issuer, audience, client string, more ...string) verifier.Config {
	return checked("Hydra", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
		Claims:    verifier.Claims{ClientID: []string{"client_id"}, Scopes: []string{"scp", "scope"}},
	}, clients(client, more)),
		issuerURL("issuer", "https://auth.example.com", issuer),
		filled("audience", "one that the client may ask for", audience),
		allOf(clientID, client, more))
}
