package echov5auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echov5auth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Framework{Build: build, Metadata: func(h http.Handler, v *verifier.Verifier) {
		echov5auth.HandleMetadata(h.(*echo.Echo), v)
	}})
}

func build(routes []conformance.Route) http.Handler {
	e := echo.New()
	for _, rt := range routes {
		layers := conformance.Middleware(rt, echov5auth.Protect, echov5auth.Optional, echov5auth.Require)
		e.Group("", layers[:1]...).Any(rt.Path, func(c *echo.Context) error {
			c.Response().Header().Set(conformance.Ran, "yes")
			tok, ok := echov5auth.Token(c)
			body, err := rt.Handle(c.Request(), tok, ok)
			if err != nil {
				return echov5auth.Refuse(c, err)
			}
			return c.String(http.StatusOK, body)
		}, layers[1:]...)
	}
	return e
}

func TestNilGuardPanics(t *testing.T) {
	assert.PanicsWithValue(t, "echov5auth: nil Guard", func() { echov5auth.Guard(nil) })
}

// The route is the pattern that was registered, never the path that was sent. Middleware
// that runs before a route is found has none.
func TestObserveRoutes(t *testing.T) {
	v, good, seen := conformance.Observed(t)
	ok := func(*echo.Context) error { return nil }
	e := echo.New()
	e.GET("/orders/:id", ok, echov5auth.Protect(v))
	e.Any("/all/*", ok, echov5auth.Protect(v))
	outer := http.NewServeMux()
	outer.Handle("/orders/{rest...}", e)
	used := echo.New()
	used.Use(echov5auth.Protect(v))
	used.GET("/orders/:id", ok)
	pre := echo.New()
	pre.Pre(echov5auth.Protect(v))
	pre.GET("/orders/:id", ok)
	group := echo.New()
	group.Group("/orders", echov5auth.Protect(v)).GET("/:id", ok)
	for name, row := range map[string]struct {
		app  http.Handler
		want map[string]string // by what was sent
	}{
		"route": {e, map[string]string{
			"GET /orders/MARK": "/orders/:id", "GET /all/MARK/MARK": "/all/*", "MARK /all/MARK": "/all/*",
		}},
		"in another router": {outer, map[string]string{"GET /orders/MARK": "/orders/:id"}},
		"Use": {used, map[string]string{
			"GET /orders/MARK": "/orders/:id", "GET /MARK": "", "GET /orders/MARK/MARK": "/orders/:id", "POST /orders/MARK": "/orders/:id", "OPTIONS /orders/MARK": "/orders/:id",
		}},
		"Pre":   {pre, map[string]string{"GET /orders/MARK": "", "GET /MARK": ""}},
		"Group": {group, map[string]string{"GET /orders/MARK": "/orders/:id", "GET /orders": "/orders"}},
	} {
		for sent, want := range row.want {
			t.Run("O2 "+name+" "+sent, func(t *testing.T) {
				method, path, _ := strings.Cut(sent, " ")
				conformance.Send(row.app, method, path, good, nil)
				all := seen()
				require.Len(t, all, 1)
				assert.Equal(t, want, all[0].Route)
				assert.NotContains(t, fmt.Sprintf("%+v", all[0]), "MARK")
			})
		}
	}
}

// R3: programs print what a handler returned, in error handlers and in middleware.
// None of that shows what was sent, or what is configured; the cause is within the
// error all the same.
func TestR3PrintedErrorsAreTheClients(t *testing.T) {
	const public = "The access token is not valid for this API."
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier("https://api.example.com")
	raw := iss.Token(verifiertest.Claims{"aud": "guess"})
	for name, configure := range map[string]func(*testing.T, *echo.Echo, *strings.Builder){
		"R3 a handler of the application's": func(t *testing.T, e *echo.Echo, out *strings.Builder) {
			e.HTTPErrorHandler = func(c *echo.Context, err error) {
				text, err2 := json.Marshal(err)
				assert.NoError(t, err2)
				fmt.Fprintf(out, "%s %v %+v %q %#v %s", err.Error(), err, err, err, err, text)
				slog.New(slog.NewTextHandler(out, nil)).Error("x", "err", err)
				slog.New(slog.NewJSONHandler(out, nil)).Error("x", "err", err)
				assert.NoError(t, c.JSON(echo.StatusCode(err), map[string]string{"message": err.Error()}))
			}
		},
		"R3 a handler that knows *echo.HTTPError": func(t *testing.T, e *echo.Echo, out *strings.Builder) {
			e.HTTPErrorHandler = func(c *echo.Context, err error) {
				var he *echo.HTTPError
				require.True(t, errors.As(err, &he))
				fmt.Fprintf(out, "%v %#v", he, he)
				assert.NoError(t, c.String(he.Code, he.Message))
			}
		},
		"R3 Echo's own, which exposes errors": func(_ *testing.T, e *echo.Echo, _ *strings.Builder) {
			e.HTTPErrorHandler = echo.DefaultHTTPErrorHandler(true)
		},
		"R3 Echo's own, with a wrapped refusal": func(_ *testing.T, e *echo.Echo, _ *strings.Builder) {
			e.HTTPErrorHandler = echo.DefaultHTTPErrorHandler(true)
			e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c *echo.Context) error { return fmt.Errorf("in the middle: %w", next(c)) }
			})
		},
		"R3 Echo's log of requests": func(_ *testing.T, e *echo.Echo, out *strings.Builder) {
			e.Logger = slog.New(slog.NewTextHandler(out, nil))
			e.Use(middleware.RequestLogger())
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			e := echo.New()
			configure(t, e, &out)
			var returned error
			e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c *echo.Context) error {
					returned = next(c)
					return returned
				}
			})
			e.GET("/", func(*echo.Context) error { return nil }, echov5auth.Protect(v))
			w := conformance.Send(e, "", "/", raw, nil)
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

// R7: Echo's own middleware answers preflights, where it is outside Protect.
func TestCORS(t *testing.T) {
	v := verifiertest.NewIssuer(t).Verifier("https://api.example.com")
	e := echo.New()
	e.Use(middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins:  []string{"https://app.example.com"},
		AllowHeaders:  []string{"Authorization"},
		ExposeHeaders: []string{"WWW-Authenticate", "Retry-After"},
	}))
	e.GET("/orders", func(*echo.Context) error { return nil }, echov5auth.Protect(v))
	ask := func(method string, header http.Header) *httptest.ResponseRecorder {
		header.Set("Origin", "https://app.example.com")
		return conformance.Send(e, method, "/orders", "", header)
	}
	t.Run("R7 the preflight", func(t *testing.T) {
		res := ask(http.MethodOptions, http.Header{"Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"authorization"}})
		assert.Equal(t, http.StatusNoContent, res.Code)
		assert.Equal(t, "Authorization", res.Header().Get("Access-Control-Allow-Headers"))
	})
	t.Run("R7 the refusal", func(t *testing.T) {
		res := ask(http.MethodGet, http.Header{})
		assert.Equal(t, http.StatusUnauthorized, res.Code)
		assert.Equal(t, "https://app.example.com", res.Header().Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "WWW-Authenticate,Retry-After", res.Header().Get("Access-Control-Expose-Headers"))
	})
}
