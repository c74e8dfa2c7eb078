package verifier

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// extensions are what a Verifier may have beside tokens, keys and rules. None is
// set by anything exported so far.
type extensions struct {
	bindings []binding
	revoked  func(context.Context, *Token) (bool, error)
	observe  func(context.Context, observation)
}

// A binding confirms that the sender of a request holds the key that its token
// is bound to by a member of cnf (RFC 7800 §3.1).
type binding struct {
	member  string // of cnf
	scheme  string // that the Authorization field has then, "" for Bearer
	confirm func(r *http.Request, raw string, t *Token) (http.Header, error)
}

// cutBindingScheme is cutScheme for the schemes of the bindings.
func (a *api) cutBindingScheme(field string) (string, *binding, bool) {
	for i := range a.bindings {
		b := &a.bindings[i]
		if b.scheme == "" {
			continue
		}
		if raw, found := cutScheme(field, b.scheme); found {
			return raw, b, true
		}
	}
	return "", nil, false
}

var boundToken = refusal(ErrBinding, "the token has cnf")

// confirmBinding demands of a bound token, and of one with a binding's scheme,
// that every member of cnf which a binding knows is confirmed, that there is one,
// and that the scheme is the binding's.
func (a *api) confirmBinding(r *http.Request, raw string, scheme *binding, t *Token) (header http.Header, _ *Error) {
	switch {
	case !t.bound:
		return nil, t.refused(refusal(ErrBinding, "the token is not bound, but was sent with the scheme %s", scheme.scheme))
	case r == nil:
		return nil, boundToken
	}
	confirmed, demanded := false, ""
	for i := range a.bindings {
		b := &a.bindings[i]
		if t.members().At(jose.Path{"cnf", b.member}) == "" {
			continue
		}
		h, err := b.confirm(r, raw, t)
		if err != nil {
			return nil, t.refused(asRefusal(err, ErrBinding))
		}
		confirmed = true
		if b.scheme != "" {
			demanded = b.scheme
		}
		if header == nil {
			header = h
		} else {
			maps.Copy(header, h)
		}
	}
	came := ""
	if scheme != nil {
		came = scheme.scheme
	}
	if !confirmed || came != demanded {
		return nil, t.refused(refusal(ErrBinding, "cnf is not confirmed by the scheme that the token was sent with"))
	}
	return header, nil
}

func (a *api) checkRevocation(ctx context.Context, t *Token) *Error {
	switch revoked, err := a.revoked(ctx, t); {
	case err != nil:
		return t.refused(&Error{Reason: ErrUnavailable, Err: err})
	case revoked:
		return t.refused(&Error{Reason: ErrRevoked})
	}
	return nil
}

// An observation is what one decision came to.
type observation struct {
	Caller
	err   *Error // nil where the request was let in
	inner bool   // by Require, about a request that was let in before
	measured
}

// measured is what an observer also wants to know.
type measured struct {
	remembered bool
	signature  time.Duration // of key lookup and signature check; 0 where nobody observes
}

// tell reports what was decided about t, which is nil where there is no verified
// token. While another Guard may still admit the request, nothing is decided.
func (a *api) tell(ctx context.Context, o observation, t *Token, err *Error) {
	switch o.err = err; {
	case err != nil && isTrial(ctx):
		return
	case err != nil:
		o.Caller = err.caller
	case t.isVerified():
		o.Caller = t.caller()
	}
	a.observe(ctx, o)
}
