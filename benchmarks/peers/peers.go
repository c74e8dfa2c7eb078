// Package peers sets this library and others up to do one job: accept a token
// only if its signature fits the key with its kid and the algorithm that is
// allowed, iss and aud are right, exp is there and in the future, and nbf is
// past. They get the keys, and the tokens, from an Authority.
package peers

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A Verify accepts raw, or says why not.
type Verify func(raw string) error

// Libraries verify tokens and keep keys. What opening one starts ends with ctx.
var Libraries = []struct {
	Name string
	Open func(ctx context.Context, a *Authority) Verify
}{
	{"golang-jwt + keyfunc", openGolangJWT},
	{"go-oidc", openGoOIDC},
	{"jwx v2", openJWX2},
	{"jwx v3", openJWX3},
	{"auth0 validator", openAuth0},
}

// A Middleware protects GET /orders, which answers 204.
type Middleware struct {
	Name string
	Open func(ctx context.Context, a *Authority) http.Handler
}

// Routes are GET /orders in each framework: alone, behind this library, and
// behind those that come as a middleware.
var Routes = []struct {
	On    string
	Plain func() http.Handler
	Ours  string // the name of this library's middleware
	Guard func(v *verifier.Verifier) http.Handler
	Peers []Middleware
}{
	{
		"net/http", func() http.Handler { return netHTTP() },
		"httpauth", func(v *verifier.Verifier) http.Handler { return netHTTP(httpauth.Protect(v)) },
		[]Middleware{{"auth0 middleware", openAuth0Middleware}, {"chi jwtauth, fixed key", openJWTAuth}},
	},
	{
		"Echo", func() http.Handler { return inEcho() },
		"echoauth", func(v *verifier.Verifier) http.Handler { return inEcho(echoauth.Protect(v)) },
		[]Middleware{{"echo-jwt + keyfunc", openEchoJWT}},
	},
	{
		"Gin", func() http.Handler { return inGin() },
		"ginauth", func(v *verifier.Verifier) http.Handler { return inGin(ginauth.Protect(v)) },
		[]Middleware{{"gin-jwt + jwkset", openGinJWT}},
	},
}

// netHTTP returns the route behind the middlewares, the last one outermost.
func netHTTP(protect ...func(http.Handler) http.Handler) http.Handler {
	var orders http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, p := range protect {
		orders = p(orders)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", orders)
	return mux
}

func inEcho(protect ...echo.MiddlewareFunc) http.Handler {
	e := echo.New()
	e.GET("/orders", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, protect...)
	return e
}

func init() { gin.SetMode(gin.ReleaseMode) } // the others print no routes either

func inGin(protect ...gin.HandlerFunc) http.Handler {
	r := gin.New()
	r.GET("/orders", append(protect, func(c *gin.Context) { c.Status(http.StatusNoContent) })...)
	return r
}
