package verifier

import (
	"context"
	"net/http"
	"time"
)

// A call is the input of one decision. The route's rules are passed separately,
// because in a field they would be copied to the heap.
type call struct {
	ctx     context.Context
	request *http.Request // nil under Verify
	raw     string        // the token, under Verify

	rulesChecked bool     // the Guard called checkRules when it was made
	optional     bool     // a request without credential is admitted
	route        *route   // of the rules; set if rulesChecked
	scheme       *Binding // that the token was sent with; nil is Bearer
}

// A grant is the result of a decision that admits the request.
type grant struct {
	token *Token      // nil if no token was sent, in an optional call
	proof *possession // of a bound token
}

// A possession is what confirms a bound token. It is apart from the grant, so that other
// tokens do not pay for it.
type possession struct {
	scheme    string // that the token was sent with; "" is Bearer
	confirmed []Confirmation
}

// all returns the confirmations of p, which may be nil.
func (p *possession) all() []Confirmation {
	if p == nil {
		return nil
	}
	return p.confirmed
}

// schemeOf returns the scheme of a binding, "" for none.
func schemeOf(b *Binding) string {
	if b == nil {
		return ""
	}
	return b.Scheme
}

// decide turns every credential into an admission or a refusal. A refusal is
// completed and logged here, and both are observed.
func (v *Verifier) decide(c call, rules []Rule) (grant, *Error) {
	var m measured
	if v.api.observe != nil {
		m.began = time.Now()
	}
	g, err := v.judge(&c, rules, &m)
	if err != nil {
		rt := c.route
		if rt == nil {
			own := v.api.route(rules)
			rt = &own
		}
		err = v.api.complete(err, rt, schemeOf(c.scheme))
		v.api.logRefusal(c.ctx, err)
	}
	if v.api.observe != nil {
		v.api.report(c.ctx, c.observed(&m), g.token, err)
	}
	return g, err
}

// judge runs the cheapest checks first. Of a token that was verified before, it checks
// only what may have changed since.
func (v *Verifier) judge(c *call, rules []Rule, m *measured) (g grant, err *Error) {
	raw, scheme := c.raw, (*Binding)(nil)
	if c.request != nil {
		if raw, scheme, err = v.readCredential(c.request); err != nil {
			if c.optional && err.Reason == ErrNoToken {
				err = nil
			}
			return g, err
		}
		c.scheme = scheme
	}
	if !c.rulesChecked {
		err := checkRules(rules, v.api)
		if err == nil && c.request != nil {
			err = v.api.checkResource(rules)
		}
		if err != nil {
			return g, configurationError(err)
		}
	}
	if len(raw) > v.maxTokenLength {
		return g, v.tooLong
	}
	now := m.began // one reading of the clock serves all checks
	if now.IsZero() {
		now = time.Now()
	}
	t, err := v.lookupCached(c.ctx, raw, now)
	if t != nil {
		m.issuer = t.policy.issuer
	}
	if err != nil {
		if v.api.observe != nil {
			m.keyLookup = time.Since(now) // it is what failed
		}
		return g, err
	}
	if t != nil {
		m.remembered = true
		if g.proof, err = v.admit(c.ctx, c.request, scheme, t, rules); err == nil {
			g.token = t
		}
		return g, err
	}
	d := evaluation{Verifier: v, ctx: c.ctx, request: c.request, raw: raw, scheme: scheme, now: now}
	for s := stepParse; s < stepEnd && err == nil; s++ {
		err = d.run(s, rules)
	}
	if v.api.observe != nil {
		m.issuer, m.keyLookup, m.signature = d.trustedIssuer(), d.keyLookup, d.signature
	}
	if d.work.free(); err == nil {
		g.token, g.proof = d.token, d.proof
	}
	return g, err
}

// admit runs the checks that are never skipped, on a verified token. Rules find the
// token in their context. A proof is marked as used last, so that a request which is
// refused does not use it up.
func (v *Verifier) admit(ctx context.Context, r *http.Request, scheme *Binding, t *Token, rules []Rule) (proof *possession, err *Error) {
	if v.api.bindings != nil || t.bound {
		if proof, err = v.api.confirm(r, scheme, t); err != nil {
			return nil, err
		}
	}
	if v.api.revocation != nil {
		if err := v.api.checkRevocation(ctx, t); err != nil {
			return nil, err
		}
	}
	if err := applyRules(ctx, t, t.policy.rules, rules); err != nil || proof == nil {
		return nil, err
	}
	if err := record(ctx, t, proof.confirmed); err != nil {
		return nil, err
	}
	return proof, nil
}
