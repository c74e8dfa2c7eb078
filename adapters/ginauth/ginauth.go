package ginauth

import (
	"encoding/json"
	"net/http"

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

// Refuse aborts the chain and answers with err as Protect would: with an
// *verifier.Error within it or the reason of package verifier's that it wraps, and
// with 403 for any other. The handler returns after it.
func Refuse(c *gin.Context, err error) { Middleware{}.Refuse(c, err) }

// A Middleware is the package's functions with another answer.
type Middleware struct {
	// OnError writes the answer; its headers are set and the chain is aborted
	// already. A body without a status has the refusal's own. Where OnError
	// writes nothing, the default answer follows, with the headers that OnError
	// set. Where it panics or answers with a status that does not refuse (400 to
	// 999 do), the default answer is given with none of them, and an ERROR is
	// logged. Nil means the default answer.
	OnError func(*gin.Context, *verifier.Error)
}

// Protect is [Protect] with m's answer.
func (m Middleware) Protect(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return m.gate(v.Protect(rules...))
}

// Optional is [Optional] with m's answer.
func (m Middleware) Optional(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return m.gate(v.Optional(rules...))
}

// Require is [Require] with m's answer.
func (m Middleware) Require(rules ...verifier.Rule) gin.HandlerFunc {
	return m.gate(verifier.Inner(rules...))
}

func (m Middleware) gate(admit verifier.Gate) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, err := admit(c.Request)
		if err != nil {
			m.refuse(c, err)
			return
		}
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

// Refuse is [Refuse] with m's answer.
func (m Middleware) Refuse(c *gin.Context, err error) {
	m.refuse(c, verifier.AsError(c.Request.Context(), err))
}

func (m Middleware) refuse(c *gin.Context, err *verifier.Error) {
	c.Abort()
	h := c.Writer.Header()
	err.SetHeaders(h)
	if m.OnError != nil && m.runHook(c, err) {
		return
	}
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	h.Set("Content-Type", "application/json")
	c.Status(err.Status())
	c.Writer.WriteHeaderNow() // so that nothing outside takes it for unanswered
	if c.Request.Method != http.MethodHead {
		_ = json.NewEncoder(c.Writer).Encode(err)
	}
}
