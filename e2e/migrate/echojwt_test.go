package migrate

import (
	"net/http"
	"testing"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func echoJWTBefore(a *api, _, jwksURL string) error {
	e := echo.New()
	keys, err := keyfunc.NewDefault([]string{jwksURL})
	if err != nil {
		return err
	}
	e.Use(echojwt.WithConfig(echojwt.Config{KeyFunc: keys.Keyfunc}))
	e.GET("/orders", func(c echo.Context) error {
		tok := c.Get("user").(*jwt.Token)
		sub, err := tok.Claims.GetSubject()
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, sub)
	})

	a.handler = e
	return nil
}

func echoJWTAfter(a *api, issuer, _ string) error {
	e := echo.New()
	v, err := verifier.New(verifier.Config{Issuer: issuer, Audiences: []string{audience}})
	if err != nil {
		return err
	}
	e.Use(echoauth.Protect(v))
	e.GET("/orders", func(c echo.Context) error {
		tok, _ := echoauth.Token(c)
		return c.String(http.StatusOK, tok.Subject())
	})

	a.handler, a.stop = e, v.Close
	return nil
}

func TestFromEchoJWT(t *testing.T) {
	assert.Equal(t, answers{
		noToken: 401, good: 200, withoutExp: 200, expired30sAgo: 401, otherAudience: 200, logoutToken: 200,
	}, asked(t, echoJWTBefore))
	assert.Equal(t, 401, startedInOutage(t, echoJWTBefore).Code)

	oursHolds(t, echoJWTAfter)
}

func TestEchoErrors(t *testing.T) {
	iss := newIssuer(t)
	e := echo.New()
	e.Use(echoauth.Protect(iss.Verifier(audience)))
	var got error
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		got = err
		e.DefaultHTTPErrorHandler(err, c)
	}
	assert.Equal(t, 401, ask(e, iss.Token(verifiertest.Claims{"aud": "https://other.example.com"})).Code)
	assert.ErrorIs(t, got, verifier.ErrAudience)
}
