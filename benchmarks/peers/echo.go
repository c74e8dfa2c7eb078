package peers

import (
	"context"
	"net/http"

	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func inEcho(protect ...echo.MiddlewareFunc) http.Handler {
	e := echo.New()
	e.GET("/orders", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, protect...)
	return e
}

func guardEcho(v *verifier.Verifier) http.Handler { return inEcho(echoauth.Protect(v)) }

// openEchoJWT gives echo-jwt a parser of our own: with its KeyFunc alone it
// checks neither iss nor aud, and demands no exp.
func openEchoJWT(ctx context.Context, t Trust) (http.Handler, error) {
	parse, err := golangParser(ctx, t)
	if err != nil {
		return nil, err
	}
	mw, err := echojwt.Config{
		ParseTokenFunc: func(_ echo.Context, raw string) (any, error) { return parse(raw) },
	}.ToMiddleware()
	if err != nil {
		return nil, err
	}
	return inEcho(mw), nil
}
