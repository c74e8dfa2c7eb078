package migrate

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func golangJWTBefore(a *api, issuer, jwksURL string) error {
	keys, err := keyfunc.NewDefault([]string{jwksURL})
	if err != nil {
		return err
	}
	type claims struct {
		jwt.RegisteredClaims
		ClientID string `json:"client_id"`
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		var c claims
		_, err := jwt.ParseWithClaims(raw, &c, keys.Keyfunc,
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience))
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, c.ClientID)
	})

	a.handler = orders
	return nil
}

func golangJWTAfter(a *api, issuer, _ string) error {
	v, err := verifier.New(verifier.Config{
		Issuer:     issuer,
		Audiences:  []string{audience},
		Algorithms: []string{"RS256"},
	})
	if err != nil {
		return err
	}
	type claims struct {
		ClientID string `json:"client_id"`
	}
	orders := httpauth.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tok, _ := httpauth.Token(r)
		c, err := verifier.ClaimsOf[claims](tok)
		if err != nil {
			httpauth.Refuse(w, r, err)
			return
		}
		fmt.Fprintln(w, c.ClientID)
	}))

	a.handler, a.stop = orders, v.Close
	return nil
}

func TestFromGolangJWT(t *testing.T) {
	assert.Equal(t, answers{
		noToken: 401, good: 200, withoutExp: 200, expired30sAgo: 401, otherAudience: 401, logoutToken: 200,
	}, asked(t, golangJWTBefore))
	assert.Equal(t, 401, startedInOutage(t, golangJWTBefore).Code)
	assert.Equal(t, 401, rotated(t, golangJWTBefore))

	oursHolds(t, golangJWTAfter)
}

// A claim in capitals is another claim here.
func TestClaimNames(t *testing.T) {
	iss := newIssuer(t)
	token := iss.Token(verifiertest.Claims{"sub": "billing", "client_id": nil, "CLIENT_ID": "admin"})
	before := ask(start(t, golangJWTBefore, iss), token)
	require.Equal(t, 200, before.Code)
	assert.Equal(t, "admin\n", before.Body.String())
	after := ask(start(t, golangJWTAfter, iss), token)
	require.Equal(t, 200, after.Code)
	assert.Equal(t, "\n", after.Body.String())
}
