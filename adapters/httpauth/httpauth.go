package httpauth

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Protect lets through only requests whose token passes v and rules.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return Middleware{}.Protect(v, rules...)
}

// Optional is Protect that lets requests without a token through as well. A bad
// token is still refused.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return Middleware{}.Optional(v, rules...)
}

// Require adds rules inside Protect or Optional; inside Optional it refuses
// requests without a token.
func Require(rules ...verifier.Rule) func(http.Handler) http.Handler {
	return Middleware{}.Require(rules...)
}

// Token returns the verified token of r; false where Optional let r through
// without one.
func Token(r *http.Request) (*verifier.Token, bool) { return verifier.FromContext(r.Context()) }

// Refuse answers with err as Protect would: an *verifier.Error within it, or
// 403 for any other. The handler returns after it.
func Refuse(w http.ResponseWriter, r *http.Request, err error) { Middleware{}.Refuse(w, r, err) }

// A Middleware is the package's functions with another answer.
type Middleware struct {
	// OnError writes the answer; its headers are set already. If it writes
	// nothing or another status than 400 to 999, or panics, the default answer is given. Nil
	// means the default answer.
	OnError func(http.ResponseWriter, *http.Request, *verifier.Error)
}

// Protect is [Protect] with m's answer.
func (m Middleware) Protect(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.gate(v.Protect(rules...))
}

// Optional is [Optional] with m's answer.
func (m Middleware) Optional(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.gate(v.Optional(rules...))
}

// Require is [Require] with m's answer.
func (m Middleware) Require(rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.gate(verifier.Inner(rules...))
}

func (m Middleware) gate(admit verifier.Gate) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, err := admit(r)
			if err != nil {
				m.refuse(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// Refuse is [Refuse] with m's answer.
func (m Middleware) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	m.refuse(w, r, verifier.AsError(r.Context(), err))
}

func (m Middleware) refuse(w http.ResponseWriter, r *http.Request, err *verifier.Error) {
	err.SetHeaders(w.Header())
	if m.OnError != nil {
		hw := &hookWriter{ResponseWriter: w}
		m.runHook(hw, r, err)
		if hw.answered {
			return
		}
	}
	h := w.Header()
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	h.Set("Content-Type", "application/json")
	w.WriteHeader(err.Status())
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(err)
	}
}

// runHook calls OnError and keeps its panic from turning a refusal into a
// broken connection.
func (m Middleware) runHook(w http.ResponseWriter, r *http.Request, err *verifier.Error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			slog.ErrorContext(r.Context(), "jwtguard: OnError panicked", "panic", p)
		}
	}()
	m.OnError(w, r, err)
}

// A hookWriter passes on a refusal only: what comes with another status is
// dropped.
type hookWriter struct {
	http.ResponseWriter
	answered, dropping bool
}

func (w *hookWriter) WriteHeader(status int) {
	switch {
	case w.answered || w.dropping:
	case !isRefusal(status):
		w.dropping = true
	default:
		w.answered = true
		w.ResponseWriter.WriteHeader(status)
	}
}

// isRefusal reports whether status refuses; net/http panics over those past 999.
func isRefusal(status int) bool { return status >= http.StatusBadRequest && status <= 999 }

func (w *hookWriter) Write(b []byte) (int, error) {
	if !w.answered {
		return len(b), nil // under no refusing status, if only the implied 200
	}
	return w.ResponseWriter.Write(b)
}
