package ginauth

import (
	"fmt"
	"maps"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// runHook calls OnError and reports whether it wrote a response. If that was not a
// refusal, or if OnError panicked, its header fields are removed.
func (m Middleware) runHook(c *gin.Context, err *verifier.Error) (responded bool) {
	w := c.Writer
	before := w.Header().Clone()
	w.WriteHeader(err.Status()) // the default, which in NoRoute would be 404
	hw := &hookWriter{ResponseWriter: w}
	c.Writer = hw
	defer func() {
		c.Writer = w
		mistake := ""
		switch p := recover(); {
		case p == http.ErrAbortHandler:
			panic(p)
		case p != nil:
			mistake = fmt.Sprintf("panicked: %v", p)
		case hw.dropped:
			mistake = fmt.Sprintf("responded with status %d, which is not a refusal", w.Status())
		default:
			return
		}
		if responded = w.Written(); !responded {
			clear(w.Header())
			maps.Copy(w.Header(), before)
		}
		bug := *err // keeps the Verifier that refused
		bug.Reason, bug.Scopes, bug.Err = nil, nil, fmt.Errorf("ginauth: OnError %s", mistake)
		verifier.AsError(c.Request.Context(), &bug) // logs it
	}()
	m.OnError(c, err)
	if hw.hasStatus {
		hw.WriteHeaderNow()
	}
	return w.Written()
}

// A hookWriter passes on only refusals: a response with another status is dropped.
type hookWriter struct {
	gin.ResponseWriter
	hasStatus, dropped bool // OnError set a status; the status was not a refusal
}

func (w *hookWriter) WriteHeader(status int) {
	if status > 0 && !w.dropped { // like Gin
		w.hasStatus = true
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *hookWriter) WriteHeaderNow() {
	status := w.Status()
	if w.dropped = w.dropped || status < http.StatusBadRequest || status > 999; !w.dropped { // net/http panics on those
		w.ResponseWriter.WriteHeaderNow()
	}
}

func (w *hookWriter) Write(b []byte) (int, error) {
	if w.WriteHeaderNow(); w.dropped {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func (w *hookWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// Flush sends what was written. Unlike Gin's, it does not write the header: the default
// response may follow.
func (w *hookWriter) Flush() {
	if w.Written() {
		w.ResponseWriter.Flush()
	}
}

// Unwrap is for http.ResponseController's deadlines.
func (w *hookWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
