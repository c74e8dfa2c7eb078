package verifier

import (
	"context"
	"slices"
	"time"
)

// Verify checks raw, a token without its "Bearer", and then rules. The error is
// an [*Error]. A token that is bound to a sender's key (RFC 7800) is refused:
// there is no request to confirm it against. Most programs want
// [Verifier.Authenticate] or an adapter.
func (v *Verifier) Verify(ctx context.Context, raw string, rules ...Rule) (*Token, error) {
	err := v.checkRouteRules(rules)
	var t *Token
	if err == nil {
		t, err = v.verify(ctx, raw, rules)
	}
	if err != nil {
		return nil, v.refuse(ctx, err, challengeScopes(rules))
	}
	return t, nil
}

// checkRouteRules is checkRules for rules that come with a request.
func (v *Verifier) checkRouteRules(rules []Rule) *Error {
	if err := v.checkRules(rules); err != nil {
		return &Error{Err: err}
	}
	return nil
}

// verify returns the Token of raw, remembered or verified in full, if rules let
// it pass. One reading of the clock serves all of its checks.
func (v *Verifier) verify(ctx context.Context, raw string, rules []Rule) (*Token, *Error) {
	if len(raw) > v.lengthAtMost {
		return nil, v.tooLong
	}
	now := time.Now()
	t, err := v.recall(ctx, raw, now)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return v.verifyAnew(ctx, raw, now, rules)
	}
	if err := apply(ctx, t, t.trust.rules, rules); err != nil {
		return nil, err
	}
	return t, nil
}

// verifyAnew is the whole way of a token, cheapest checks first. Whatever needs
// no key comes before the key, so that "cannot tell" is said only of tokens that
// nothing else refuses; but lists other than aud come after the signature, since
// before it a token costs its length and not what is in it.
func (v *Verifier) verifyAnew(ctx context.Context, raw string, now time.Time, rules []Rule) (*Token, *Error) {
	s := scratches.Get().(*scratch)
	defer s.free()
	c, err := parse(raw, &v.headers, s)
	if err != nil {
		return nil, err
	}
	t := newToken(c.evidence)
	if err := t.readClaims(); err != nil {
		return nil, err
	}
	// With the longest leeway of all issuers: the answer tells nothing of whom
	// we trust.
	if err := t.checkTimes(now, v.leeway); err != nil {
		return nil, err
	}
	trust := v.trusts[t.issuer]
	if trust == nil {
		return nil, v.wrongIssuer(t.issuer)
	}
	t.verifier, t.trust = v, trust
	alg := trust.algorithms[c.header.alg]
	if alg == nil {
		return nil, trust.wrongAlgorithm(c.header.alg)
	}
	if err := t.checkTimes(now, trust.leeway); err != nil {
		err.vague = true
		return nil, err
	}
	if err := trust.checkClaims(now, c.header, t); err != nil {
		return nil, err
	}
	key, err := trust.verifySignature(ctx, now, &c, alg)
	if err != nil {
		return nil, err
	}
	if c.unknown {
		v.headers.remember(c.head, c.header)
	}
	if err := trust.readGrants(t); err != nil {
		return nil, err
	}
	if err := apply(ctx, t, trust.rules, rules); err != nil {
		return nil, err
	}
	if trust.remembered {
		v.tokens.remember(raw, t, key, now)
	}
	return t, nil
}

func (t *Token) expired(now time.Time, leeway time.Duration) bool {
	return !now.Before(t.expiresAt.Add(leeway))
}

func (t *Token) early(now time.Time, leeway time.Duration) bool {
	return now.Add(leeway).Before(t.notBefore)
}

// checkClaims makes the checks that depend on the issuer's configuration and
// need neither a key nor a list but aud.
func (tr *trust) checkClaims(now time.Time, h *header, t *Token) *Error {
	if err := tr.checkType(h, t); err != nil {
		return err
	}
	if !tr.isFor(t) {
		return t.wrongAudience("configured is", tr.audiences)
	}
	if tr.profile {
		if err := t.checkProfile(now); err != nil {
			return err
		}
	}
	// Whatever is in cnf (RFC 7800), nothing here can confirm it (RFC 9449
	// §7.2, RFC 8705 §3).
	if t.bound {
		return refusal(ErrBinding, "the token has cnf")
	}
	return nil
}

// readGrants reads what the signature vouches for and nothing before it needs:
// it is as long as a token may be.
func (tr *trust) readGrants(t *Token) *Error {
	if err := tr.checkPayload(t); err != nil {
		return err
	}
	return tr.readClient(t)
}

// hasAudience reports whether a is configured. A stranger's token can name
// hundreds, so many are not compared one by one.
func (tr *trust) hasAudience(a string) bool {
	if tr.audienceSet != nil {
		return tr.audienceSet[a]
	}
	return slices.Contains(tr.audiences, a)
}

// isFor reports whether t is for one of the audiences configured.
func (tr *trust) isFor(t *Token) bool {
	return tr.anyAudience || slices.ContainsFunc(t.audience, tr.hasAudience)
}
