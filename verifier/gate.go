package verifier

import (
	"context"
	"net/http"
	"slices"
)

// A Gate decides one route's requests: the context for the handler, or the
// answer instead of it. Gates are what an adapter to a framework is made of;
// they are safe for concurrent use.
type Gate func(*http.Request) (context.Context, *Error)

// Protect returns the Gate that only a token which passes v and rules opens. It
// panics where a rule could not do what it says: at wiring, not in a request.
//
// The scopes of its own rules stand in every challenge (RFC 6750 §3), so that a
// client without a token learns which to ask for. Those of [Require] and [Inner]
// inside cannot: put Scope here for that.
func (v *Verifier) Protect(rules ...Rule) Gate {
	return v.gate(rules, false)
}

// Optional returns the Gate that lets requests without a token through as well,
// and only those: a bad token is refused as in Protect. Behind it
// [FromContext] tells them apart, whatever an outer layer left there.
func (v *Verifier) Optional(rules ...Rule) Gate {
	return v.gate(rules, true)
}

// Inner returns the Gate of a route inside Protect or Optional that adds rules:
// [Require] as a Gate. It panics over rules that could not do what they say at
// any Verifier; what depends on the one outside shows as a 500, which is logged.
func Inner(rules ...Rule) Gate {
	if err := (*Verifier)(nil).checkRules(rules); err != nil {
		panic("verifier: " + err.Error())
	}
	rules = slices.Clone(rules)
	return func(r *http.Request) (context.Context, *Error) {
		if err := require(r.Context(), rules); err != nil {
			return nil, err
		}
		return r.Context(), nil
	}
}

func (v *Verifier) gate(rules []Rule, optional bool) Gate {
	if v == nil {
		panic("verifier: nil Verifier")
	}
	if err := v.checkRules(rules); err != nil {
		panic("verifier: " + err.Error())
	}
	rules = slices.Clone(rules)
	scopes := challengeScopes(rules)
	return func(r *http.Request) (context.Context, *Error) {
		t, err := v.admit(r, rules, optional)
		if err != nil {
			return nil, v.refuse(r.Context(), err, scopes)
		}
		return &admission{r.Context(), t, v, scopes}, nil
	}
}

// admit returns the token of r, and none where r may pass without.
func (v *Verifier) admit(r *http.Request, rules []Rule, optional bool) (*Token, *Error) {
	raw, err := v.credential(r)
	switch {
	case err == nil:
		return v.verifyCredential(r.Context(), raw, rules)
	case optional && err.Reason == ErrNoToken:
		return nil, nil
	}
	return nil, err
}
