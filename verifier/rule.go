package verifier

import (
	"context"
	"errors"
	"slices"
)

// A Rule is a requirement on a verified token. Rules only narrow: a token must pass all
// of them. A rule means the same in [Config], in Protect and in [Require], in any
// order. If several fail, the refusal is that of one on issuer or audience.
//
// A rule that cannot work, such as one with an empty list or an empty string, is an
// error of [New], a panic of Protect and Optional, and elsewhere a 500 that is logged.
// No token passes it. Making a rule never panics.
//
// The interface is sealed. [Check] makes a rule of a function.
type Rule interface {
	// check returns nil if t passes, or an Error that is not shared.
	check(ctx context.Context, t *Token) *Error
	// misconfigured reports why the rule cannot work in this API or, if that is
	// nil, in any.
	misconfigured(*api) error
	// traits affect how the rule is combined with others.
	traits() traits
	// challenge returns the scopes that a client should request.
	challenge() []string
	// audiences returns those that the rule names.
	audiences() []string
	// explain returns what the rule compares.
	explain(t *Token) ruleReport
	// mistake returns why t is likely to have failed the rule.
	mistake(t *Token) Mistake
}

type traits uint8

const (
	checkedFirst   traits = 1 << iota // is on the token's issuer or audience
	namesIssuer                       // admits only the issuers that it lists
	needsIssuer                       // is unambiguous only for one issuer
	callsFunction                     // calls a function of the program
	demandsBinding                    // refuses tokens that are not bound
)

// applyRules checks rules on issuer and audience before all others.
func applyRules(ctx context.Context, t *Token, lists ...[]Rule) *Error {
	for _, first := range []traits{checkedFirst, 0} {
		for _, rules := range lists {
			for _, r := range rules {
				if r.traits()&checkedFirst != first {
					continue
				}
				if err := r.check(ctx, t); err != nil {
					return t.refused(err)
				}
			}
		}
	}
	return nil
}

// checkRules returns an error for a rule that cannot work in this API, which is nil if
// it is not known.
func checkRules(rules []Rule, a *api) error {
	var found traits
	for _, r := range rules {
		if r == nil {
			return errors.New("a rule is nil")
		}
		if err := r.misconfigured(a); err != nil {
			return err
		}
		found |= r.traits()
	}
	if found&needsIssuer != 0 && found&namesIssuer == 0 && a != nil && a.hasSeveralIssuers() {
		return errors.New("a rule on the client id or the actor needs an Issuer rule beside it, because there are several issuers")
	}
	return nil
}

// A route is what the rules of a Guard add to its challenges.
type route struct {
	scopes   []string
	resource *resource // or nil
	bound    bool      // only bound tokens are admitted
}

var noRoute route

// route returns that of a Guard with rules.
func (a *api) route(rules []Rule) route {
	return route{challengeScopes(rules), a.resourceOf(rules), a.demandsBinding || demandBinding(rules)}
}

// and returns that of a Require with rules inside r, which may be nil.
func (r *route) and(a *api, rules []Rule) *route {
	if len(rules) == 0 {
		return r
	}
	inside := noRoute
	if r != nil {
		inside = *r
	}
	inside.scopes = slices.Concat(inside.scopes, challengeScopes(rules))
	if inner := a.resourceFor(audiencesOf(rules)); inner != nil {
		inside.resource = inner
	}
	inside.bound = inside.bound || demandBinding(rules)
	return &inside
}

func demandBinding(rules []Rule) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r != nil && r.traits()&demandsBinding != 0 })
}

// challengeScopes returns the scopes of rules for the challenge (RFC 6750 §3).
func challengeScopes(rules []Rule) (scopes []string) {
	for _, r := range rules {
		if r != nil {
			scopes = append(scopes, r.challenge()...)
		}
	}
	return scopes
}
