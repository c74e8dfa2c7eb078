package verifier

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Verify checks raw, a token without its "Bearer", and then rules. The error is
// an [*Error]. A token that is bound to a sender's key (RFC 7800) is refused:
// there is no request to confirm it against. Most programs want
// [Verifier.Authenticate] or an adapter.
func (v *Verifier) Verify(ctx context.Context, raw string, rules ...Rule) (*Token, error) {
	t, err := v.verifyWith(ctx, raw, rules)
	if err != nil {
		return nil, v.answer(err)
	}
	return t, nil
}

func (v *Verifier) verifyWith(ctx context.Context, raw string, rules []Rule) (*Token, *Error) {
	if err := v.checkRules(rules); err != nil {
		return nil, &Error{Err: err}
	}
	return v.verify(ctx, raw, rules)
}

// verify is the way of a token, cheapest checks first. Whatever needs no key
// comes before the key, so that "cannot tell" is said only of tokens that
// nothing else refuses.
func (v *Verifier) verify(ctx context.Context, raw string, rules []Rule) (*Token, *Error) {
	c, err := parse(raw, v.lengthAtMost)
	if err != nil {
		return nil, err
	}
	t, err := readClaims(c)
	if err != nil {
		return nil, err
	}
	// With the longest leeway of all issuers: the answer tells nothing of whom
	// we trust.
	now := time.Now()
	if err := t.checkTimes(now, v.leeway); err != nil {
		return nil, err
	}
	trust := v.trusts[t.issuer]
	if trust == nil {
		return nil, v.unknownIssuer(t.issuer)
	}
	t.verifier, t.trust = v, trust
	alg := trust.algorithms[c.header.alg]
	if alg == nil {
		return nil, refusal(ErrAlgorithm, "alg is %s", quote(c.header.alg))
	}
	if err := t.checkTimes(now, trust.leeway); err != nil {
		err.vague = true
		return nil, err
	}
	if err := trust.checkClaims(c.header, t); err != nil {
		return nil, err
	}
	if err := trust.verifySignature(ctx, c, alg); err != nil {
		return nil, err
	}
	if err := apply(ctx, t, trust.rules, rules); err != nil {
		return nil, err
	}
	return t, nil
}

// unknownIssuer names the commonest mistake, for the operator.
func (v *Verifier) unknownIssuer(iss string) *Error {
	other, slashed := strings.CutSuffix(iss, "/")
	if !slashed {
		other = iss + "/"
	}
	if v.trusts[other] != nil {
		return refusal(ErrIssuer, "iss is %s, configured is %q: they differ in the slash at the end", quote(iss), other)
	}
	if len(v.trusts) == 1 {
		for configured := range v.trusts {
			return refusal(ErrIssuer, "iss is %s, configured is %q", quote(iss), configured)
		}
	}
	return refusal(ErrIssuer, "iss is %s, which is none of the %d configured", quote(iss), len(v.trusts))
}

// checkTimes compares exp and nbf with the clock (RFC 7519 §4.1.4, §4.1.5). iat
// is no limit (§4.1.6).
func (t *Token) checkTimes(now time.Time, leeway time.Duration) *Error {
	if !now.Before(t.expiresAt.Add(leeway)) {
		return refusal(ErrExpired, "exp is %s", t.expiresAt.Format(time.RFC3339))
	}
	if now.Add(leeway).Before(t.notBefore) {
		return refusal(ErrNotYetValid, "nbf is %s", t.notBefore.Format(time.RFC3339))
	}
	return nil
}

// checkClaims makes the checks that depend on the issuer's configuration and
// need no key, and fills in what it says of client and scopes.
func (tr *trust) checkClaims(h header, t *Token) *Error {
	if err := tr.checkType(h, t); err != nil {
		return err
	}
	if !tr.anyAudience && !slices.ContainsFunc(t.audience, func(a string) bool { return slices.Contains(tr.audiences, a) }) {
		return refusal(ErrAudience, "aud is %s, configured is %q", quoteList(t.audience), tr.audiences)
	}
	if err := tr.readClient(t); err != nil {
		return err
	}
	if tr.profile {
		if err := t.checkProfile(); err != nil {
			return err
		}
	}
	// Whatever is in cnf (RFC 7800), nothing here can confirm it (RFC 9449
	// §7.2, RFC 8705 §3).
	if t.members().has("cnf") {
		return refusal(ErrBinding, "the token has cnf")
	}
	return nil
}
