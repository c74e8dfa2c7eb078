package verifier

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
)

// A Guard decides whether a request is admitted. It returns the context for the
// handler, or an error, which [AsError] turns into the response. A Guard of your own,
// for example one that checks API keys, returns r.Context() or a context derived from
// it; (nil, nil) is a configuration error, and the response is 500. A Guard must be
// safe for concurrent use. Adapters put any Guard in front of a route.
type Guard func(r *http.Request) (context.Context, error)

// Protect returns a Guard that admits requests whose token is valid for v and passes
// rules. It panics on a rule that cannot work, so that the mistake shows when the
// route is made. The Guard's errors are [*Error].
//
// The scopes of its own rules are named in every challenge (RFC 6750 §3), so that a
// client without a token learns which to request. Those of a [Require] or
// [RequireGuard] inside are not known here.
func (v *Verifier) Protect(rules ...Rule) Guard { return v.guard(rules, false) }

// Optional returns a Guard that also admits requests without a token. A bad token is
// refused as by Protect. In the handler, [FromContext] reports whether there was a
// token; one that an outer Guard admitted does not count.
func (v *Verifier) Optional(rules ...Rule) Guard { return v.guard(rules, true) }

func (v *Verifier) guard(rules []Rule, optional bool) Guard {
	v.mustBeMade()
	if err := checkRules(rules, v.api); err != nil {
		panic("verifier: " + err.Error())
	}
	rules = slices.Clone(rules)
	route, err := v.api.protected(rules)
	if err != nil {
		panic("verifier: " + err.Error())
	}
	return func(r *http.Request) (context.Context, error) {
		g, err := v.decide(call{
			ctx: r.Context(), request: r,
			rulesChecked: true, route: route, optional: optional,
		}, rules)
		if err != nil {
			return nil, err
		}
		return &admission{r.Context(), v.api, g, route}, nil
	}
}

// mustBeMade panics unless New made v.
func (v *Verifier) mustBeMade() {
	if v == nil || v.api == nil {
		panic("verifier: nil Verifier, or one that New did not make")
	}
}

// RequireGuard returns [Require] as a Guard, which adds rules to a route inside Protect
// or Optional. It panics on a rule that cannot work with any Verifier. A mistake that
// depends on the Verifier outside shows in a request: the response is 500, and it is
// logged.
func RequireGuard(rules ...Rule) Guard {
	if err := checkRules(rules, nil); err != nil {
		panic("verifier: " + err.Error())
	}
	rules = slices.Clone(rules)
	return func(r *http.Request) (context.Context, error) {
		ctx := r.Context()
		if h, ok := ctx.Value(contextKey{}).(*hidden); ok && h.outer != nil {
			if ctx == context.Context(h) {
				ctx = h.Context
			} else {
				ctx = &admission{ctx, h.outer.api, h.outer.grant, h.outer.route}
			}
		}
		if err := require(ctx, rules); err != nil {
			return nil, err
		}
		return ctx, nil
	}
}

// CheckRules reports why rules cannot work in a [Require] inside v's Protect, for adapters
// that keep such rules until a request needs them.
func (v *Verifier) CheckRules(rules ...Rule) error {
	v.mustBeMade()
	return checkRules(rules, v.api)
}

// FirstOf returns a Guard that calls guards in turn until one admits the request. If
// none does, it returns one of their errors: the first that answers 500 or 503, because
// the request might be good; otherwise the last one. If that is [ErrNoToken] and another
// guard gave another reason, it returns the first of those instead. So an expired token
// is reported as expired, even if a guard for API keys comes last and finds no key.
//
// The guards get copies of the request: one must not read its body. FirstOf panics
// without guards and on a nil one. Put [Verifier.Optional] last: it admits every request
// without a token, so that guards after it would not be called.
func FirstOf(guards ...Guard) Guard {
	if len(guards) == 0 || slices.ContainsFunc(guards, func(g Guard) bool { return g == nil }) {
		panic("verifier: FirstOf: no Guard, or a nil one")
	}
	guards = slices.Clone(guards)
	return func(r *http.Request) (context.Context, error) {
		var broken, first, last *trial
		lastHasToken := false
		for _, g := range guards {
			t := &trial{Context: r.Context()}
			ctx, err := g(r.WithContext(t))
			if err == nil {
				t.over.Store(true)
				return ctx, nil
			}
			e, own := err.(*Error)
			if !own || e == nil || !e.ours {
				e, _ = asError(t, err) // logs what is not for clients alone
			}
			t.over.Store(true)
			t.err, last = err, t
			if broken == nil && e.Status() >= http.StatusInternalServerError {
				broken = t
			}
			lastHasToken = !errors.Is(e.Reason, ErrNoToken)
			if first == nil && lastHasToken {
				first = t
			}
		}
		switch {
		case broken != nil: // which was logged
			broken.reportRefusals(r.Context())
			return nil, broken.err
		case first != nil && !lastHasToken:
			last = first
		}
		if e, own := last.err.(*Error); own && e != nil && e.ours {
			e.api.logRefusal(r.Context(), e) // was not yet, since another guard might have admitted
		}
		last.reportRefusals(r.Context())
		return nil, last.err
	}
}

// Admit calls g, for adapters. It returns the request for the handler, or the refusal,
// which was logged. Neither g nor the handler sees what an outer Guard admitted, unless
// g is a [RequireGuard]. An adapter also calls [SetHeaders].
func (g Guard) Admit(r *http.Request) (*http.Request, *Error) {
	ctx, inner := r.Context(), r
	outer := admissionOf(ctx)
	if outer != nil {
		inner = r.WithContext(&hidden{ctx, outer})
	}
	admitted, err := g(inner)
	if a, ok := admitted.(*admission); ok && err == nil && outer == nil {
		return r.WithContext(a), nil // of a Verifier, outside of all others
	}
	switch e, own := err.(*Error); {
	case own && e != nil && e.ours:
		return nil, e
	case err != nil:
		return nil, AsError(ctx, err)
	case admitted == nil:
		return nil, AsError(ctx, &Error{Err: errors.New("a Guard returned neither a context nor an error")})
	case sameContext(admitted, ctx):
		return r, nil
	}
	if h, ok := admitted.Value(contextKey{}).(*hidden); ok && h.outer != nil {
		admitted = &hidden{admitted, nil} // for RequireGuards of the handler, too
	}
	return inner.WithContext(admitted), nil
}

// sameContext reports whether a and b are one context, if a can be compared: b may then be
// anything, since values of different types differ. Types are compared first, since
// Comparable allocates.
func sameContext(a, b context.Context) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}
