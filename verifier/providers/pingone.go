package providers

import (
	"regexp"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// PingOne is for access tokens that PingOne gives to applications with the
// client-credentials grant. The issuer is the environment's, such as
// https://auth.pingone.eu/{environment id}/as; the audience is that of the custom
// resource.
//
// Such tokens have no sub, so RFC9068 stays off although their typ is at+jwt from
// 2 March 2027 on.
func PingOne(issuer, audience string) verifier.Config {
	return checked("PingOne", admitting(verifier.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
		Claims:    verifier.Claims{ClientID: []string{"client_id"}, Scopes: []string{"scope"}},
	}, noUser),
		matching(pingOneIssuer, "issuer", "a URL such as https://auth.pingone.eu/00000000-0000-0000-0000-000000000000/as", issuer),
		filled("audience", "that of the custom resource", audience))
}

var pingOneIssuer = regexp.MustCompile(`^https://[^/?#@]+/([^/?#]+/)?as$`)
