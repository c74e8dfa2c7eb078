package verifier

import (
	"context"
	"net/http"
	"time"
)

type contextKey struct{}

// An admission is the context of a handler whose request a Guard admitted.
type admission struct {
	context.Context
	api *api // nil if made by NewContext without a token
	grant
	route *route // or nil
}

func (a *admission) Value(key any) any {
	if key == (contextKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// hidden is the context that a Guard inside another one receives. It hides the outer
// admission, except from a RequireGuard.
type hidden struct {
	context.Context
	outer *admission
}

func (h *hidden) Value(key any) any {
	if key == (contextKey{}) {
		return h
	}
	return h.Context.Value(key)
}

// requestKeys are set by init functions only.
var requestKeys []any

// RegisterRequestKey is for adapters to frameworks whose handlers have a context that
// is not derived from the request's, such as Gin. If that context has the
// *http.Request under key, [FromContext], [Require] and [AsError] find the token.
// RegisterRequestKey is not safe for concurrent use: call it from an init function.
func RegisterRequestKey(key any) { requestKeys = append(requestKeys, key) }

// admissionOf returns the admission that ctx is derived from, or nil.
func admissionOf(ctx context.Context) *admission {
	switch found := ctx.Value(contextKey{}).(type) {
	case *admission:
		return found
	case *hidden:
		return nil
	}
	for _, key := range requestKeys {
		if r, _ := ctx.Value(key).(*http.Request); r != nil {
			a, _ := r.Context().Value(contextKey{}).(*admission)
			return a
		}
	}
	return nil
}

// FromContext returns the verified token of the request. It returns false if no token
// was sent, if no Guard admitted the request, or if the innermost Guard that did was not
// a Verifier's.
func FromContext(ctx context.Context) (*Token, bool) {
	a := admissionOf(ctx)
	if a == nil || !a.token.isVerified() {
		return nil, false
	}
	return a.token, true
}

// NewContext returns a context with t in it, for tests of handlers, and for adapters
// whose handlers have a context that is not the request's. A nil t hides an outer token,
// as Optional does.
func NewContext(ctx context.Context, t *Token) context.Context {
	a := &admission{Context: ctx, grant: grant{token: t}}
	if t.isVerified() {
		a.api = t.policy.api
	}
	return a
}

// SetHeaders adds to h the fields that the response to an admitted request needs, such
// as a new nonce for proofs of possession. Adapters call it with the handler's
// context, before the handler writes.
func SetHeaders(ctx context.Context, h http.Header) {
	if a := admissionOf(ctx); a != nil {
		for _, c := range a.proof.all() {
			setHeaders(h, c.Header)
		}
	}
}

// Require applies rules to the token in ctx, for handlers whose rules depend on the
// request. The error is an [*Error]: 401 inside Optional if no token was sent; 500 (a
// configuration error, which is logged) outside Protect and Optional, and for rules
// that cannot work.
func Require(ctx context.Context, rules ...Rule) error {
	if err := require(ctx, rules); err != nil {
		return err
	}
	return nil
}

func require(ctx context.Context, rules []Rule) *Error {
	a := admissionOf(ctx)
	observed, began := a.isObserved(), time.Time{}
	if observed {
		began = time.Now()
	}
	err := a.checkRules(ctx, rules)
	if err != nil {
		err = a.refuse(ctx, err, rules)
	}
	if observed {
		a.api.report(ctx, Decision{Inner: true, Duration: time.Since(began)}, a.token, err)
	}
	return err
}

// checkRules applies rules to the token of a, which may be nil.
func (a *admission) checkRules(ctx context.Context, rules []Rule) *Error {
	switch {
	case a == nil:
		return refusal(nil, "Require is used outside Protect and Optional, or with a context that is not the request's")
	case !a.token.isVerified():
		return noToken
	}
	if err := configurationError(checkRules(rules, a.api)); err != nil {
		return err
	}
	return applyRules(ctx, a.token, rules)
}

// refuse completes and logs a refusal inside a, which may be nil.
func (a *admission) refuse(ctx context.Context, err *Error, rules []Rule) *Error {
	err = a.complete(err, rules)
	a.owner().logRefusal(ctx, err)
	return err
}

// complete is [api.complete] inside a, which may be nil. The rules are those of a
// Require.
func (a *admission) complete(err *Error, rules []Rule) *Error {
	if a == nil {
		return (*api)(nil).complete(err, &route{scopes: challengeScopes(rules)}, "")
	}
	scheme := ""
	if a.proof != nil {
		scheme = a.proof.scheme
	}
	return a.api.complete(err, a.route.and(a.api, rules), scheme)
}

// owner returns the api whose Guard admitted the request, or nil.
func (a *admission) owner() *api {
	if a == nil {
		return nil
	}
	return a.api
}

// isObserved reports whether decisions inside a, which may be nil, are observed.
func (a *admission) isObserved() bool {
	return a != nil && a.api != nil && a.api.observe != nil
}

// AsError returns err as the refusal of the request of ctx, for adapters. That is an
// [*Error] that err wraps; otherwise an Error whose Reason is the reason of this
// package that err wraps (of several, the first in their list), or ErrDenied if there
// is none. Its cause is err. It is logged and, where a Verifier admitted the request
// before, observed, unless that was done before.
func AsError(ctx context.Context, err error) *Error {
	e, isNew := asError(ctx, err)
	if a := admissionOf(ctx); isNew && a.isObserved() {
		a.api.report(ctx, Decision{Inner: true}, a.token, e)
	}
	return e
}

// asError is AsError without the observer. isNew is whether err is a refusal that this
// package has not made.
func asError(ctx context.Context, err error) (_ *Error, isNew bool) {
	a, e := admissionOf(ctx), asRefusal(err, ErrDenied)
	isNew = !e.ours
	if !isNew && e.kind() != configurationKind {
		return a.complete(e, nil), false // it was logged when it refused
	}
	e.ours = true
	if a != nil && a.token.isVerified() {
		e.caller = a.token.caller()
	}
	return a.refuse(ctx, e, nil), isNew
}
