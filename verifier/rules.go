package verifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

type (
	scopeRule    struct{ ruleList }
	anyScopeRule struct{ ruleList }
	audienceRule struct{ ruleList }
	issuerRule   struct{ ruleList }
	clientRule   struct{ ruleList }
	claimRule    struct {
		ruleList
		name string
	}
	clientCredentialsRule struct{ plainRule }
	checkRule             struct {
		plainRule
		f func(context.Context, *Token) error
	}
)

// Scope demands all of these scopes (RFC 6749 §3.3), else 403. They stand in
// every challenge of a route that has the rule.
func Scope(scopes ...string) Rule { return scopeRule{newScopeList("Scope", scopes)} }

// AnyScope demands at least one of these scopes, else 403. The first stands in
// every challenge of a route that has the rule.
func AnyScope(scopes ...string) Rule { return anyScopeRule{newScopeList("AnyScope", scopes)} }

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

// ClientCredentials demands that the caller is a machine on its own behalf, not
// a user's delegate (RFC 6749 §4.4), else 403. It never holds without a client
// id. Where [Claims.ClientCredentials] is set, that alone decides. Elsewhere it
// holds when sub equals the client id, or when sub is the client id followed by
// "@clients" and gty is "client-credentials" (Auth0).
//
// That relies on the issuer never letting a user choose a sub that can be a
// client id (RFC 9700 §4.15), as Okta, Keycloak, Entra ID, PingOne, Hydra and
// Duende IdentityServer do not: they need the setting.
func ClientCredentials() Rule { return clientCredentialsRule{} }

// Claim demands that the top-level claim name equals, or as an array contains,
// one of these strings, else 403.
func Claim(name string, values ...string) Rule {
	r := claimRule{newList("Claim", values), name}
	if name == "" {
		r.wrong = errors.New("rule Claim: an empty name can satisfy nothing")
	}
	return r
}

// Check demands what f says: nil lets the token pass, an [*Error] is the answer,
// and an error that wraps one of this package's reasons, such as [ErrRevoked] or
// [ErrUnavailable], is answered as that reason is; of several, as the first in
// their list. Any other error is ErrDenied. Whatever f returned is the cause.
//
// f is called concurrently, and only with tokens that are verified; [FromContext]
// returns the same token from its context.
func Check(f func(context.Context, *Token) error) Rule { return checkRule{f: f} }

// A ruleList is what rules with a list of names have in common.
type ruleList struct {
	values []string
	wrong  error // why nothing could satisfy the rule
}

func newList(rule string, values []string) ruleList {
	l := ruleList{values: slices.Clone(values)}
	switch {
	case len(values) == 0:
		l.wrong = fmt.Errorf("rule %s: an empty list can satisfy nothing", rule)
	case slices.Contains(values, ""):
		l.wrong = fmt.Errorf("rule %s: an empty string can satisfy nothing", rule)
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

func (l ruleList) wiring(*Verifier) error { return l.wrong }
func (ruleList) traits() traits           { return 0 }
func (ruleList) challenge() []string      { return nil }

// A plainRule is what rules without one have in common.
type plainRule struct{}

func (plainRule) wiring(*Verifier) error { return nil }
func (plainRule) traits() traits         { return 0 }
func (plainRule) challenge() []string    { return nil }

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

func (r audienceRule) check(_ context.Context, t *Token) *Error {
	for _, a := range r.values {
		if slices.Contains(t.audience, a) && t.trust.hasAudience(a) {
			return nil
		}
	}
	return t.wrongAudience("the route is for", r.values)
}

func (r audienceRule) wiring(v *Verifier) error {
	for _, a := range r.values {
		if r.wrong == nil && v != nil && !v.hasAudience(a) {
			return fmt.Errorf("rule Audience(%s): no Config.Audiences lists it", quote(a))
		}
	}
	return r.wrong
}

func (audienceRule) traits() traits { return answersFirst }

func (r issuerRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r.values, t.trust.issuer) {
		return nil
	}
	return refusal(ErrIssuer, "the route is for tokens of %q", r.values)
}

func (r issuerRule) wiring(v *Verifier) error {
	for _, i := range r.values {
		if r.wrong == nil && v != nil && v.trusts[i] == nil {
			return fmt.Errorf("rule Issuer(%s): not a trusted issuer", quote(i))
		}
	}
	return r.wrong
}

func (issuerRule) traits() traits { return answersFirst | namesIssuer }

func (r clientRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r.values, t.clientID) {
		return nil
	}
	return t.wrongClient()
}

func (clientRule) traits() traits { return needsIssuer }

func (r claimRule) check(_ context.Context, t *Token) *Error {
	found := false
	err := t.members().strings(r.name, func(v string) { found = found || slices.Contains(r.values, v) })
	if err == nil && found {
		return nil
	}
	if t.members().get(r.name) == "" {
		return refusal(ErrDenied, "there is no claim %s", quote(r.name))
	}
	return refusal(ErrDenied, "claim %s has none of the values demanded", quote(r.name))
}

var machineAtAuth0 = Claim("gty", "client-credentials")

func (clientCredentialsRule) check(ctx context.Context, t *Token) *Error {
	switch id := t.clientID; {
	case id == "":
	case t.trust.machine != nil:
		return t.trust.machine.check(ctx, t)
	case t.subject == id:
		return nil
	case t.subject == id+"@clients":
		return machineAtAuth0.check(ctx, t)
	}
	return refusal(ErrDenied, "sub %s is not the client id %s, so the token may be a user's: see Config.Claims.ClientCredentials", quote(t.subject), quote(t.clientID))
}

func (r checkRule) check(ctx context.Context, t *Token) *Error {
	if judged, _ := FromContext(ctx); judged != t {
		ctx = NewContext(ctx, t) // not an outer layer's
	}
	err := r.f(ctx, t)
	if err == nil {
		return nil
	}
	e := asError(err)
	e.verifier = nil // if f asked another one, the challenge is still this one's
	return e
}

func (r checkRule) wiring(*Verifier) error {
	if r.f == nil {
		return errors.New("rule Check: it needs a function")
	}
	return nil
}

// isScopeToken reports whether s is a scope-token (RFC 6749 §3.3): printable
// ASCII without space, quotation mark and backslash.
func isScopeToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}
