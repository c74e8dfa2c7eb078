package peers

import (
	"context"
	"net/http"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/go-chi/jwtauth/v5"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/authority"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A Middleware protects GET /orders, which answers 204.
type Middleware struct {
	Name string
	On   string // the framework: a key of Routes

	// Open fetches the keys. What it starts ends with ctx.
	Open func(ctx context.Context, t Trust) (http.Handler, error)
}

// Middlewares are the peers that come as one.
var Middlewares = []Middleware{
	{"auth0 middleware", "net/http", openAuth0Middleware},
	{"chi jwtauth, fixed key", "net/http", openJWTAuth},
	{"echo-jwt + keyfunc", "Echo", openEchoJWT},
	{"gin-jwt + jwkset", "Gin", openGinJWT},
}

// A Route is GET /orders in one framework: behind this library, and alone.
type Route struct {
	On    string
	Ours  string // the name of this library's middleware for it
	Guard func(v *verifier.Verifier) http.Handler
	Plain func() http.Handler
}

// Routes are the frameworks.
var Routes = []Route{
	{"net/http", "httpauth", func(v *verifier.Verifier) http.Handler { return netHTTP(httpauth.Protect(v)) }, func() http.Handler { return netHTTP() }},
	{"Echo", "echoauth", guardEcho, func() http.Handler { return inEcho() }},
	{"Gin", "ginauth", guardGin, func() http.Handler { return inGin() }},
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

func openAuth0Middleware(_ context.Context, t Trust) (http.Handler, error) {
	v, err := auth0Validator(t)
	if err != nil {
		return nil, err
	}
	mw, err := jwtmiddleware.New(jwtmiddleware.WithValidator(v))
	if err != nil {
		return nil, err
	}
	return netHTTP(mw.CheckJWT), nil
}

// openJWTAuth gives jwtauth the key itself: it takes no key set and no kid.
func openJWTAuth(_ context.Context, t Trust) (http.Handler, error) {
	ja := jwtauth.New(t.Alg, nil, t.Key,
		jwt.WithIssuer(authority.Issuer),
		jwt.WithAudience(authority.Audience),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
	)
	return netHTTP(jwtauth.Authenticator(ja), jwtauth.Verifier(ja)), nil
}
