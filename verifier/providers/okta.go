package providers

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/tokenclaims"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Okta is for access tokens that a custom authorization server of Okta gives to
// services. The issuer is that server's Issuer URI, such as
// https://example.okta.com/oauth2/default; the audience is the server's one
// Audience.
//
// Tokens of the org authorization server, whose issuer has no path, are for
// Okta's own APIs and cannot be verified.
func Okta(issuer, audience string) verifier.Config {
	return checked("Okta", admitting(verifier.Config{
		Issuer:     issuer,
		Audiences:  []string{audience},
		Algorithms: []string{"RS256"},
		Claims:     verifier.Claims{ClientID: []string{"cid"}, Scopes: []string{"scp"}},
	}, oktaMachine),
		notOktaAdmin(issuer),
		matching(oktaIssuer, "issuer", "that of a custom authorization server, such as https://example.okta.com/oauth2/default", issuer),
		filled("audience", "the Audience of the authorization server", audience))
}

// Both claims are reserved: uid names the user, and an ID token has no cid.
var oktaMachine = verifier.Check(func(_ context.Context, t *verifier.Token) error {
	switch _, user := tokenclaims.Value(t, "uid"); {
	case user:
		return errors.New("there is a uid: a user's token")
	case claim(t, "cid") == "":
		return errors.New("there is no cid, which every access token has")
	}
	return nil
})

var oktaIssuer = regexp.MustCompile(`^https://[^/?#@\s]+/oauth2/[^/?#\s]+$`)

// notOktaAdmin returns an error for the address of the Admin Console, which is close
// at hand when one configures a server, and for that of the org server's endpoints.
func notOktaAdmin(issuer string) error {
	if strings.Contains(issuer, "-admin.okta") || strings.HasSuffix(issuer, "/oauth2/v1") {
		return notA("issuer", "that of a custom authorization server, such as https://example.okta.com/oauth2/default", issuer)
	}
	return nil
}
