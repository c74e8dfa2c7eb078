package adapters

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A route is a path behind layers of middleware, the outermost first, in words
// that each framework can build it from.
type route struct {
	path   string
	layers []layer
	hook   hook
	handle handler
}

type kind int

const (
	protect kind = iota
	optional
	require_
)

type layer struct {
	kind  kind
	v     *verifier.Verifier
	rules []verifier.Rule
}

// A hook writes the answer instead of the default.
type hook func(http.ResponseWriter, *http.Request, *verifier.Error)

// A handler answers with what it learns through token, or refuses with the
// error it returns.
type handler func(r *http.Request, token *verifier.Token, ok bool) (body string, refuse error)

// A framework builds routes into one http.Handler, which answers 500 where
// something panics.
type framework struct {
	name  string
	build func([]route) http.Handler
	hooks bool // the adapter has OnError; Echo's error handler is the application's
}

var frameworks = []framework{{"net/http", buildHTTP, true}, {"echo", buildEcho, false}, {"gin", buildGin, true}}

// ran marks an answer that the handler gave.
const ran = "Handler-Ran"

func buildHTTP(routes []route) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		m := httpauth.Middleware{OnError: rt.hook}
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(ran, "yes")
			tok, ok := httpauth.Token(r)
			body, err := rt.handle(r, tok, ok)
			if err != nil {
				m.Refuse(w, r, err)
				return
			}
			_, _ = w.Write([]byte(body))
		})
		for i := len(rt.layers) - 1; i >= 0; i-- {
			switch l := rt.layers[i]; l.kind {
			case protect:
				h = m.Protect(l.v, l.rules...)(h)
			case optional:
				h = m.Optional(l.v, l.rules...)(h)
			case require_:
				h = m.Require(l.rules...)(h)
			}
		}
		mux.Handle(rt.path, h)
	}
	return recovering(mux)
}

// recovering answers 500 where h panics: every framework here
// without its own recovery.
func recovering(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}

func buildEcho(routes []route) http.Handler {
	e := echo.New()
	hooks := make(map[string]hook)
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		var refused *verifier.Error
		if hook := hooks[c.Path()]; hook != nil && errors.As(err, &refused) {
			hook(c.Response(), c.Request(), refused)
			return
		}
		e.DefaultHTTPErrorHandler(err, c)
	}
	for _, rt := range routes {
		hooks[rt.path] = rt.hook
		var layers []echo.MiddlewareFunc
		for _, l := range rt.layers {
			switch l.kind {
			case protect:
				layers = append(layers, echoauth.Protect(l.v, l.rules...))
			case optional:
				layers = append(layers, echoauth.Optional(l.v, l.rules...))
			case require_:
				layers = append(layers, echoauth.Require(l.rules...))
			}
		}
		e.Group("", layers[:1]...).Any(rt.path, func(c echo.Context) error {
			c.Response().Header().Set(ran, "yes")
			tok, ok := echoauth.Token(c)
			body, err := rt.handle(c.Request(), tok, ok)
			if err != nil {
				return echoauth.Refuse(c, err)
			}
			return c.String(http.StatusOK, body)
		}, layers[1:]...)
	}
	return recovering(e)
}

func buildGin(routes []route) http.Handler {
	gin.SetMode(gin.TestMode)
	g := gin.New()
	for _, rt := range routes {
		m := ginauth.Middleware{}
		if rt.hook != nil {
			m.OnError = func(c *gin.Context, err *verifier.Error) { rt.hook(c.Writer, c.Request, err) }
		}
		var layers []gin.HandlerFunc
		for _, l := range rt.layers {
			switch l.kind {
			case protect:
				layers = append(layers, m.Protect(l.v, l.rules...))
			case optional:
				layers = append(layers, m.Optional(l.v, l.rules...))
			case require_:
				layers = append(layers, m.Require(l.rules...))
			}
		}
		g.Group("", layers[0]).Any(rt.path, append(layers[1:], func(c *gin.Context) {
			c.Header(ran, "yes")
			tok, ok := ginauth.Token(c)
			body, err := rt.handle(c.Request, tok, ok)
			if err != nil {
				m.Refuse(c, err)
				return
			}
			c.String(http.StatusOK, body)
		})...)
	}
	return recovering(g)
}
