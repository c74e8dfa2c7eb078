package verifier

import (
	"context"
	"errors"
	"fmt"
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
	clientCredentialsRule struct{ plainRule }
	checkRule             struct {
		plainRule
		f func(context.Context, *Token) error
	}
)

// Scope demands all of these scopes (RFC 6749 §3.3), else 403. They are named in
// every challenge of a route that has the rule.
func Scope(scopes ...string) Rule { return scopeRule{newScopeList("Scope", scopes)} }

// AnyScope demands at least one of these scopes, else 403. The first is named in
// every challenge of a route that has the rule.
func AnyScope(scopes ...string) Rule { return anyScopeRule{newScopeList("AnyScope", scopes)} }

// Role demands all of these roles (RFC 9068 §2.2.3.1), else 403.
func Role(roles ...string) Rule { return roleRule{newList("Role", roles), false} }

// AnyRole demands at least one of these roles, else 403.
func AnyRole(roles ...string) Rule { return roleRule{newList("AnyRole", roles), true} }

// Audience demands that the token is for at least one of these audiences (RFC
// 7519 §4.1.3), else 401. The configuration must list each of them; and one
// counts only for tokens of an issuer that was configured with it.
func Audience(audiences ...string) Rule { return audienceRule{newList("Audience", audiences)} }

// Issuer demands a token of one of these issuers, which are all configured, else
// 401.
func Issuer(issuers ...string) Rule { return issuerRule{newList("Issuer", issuers)} }

// Client demands that the token was issued to one of these clients, else 403. A
// client id is unique within its issuer only: where several issuers are trusted
// it needs an [Issuer] rule beside it, or its place in that issuer's
// [Config.Rules].
func Client(ids ...string) Rule { return clientRule{newList("Client", ids)} }

// ClientCredentials demands that the client acts on its own behalf and not on a
// user's (RFC 6749 §4.4), else 403. A token without a client id never passes.
// Where [Claims.ClientCredentials] is set, that rule alone decides. Elsewhere a
// token passes if sub equals the client id, or if sub is the client id followed by
// "@clients" and gty is "client-credentials" (Auth0).
//
// That relies on the issuer never letting a user choose a sub that can be a
// client id (RFC 9700 §4.15). Okta, Keycloak, Entra ID, PingOne, Hydra and Duende
// IdentityServer have other rules for sub: they need the setting.
func ClientCredentials() Rule { return clientCredentialsRule{} }

// Claim demands that the claim at a place, a name or a JSON Pointer as in
// [Claims], equals one of these values or, as an array, contains one, else 403. A
// boolean equals "true" or "false", and a number the text that the token has for
// it, in which 1 and 1.0 differ; neither counts as the element of an array.
func Claim(place string, values ...string) Rule {
	r := claimRule{ruleList: newList("Claim", values)}
	var err error
	if r.place, err = newPlace(place); err != nil {
		r.wrong = fmt.Errorf("rule Claim: %w", err)
	}
	return r
}

// NoClaim demands that the token has no claim at any of these places, names or
// JSON Pointers as in [Claims], else 403. A claim that is null is absent.
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

// Check demands what f says: nil lets the token pass, an [*Error] is the
// response, and an error that wraps one of this package's reasons, such as
// [ErrRevoked] or [ErrUnavailable], is a refusal for that reason; of several, for
// the first in their list. Any other error is ErrDenied. What f returned is the
// cause.
//
// f is called concurrently, and only with verified tokens; [FromContext] returns
// the same token from its context.
func Check(f func(context.Context, *Token) error) Rule { return checkRule{f: f} }

// A ruleList is what rules with a list of strings have in common.
type ruleList struct {
	values []string
	wrong  error // why nothing could pass the rule
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

func (l ruleList) misconfigured(policies) error { return l.wrong }
func (ruleList) traits() traits                 { return 0 }
func (ruleList) challenge() []string            { return nil }

// A plainRule is what rules without a list have in common.
type plainRule struct{}

func (plainRule) misconfigured(policies) error { return nil }
func (plainRule) traits() traits               { return 0 }
func (plainRule) challenge() []string          { return nil }

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

// challenge returns the first: a client that asked for all of them would ask for
// more than it needs.
func (r anyScopeRule) challenge() []string { return r.values[:min(1, len(r.values))] }

func (r roleRule) check(_ context.Context, t *Token) *Error {
	held := 0
	for _, role := range r.values {
		if t.HasRole(role) {
			held++
		}
	}
	if held == len(r.values) || r.any && held > 0 {
		return nil
	}
	return refusal(ErrDenied, "the token has the roles %s in %s; the rule requires %s", quoteList(t.Roles()), t.policy.roles, quoteList(r.values))
}

func (r audienceRule) check(_ context.Context, t *Token) *Error {
	for _, a := range r.values {
		if slices.Contains(t.audience, a) && t.policy.hasAudience(a) {
			return nil
		}
	}
	return t.wrongAudience("the route is for", r.values)
}

func (r audienceRule) misconfigured(all policies) error {
	for _, a := range r.values {
		if r.wrong == nil && all != nil && !all.hasAudience(a) {
			return fmt.Errorf("rule Audience(%s): no Config.Audiences lists it", quote(a))
		}
	}
	return r.wrong
}

func (audienceRule) traits() traits { return checkedFirst }

func (r issuerRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r.values, t.issuer) {
		return nil
	}
	return refusal(ErrIssuer, "the route is for tokens of %q", r.values)
}

func (r issuerRule) misconfigured(all policies) error {
	for _, i := range r.values {
		if r.wrong == nil && all != nil && all[i] == nil {
			return fmt.Errorf("rule Issuer(%s): not a trusted issuer", quote(i))
		}
	}
	return r.wrong
}

func (issuerRule) traits() traits { return checkedFirst | namesIssuer }

func (r clientRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r.values, t.clientID) {
		return nil
	}
	return t.wrongClient()
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

var machineAtAuth0 = Claim("gty", "client-credentials")

func (clientCredentialsRule) check(ctx context.Context, t *Token) *Error {
	switch id := t.clientID; {
	case id == "":
	case t.policy.clientCredentials != nil:
		return t.policy.clientCredentials.check(ctx, t)
	case t.subject == id:
		return nil
	case t.subject == id+"@clients":
		return machineAtAuth0.check(ctx, t)
	}
	return refusal(ErrDenied, "sub %s is not the client id %s, so the token may be a user's: see Config.Claims.ClientCredentials", quote(t.subject), quote(t.clientID))
}

func (r checkRule) check(ctx context.Context, t *Token) *Error {
	if judged, _ := FromContext(ctx); judged != t {
		ctx = NewContext(ctx, t) // not an outer one
	}
	err := r.f(ctx, t)
	if err == nil {
		return nil
	}
	e := asRefusal(err, ErrDenied)
	e.api = nil // if f asked another Verifier, the challenge is still this one's
	return e
}

func (r checkRule) misconfigured(policies) error {
	if r.f == nil {
		return errors.New("rule Check: it needs a function")
	}
	return nil
}
