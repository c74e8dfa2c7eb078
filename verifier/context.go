package verifier

import (
	"context"
	"net/http"
	"slices"
)

type contextKey struct{}

// An admission is the context of a handler whose request a Guard let in.
type admission struct {
	context.Context
	api *api // nil where NewContext was given no token
	outcome
	scopes []string // that the route's rules contribute to the challenge
}

func (a *admission) Value(key any) any {
	if key == (contextKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// hidden is the context of a Guard inside another one. The outer admission does
// not count there, except for a RequireGuard.
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

// requestKeys are written by init functions only.
var requestKeys []any

// RegisterRequestKey is for adapters to frameworks whose handlers have a context
// of their own that does not lead to the request's, as Gin's do: where such a
// context has the *http.Request under key, [FromContext], [Require] and [AsError]
// find the token there. Call it from an init function only: it is not safe for
// concurrent use.
func RegisterRequestKey(key any) { requestKeys = append(requestKeys, key) }

// admissionOf returns nil where no Guard let the request in.
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

// FromContext returns the verified token of a request; false where none was
// sent, or where no Guard let the request in.
func FromContext(ctx context.Context) (*Token, bool) {
	a := admissionOf(ctx)
	if a == nil || !a.token.isVerified() {
		return nil, false
	}
	return a.token, true
}

// NewContext returns a context with t in it: for adapters, and for tests of
// handlers. A nil t hides an outer token, as Optional does.
func NewContext(ctx context.Context, t *Token) context.Context {
	a := &admission{Context: ctx, outcome: outcome{token: t}}
	if t.isVerified() {
		a.api = t.policy.api
	}
	return a
}

// SetHeaders adds to h what the response to an admitted request has to have, such
// as a fresh nonce for proofs of possession. Adapters call it with the context of
// the handler, before the handler writes.
func SetHeaders(ctx context.Context, h http.Header) {
	if a := admissionOf(ctx); a != nil {
		for name, values := range a.header {
			h[name] = append(h[name], values...)
		}
	}
}

// Require applies rules to the token in ctx: for handlers whose demands depend
// on the request. The error is an [*Error]: 401 inside Optional when no token
// came, 500 (a configuration error, which is logged) outside Protect and Optional
// and for rules that could not do what they say.
func Require(ctx context.Context, rules ...Rule) error {
	if err := require(ctx, rules); err != nil {
		return err
	}
	return nil
}

func require(ctx context.Context, rules []Rule) *Error {
	a := admissionOf(ctx)
	err := a.checkRules(ctx, rules)
	if err != nil {
		err = a.refuse(ctx, err, challengeScopes(rules))
	}
	if a != nil && a.api != nil && a.api.observe != nil {
		a.api.tell(ctx, observation{inner: true}, a.token, err)
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
	if err := configurationError(checkRules(rules, a.api.policies)); err != nil {
		return err
	}
	return applyRules(ctx, a.token, rules)
}

// refuse completes and logs a refusal by a handler behind a, which may be nil.
func (a *admission) refuse(ctx context.Context, err *Error, scopes []string) *Error {
	err = a.complete(err, scopes)
	a.of().logRefusal(ctx, err)
	return err
}

// complete is [api.complete] behind a, which may be nil.
func (a *admission) complete(err *Error, scopes []string) *Error {
	if a == nil {
		return (*api)(nil).complete(err, scopes)
	}
	return a.api.complete(err, slices.Concat(a.scopes, scopes))
}

// of returns the api whose Guard let the request in, nil if none did.
func (a *admission) of() *api {
	if a == nil {
		return nil
	}
	return a.api
}
