package verifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A Rule is a demand on a verified token. Rules only ever narrow: each is
// checked besides all others, and means the same in [Config], in Protect and in
// [Require], in any order. Of several that fail, those on issuer and audience
// answer first. Build rules once, at wiring: an empty name panics.
//
// The interface is sealed; [Check] extends it.
type Rule interface {
	check(ctx context.Context, t *Token) *Error
}

type (
	scopeRule    []string
	anyScopeRule []string
	audienceRule []string
	issuerRule   []string
	clientRule   []string
	machineRule  struct{}
	claimRule    struct {
		name   string
		values []string
	}
	checkRule func(context.Context, *Token) error
)

// Scope demands all of these scopes (RFC 6749 §3.3), else 403 with their names.
func Scope(first string, more ...string) Rule {
	return scopeRule(scopes("Scope", first, more))
}

// AnyScope demands at least one of these scopes, else 403 with their names.
func AnyScope(first string, more ...string) Rule {
	return anyScopeRule(scopes("AnyScope", first, more))
}

// Audience demands that the token is for at least one of these audiences (RFC
// 7519 §4.1.3), else 401. Each must be one that the configuration lists, or
// wiring panics; and it counts only for tokens of an issuer that was configured
// with it.
func Audience(first string, more ...string) Rule {
	return audienceRule(names("Audience", first, more))
}

// Issuer demands a token of one of these issuers, else 401.
func Issuer(first string, more ...string) Rule {
	return issuerRule(names("Issuer", first, more))
}

// Client demands that the token was issued to one of these clients, else 403. A
// client id is unique within its issuer only: where several issuers are trusted
// it needs an [Issuer] rule beside it, or its place in that issuer's
// [Config.Rules], or wiring panics.
func Client(first string, more ...string) Rule {
	return clientRule(names("Client", first, more))
}

// ClientCredentials demands that the caller is a machine on its own behalf, not
// a user's delegate (RFC 6749 §4.4), else 403. That holds when sub equals the
// client id, when sub is the client id followed by "@clients" and gty is
// "client-credentials" (Auth0), or when [Claims.ClientCredentials] says so.
//
// It relies on the issuer never letting a user choose a sub that can be a
// client id (RFC 9700 §4.15). Keycloak and Entra ID give service accounts a sub
// of their own and need that setting.
func ClientCredentials() Rule { return machineRule{} }

// Claim demands that the top-level claim name equals, or as an array contains,
// one of these strings, else 403.
func Claim(name, first string, more ...string) Rule {
	return claimRule{names("Claim", name, nil)[0], names("Claim", first, more)}
}

// Check demands what f says: nil lets the token pass, an [*Error] is the
// answer, and any other error is ErrDenied with that cause. f is called
// concurrently, and only with tokens that are verified.
func Check(f func(context.Context, *Token) error) Rule {
	if f == nil {
		panic("verifier: Check needs a function")
	}
	return checkRule(f)
}

// Require applies rules to the token in ctx: for handlers whose demands depend
// on the request. The error is an [*Error]: 401 inside Optional when no token
// came, 500 (a wiring bug) outside Protect and Optional.
func Require(ctx context.Context, rules ...Rule) error {
	if err := require(ctx, rules); err != nil {
		return AsError(ctx, err)
	}
	return nil
}

func require(ctx context.Context, rules []Rule) *Error {
	t, guarded := ctx.Value(contextKey{}).(*Token)
	switch {
	case !guarded:
		return refusal(nil, "Require outside Protect and Optional")
	case !t.verified():
		return &Error{Reason: ErrNoToken}
	}
	if err := t.verifier.checkRules(rules); err != nil {
		return &Error{Err: err}
	}
	return apply(ctx, t, rules)
}

// apply checks who issued the token for whom before what the client may do.
func apply(ctx context.Context, t *Token, lists ...[]Rule) *Error {
	for _, first := range []bool{true, false} {
		for _, rules := range lists {
			for _, r := range rules {
				if setup(r) != first {
					continue
				}
				if err := r.check(ctx, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func setup(r Rule) bool {
	switch r.(type) {
	case issuerRule, audienceRule:
		return true
	}
	return false
}

func (r scopeRule) check(_ context.Context, t *Token) *Error {
	for _, s := range r {
		if !t.HasScope(s) {
			return lacking(r, t)
		}
	}
	return nil
}

func lacking(scopes []string, t *Token) *Error {
	return &Error{Reason: ErrScope, Scopes: slices.Clone(scopes), Err: fmt.Errorf("the token has %s", quoteList(t.scopes))}
}

func (r anyScopeRule) check(_ context.Context, t *Token) *Error {
	if slices.ContainsFunc(r, t.HasScope) {
		return nil
	}
	return lacking(r, t)
}

func (r audienceRule) check(_ context.Context, t *Token) *Error {
	for _, a := range r {
		if slices.Contains(t.audience, a) && slices.Contains(t.trust.audiences, a) {
			return nil
		}
	}
	return refusal(ErrAudience, "aud is %s, the route is for %q", quoteList(t.audience), []string(r))
}

func (r issuerRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r, t.trust.issuer) {
		return nil
	}
	return refusal(ErrIssuer, "the route is for tokens of %q", []string(r))
}

func (r clientRule) check(_ context.Context, t *Token) *Error {
	if slices.Contains(r, t.clientID) {
		return nil
	}
	return refusal(ErrDenied, "client %s is not on the list", quote(t.clientID))
}

func (machineRule) check(ctx context.Context, t *Token) *Error {
	switch id := t.clientID; {
	case id == "":
	case t.subject == id:
		return nil
	case t.subject == id+"@clients" && claimRule{"gty", []string{"client-credentials"}}.check(ctx, t) == nil:
		return nil
	case t.trust.machine != nil && t.trust.machine.check(ctx, t) == nil:
		return nil
	}
	return refusal(ErrDenied, "the token is not known to come from a client-credentials grant")
}

func (r claimRule) check(_ context.Context, t *Token) *Error {
	found := false
	err := t.members().strings(r.name, func(v string) { found = found || slices.Contains(r.values, v) })
	if err == nil && found {
		return nil
	}
	if !t.members().has(r.name) {
		return refusal(ErrDenied, "there is no claim %q", r.name)
	}
	return refusal(ErrDenied, "claim %q has none of the values demanded", r.name)
}

func (r checkRule) check(ctx context.Context, t *Token) *Error {
	if err := r(ctx, t); err != nil {
		return asError(err)
	}
	return nil
}

// checkRules finds the rules that could not do what they say under v.
func (v *Verifier) checkRules(rules []Rule) error {
	client, issuer := false, false
	for _, r := range rules {
		switch r := r.(type) {
		case nil:
			return errors.New("a rule is nil")
		case audienceRule:
			for _, a := range r {
				if !v.hasAudience(a) {
					return fmt.Errorf("rule Audience(%q): no Config.Audiences lists it", a)
				}
			}
		case issuerRule:
			issuer = true
			for _, i := range r {
				if v.trusts[i] == nil {
					return fmt.Errorf("rule Issuer(%q): not a trusted issuer", i)
				}
			}
		case clientRule:
			client = true
		}
	}
	if client && !issuer && len(v.trusts) > 1 {
		return errors.New("rule Client: with several issuers it needs an Issuer rule beside it")
	}
	return nil
}

func names(rule, first string, more []string) []string {
	all := append([]string{first}, more...)
	if slices.Contains(all, "") {
		panic("verifier: " + rule + ": an empty string can satisfy nothing")
	}
	return all
}

func scopes(rule, first string, more []string) []string {
	all := names(rule, first, more)
	for _, s := range all {
		if !isScopeToken(s) {
			panic(fmt.Sprintf("verifier: %s: %q is not one scope (RFC 6749 section 3.3)", rule, s))
		}
	}
	return all
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
