package echoauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// However an application's error handler prints the message, the client reads
// constants; the cause is within the error.
func TestR3ErrorHandlersShowThePublicHalf(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	e := echo.New()
	var seen error
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		seen = err
		var he *echo.HTTPError
		require.True(t, errors.As(err, &he))
		_ = c.String(he.Code, fmt.Sprint(he.Message))
	}
	e.GET("/", func(echo.Context) error { return nil }, echoauth.Protect(iss.Verifier("https://api.example.com")))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+iss.Token(verifiertest.Claims{"aud": "guess"}))
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	assert.Equal(t, "The access token is not valid for this API.", w.Body.String())
	var refused *verifier.Error
	require.True(t, errors.As(seen, &refused))
	assert.ErrorIs(t, seen, verifier.ErrAudience)
	assert.Contains(t, refused.Error(), "guess")
}
