package adapters

import (
	"fmt"
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
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
)

// The route is the pattern that was registered, never the path that was sent. Middleware
// that runs for every request, before a route is found, has none.
func TestObserveRoutes(t *testing.T) {
	v, good, seen := conformance.Observed(t)
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
