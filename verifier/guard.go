package verifier

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"
)

// A Guard decides whether a request may pass: it returns the context for the
// handler, or an error, which is answered as [AsError] says. A Guard of one's
// own, for API keys for example, returns r.Context() or a context derived from
// it; (nil, nil) is a configuration error and answers 500. Guards are safe for
// concurrent use. Adapters put any Guard in front of a route.
type Guard func(r *http.Request) (context.Context, error)

// Protect returns the Guard that admits requests whose token passes v and rules.
// It panics over a rule that could not do what it says: when the route is made,
// not in a request. Its errors are [*Error].
//
// The scopes of its own rules are named in every challenge (RFC 6750 §3), so that
// a client without a token learns which to ask for. Those of [Require] and
// [RequireGuard] inside cannot be: put Scope here for that.
func (v *Verifier) Protect(rules ...Rule) Guard { return v.guard(rules, false) }

// Optional returns the Guard that also admits requests without a token, and only
// those: a bad token is refused as in Protect. In its handler [FromContext] tells
// them apart, whatever token an outer Guard admitted.
func (v *Verifier) Optional(rules ...Rule) Guard { return v.guard(rules, true) }

func (v *Verifier) guard(rules []Rule, optional bool) Guard {
	if v == nil {
		panic("verifier: nil Verifier")
	}
	if err := checkRules(rules, v.api.policies); err != nil {
		panic("verifier: " + err.Error())
	}
	rules = slices.Clone(rules)
	scopes := challengeScopes(rules)
	return func(r *http.Request) (context.Context, error) {
		o, err := v.decide(call{
			ctx: r.Context(), request: r,
			rulesChecked: true, scopes: scopes, optional: optional,
		}, rules)
		if err != nil {
			return nil, err
		}
		return &admission{r.Context(), v.api, o, scopes}, nil
	}
}

// RequireGuard returns the Guard of a route inside Protect or Optional that adds
// rules: [Require] as a Guard. It panics over a rule that could not do what it
// says with any Verifier; what depends on the Verifier outside is a 500, which is
// logged.
func RequireGuard(rules ...Rule) Guard {
	if err := checkRules(rules, nil); err != nil {
		panic("verifier: " + err.Error())
	}
	rules = slices.Clone(rules)
	return func(r *http.Request) (context.Context, error) {
		ctx := r.Context()
		if h, ok := ctx.Value(contextKey{}).(*hidden); ok {
			if ctx == context.Context(h) {
				ctx = h.Context
			} else {
				ctx = &admission{ctx, h.outer.api, h.outer.outcome, h.outer.scopes}
			}
		}
		if err := require(ctx, rules); err != nil {
			return nil, err
		}
		return ctx, nil
	}
}

// FirstOf returns the Guard that asks guards in turn, until one admits the
// request. If none does, the error is the last one's. It panics without guards
// and over a nil one. Behind [Verifier.Optional], which admits a request without
// a token, no Guard is asked for one: let it be the last.
func FirstOf(guards ...Guard) Guard {
	if len(guards) == 0 || slices.ContainsFunc(guards, func(g Guard) bool { return g == nil }) {
		panic("verifier: FirstOf: no Guard, or a nil one")
	}
	guards = slices.Clone(guards)
	last := len(guards) - 1
	return func(r *http.Request) (context.Context, error) {
		for _, g := range guards[:last] {
			t := &trial{Context: r.Context()}
			ctx, err := g(r.WithContext(t))
			t.over.Store(true)
			if err == nil {
				return ctx, nil
			}
		}
		return guards[last](r)
	}
}

// A trial is the context of a request that another Guard may still admit: that
// one refuses it is no news.
type trial struct {
	context.Context
	over atomic.Bool // set before a handler gets the context
}

type trialKey struct{}

func (t *trial) Value(key any) any {
	if key == (trialKey{}) && !t.over.Load() {
		return t
	}
	return t.Context.Value(key)
}

func isTrial(ctx context.Context) bool { return ctx.Value(trialKey{}) != nil }

// Admit asks g about r, for an adapter to a framework. It returns the request for
// the handler, or the refusal to answer with, which was logged. G does not see
// what an outer Guard admitted, and neither does the handler, unless g is a
// [RequireGuard]. The adapter also calls [SetHeaders].
func (g Guard) Admit(r *http.Request) (*http.Request, *Error) {
	ctx, asked := r.Context(), r
	if outer := admissionOf(ctx); outer != nil {
		asked = r.WithContext(&hidden{ctx, outer})
	}
	admitted, err := g(asked)
	switch e, own := err.(*Error); {
	case own && e != nil && e.ours:
		return nil, e
	case err != nil:
		return nil, AsError(ctx, err)
	case admitted == nil:
		return nil, AsError(ctx, configurationError(errors.New("a Guard returned neither a context nor an error")))
	case sameContext(admitted, ctx):
		return r, nil
	}
	return r.WithContext(admitted), nil
}

// sameContext reports whether a and b are one context, if they can be compared.
func sameContext(a, b context.Context) bool { return reflect.TypeOf(a).Comparable() && a == b }
