package verifier

import (
	"context"
	"net/http"
	"slices"
)

type contextKey struct{}

// An admission is the context of a handler that a Gate let the request through
// to: with its token, or none inside Optional, and with what a refusal by the
// handler needs.
type admission struct {
	context.Context
	token    *Token
	verifier *Verifier // nil where NewContext was given no token
	scopes   []string  // of the route's rules
}

func (a *admission) Value(key any) any {
	if key == (contextKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// requestKeys are written by init functions only.
var requestKeys []any

// RegisterRequestKey is for adapters to frameworks whose handlers have a context
// of their own that does not lead to the request's, as Gin's do: where such a
// context has the *http.Request under key, [FromContext], [Require] and [AsError]
// find the token there. Call it from an init function only: it
// is not safe for concurrent use.
func RegisterRequestKey(key any) { requestKeys = append(requestKeys, key) }

// admissionOf returns nil where nothing guards the route.
func admissionOf(ctx context.Context) *admission {
	if a, _ := ctx.Value(contextKey{}).(*admission); a != nil {
		return a
	}
	for _, key := range requestKeys {
		if r, _ := ctx.Value(key).(*http.Request); r != nil {
			a, _ := r.Context().Value(contextKey{}).(*admission)
			return a
		}
	}
	return nil
}

// require applies rules to the token of a, which may be nil.
func (a *admission) require(ctx context.Context, rules []Rule) *Error {
	switch {
	case a == nil:
		return refusal(nil, "Require finds neither Protect nor Optional before it: put one there, and give Require the request's own context")
	case !a.token.verified():
		return noToken
	}
	if err := a.token.verifier.checkRouteRules(rules); err != nil {
		return err
	}
	return apply(ctx, a.token, rules)
}

// refuse completes and logs a refusal by a handler behind a, which may be nil.
func (a *admission) refuse(ctx context.Context, err *Error, scopes []string) *Error {
	err = a.complete(err, scopes)
	if a == nil {
		(*Verifier)(nil).logRefusal(ctx, err)
	} else {
		a.verifier.logRefusal(ctx, err)
	}
	return err
}

// complete is [Verifier.complete] behind a, which may be nil.
func (a *admission) complete(err *Error, scopes []string) *Error {
	if a == nil {
		return (*Verifier)(nil).complete(err, scopes)
	}
	return a.verifier.complete(err, slices.Concat(a.scopes, scopes))
}

// FromContext returns the verified token of a request; false where none was
// sent, or where nothing guards the route.
func FromContext(ctx context.Context) (*Token, bool) {
	a := admissionOf(ctx)
	if a == nil || !a.token.verified() {
		return nil, false
	}
	return a.token, true
}

// NewContext returns a context with t in it: for adapters, and for tests of
// handlers. A nil t hides the token of an outer layer, as Optional does.
func NewContext(ctx context.Context, t *Token) context.Context {
	a := &admission{Context: ctx, token: t}
	if t != nil {
		a.verifier = t.verifier
	}
	return a
}
