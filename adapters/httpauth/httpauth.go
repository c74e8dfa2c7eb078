package httpauth

import (
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Protect admits only requests whose token is valid for v and passes rules.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return Middleware{}.Protect(v, rules...)
}

// Optional admits requests without a token, too. A bad token is refused as by Protect.
func Optional(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return Middleware{}.Optional(v, rules...)
}

// Require adds rules inside Protect or Optional. Inside Optional, it refuses requests
// without a token.
func Require(rules ...verifier.Rule) func(http.Handler) http.Handler {
	return Middleware{}.Require(rules...)
}

// Token returns the verified token of r. It returns false if Optional admitted the
// request without a token, and inside a [Guard] that is not a Verifier's.
func Token(r *http.Request) (*verifier.Token, bool) { return verifier.FromContext(r.Context()) }

// Guard puts any Guard in front of handlers, such as verifier.FirstOf or one of your
// own that checks API keys. Inside Protect it takes its place: the handler does not see
// the token then. To add a condition to Protect, use verifier.Check.
func Guard(g verifier.Guard) func(http.Handler) http.Handler { return Middleware{}.Guard(g) }

// Refuse writes the response to a refusal, as Protect does. The refusal is the
// *verifier.Error or the reason of package verifier that err wraps, and 403 for any
// other err. The body is the default one; a [Middleware] has a Refuse of its own. The
// handler should return after it.
func Refuse(w http.ResponseWriter, r *http.Request, err error) { Middleware{}.Refuse(w, r, err) }

// HandleMetadata adds the protected resource metadata (RFC 9728 §3) of the verifiers'
// Settings.Resources to mux, at verifier.MetadataPath and below. The routes need no token.
// Protect and Optional serve the metadata of their own Verifier, too, in the requests that
// they see.
func HandleMetadata(mux *http.ServeMux, verifiers ...*verifier.Verifier) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !verifier.ServeMetadata(w, r, verifiers...) {
			http.NotFound(w, r)
		}
	})
	mux.Handle(verifier.MetadataPath, h)
	mux.Handle(verifier.MetadataPath+"/", h)
}

// A Middleware has the package's functions, with another response to refused requests.
type Middleware struct {
	// OnError writes the response, whose header fields are already set. The
	// default status is that of the refusal. If OnError writes nothing, the
	// default response is sent, with header fields that OnError set. If it panics
	// or writes a status outside 400 to 999, the default response is sent without
	// them, and the mistake is logged at ERROR. A 200 is a refusal only with the
	// Content-Type of gRPC, gRPC-Web or a Connect stream, which have a status of
	// their own. Nil means the default response.
	OnError func(http.ResponseWriter, *http.Request, *verifier.Error)
}

// Protect is [Protect] with m's response.
func (m Middleware) Protect(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.guard(v, v.Protect(rules...))
}

// Optional is [Optional] with m's response.
func (m Middleware) Optional(v *verifier.Verifier, rules ...verifier.Rule) func(http.Handler) http.Handler {
	return m.guard(v, v.Optional(rules...))
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
	return m.guard(nil, g)
}

// guard is Guard, and serves the metadata of v, which may be nil.
func (m Middleware) guard(v *verifier.Verifier, g verifier.Guard) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if verifier.ServeMetadata(w, r, v) {
				return
			}
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
