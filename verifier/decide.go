package verifier

import (
	"context"
	"crypto"
	"net/http"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A call is what one decision is asked for: may the bearer of this credential do
// what a route does? The route's rules are apart: in here they would be copied to
// the heap.
type call struct {
	ctx     context.Context
	request *http.Request // nil under Verify
	raw     string        // the token, under Verify

	rulesChecked bool     // by checkRules, when the Guard was made
	scopes       []string // that the rules contribute to the challenge, if rulesChecked
	optional     bool     // no credential is needed
}

// An outcome is how a request is let in.
type outcome struct {
	token  *Token      // nil if none came, which only an optional call allows
	header http.Header // what the response gets
}

// decide is the one way from a credential to an admission or a refusal, which is
// completed, logged and observed here.
func (v *Verifier) decide(c call, rules []Rule) (outcome, *Error) {
	o, m, err := v.judge(&c, rules)
	if err != nil {
		if !c.rulesChecked {
			c.scopes = challengeScopes(rules)
		}
		err = v.api.complete(err, c.scopes)
		v.api.logRefusal(c.ctx, err)
	}
	if v.api.observe != nil {
		v.api.tell(c.ctx, observation{measured: m}, o.token, err)
	}
	return o, err
}

// judge has the cheapest checks first. A token that was verified before is
// checked only for what may have changed since.
func (v *Verifier) judge(c *call, rules []Rule) (o outcome, m measured, err *Error) {
	raw, scheme := c.raw, (*binding)(nil)
	if c.request != nil {
		if raw, scheme, err = v.readCredential(c.request); err != nil {
			if c.optional && err.Reason == ErrNoToken {
				err = nil
			}
			return o, m, err
		}
	}
	if !c.rulesChecked {
		if err := configurationError(checkRules(rules, v.api.policies)); err != nil {
			return o, m, err
		}
	}
	if len(raw) > v.maxTokenLength {
		return o, m, v.tooLong
	}
	now := time.Now() // one reading of the clock serves all checks
	t, err := v.lookupCached(c.ctx, raw, now)
	if err != nil {
		return o, m, err
	}
	if t != nil {
		m.remembered = true
		if o.header, err = v.admit(c.ctx, c.request, raw, scheme, t, rules); err == nil {
			o.token = t
		}
		return o, m, err
	}
	d := decision{Verifier: v, ctx: c.ctx, request: c.request, raw: raw, scheme: scheme, now: now}
	for s := stepParse; s < stepEnd && err == nil; s++ {
		err = d.run(s, rules)
	}
	if d.work.free(); err == nil {
		o.token, o.header = d.token, d.header
	}
	return o, d.measured, err
}

// admit makes the checks of a verified token that are never skipped. Rules see
// the token in their context.
func (v *Verifier) admit(ctx context.Context, r *http.Request, raw string, scheme *binding, t *Token, rules []Rule) (h http.Header, err *Error) {
	if t.bound || scheme != nil {
		if h, err = v.api.confirmBinding(r, raw, scheme, t); err != nil {
			return nil, err
		}
	}
	if v.api.revoked != nil {
		if err := v.api.checkRevocation(ctx, t); err != nil {
			return nil, err
		}
	}
	return h, applyRules(ctx, t, t.policy.rules, rules)
}

// A step is one check of a token that was not verified before. They run in their
// order, cheapest first. Checks that need no key run before the key is looked up,
// so that only a token which passes all of them can get 503. Before the signature
// a token costs no more than its length: lists other than aud are read after it.
type step uint8

const (
	stepParse  step = iota // compact JWS, strict JSON
	stepClaims             // registered claims are of their kinds
	stepTimes              // exp and nbf, with the longest leeway
	stepIssuer
	stepAlgorithm
	stepIssuerTimes // exp, nbf and iat as the issuer's Config has it
	stepType
	stepAudience
	stepProfile   // RFC 9068
	stepBound     // a token that nothing can confirm is refused before the key
	stepSignature // key lookup and signature
	stepToken     // from here on there is a Token
	stepAdmit     // binding, revocation, rules
	stepRemember
	stepEnd
)

// A decision is what the steps of one token find. It stays on the stack.
type decision struct {
	*Verifier
	ctx       context.Context
	request   *http.Request // nil under Verify
	raw       string
	scheme    *binding // that the credential came with, nil for Bearer
	now       time.Time
	work      *workspace
	policy    *issuerPolicy
	algorithm *jose.Algorithm
	key       crypto.PublicKey
	token     *Token
	header    http.Header
	measured
}

// A workspace is what a token is read into. It is used again for other tokens.
type workspace struct {
	buffer jose.Buffer
	jws    jose.Compact
	claims unverifiedClaims
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// maxWorkspace is how large a workspace is kept for the next token, in bytes:
// enough for any token of the default length.
const maxWorkspace = 2 * defaultMaxTokenLength

func (w *workspace) free() {
	w.jws, w.claims = jose.Compact{}, unverifiedClaims{}
	if w.buffer.Size() <= maxWorkspace {
		workspaces.Put(w)
	}
}

func (d *decision) run(s step, rules []Rule) (err *Error) {
	switch s {
	case stepParse:
		return d.parse()
	case stepClaims:
		return d.work.claims.read(d.work.jws.Claims)
	case stepTimes:
		// With the longest leeway of all issuers, the response says nothing about
		// which are trusted.
		return d.work.claims.checkTimes(d.now, d.maxLeeway)
	case stepIssuer:
		return d.findIssuer()
	case stepAlgorithm:
		return d.findAlgorithm()
	case stepIssuerTimes:
		return d.checkIssuerTimes()
	case stepType:
		return d.policy.checkType(&d.work.jws.Header, d.work.jws.Claims)
	case stepAudience:
		return d.checkAudience()
	case stepProfile:
		return d.policy.checkProfile(&d.work.claims.registeredClaims, d.work.jws.Claims, d.now)
	case stepBound:
		return d.checkBound()
	case stepSignature:
		return d.verifySignature()
	case stepToken:
		d.token, err = d.policy.newToken(&d.work.jws, &d.work.claims.registeredClaims)
	case stepAdmit:
		d.header, err = d.admit(d.ctx, d.request, d.raw, d.scheme, d.token, rules)
	case stepRemember:
		if d.tokens.maxTokens > 0 {
			d.tokens.remember(d.token, queryOf(&d.work.jws.Header, d.now), d.key)
		}
	}
	return err
}

func (d *decision) parse() *Error {
	d.work = workspaces.Get().(*workspace)
	c, err := jose.Parse(d.raw, registeredNames, &d.work.buffer)
	switch {
	case err != nil && d.request != nil && !isB64Token(d.raw):
		return notB64Token
	case err != nil:
		return malformed[err]
	case c.Alg == "":
		return noAlgorithm
	case jose.SameMediaType(c.Cty, "JWT"):
		return nestedJWT
	}
	d.work.jws = c
	return nil
}

// malformed are the refusals for errors of jose.Parse, made beforehand since
// anybody can cause them at any rate.
var malformed = func() map[error]*Error {
	refusals := make(map[error]*Error)
	for _, err := range jose.ParseErrors() {
		refusals[err] = &Error{Reason: ErrMalformed, Err: err, ours: true}
	}
	return refusals
}()

var (
	noAlgorithm = refusal(ErrAlgorithm, "the header has no alg")
	nestedJWT   = refusal(ErrType, "a nested JWT")
)

func (d *decision) findIssuer() *Error {
	iss := d.work.claims.issuer
	if d.policy = d.api.policies[iss]; d.policy == nil {
		return d.api.policies.wrongIssuer(iss)
	}
	return nil
}

func (d *decision) findAlgorithm() *Error {
	alg := d.work.jws.Alg
	if d.algorithm = d.policy.algorithms[alg]; d.algorithm == nil {
		return d.policy.wrongAlgorithm(alg)
	}
	return nil
}

func (d *decision) checkIssuerTimes() *Error {
	c := &d.work.claims.registeredClaims
	if err := c.checkTimes(d.now, d.policy.leeway); err != nil {
		return hideReason(err)
	}
	return d.policy.checkLifetime(c, d.now)
}

func (d *decision) checkAudience() *Error {
	c := &d.work.claims.registeredClaims
	if !d.policy.accepts(c.audience) {
		return c.wrongAudience("configured is", d.policy.audiences)
	}
	return nil
}

// checkBound refuses a bound token that nothing here can confirm, whatever is in
// cnf (RFC 9449 §7.2, RFC 8705 §3).
func (d *decision) checkBound() *Error {
	if d.work.claims.bound && (len(d.api.bindings) == 0 || d.request == nil) {
		return boundToken
	}
	return nil
}

// verifySignature finds the key that verifies the signature.
func (d *decision) verifySignature() (err *Error) {
	began := d.now
	if d.api.observe != nil {
		began = time.Now()
	}
	d.key, err = d.policy.verifySignature(d.ctx, d.now, &d.work.jws, d.algorithm)
	if d.api.observe != nil {
		d.signature = time.Since(began)
	}
	return err
}

// Verify checks raw, a token without its "Bearer", and then rules. The error is
// an [*Error]. A token that is bound to a sender's key (RFC 7800) is refused:
// there is no request to confirm it against. Most programs want
// [Verifier.Authenticate] or an adapter.
func (v *Verifier) Verify(ctx context.Context, raw string, rules ...Rule) (*Token, error) {
	return v.authenticate(call{ctx: ctx, raw: raw}, rules)
}

// Authenticate takes the token from r, verifies it and applies rules. The error
// is an [*Error], whose ServeHTTP writes the response to send. The token is read
// from exactly one Authorization field (RFC 6750 §2.1), or from where
// Settings.TokenFrom looks; never from the query or a form.
//
// With it the library fits any framework that has an *http.Request. Prefer
// [Verifier.Protect] where the rules are fixed, which checks them once.
func (v *Verifier) Authenticate(r *http.Request, rules ...Rule) (*Token, error) {
	return v.authenticate(call{ctx: r.Context(), request: r}, rules)
}

func (v *Verifier) authenticate(c call, rules []Rule) (*Token, error) {
	o, err := v.decide(c, rules)
	if err != nil {
		return nil, err
	}
	return o.token, nil
}
