package verifier

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// Hints are part of the cause of a refusal, for operators: after the two values that
// differ, the most likely mistake.

// sameButSlash reports whether a and b differ only in a slash at the end.
func sameButSlash(a, b string) bool {
	return a != b && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

const slashHint = ": they differ in the slash at the end"

// wrongIssuer returns the refusal of a token of an issuer that is not configured. It
// looks up likely spellings instead of comparing all issuers, of which there may be
// thousands.
func (a *api) wrongIssuer(iss string) *Error {
	all := a.policies
	for _, likely := range likelyIssuers(iss) {
		if all[likely.issuer] != nil {
			return refusal(ErrIssuer, "iss is %s, configured is %q%s", quote(iss), likely.issuer, likely.hint)
		}
	}
	if a.tenants != nil {
		return refusal(ErrIssuer, "iss is %s, which Settings.Tenants does not know, nor is it one of the %d configured", quote(iss), len(all))
	}
	if len(all) == 1 {
		for configured := range all {
			return refusal(ErrIssuer, "iss is %s, configured is %q", quote(iss), configured)
		}
	}
	return refusal(ErrIssuer, "iss is %s, which is none of the %d configured", quote(iss), len(all))
}

type likelyIssuer struct{ issuer, hint string }

// likelyIssuers returns issuers that may be configured where a token has iss.
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
	// Microsoft Entra ID has an issuer for each version of its tokens.
	const v1, v2, version = "https://sts.windows.net/", "https://login.microsoftonline.com/", "v2.0"
	if tenant, ok := strings.CutPrefix(iss, v1); ok {
		all = append(all, likelyIssuer{v2 + tenant + version, ": a token of Entra ID's version 1.0, where 2.0 is configured"})
	}
	if tenant, ok := strings.CutPrefix(strings.TrimSuffix(iss, version), v2); ok {
		all = append(all, likelyIssuer{v1 + tenant, ": a token of Entra ID's version 2.0, where 1.0 is configured"})
	}
	return all
}

// wrongAudience returns the refusal of a token that is for none of the expected
// audiences. It compares the first few, since there may be many, and unauthenticated
// clients can cause it.
func (c *registeredClaims) wrongAudience(whose string, expected []string) *Error {
	const few = 8
	more := ""
	if n := len(expected) - few; n > 0 {
		expected, more = expected[:few], fmt.Sprintf(" and %d more", n)
	}
	if len(c.audience) == 0 {
		return refusal(ErrAudience, "the token has no aud, %s %q%s", whose, expected, more)
	}
	hint := ""
	for _, a := range c.audience[:min(few, len(c.audience))] {
		if slices.ContainsFunc(expected, func(e string) bool { return sameButSlash(a, e) }) {
			hint = slashHint
		}
	}
	return refusal(ErrAudience, "aud is %s, %s %q%s%s", quoteList(c.audience), whose, expected, more, hint)
}

func (p *issuerPolicy) wrongAlgorithm(alg string) *Error {
	return refusal(ErrAlgorithm, "alg is %s, not one of %s", quote(alg), strings.Join(p.algorithmNames(), ", "))
}

func (p *issuerPolicy) algorithmNames() []string { return slices.Sorted(maps.Keys(p.algorithms)) }

func (p *issuerPolicy) wrongType(h *jose.Header) *Error {
	is := quote(h.Typ)
	if !h.HasTyp {
		is = "missing"
	}
	return refusal(ErrType, "typ is %s, not one of %q: see Config.Types", is, p.types)
}

// clockHint compares iat with this machine's clock. If iat is in the future, one of
// the two clocks is wrong.
func (c *registeredClaims) clockHint(now time.Time) string {
	if !c.issuedAt.After(now) {
		return ""
	}
	return fmt.Sprintf("; iat is %s ahead of this machine's clock", c.issuedAt.Sub(now).Round(time.Second))
}

// dateHint adds a likely reason to jose.ErrRange: servers have sent milliseconds.
func dateHint(o jose.Object, name string, err error) error {
	if err != jose.ErrRange { // the length of other values is not bounded
		return err
	}
	if f, _ := strconv.ParseFloat(o.Value(name), 64); !math.Signbit(f) && f/1000 <= jose.LastDate {
		return fmt.Errorf("%w: in milliseconds?", err)
	}
	return err
}

// wrongScope returns the refusal of a token that lacks scopes. If another claim with a
// common name has them, it names that claim.
func (t *Token) wrongScope(scopes, challenge []string) *Error {
	all := t.policy.scopes
	elsewhere, missing := "", slices.DeleteFunc(slices.Clone(scopes), t.HasScope)
	for _, name := range []string{"permissions", "roles", "scope", "scp", "scopes", "groups"} {
		has := false
		if !all.contain(name) {
			_ = jose.EachString(t.members().Value(name), func(quoted string) {
				for scope := range words(jose.Unquote(quoted)) {
					has = has || slices.Contains(missing, scope)
				}
			})
		}
		if has {
			elsewhere = fmt.Sprintf(", but %s has it: see Config.Claims.Scopes", name)
			break
		}
	}
	held := quoteList(t.scopes)
	if len(t.scopes) == 0 {
		held = "no scope"
	}
	err := refusal(ErrScope, "the token has %s in %s; the rule requires %s%s", held, all, quoteList(scopes), elsewhere)
	err.Scopes, err.challengeScopes = slices.Clone(scopes), challenge
	return err
}

// wrongClient returns the refusal of a token whose client a rule does not name, or
// that has no client id.
func (t *Token) wrongClient(required []string) *Error {
	if t.clientID != "" {
		return refusal(ErrDenied, "client %s is not one of %s", quote(t.clientID), quoteList(required))
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

// quoteList quotes the values of a claim as one text.
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
