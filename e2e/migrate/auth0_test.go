package migrate

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func auth0Before(a *api, issuer, _ string) error {
	issuerURL, err := url.Parse(issuer)
	if err != nil {
		return err
	}
	keys, err := jwks.NewCachingProvider(jwks.WithIssuerURL(issuerURL))
	if err != nil {
		return err
	}
	check, err := validator.New(
		validator.WithKeyFunc(keys.KeyFunc),
		validator.WithAlgorithm(validator.RS256),
		validator.WithIssuer(issuer),
		validator.WithAudience(audience),
	)
	if err != nil {
		return err
	}
	mw, err := jwtmiddleware.New(jwtmiddleware.WithValidator(check))
	if err != nil {
		return err
	}
	orders := mw.CheckJWT(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := jwtmiddleware.GetClaims[*validator.ValidatedClaims](r.Context())
		fmt.Fprintln(w, claims.RegisteredClaims.Subject)
	}))

	a.handler = orders
	return nil
}

func auth0After(a *api, issuer, _ string) error {
	v, err := verifier.New(verifier.Config{
		Issuer:     issuer,
		Audiences:  []string{audience},
		Algorithms: []string{"RS256"},
	})
	if err != nil {
		return err
	}
	orders := httpauth.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		fmt.Fprintln(w, tok.Subject())
	}))

	a.handler, a.stop = orders, v.Close
	return nil
}

func TestFromAuth0(t *testing.T) {
	assert.Equal(t, answers{
		noToken: 401, good: 200, withoutExp: 200, expired30sAgo: 401, otherAudience: 401, logoutToken: 200,
	}, asked(t, auth0Before))
	down := startedInOutage(t, auth0Before)
	assert.Equal(t, 401, down.Code)
	assert.Empty(t, down.Header().Get("Retry-After"))
	assert.Equal(t, 401, rotated(t, auth0Before))

	oursHolds(t, auth0After)
}
