// Package adapters holds what the adapters have in common: they pass the tests of
// package conformance alike.
package adapters

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestNetHTTP(t *testing.T) {
	conformance.Run(t, conformance.Framework{Build: buildHTTP, Hooks: true, Metadata: func(h http.Handler, v *verifier.Verifier) {
		httpauth.HandleMetadata(h.(*http.ServeMux), v)
	}})
}

func TestEcho(t *testing.T) {
	conformance.Run(t, conformance.Framework{Build: buildEcho, Metadata: func(h http.Handler, v *verifier.Verifier) {
		echoauth.HandleMetadata(h.(*echo.Echo), v)
	}})
}

func TestGin(t *testing.T) {
	conformance.Run(t, conformance.Framework{Build: buildGin, Hooks: true, Metadata: func(h http.Handler, v *verifier.Verifier) {
		ginauth.HandleMetadata(h.(*gin.Engine), v)
	}})
}

func buildHTTP(routes []conformance.Route) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		m := httpauth.Middleware{OnError: rt.Hook}
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(conformance.Ran, "yes")
			tok, ok := httpauth.Token(r)
			body, err := rt.Handle(r, tok, ok)
			if err != nil {
				m.Refuse(w, r, err)
				return
			}
			_, _ = w.Write([]byte(body))
		})
		layers := conformance.Middleware(rt, m.Protect, m.Optional, m.Require)
		for i := len(layers) - 1; i >= 0; i-- {
			h = layers[i](h)
		}
		mux.Handle(rt.Path, h)
	}
	return mux
}

func buildEcho(routes []conformance.Route) http.Handler {
	e := echo.New()
	for _, rt := range routes {
		layers := conformance.Middleware(rt, echoauth.Protect, echoauth.Optional, echoauth.Require)
		e.Group("", layers[:1]...).Any(rt.Path, func(c echo.Context) error {
			c.Response().Header().Set(conformance.Ran, "yes")
			tok, ok := echoauth.Token(c)
			body, err := rt.Handle(c.Request(), tok, ok)
			if err != nil {
				return echoauth.Refuse(c, err)
			}
			return c.String(http.StatusOK, body)
		}, layers[1:]...)
	}
	return e
}

func buildGin(routes []conformance.Route) http.Handler {
	gin.SetMode(gin.TestMode)
	g := gin.New()
	for _, rt := range routes {
		m := ginauth.Middleware{}
		if rt.Hook != nil {
			m.OnError = func(c *gin.Context, err *verifier.Error) { rt.Hook(c.Writer, c.Request, err) }
		}
		layers := conformance.Middleware(rt, m.Protect, m.Optional, m.Require)
		g.Group("", layers[0]).Any(rt.Path, append(layers[1:], func(c *gin.Context) {
			c.Header(conformance.Ran, "yes")
			tok, ok := ginauth.Token(c)
			body, err := rt.Handle(c.Request, tok, ok)
			if err != nil {
				m.Refuse(c, err)
				return
			}
			c.String(http.StatusOK, body)
		})...)
	}
	return g
}
