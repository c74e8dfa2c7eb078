package providers

import (
	"regexp"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// SPIFFE is for JWT-SVIDs that have an iss: those of a SPIRE server whose
// jwt_issuer is set. The issuer is that value, where SPIRE's OIDC discovery provider
// answers; the audience is this service's; the ids are the SPIFFE IDs of the
// workloads that may call. The client id is the SPIFFE ID.
//
// The standard does not require iss, and a JWT-SVID without one is refused.
func SPIFFE(issuer, audience, id string, more ...string) verifier.Config {
	return checked("SPIFFE", admitting(verifier.Config{
		Issuer:     issuer,
		Audiences:  []string{audience},
		Algorithms: []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"},
		Types:      []string{"JWT", "JOSE", ""},
		Claims:     verifier.Claims{ClientID: []string{"sub"}},
	}, verifier.Claim("sub", append([]string{id}, more...)...)),
		issuerURL("issuer", "https://oidc.example.org", issuer),
		filled("audience", "this service's", audience),
		allOf(func(id string) error {
			return matching(spiffeID, "workload", "its SPIFFE ID, such as spiffe://example.org/orders", id)
		}, id, more))
}

var spiffeID = regexp.MustCompile(`^spiffe://[a-z0-9._-]+(/[A-Za-z0-9._-]+)+$`)
