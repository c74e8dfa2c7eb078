package verifier

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// Hints are added to the cause of a refusal, which operators read and clients do
// not: beside the two values that differ, the mistake that most often makes them
// differ.

// sameButSlash reports whether a and b differ in a slash at the end alone.
func sameButSlash(a, b string) bool {
	return a != b && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

const slashHint = ": they differ in the slash at the end"

// wrongIssuer is for a token of an issuer that is not configured. It looks up the
// spellings that are likely, since there may be thousands of issuers.
func (all policies) wrongIssuer(iss string) *Error {
	for _, likely := range likelyIssuers(iss) {
		if all[likely.issuer] != nil {
			return refusal(ErrIssuer, "iss is %s, configured is %q%s", quote(iss), likely.issuer, likely.hint)
		}
	}
	if len(all) == 1 {
		for configured := range all {
			return refusal(ErrIssuer, "iss is %s, configured is %q", quote(iss), configured)
		}
	}
	return refusal(ErrIssuer, "iss is %s, which is none of the %d configured", quote(iss), len(all))
}

type likelyIssuer struct{ issuer, hint string }

// likelyIssuers returns what may be configured where a token says iss.
func likelyIssuers(iss string) []likelyIssuer {
	if len(iss) > maxQuoted {
		return nil
	}
	slashed := likelyIssuer{iss + "/", slashHint}
	if short, ok := strings.CutSuffix(iss, "/"); ok {
		slashed.issuer = short
	}
	all := []likelyIssuer{slashed}
	if rest, ok := strings.CutPrefix(iss, "http://"); ok {
		all = append(all, likelyIssuer{"https://" + rest, ": one is http, the other https"})
	}
	if rest, ok := strings.CutPrefix(iss, "https://"); ok {
		all = append(all, likelyIssuer{"http://" + rest, ": one is http, the other https"})
	}
	// Microsoft Entra ID names a tenant by the version of its tokens.
	const v1, v2, version = "https://sts.windows.net/", "https://login.microsoftonline.com/", "v2.0"
	if tenant, ok := strings.CutPrefix(iss, v1); ok {
		all = append(all, likelyIssuer{v2 + tenant + version, ": a token of Entra ID's version 1.0, where 2.0 is configured"})
	}
	if tenant, ok := strings.CutPrefix(strings.TrimSuffix(iss, version), v2); ok {
		all = append(all, likelyIssuer{v1 + tenant, ": a token of Entra ID's version 2.0, where 1.0 is configured"})
	}
	return all
}

// wrongAudience is for a token that is for none of the audiences demanded. It
// looks at the first few of each: anybody can cause it, and there may be many.
func (c *registeredClaims) wrongAudience(whose string, demanded []string) *Error {
	const few = 8
	more := ""
	if n := len(demanded) - few; n > 0 {
		demanded, more = demanded[:few], fmt.Sprintf(" and %d more", n)
	}
	if len(c.audience) == 0 {
		return refusal(ErrAudience, "the token has no aud, %s %q%s", whose, demanded, more)
	}
	hint := ""
	for _, a := range c.audience[:min(few, len(c.audience))] {
		if slices.ContainsFunc(demanded, func(d string) bool { return sameButSlash(a, d) }) {
			hint = slashHint
		}
	}
	return refusal(ErrAudience, "aud is %s, %s %q%s%s", quoteList(c.audience), whose, demanded, more, hint)
}

func (p *issuerPolicy) wrongAlgorithm(alg string) *Error {
	return refusal(ErrAlgorithm, "alg is %s, not one of %s", quote(alg), strings.Join(slices.Sorted(maps.Keys(p.algorithms)), ", "))
}

func (p *issuerPolicy) wrongType(h *jose.Header) *Error {
	is := quote(h.Typ)
	if !h.HasTyp {
		is = "missing"
	}
	return refusal(ErrType, "typ is %s, not one of %q: see Config.Types", is, p.types)
}

// clockHint compares iat with this machine's clock: a token from the future was
// made by a clock that is ahead, or is read by one that is behind.
func (c *registeredClaims) clockHint(now time.Time) string {
	if c.issuedAt.IsZero() || !c.issuedAt.After(now) {
		return ""
	}
	return fmt.Sprintf("; iat is %s ahead of this machine's clock", c.issuedAt.Sub(now).Round(time.Second))
}

// dateHint returns err with what may explain a date out of range: servers have
// sent milliseconds.
func dateHint(o jose.Object, name string, err error) error {
	if err != errRange { // the length of other values is not bounded
		return err
	}
	if f, parseErr := strconv.ParseFloat(o.Value(name), 64); parseErr == nil && f > 0 && f/1000 < lastDate {
		return fmt.Errorf("%w: in milliseconds?", err)
	}
	return err
}

// wrongScope is for a token that lacks scopes. It says where the token has them,
// if that is a claim of the common names that is not configured.
func (t *Token) wrongScope(scopes, challenge []string) *Error {
	all := t.policy.scopes
	elsewhere := ""
	for _, name := range []string{"permissions", "roles", "scope", "scp", "scopes", "groups"} {
		has := false
		if !all.contain(name) {
			_ = jose.EachString(t.members().Value(name), func(quoted string) {
				has = has || slices.ContainsFunc(scopes, func(scope string) bool {
					return !t.HasScope(scope) && slices.Contains(strings.Split(jose.Unquote(quoted), " "), scope)
				})
			})
		}
		if has {
			elsewhere = fmt.Sprintf(", but %s has it: see Config.Claims.Scopes", name)
			break
		}
	}
	err := refusal(ErrScope, "the token has %s in %s; the rule requires %s%s", quoteList(t.scopes), all, quoteList(scopes), elsewhere)
	err.Scopes, err.challengeScopes = slices.Clone(scopes), challenge
	return err
}

// wrongClient is for a token of a client that a rule does not name, or of none.
func (t *Token) wrongClient() *Error {
	if t.clientID != "" {
		return refusal(ErrDenied, "client %s is not on the list", quote(t.clientID))
	}
	elsewhere := ""
	for _, name := range []string{"client_id", "azp", "cid", "appid"} {
		if id, err := t.members().String(name); err == nil && id != "" {
			elsewhere = fmt.Sprintf(", but %s is %s: see Config.Claims.ClientID", name, quote(id))
			break
		}
	}
	return refusal(ErrDenied, "no client id found in %s%s", t.policy.clientID, elsewhere)
}

// quoteList is quote for the values of a claim.
func quoteList(values []string) string {
	var text strings.Builder
	for i, v := range values {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(v[:min(len(v), maxQuoted)])
		if text.Len() > maxQuoted {
			break
		}
	}
	return quote(text.String())
}
