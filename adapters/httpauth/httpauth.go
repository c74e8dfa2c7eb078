package httpauth

import (
	"encoding/json"
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

// Refuse answers with err as Protect would: with an *verifier.Error within it or
// the reason of package verifier's that it wraps, and with 403 for any other. The
// handler returns after it.
func Refuse(w http.ResponseWriter, r *http.Request, err error) { Middleware{}.Refuse(w, r, err) }

// A Middleware is the package's functions with another answer.
type Middleware struct {
	// OnError writes the answer; its headers are set already. A body
	// without a status has the refusal's own. Where OnError writes nothing, the
	// default answer follows, with the headers that OnError set. Where it panics
	// or answers with a status that does not refuse (400 to 999 do), the default
	// answer is given with none of them, and an ERROR is logged. Nil means the
	// default answer.
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
	h := w.Header()
	err.SetHeaders(h)
	if m.OnError != nil && m.runHook(w, r, err) {
		return
	}
	h.Del("Content-Length")
	h.Del("Content-Encoding")
	h.Set("Content-Type", "application/json")
	w.WriteHeader(err.Status())
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(err)
	}
}
