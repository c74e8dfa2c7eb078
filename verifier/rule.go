package verifier

import (
	"context"
	"errors"
)

// A Rule is a demand on a verified token. Rules only ever narrow: each is
// checked besides all others, and means the same in [Config], in Protect and in
// [Require], in any order. Of several that fail, those on issuer and audience
// answer first.
//
// A rule that could not do what it says, such as one with an empty list or an
// empty string, is an error of [New], a panic of Protect and Optional, and
// elsewhere a 500 that is logged: it never passes.
//
// The interface is sealed; [Check] extends it.
type Rule interface {
	// check returns nil where t passes, or an Error of this call's own. Only
	// verified tokens are checked.
	check(ctx context.Context, t *Token) *Error
	// wiring reports why the rule cannot do what it says at v. A nil v is not
	// known yet: then it reports what is wrong in any case.
	wiring(v *Verifier) error
	// traits are what the rule means to those beside it.
	traits() traits
	// challenge returns the scopes that a client should ask for.
	challenge() []string
}

type traits uint8

const (
	answersFirst traits = 1 << iota // is about who issued the token for whom
	namesIssuer                     // leaves one issuer, or those it lists
	needsIssuer                     // means something only together with an issuer
)

// apply checks who issued the token for whom before what the client may do.
func apply(ctx context.Context, t *Token, lists ...[]Rule) *Error {
	for _, first := range []traits{answersFirst, 0} {
		for _, rules := range lists {
			for _, r := range rules {
				if r.traits()&answersFirst != first {
					continue
				}
				if err := r.check(ctx, t); err != nil {
					err.caller, err.logs = t.caller(), true
					return err
				}
			}
		}
	}
	return nil
}

// checkRules finds the rules that could not do what they say at v, which is nil
// where it is not known yet.
func (v *Verifier) checkRules(rules []Rule) error {
	var all traits
	for _, r := range rules {
		if r == nil {
			return errors.New("a rule is nil")
		}
		if err := r.wiring(v); err != nil {
			return err
		}
		all |= r.traits()
	}
	if all&needsIssuer != 0 && all&namesIssuer == 0 && v != nil && len(v.trusts) > 1 {
		return errors.New("rule Client: with several issuers it needs an Issuer rule beside it")
	}
	return nil
}

// challengeScopes returns what rules contribute to the challenge (RFC 6750 §3).
func challengeScopes(rules []Rule) (scopes []string) {
	for _, r := range rules {
		if r != nil {
			scopes = append(scopes, r.challenge()...)
		}
	}
	return scopes
}

// Require applies rules to the token in ctx: for handlers whose demands depend
// on the request. The error is an [*Error]: 401 inside Optional when no token
// came, 500 (a wiring bug, which is logged) outside Protect and Optional and for
// rules that could not do what they say.
func Require(ctx context.Context, rules ...Rule) error {
	if err := require(ctx, rules); err != nil {
		return err
	}
	return nil
}

func require(ctx context.Context, rules []Rule) *Error {
	a := admissionOf(ctx)
	err := a.require(ctx, rules)
	if err == nil {
		return nil
	}
	return a.refuse(ctx, err, challengeScopes(rules))
}
