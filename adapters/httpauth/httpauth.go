package httpauth

import (
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

// Guard puts any Guard in front of handlers: one of your own, for API keys for
// example, or verifier.FirstOf of several.
func Guard(g verifier.Guard) func(http.Handler) http.Handler { return Middleware{}.Guard(g) }

// Refuse responds with err as Protect would: with an *verifier.Error within it or
// the reason of package verifier's that it wraps, and with 403 for any other. The
// handler returns after it.
func Refuse(w http.ResponseWriter, r *http.Request, err error) { Middleware{}.Refuse(w, r, err) }

// A Middleware is the package's functions with another response to what is
// refused.
type Middleware struct {
	// OnError writes the response; its headers are set already. A body
	// without a status gets the refusal's own. Where OnError writes nothing, the
	// default response follows, with the headers that OnError set. Where it panics
	// or writes a status that does not refuse (400 to 999 do), the default
	// response is sent with none of them, and an ERROR is logged. Nil means the
	// default response.
	OnError func(http.ResponseWriter, *http.Request, *verifier.Error)
}

// Protect is [Protect] with m's response.
func (m Middleware) Protect(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.Guard(v.Protect(rules...))
}

// Optional is [Optional] with m's response.
func (m Middleware) Optional(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.Guard(v.Optional(rules...))
}

// Require is [Require] with m's response.
func (m Middleware) Require(rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.Guard(verifier.RequireGuard(rules...))
}

// Guard is [Guard] with m's response.
func (m Middleware) Guard(g verifier.Guard) func(http.Handler) http.Handler {
	if g == nil {
		panic("httpauth: nil Guard")
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			admitted, err := g.Admit(r)
			if err != nil {
				m.refuse(w, r, err)
				return
			}
			verifier.SetHeaders(admitted.Context(), w.Header())
			next.ServeHTTP(w, admitted)
		})
	}
}

// Refuse is [Refuse] with m's response.
func (m Middleware) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	m.refuse(w, r, verifier.AsError(r.Context(), err))
}

func (m Middleware) refuse(w http.ResponseWriter, r *http.Request, err *verifier.Error) {
	if m.OnError != nil {
		err.SetHeaders(w.Header())
		if m.runHook(w, r, err) {
			return
		}
	}
	err.ServeHTTP(w, r)
}
