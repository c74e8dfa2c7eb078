package adapters

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// observed returns a verifier, a token for it, and its decisions since the last call.
func observed(t *testing.T) (*verifier.Verifier, string, func() []verifier.Decision) {
	t.Helper()
	iss := verifiertest.NewIssuer(t)
	var seen []verifier.Decision
	v, err := verifier.Settings{
		Logger:  slog.New(slog.DiscardHandler),
		Observe: func(_ context.Context, d verifier.Decision) { seen = append(seen, d) },
	}.New(iss.Config(ordersAPI))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return v, iss.Token(verifiertest.Claims{"sub": "billing", "client_id": "billing", "scope": "orders:read"}), func() []verifier.Decision {
		defer func() { seen = nil }()
		return seen
	}
}

// In each framework, each layer of a route makes one decision, of which the outermost
// knows the route.
func TestObserve(t *testing.T) {
	v, good, seen := observed(t)
	scope := verifier.Scope("orders:read")
	routes := []route{
		{path: "/plain", layers: []layer{{protect, v, nil}}, handle: whoami},
		{path: "/inner", layers: []layer{{protect, v, nil}, {require_, nil, []verifier.Rule{scope}}}, handle: whoami},
		{path: "/optional", layers: []layer{{optional, v, nil}}, handle: whoami},
		{path: "/denied", layers: []layer{{protect, v, nil}}, handle: func(*http.Request, *verifier.Token, bool) (string, error) {
			return "", fmt.Errorf("not today: %w", verifier.ErrDenied)
		}},
	}
	for _, fw := range frameworks {
		app := fw.build(routes)
		for _, row := range []struct {
			name, path, token string
			want              []string
		}{
			{"O1 admitted", "/plain", good, []string{"admitted GET /plain billing"}},
			{"O1 refused", "/plain", good + "x", []string{"refused GET /plain "}},
			{"O1 inner", "/inner", good, []string{"admitted GET /inner billing", "admitted   billing"}},
			{"O1 anonymous", "/optional", "", []string{"anonymous GET /optional "}},
			{"O1 refused by the handler", "/denied", good, []string{"admitted GET /denied billing", "refused   billing"}},
		} {
			t.Run(row.name+" "+fw.name, func(t *testing.T) {
				send(app, http.MethodGet, row.path, row.token, nil)
				var got []string
				for _, d := range seen() {
					got = append(got, fmt.Sprint(d.Outcome, " ", d.Method, " ", d.Route, " ", d.Caller.ClientID))
				}
				assert.Equal(t, row.want, got)
			})
		}
	}
}

// The route is the pattern that was registered, never the path that was sent. Middleware
// that runs for every request, before a route is found, has none.
func TestObserveRoutes(t *testing.T) {
	v, good, seen := observed(t)
	gin.SetMode(gin.TestMode)
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

	mux := http.NewServeMux()
	mux.Handle("GET /orders/{id}", httpauth.Protect(v)(ok))
	mux.Handle("/all/", httpauth.Protect(v)(ok))

	e := echo.New()
	e.GET("/orders/:id", func(echo.Context) error { return nil }, echoauth.Protect(v))
	e.Any("/all/*", func(echo.Context) error { return nil }, echoauth.Protect(v))
	used := echo.New()
	used.Use(echoauth.Protect(v))
	used.GET("/orders/:id", func(echo.Context) error { return nil })
	pre := echo.New()
	pre.Pre(echoauth.Protect(v))
	pre.GET("/orders/:id", func(echo.Context) error { return nil })
	group := echo.New()
	group.Group("/orders", echoauth.Protect(v)).GET("/:id", func(echo.Context) error { return nil })

	g := gin.New()
	g.GET("/orders/:id", ginauth.Protect(v))
	g.Any("/all/*rest", ginauth.Protect(v))
	gUsed := gin.New()
	gUsed.Use(ginauth.Protect(v))
	gUsed.GET("/orders/:id", func(*gin.Context) {})
	for name, row := range map[string]struct {
		app  http.Handler
		want map[string]string // by what was sent
	}{
		"net/http": {mux, map[string]string{
			"GET /orders/MARK": "GET /orders/{id}", "HEAD /orders/MARK": "GET /orders/{id}", "GET /all/MARK/MARK": "/all/",
		}},
		"net/http, Protect outside": {httpauth.Protect(v)(mux), map[string]string{"GET /MARK": ""}},
		"Echo": {e, map[string]string{
			"GET /orders/MARK": "/orders/:id", "GET /all/MARK/MARK": "/all/*", "MARK /all/MARK": "",
		}},
		"Echo, Use": {used, map[string]string{
			"GET /orders/MARK": "/orders/:id", "GET /MARK": "", "GET /orders/MARK/MARK": "/orders/:id", "POST /orders/MARK": "/orders/:id", "OPTIONS /orders/MARK": "/orders/:id",
		}},
		"Echo, Pre":   {pre, map[string]string{"GET /orders/MARK": "", "GET /MARK": ""}},
		"Echo, Group": {group, map[string]string{"GET /orders/MARK": "/orders/:id", "GET /orders": "/orders"}},
		"Gin":         {g, map[string]string{"GET /orders/MARK": "/orders/:id", "GET /all/MARK/MARK": "/all/*rest"}},
		"Gin, Use": {gUsed, map[string]string{
			"GET /orders/MARK": "/orders/:id", "GET /MARK": "", "GET /orders/MARK/MARK": "", "POST /orders/MARK": "",
		}},
	} {
		for sent, want := range row.want {
			t.Run("O2 "+name+" "+sent, func(t *testing.T) {
				var method, path string
				_, err := fmt.Sscan(sent, &method, &path)
				require.NoError(t, err)
				r := httptest.NewRequest(method, path, nil)
				r.Header.Set("Authorization", "Bearer "+good)
				row.app.ServeHTTP(httptest.NewRecorder(), r)
				all := seen()
				if len(all) == 0 {
					assert.Empty(t, want)
					return
				}
				require.Len(t, all, 1)
				assert.Equal(t, want, all[0].Route)
				assert.NotContains(t, fmt.Sprintf("%+v", all[0]), "MARK")
			})
		}
	}
	t.Run("O2 a pattern that is there stays", func(t *testing.T) {
		for name, app := range map[string]http.Handler{"Echo": e, "Gin": g} {
			outer := http.NewServeMux()
			outer.Handle("/orders/{rest...}", app)
			r := httptest.NewRequest(http.MethodGet, "/orders/1", nil)
			outer.ServeHTTP(httptest.NewRecorder(), r)
			assert.Equal(t, "/orders/{rest...}", seen()[0].Route, name)
		}
	})
}
