package echoauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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

// R3: programs print what a handler returned, in error handlers and in middleware
// (Echo's own is in the e2e tests). None of that shows what was sent, or what is
// configured; the cause is within the error all the same.
func TestR3PrintedErrorsAreTheClients(t *testing.T) {
	const public = "The access token is not valid for this API."
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier("https://api.example.com")
	raw := iss.Token(verifiertest.Claims{"aud": "guess"})
	handlers := map[string]func(*echo.Echo, *strings.Builder){
		"a handler of the application's": func(e *echo.Echo, out *strings.Builder) {
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				he, ok := err.(*echo.HTTPError)
				require.True(t, ok)
				var as *echo.HTTPError
				require.True(t, errors.As(err, &as))
				assert.Same(t, he, as)
				internal, err2 := json.Marshal(he.Internal)
				assert.NoError(t, err2)
				whole, err2 := json.Marshal(he)
				assert.NoError(t, err2)
				fmt.Fprintf(out, "%s %v %+v %q %s %v %s %s", err.Error(), err, err, err, he.Internal, he.Message, internal, whole)
				fmt.Fprintf(out, "%#v", err)
				slog.New(slog.NewTextHandler(out, nil)).Error("x", "err", err, "internal", he.Internal, "message", he.Message)
				slog.New(slog.NewJSONHandler(out, nil)).Error("x", "err", err, "internal", he.Internal, "message", he.Message)
				_ = c.JSON(he.Code, map[string]string{"message": err.Error()})
			}
		},
		"Echo's own, debugging": func(e *echo.Echo, _ *strings.Builder) { e.Debug = true },
	}
	for name, configure := range handlers {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			e := echo.New()
			configure(e, &out)
			var returned error
			e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					returned = next(c)
					return returned
				}
			})
			e.GET("/", func(echo.Context) error { return nil }, echoauth.Protect(v))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+raw)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			assert.Equal(t, http.StatusUnauthorized, w.Code)
			printed := out.String() + w.Body.String() + fmt.Sprint(w.Header())
			assert.Contains(t, printed, public)
			for _, private := range []string{"guess", "configured", "https://api.example.com", "audience", strings.Split(raw, ".")[1]} {
				assert.NotContains(t, printed, private)
			}
			var refused *verifier.Error
			require.True(t, errors.As(returned, &refused))
			assert.ErrorIs(t, returned, verifier.ErrAudience)
			assert.Contains(t, refused.Error(), `aud is "guess"`)
		})
	}
}
