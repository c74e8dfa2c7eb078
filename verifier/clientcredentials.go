package verifier

import "context"

type clientCredentialsRule struct{ plainRule }

// ClientCredentials requires a client that acts on its own behalf and not on a user's
// (RFC 6749 §4.4); otherwise the response is 403. A token without a client id never
// passes. If [Claims.ClientCredentials] is set, that rule decides alone. Otherwise a
// token passes if sub equals the client id, or if sub is the client id followed by
// "@clients" and gty is "client-credentials" (Auth0).
//
// This is safe only if the issuer does not let a user choose a sub that equals a client
// id (RFC 9700 §4.15). Okta, Keycloak, Entra ID, PingOne, Hydra and Duende
// IdentityServer have other rules for sub, and need [Claims.ClientCredentials].
func ClientCredentials() Rule { return clientCredentialsRule{} }

var auth0ClientCredentials = Claim("gty", "client-credentials")

func (clientCredentialsRule) check(ctx context.Context, t *Token) *Error {
	switch id := t.clientID; {
	case id == "":
		return t.wrongClient(nil)
	case t.policy.clientCredentials != nil:
		return t.policy.clientCredentials.check(ctx, t)
	case t.subject == id:
		return nil
	case t.subject == id+"@clients":
		return auth0ClientCredentials.check(ctx, t)
	}
	return refusal(ErrDenied, "sub %s is not the client id %s, so the token may be a user's: see Config.Claims.ClientCredentials", quote(t.subject), quote(t.clientID))
}
