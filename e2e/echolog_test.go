package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// R3: what Echo's log middleware writes of a refusal is the client's half: not
// what was sent, and not what is configured. The cause is within the error.
func TestEchoLogs(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	raw := iss.Token(verifiertest.Claims{"aud": "guess"})
	for name, log := range map[string]func(*strings.Builder) echo.MiddlewareFunc{
		"Logger": func(out *strings.Builder) echo.MiddlewareFunc {
			//lint:ignore SA1019 programs use it
			return middleware.LoggerWithConfig(middleware.LoggerConfig{Output: out})
		},
		"Logger with a format": func(out *strings.Builder) echo.MiddlewareFunc {
			//lint:ignore SA1019 programs use it
			return middleware.LoggerWithConfig(middleware.LoggerConfig{Format: "${status} ${error}\n", Output: out})
		},
		"RequestLogger": func(out *strings.Builder) echo.MiddlewareFunc {
			return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
				LogError: true, LogStatus: true, HandleError: true,
				LogValuesFunc: func(_ echo.Context, v middleware.RequestLoggerValues) error {
					assert.ErrorIs(t, v.Error, verifier.ErrAudience)
					var refused *verifier.Error
					if assert.ErrorAs(t, v.Error, &refused) {
						assert.ErrorContains(t, refused, `aud is "guess"`)
					}
					fmt.Fprintf(out, "%d %s %+v ", v.Status, v.Error.Error(), v.Error)
					return json.NewEncoder(out).Encode(v)
				},
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			e := echo.New()
			e.Use(log(&out))
			e.GET("/", func(echo.Context) error { return nil }, echoauth.Protect(iss.Verifier(ordersAPI)))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+raw)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			assert.Equal(t, http.StatusUnauthorized, w.Code)
			require.Contains(t, out.String(), "401")
			assert.Contains(t, out.String(), "The access token is not valid for this API.")
			for _, private := range []string{"guess", "configured", ordersAPI, strings.Split(raw, ".")[1]} {
				assert.NotContains(t, out.String(), private)
			}
		})
	}
}
