package ginauth

import (
	"github.com/gin-gonic/gin"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A *gin.Context is a context.Context, but leads to that of its request only
// where Engine.ContextWithFallback is set.
func init() { verifier.RegisterRequestKey(gin.ContextRequestKey) }

// Protect lets through only requests whose token passes v and rules.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return Middleware{}.Protect(v, rules...)
}

// Optional is Protect that lets requests without a token through as well. A bad
// token is still refused.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return Middleware{}.Optional(v, rules...)
}

// Require adds rules inside Protect or Optional; inside Optional it refuses
// requests without a token.
func Require(rules ...verifier.Rule) gin.HandlerFunc { return Middleware{}.Require(rules...) }

// Token returns the verified token of c's request; false where Optional let it
// through without one.
func Token(c *gin.Context) (*verifier.Token, bool) {
	return verifier.FromContext(c.Request.Context())
}

// Guard puts any Guard in front of handlers: one of your own, for API keys for
// example, or verifier.FirstOf of several.
func Guard(g verifier.Guard) gin.HandlerFunc { return Middleware{}.Guard(g) }

// Refuse aborts the chain and responds with err as Protect would: with an
// *verifier.Error within it or the reason of package verifier's that it wraps, and
// with 403 for any other. The handler returns after it.
func Refuse(c *gin.Context, err error) { Middleware{}.Refuse(c, err) }

// A Middleware is the package's functions with another response to what is
// refused.
type Middleware struct {
	// OnError writes the response; its headers are set and the chain is aborted
	// already. A body without a status gets the refusal's own. Where OnError
	// writes nothing, the default response follows, with the headers that OnError
	// set. Where it panics or writes a status that does not refuse (400 to 999
	// do), the default response is sent with none of them, and an ERROR is logged.
	// Nil means the default response.
	OnError func(*gin.Context, *verifier.Error)
}

// Protect is [Protect] with m's response.
func (m Middleware) Protect(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return m.Guard(v.Protect(rules...))
}

// Optional is [Optional] with m's response.
func (m Middleware) Optional(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return m.Guard(v.Optional(rules...))
}

// Require is [Require] with m's response.
func (m Middleware) Require(rules ...verifier.Rule) gin.HandlerFunc {
	return m.Guard(verifier.RequireGuard(rules...))
}

// Guard is [Guard] with m's response.
func (m Middleware) Guard(g verifier.Guard) gin.HandlerFunc {
	if g == nil {
		panic("ginauth: nil Guard")
	}
	return func(c *gin.Context) {
		admitted, err := g.Admit(c.Request)
		if err != nil {
			m.refuse(c, err)
			return
		}
		verifier.SetHeaders(admitted.Context(), c.Writer.Header())
		c.Request = admitted
		c.Next()
	}
}

// Refuse is [Refuse] with m's response.
func (m Middleware) Refuse(c *gin.Context, err error) {
	m.refuse(c, verifier.AsError(c.Request.Context(), err))
}

func (m Middleware) refuse(c *gin.Context, err *verifier.Error) {
	c.Abort()
	if m.OnError != nil {
		err.SetHeaders(c.Writer.Header())
		if m.runHook(c, err) {
			return
		}
	}
	err.ServeHTTP(c.Writer, c.Request)
	c.Writer.WriteHeaderNow() // for HEAD, so that nothing outside takes it for unanswered
}
