package ginauth

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A *gin.Context is a context.Context, but uses that of its request only if
// Engine.ContextWithFallback is set.
func init() { verifier.RegisterRequestKey(gin.ContextRequestKey) }

// Protect admits only requests whose token is valid for v and passes rules.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return Middleware{}.Protect(v, rules...)
}

// Optional admits requests without a token, too. A bad token is refused as by Protect.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return Middleware{}.Optional(v, rules...)
}

// Require adds rules inside Protect or Optional. Inside Optional, it refuses requests
// without a token.
func Require(rules ...verifier.Rule) gin.HandlerFunc { return Middleware{}.Require(rules...) }

// Token returns the verified token of c's request. It returns false if Optional admitted the
// request without a token, and inside a [Guard] that is not a Verifier's.
func Token(c *gin.Context) (*verifier.Token, bool) {
	return verifier.FromContext(c.Request.Context())
}

// Guard puts any Guard in front of handlers, such as verifier.FirstOf or one of your
// own that checks API keys. Inside Protect it takes its place: the handler does not see
// the token then. To add a condition to Protect, use verifier.Check.
func Guard(g verifier.Guard) gin.HandlerFunc { return Middleware{}.Guard(g) }

// Refuse aborts the chain and writes the response to a refusal, as Protect does. The
// refusal is the *verifier.Error or the reason of package verifier that err wraps, and
// 403 for any other err. The body is the default one; a [Middleware] has a Refuse of its
// own. The handler should return after it.
func Refuse(c *gin.Context, err error) { Middleware{}.Refuse(c, err) }

// HandleMetadata adds the protected resource metadata (RFC 9728 §3) of the verifiers'
// Settings.Resources to r, which must have no prefix, at verifier.MetadataPath and below.
// The routes need no token. Protect and Optional serve the metadata of their own Verifier,
// too, in the requests that they see.
func HandleMetadata(r gin.IRoutes, verifiers ...*verifier.Verifier) {
	h := func(c *gin.Context) {
		if !verifier.ServeMetadata(c.Writer, c.Request, verifiers...) {
			c.AbortWithStatus(http.StatusNotFound)
			return
		}
		c.Writer.WriteHeaderNow() // where there is no body
	}
	r.Any(verifier.MetadataPath, h)
	r.Any(verifier.MetadataPath+"/*resource", h)
}

// A Middleware has the package's functions, with another response to refused requests.
type Middleware struct {
	// OnError writes the response. Its header fields are already set, and the
	// chain is aborted. The default status is that of the refusal. If OnError
	// writes nothing, the default response is sent, with header fields that
	// OnError set. If it panics or writes a status outside 400 to 999, the default
	// response is sent without them, and the mistake is logged at ERROR. Nil means
	// the default response.
	OnError func(*gin.Context, *verifier.Error)
}

// Protect is [Protect] with m's response.
func (m Middleware) Protect(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return m.guard(v, v.Protect(rules...))
}

// Optional is [Optional] with m's response.
func (m Middleware) Optional(v *verifier.Verifier, rules ...verifier.Rule) gin.HandlerFunc {
	return m.guard(v, v.Optional(rules...))
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
	return m.guard(nil, g)
}

// guard is Guard, and serves the metadata of v, which may be nil.
func (m Middleware) guard(v *verifier.Verifier, g verifier.Guard) gin.HandlerFunc {
	return func(c *gin.Context) {
		if verifier.ServeMetadata(c.Writer, c.Request, v) {
			c.Abort()
			c.Writer.WriteHeaderNow() // where there is no body
			return
		}
		if c.Request.Pattern == "" {
			c.Request.Pattern = c.FullPath() // for observers
		}
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
	c.Writer.WriteHeaderNow() // for HEAD, which has no body: so that outer middleware sees a response
}
