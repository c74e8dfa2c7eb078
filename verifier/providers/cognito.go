package providers

import (
	"regexp"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Cognito is for access tokens of an Amazon Cognito user pool, by its ID, such as
// eu-central-1_EXAMPLE. The clients are the app clients that may call: those that
// have the client-credentials grant and no other.
//
// The tokens have no aud, so every app client of the pool has tokens that are good
// at every API, and no claim tells a machine from a user: the list does both.
// Put a Scope rule with a scope of your resource server on every route. Where the
// tokens have an aud, set Audiences and clear AnyAudience.
func Cognito(userPool, client string, more ...string) verifier.Config {
	region, _, _ := strings.Cut(userPool, "_")
	cfg := verifier.Config{
		Issuer:      "https://cognito-idp." + region + ".amazonaws.com/" + userPool,
		AnyAudience: true,
		Algorithms:  []string{"RS256"},
		Claims:      verifier.Claims{ClientID: []string{"client_id"}, Scopes: []string{"scope"}},
	}.With(verifier.Claim("token_use", "access"))
	return checked("Cognito", admitting(cfg, clients(client, more)),
		matching(cognitoPool, "user pool", "its ID, such as eu-central-1_EXAMPLE", userPool),
		allOf(clientID, client, more))
}

var cognitoPool = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+_[0-9A-Za-z]+$`)
