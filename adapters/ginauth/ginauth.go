package ginauth

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

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

// Refuse aborts the chain and answers with err as Protect would: an
// *verifier.Error within it, or 403 for any other. The handler returns after
// it.
func Refuse(c *gin.Context, err error) { Middleware{}.Refuse(c, err) }

// A Middleware is the package's functions with another answer.
type Middleware struct {
	// OnError writes the answer; its headers are set and the chain is aborted
	// already. If it writes nothing or another status than 400 to 999, or panics, the
	// default answer is given. Nil means the default answer.
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
	if m.OnError != nil {
		m.runHook(c, err)
		if c.Writer.Written() {
			return
		}
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

// runHook calls OnError and keeps its panic from turning a refusal into
// something else.
func (m Middleware) runHook(c *gin.Context, err *verifier.Error) {
	c.Status(http.StatusOK) // in NoRoute it is 404 by now
	w := c.Writer
	c.Writer = hookWriter{w}
	defer func() {
		c.Writer = w
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			slog.ErrorContext(c.Request.Context(), "jwtguard: OnError panicked", "panic", p)
		}
	}()
	m.OnError(c, err)
	c.Writer.WriteHeaderNow()
}

// A hookWriter passes on a refusal only: what comes with another status is
// dropped.
type hookWriter struct{ gin.ResponseWriter }

// refusal reports whether the status refuses; net/http panics over those past
// 999.
func (w hookWriter) refusal() bool {
	return w.Status() >= http.StatusBadRequest && w.Status() <= 999
}

func (w hookWriter) WriteHeaderNow() {
	if w.refusal() {
		w.ResponseWriter.WriteHeaderNow()
	}
}

func (w hookWriter) Write(b []byte) (int, error) {
	if !w.refusal() {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func (w hookWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w hookWriter) Flush() {
	if w.refusal() {
		w.ResponseWriter.Flush()
	}
}
