package verifier

import (
	"context"
	"errors"
)

// A Rule is a demand on a verified token. Rules only ever narrow: each is
// checked besides all others, and means the same in [Config], in Protect and in
// [Require], in any order. Of several that fail, the refusal is that of one on
// issuer or audience.
//
// A rule that could not do what it says, such as one with an empty list or an
// empty string, is an error of [New], a panic of Protect and Optional, and
// elsewhere a 500 that is logged: it never passes. Making a rule never panics.
//
// The interface is sealed; [Check] extends it.
type Rule interface {
	// check returns nil where t passes, or an Error of this call's own.
	check(ctx context.Context, t *Token) *Error
	// misconfigured reports why the rule cannot do what it says with these
	// issuers. Without them it reports what is wrong with any.
	misconfigured(policies) error
	// traits are what the rule means to those beside it.
	traits() traits
	// challenge returns the scopes that a client should ask for.
	challenge() []string
}

type traits uint8

const (
	checkedFirst traits = 1 << iota // is about the token's issuer or audience
	namesIssuer                     // admits only the issuers that it lists
	needsIssuer                     // means something only together with an issuer
)

// applyRules checks the rules on issuer and audience before those on what the
// client may do.
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

// checkRules reports a rule that could not do what it says with these issuers,
// which are nil where they are not known yet.
func checkRules(rules []Rule, all policies) error {
	var found traits
	for _, r := range rules {
		if r == nil {
			return errors.New("a rule is nil")
		}
		if err := r.misconfigured(all); err != nil {
			return err
		}
		found |= r.traits()
	}
	if found&needsIssuer != 0 && found&namesIssuer == 0 && len(all) > 1 {
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
