package e2e

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	echov5 "github.com/labstack/echo/v5"
	middlewarev5 "github.com/labstack/echo/v5/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/echov5auth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// R3: what Echo's log middleware writes of a refusal is the client's half: not
// what was sent, and not what is configured. The cause is within the error.
func TestEchoLogs(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(ordersAPI)
	raw := iss.Token(verifiertest.Claims{"aud": "guess"})
	withLog := func(log echo.MiddlewareFunc) http.Handler {
		e := echo.New()
		e.Use(log)
		e.GET("/", func(echo.Context) error { return nil }, echoauth.Protect(v))
		return e
	}
	withLogV5 := func(e *echov5.Echo, log echov5.MiddlewareFunc) http.Handler {
		e.Use(log)
		e.GET("/", func(*echov5.Context) error { return nil }, echov5auth.Protect(v))
		return e
	}
	// write writes what a program can log of a request, in every way.
	write := func(out *strings.Builder, status int, err error, values any) error {
		assert.ErrorIs(t, err, verifier.ErrAudience)
		var refused *verifier.Error
		if assert.ErrorAs(t, err, &refused) {
			assert.ErrorContains(t, refused, `aud is "guess"`)
		}
		fmt.Fprintf(out, "%d %s %+v ", status, err.Error(), err)
		return json.NewEncoder(out).Encode(values)
	}
	for name, build := range map[string]func(*strings.Builder) http.Handler{
		"Logger": func(out *strings.Builder) http.Handler {
			//lint:ignore SA1019 programs use it
			return withLog(middleware.LoggerWithConfig(middleware.LoggerConfig{Output: out}))
		},
		"Logger with a format": func(out *strings.Builder) http.Handler {
			//lint:ignore SA1019 programs use it
			return withLog(middleware.LoggerWithConfig(middleware.LoggerConfig{Format: "${status} ${error}\n", Output: out}))
		},
		"RequestLogger": func(out *strings.Builder) http.Handler {
			return withLog(middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
				LogError: true, LogStatus: true, HandleError: true,
				LogValuesFunc: func(_ echo.Context, v middleware.RequestLoggerValues) error {
					return write(out, v.Status, v.Error, v)
				},
			}))
		},
		"v5's RequestLogger as text": func(out *strings.Builder) http.Handler {
			e := echov5.New()
			e.Logger = slog.New(slog.NewTextHandler(out, nil))
			return withLogV5(e, middlewarev5.RequestLogger())
		},
		"v5's RequestLogger as JSON": func(out *strings.Builder) http.Handler {
			e := echov5.New()
			e.Logger = slog.New(slog.NewJSONHandler(out, nil))
			return withLogV5(e, middlewarev5.RequestLogger())
		},
		"v5's RequestLogger with a function": func(out *strings.Builder) http.Handler {
			return withLogV5(echov5.New(), middlewarev5.RequestLoggerWithConfig(middlewarev5.RequestLoggerConfig{
				LogStatus: true, HandleError: true,
				LogValuesFunc: func(_ *echov5.Context, v middlewarev5.RequestLoggerValues) error {
					return write(out, v.Status, v.Error, v)
				},
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+raw)
			w := httptest.NewRecorder()
			build(&out).ServeHTTP(w, r)
			assert.Equal(t, http.StatusUnauthorized, w.Code)
			require.Contains(t, out.String(), "401")
			assert.Contains(t, out.String(), "The access token is not valid for this API.")
			for _, private := range []string{"guess", "configured", ordersAPI, strings.Split(raw, ".")[1]} {
				assert.NotContains(t, out.String(), private)
			}
		})
	}
}
