package verifier

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

type (
	scopeRule    struct{ ruleList }
	anyScopeRule struct{ ruleList }
	roleRule     struct {
		ruleList
		any bool
	}
	audienceRule struct{ ruleList }
	issuerRule   struct{ ruleList }
	clientRule   struct{ ruleList }
	claimRule    struct {
		ruleList
		place place
	}
	noClaimRule struct {
		ruleList
		places []place
	}
	checkRule struct {
		plainRule
		f func(context.Context, *Token) error
	}
	invalidRule struct{ ruleList }
)

// Scope requires all of these scopes (RFC 6749 §3.3); otherwise the response is 403.
// They are named in every challenge of a route with the rule.
func Scope(scopes ...string) Rule { return scopeRule{newScopeList("Scope", scopes)} }

// AnyScope requires at least one of these scopes; otherwise the response is 403. The
// first is named in every challenge of a route with the rule.
func AnyScope(scopes ...string) Rule { return anyScopeRule{newScopeList("AnyScope", scopes)} }

// Role requires all of these roles (RFC 9068 §2.2.3.1); otherwise the response is 403.
func Role(roles ...string) Rule { return roleRule{newList("Role", roles), false} }

// AnyRole requires at least one of these roles; otherwise the response is 403.
func AnyRole(roles ...string) Rule { return roleRule{newList("AnyRole", roles), true} }

// Audience requires at least one of these audiences in aud (RFC 7519 §4.1.3); otherwise
// the response is 401. Each must be in the Audiences of a Config, and it counts only
// for tokens of that Config's issuer.
func Audience(audiences ...string) Rule { return audienceRule{newList("Audience", audiences)} }

// Issuer requires a token of one of these issuers, which must all be configured;
// otherwise the response is 401.
func Issuer(issuers ...string) Rule { return issuerRule{newList("Issuer", issuers)} }

// Client requires a token that was issued to one of these clients; otherwise the
// response is 403. A client id is unique only within its issuer. With several issuers,
// put the rule into that issuer's [Config.Rules], or an [Issuer] rule beside it.
func Client(ids ...string) Rule { return clientRule{newList("Client", ids)} }

// Claim requires that the claim at a place (a name or a JSON Pointer, as in [Claims])
// equals one of these values or is an array of strings that contains one; otherwise the
// response is 403. A boolean equals "true" or "false". A number equals its text in the
// token, so that 1 and 1.0 differ. An array with other elements than strings matches
// nothing.
func Claim(place string, values ...string) Rule {
	r := claimRule{ruleList: newList("Claim", values)}
	var err error
	if r.place, err = newPlace(place); err != nil {
		r.wrong = fmt.Errorf("rule Claim: %w", err)
	}
	return r
}

// NoClaim requires that the token has no claim at any of these places (names or JSON
// Pointers, as in [Claims]); otherwise the response is 403. A claim that is null is
// absent.
func NoClaim(places ...string) Rule {
	r := noClaimRule{ruleList: newList("NoClaim", places)}
	for _, name := range places {
		p, err := newPlace(name)
		if err != nil {
			r.wrong = fmt.Errorf("rule NoClaim: %w", err)
		}
		r.places = append(r.places, p)
	}
	return r
}

// Check makes a rule of f, which returns nil if the token passes. An [*Error] that f
// returns is the response. An error that wraps a reason of this package, such as
// [ErrRevoked] or [ErrUnavailable], is a refusal for that reason (of several, the first
// in their list); any other error is a refusal for [ErrDenied]. The error is the cause.
//
// f is called concurrently, and only with verified tokens. [FromContext] returns the
// same token from its context. Two Checks are equal only if they are one: see
// [Settings.Tenants].
func Check(f func(context.Context, *Token) error) Rule { return &checkRule{f: f} }

// Invalid is a rule that no [New] accepts: its error is err. A function that
// returns a Config says with it what is wrong with its arguments; in
// [Config.With], err comes before anything else that is wrong with the Config.
func Invalid(err error) Rule {
	if err == nil {
		err = errors.New("rule Invalid: it needs an error")
	}
	return invalidRule{ruleList{wrong: err}}
}

// A ruleList is the common part of rules with a list of strings.
type ruleList struct {
	values []string
	wrong  error // why the rule cannot work, or nil
}

func newList(rule string, values []string) ruleList {
	l := ruleList{values: slices.Clone(values)}
	switch {
	case len(values) == 0:
		l.wrong = fmt.Errorf("rule %s: the list is empty", rule)
	case slices.Contains(values, ""):
		l.wrong = fmt.Errorf("rule %s: there is an empty string in the list", rule)
	}
	return l
}

func newScopeList(rule string, scopes []string) ruleList {
	l := newList(rule, scopes)
	for _, s := range scopes {
		if l.wrong == nil && !isScopeToken(s) {
			l.wrong = fmt.Errorf("rule %s: %s is not one scope (RFC 6749 section 3.3)", rule, quote(s))
		}
	}
	return l
}

func (l ruleList) misconfigured(*api) error { return l.wrong }
func (ruleList) traits() traits             { return 0 }
func (ruleList) challenge() []string        { return nil }
func (ruleList) audiences() []string        { return nil }

// A plainRule is the common part of rules without a list.
type plainRule struct{}

func (plainRule) misconfigured(*api) error { return nil }
func (plainRule) traits() traits           { return 0 }
func (plainRule) challenge() []string      { return nil }
func (plainRule) audiences() []string      { return nil }

func (r scopeRule) check(_ context.Context, t *Token) *Error {
	for _, s := range r.values {
		if !t.HasScope(s) {
			return t.wrongScope(r.values, r.challenge())
		}
	}
	return nil
}

func (r scopeRule) challenge() []string { return r.values }

func (r anyScopeRule) check(_ context.Context, t *Token) *Error {
	if slices.ContainsFunc(r.values, t.HasScope) {
		return nil
	}
	return t.wrongScope(r.values, r.challenge())
}

// challenge returns only the first scope: a client that requested all of them would
// request more than it needs.
func (r anyScopeRule) challenge() []string { return r.values[:min(1, len(r.values))] }

func (r roleRule) check(_ context.Context, t *Token) *Error {
	found := 0
	for _, role := range r.values {
		if t.HasRole(role) {
			found++
		}
	}
	if found == len(r.values) || r.any && found > 0 {
		return nil
	}
	held := "no role"
	if roles := t.Roles(); len(roles) > 0 {
		held = "the roles " + quoteList(roles)
	}
	return refusal(ErrDenied, "the token has %s in %s; the rule requires %s", held, t.policy.roles, quoteList(r.values))
}

func (r audienceRule) check(_ context.Context, t *Token) *Error {
	for _, a := range r.values {
		if slices.Contains(t.audience, a) && t.policy.hasAudience(a) {
			return nil
		}
	}
	return t.wrongAudience("the rule requires", r.values)
}

func (r audienceRule) misconfigured(api *api) error {
	for _, a := range r.values {
		if r.wrong == nil && api != nil && !api.hasAudience(a) {
			return fmt.Errorf("rule Audience(%s): no Config.Audiences lists it%s", quote(a), api.likelyAudience(a))
		}
	}
	return r.wrong
}

func (audienceRule) traits() traits { return checkedFirst }

func (r audienceRule) audiences() []string { return r.values }

func (r issuerRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r.values, t.issuer) {
		return nil
	}
	return refusal(ErrIssuer, "iss is %s; the rule requires one of %q", quote(t.issuer), r.values)
}

func (r issuerRule) misconfigured(api *api) error {
	for _, i := range r.values {
		if r.wrong == nil && api != nil && !api.trusts(i) {
			return fmt.Errorf("rule Issuer(%s): not a trusted issuer; configured are %q", quote(i), slices.Sorted(maps.Keys(api.policies)))
		}
	}
	return r.wrong
}

func (issuerRule) traits() traits { return checkedFirst | namesIssuer }

func (r clientRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r.values, t.clientID) {
		return nil
	}
	return t.wrongClient(r.values)
}

func (clientRule) traits() traits { return needsIssuer }

func (r claimRule) check(_ context.Context, t *Token) *Error {
	value := t.members().At(r.place.path)
	switch {
	case value == "":
		return refusal(ErrDenied, "there is no claim %s", quote(r.place.name))
	case strings.IndexByte(`"[{`, value[0]) < 0: // a number, true or false
		if slices.Contains(r.values, value) {
			return nil
		}
	default:
		found := false
		err := jose.EachString(value, func(quoted string) { found = found || slices.Contains(r.values, jose.Unquote(quoted)) })
		if err == nil && found {
			return nil
		}
	}
	if s, err := jose.StringValue(value); err == nil {
		value = s
	}
	return refusal(ErrDenied, "claim %s is %s, not one of %s", quote(r.place.name), quote(value), quoteList(r.values))
}

func (r noClaimRule) check(_ context.Context, t *Token) *Error {
	for _, p := range r.places {
		if t.members().At(p.path) != "" {
			return refusal(ErrDenied, "the token has the claim %s", quote(p.name))
		}
	}
	return nil
}

// check is never reached, since a rule that is misconfigured is not asked.
func (r invalidRule) check(context.Context, *Token) *Error { return &Error{Err: r.wrong} }

func (r *checkRule) check(ctx context.Context, t *Token) *Error {
	if inContext, _ := FromContext(ctx); inContext != t {
		ctx = NewContext(ctx, t) // hides an outer token
	}
	err := r.f(ctx, t)
	if err == nil {
		return nil
	}
	e := asRefusal(err, ErrDenied)
	e.api = nil // if f used another Verifier, the challenge is still this one's
	return e
}

func (*checkRule) traits() traits { return callsFunction }

func (r *checkRule) misconfigured(*api) error {
	if r.f == nil {
		return errors.New("rule Check: it needs a function")
	}
	return nil
}
