package verifier

import (
	"context"
	"crypto"
	"net/http"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A step is one check of a token that was not verified before. Steps run in this
// order, the cheapest first. Checks that need no key run before the key is looked up,
// so that only tokens that pass all of them can get 503. Before the signature, the
// work is proportional to the token's length: lists other than aud are read after it.
type step uint8

const (
	stepParse  step = iota // compact JWS, strict JSON
	stepClaims             // registered claims have the right types
	stepTimes              // exp and nbf, with the longest leeway
	stepIssuer
	stepAlgorithm
	stepIssuerTimes // exp and nbf with the issuer's leeway, and MaxLifetime
	stepType
	stepAudience
	stepProfile   // RFC 9068
	stepBound     // a cnf that no binding can confirm
	stepSignature // key lookup and signature
	stepToken     // the verified claims become a Token
	stepAdmit     // binding, revocation, rules
	stepRemember
	stepEnd
)

// An evaluation is the state of the steps of one token. It stays on the stack.
type evaluation struct {
	*Verifier
	ctx       context.Context
	request   *http.Request // nil under Verify
	raw       string
	scheme    *Binding // of the credential, nil for Bearer
	now       time.Time
	work      *workspace
	policy    *issuerPolicy
	algorithm *jose.Algorithm
	key       crypto.PublicKey
	token     *Token
	proof     *possession
	stopwatch
}

// A workspace has the memory that a token is read into. It is reused.
type workspace struct {
	buffer jose.Buffer
	jws    jose.Compact
	claims unverifiedClaims
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// maxWorkspace is the size in bytes up to which a workspace is reused. It is enough
// for every token of the default length.
const maxWorkspace = 2 * defaultMaxTokenLength

func (w *workspace) free() {
	w.jws, w.claims = jose.Compact{}, unverifiedClaims{}
	if w.buffer.Size() <= maxWorkspace {
		workspaces.Put(w)
	}
}

func (d *evaluation) run(s step, rules []Rule) (err *Error) {
	switch s {
	case stepParse:
		return d.parse()
	case stepClaims:
		return d.work.claims.read(d.work.jws.Claims)
	case stepTimes:
		// The longest leeway of all issuers, so that the response does not reveal
		// which issuers are trusted.
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
		d.proof, err = d.admit(d.ctx, d.request, d.scheme, d.token, rules)
	case stepRemember:
		if d.tokens.maxTokens > 0 {
			d.tokens.remember(d.token, queryOf(&d.work.jws.Header, d.now), d.key)
		}
	}
	return err
}

func (d *evaluation) parse() *Error {
	d.work = workspaces.Get().(*workspace)
	c, err := jose.Parse(d.raw, registeredNames, &d.work.buffer)
	switch {
	case err != nil && d.request != nil && !isB64Token(d.raw):
		return notB64Token
	case err != nil:
		return malformedFor(err)
	case c.Alg == "":
		return noAlgorithm
	case jose.SameMediaType(c.Cty, "JWT"):
		return nestedJWT
	}
	d.work.jws = c
	return nil
}

// malformed are the refusals for errors of jose.Parse, preallocated because
// unauthenticated clients can cause them at any rate.
var malformed = func() map[error]*Error {
	refusals := make(map[error]*Error)
	for _, err := range jose.ParseErrors() {
		refusals[err] = &Error{Reason: ErrMalformed, Err: err, ours: true}
	}
	return refusals
}()

func malformedFor(err error) *Error {
	if e := malformed[err]; e != nil {
		return e
	}
	return refusal(ErrMalformed, "%w", err)
}

var (
	noAlgorithm = refusal(ErrAlgorithm, "the header has no alg")
	nestedJWT   = refusal(ErrType, "a nested JWT")
)

func (d *evaluation) findIssuer() (err *Error) {
	iss := d.work.claims.issuer
	switch d.policy = d.api.policies[iss]; {
	case d.policy != nil:
		return nil
	case d.api.tenants == nil:
		return d.api.wrongIssuer(iss)
	}
	d.policy, err = d.api.tenants.find(iss, d.now)
	return err
}

func (d *evaluation) findAlgorithm() *Error {
	alg := d.work.jws.Alg
	if d.algorithm = d.policy.algorithms[alg]; d.algorithm == nil {
		return d.policy.wrongAlgorithm(alg)
	}
	return nil
}

func (d *evaluation) checkIssuerTimes() *Error {
	c := &d.work.claims.registeredClaims
	if err := c.checkTimes(d.now, d.policy.leeway); err != nil {
		return hideReason(err)
	}
	return d.policy.checkLifetime(c, d.now)
}

func (d *evaluation) checkAudience() *Error {
	c := &d.work.claims.registeredClaims
	if !d.policy.accepts(c.audience) {
		return c.wrongAudience("configured is", d.policy.audiences)
	}
	return nil
}

// checkBound refuses a token with cnf if nothing here can confirm it, whatever cnf
// contains (RFC 9449 §7.2, RFC 8705 §3).
func (d *evaluation) checkBound() *Error {
	if d.work.claims.bound && (len(d.api.bindings) == 0 || d.request == nil) {
		return boundToken
	}
	return nil
}

// verifySignature sets d.key to the key that verifies the signature.
func (d *evaluation) verifySignature() (err *Error) {
	if d.policy.config != nil && d.policy.tenant == nil {
		// Only now, so that a token which anything else refuses keeps no tenant.
		kept, err := d.api.tenants.keep(d.policy, d.now)
		if err != nil {
			return err
		}
		d.policy = kept
	}
	if d.api.observe != nil {
		d.last = time.Now()
	}
	d.key, err = d.policy.verifySignature(d.ctx, d.now, &d.work.jws, d.algorithm, &d.stopwatch)
	if t := d.policy.tenant; t != nil && err == nil {
		t.markUsed(d.now)
	}
	return err
}
