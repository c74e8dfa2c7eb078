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
func (v *Verifier) Protect(rules ...Rule) Gate {
	return v.gate(rules, false)
}

// Optional returns the Gate that lets requests without a token through as well,
// and only those: a bad token is refused as in Protect. Behind it
// [FromContext] tells the two apart, whatever an outer layer left there.
func (v *Verifier) Optional(rules ...Rule) Gate {
	return v.gate(rules, true)
}

// Inner returns the Gate of a route inside Protect or Optional that adds rules:
// [Require] as a Gate.
func Inner(rules ...Rule) Gate {
	if slices.Contains(rules, nil) {
		panic("verifier: a rule is nil")
	}
	rules = slices.Clone(rules)
	return func(r *http.Request) (context.Context, *Error) {
		if err := require(r.Context(), rules); err != nil {
			return nil, AsError(r.Context(), err)
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
	return func(r *http.Request) (context.Context, *Error) {
		t, err := v.admit(r, rules, optional)
		if err != nil {
			return nil, v.answer(err)
		}
		return NewContext(r.Context(), t), nil
	}
}

// admit returns the token of r. Where r may pass without one, it returns a Token
// that is none: that hides an outer layer's, and knows how to challenge.
func (v *Verifier) admit(r *http.Request, rules []Rule, optional bool) (*Token, *Error) {
	raw, err := v.credential(r)
	switch {
	case err == nil:
		return v.verifyCredential(r.Context(), raw, rules)
	case optional && err.Reason == ErrNoToken:
		return &Token{verifier: v}, nil
	}
	return nil, err
}
