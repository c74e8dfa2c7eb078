package verifier

import (
	"slices"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// An explanation is an evaluation that goes on after a refusal.
type explanation struct {
	evaluation
	rules  []Rule
	report Report

	pasted  string // the code of what was pasted with the token, "" if nothing was
	formErr *Error // of the token without what was pasted with it
	named   string // iss
	badDate bool   // exp or nbf cannot be compared
	failed  []failure
}

// A failure is a check that refuses the token.
type failure struct {
	check int // index in report.Checks
	step  step
	err   *Error
	rule  Rule // nil if it is not a rule that refuses
}

// explainAll runs the steps of [Verifier.judge]. Each check sets what those after it
// need, even if it fails.
func (e *explanation) explainAll() {
	e.report.now = e.now
	if err := configurationError(checkRules(e.rules, e.api)); err != nil {
		e.fail(stepEnd, err, CheckReport{Check: "configuration", Demanded: "rules that can work"})
	} else if len(e.raw) > e.maxTokenLength {
		e.fail(stepParse, e.tooLong, CheckReport{Check: "form", Found: e.foundLength(), Demanded: e.demandedForm()})
	} else {
		for s := stepParse; s < stepRemember; s++ {
			e.explain(s)
		}
	}
	e.conclude()
}

// explain runs one step.
func (e *explanation) explain(s step) {
	if s != stepParse && e.work == nil {
		return // there is no JWT, so nothing can be said about the rest
	}
	switch s {
	case stepParse:
		e.explainForm()
	case stepClaims:
		err := e.evaluation.run(s, nil)
		c := &e.work.claims
		c.issuedAt, _ = dateOf(e.work.jws.Claims, "iat") // which is missing if read failed before it
		c.bound = e.work.jws.Claims.Has("cnf")
		e.named = c.issuer
		e.badDate = c.expiresAt.IsZero()
		e.add(s, err, e.describeClaims())
	case stepTimes:
		if e.badDate {
			e.skip("time", "exp cannot be compared")
			return
		}
		e.add(s, e.evaluation.run(s, nil), e.describeTimes())
	case stepIssuer:
		e.explainIssuer()
	case stepIssuerTimes:
		e.explainLifetime()
	default:
		if e.policy == nil {
			if s == stepAlgorithm {
				e.skip("the rest", "no configured issuer is like this one")
			}
			return
		}
		e.explainWithPolicy(s)
	}
}

func (e *explanation) explainForm() {
	report := CheckReport{Check: "form", Found: e.foundLength(), Demanded: e.demandedForm()}
	err := e.evaluation.run(stepParse, nil)
	if e.formErr = err; err != nil {
		if e.raw, e.pasted = unpaste(e.raw); e.pasted != "" {
			e.formErr = e.evaluation.run(stepParse, nil)
		}
	}
	switch e.formErr {
	case nil:
		report = e.describeForm()
	case noAlgorithm, nestedJWT: // it is a JWT nevertheless
		e.work.jws, _ = jose.Parse(e.raw, registeredNames, &e.work.buffer)
		report = e.describeForm()
	default:
		e.work = nil
	}
	e.add(stepParse, err, report)
}

func (e *explanation) explainIssuer() {
	if _, wrong := e.work.jws.Claims.String("iss"); wrong != nil {
		e.skip("issuer", "iss is not a string")
		e.policy = e.nearestPolicy()
		return
	}
	err := e.evaluation.run(stepIssuer, nil)
	e.add(stepIssuer, err, e.describeIssuer())
	if err != nil {
		e.policy = e.nearestPolicy()
	}
}

// explainLifetime does not repeat what stepTimes reported.
func (e *explanation) explainLifetime() {
	if e.policy == nil || e.badDate {
		return
	}
	err := e.evaluation.run(stepIssuerTimes, nil)
	if err != nil && e.hasFailed(stepTimes) && (err.Reason == ErrExpired || err.Reason == ErrNotYetValid) {
		err = e.policy.checkLifetime(&e.work.claims.registeredClaims, e.now)
	}
	if err != nil || e.policy.maxLifetime != 0 {
		e.add(stepIssuerTimes, err, e.describeLifetime())
	}
}

func (e *explanation) explainWithPolicy(s step) {
	switch s {
	case stepAudience:
		if _, wrong := audienceOf(e.work.jws.Claims, nil); wrong != nil {
			e.skip("audience", "aud is not a list of strings")
			return
		}
	case stepProfile:
		if !e.policy.rfc9068 {
			return
		}
	case stepBound:
		if !e.work.claims.bound {
			return
		}
	case stepSignature:
		e.explainSignature()
		return
	case stepAdmit:
		e.explainAdmission()
		return
	}
	e.add(s, e.evaluation.run(s, nil), e.describe(s))
	if s == stepAlgorithm && e.algorithm == nil && (len(e.policy.algorithms) == 0 || e.policy.takesPublicKeys()) {
		if a := jose.ByName(e.work.jws.Alg); a != nil && a.MinSecret == 0 {
			e.algorithm = a // allowed or not, its signature can be checked
		}
	}
}

// takesPublicKeys reports whether p has no SharedSecrets.
func (p *issuerPolicy) takesPublicKeys() bool {
	for _, a := range p.algorithms {
		return a.MinSecret == 0
	}
	return true
}

func (e *explanation) explainSignature() {
	if e.algorithm == nil {
		e.skip("signature", "no algorithm to check it with")
		return
	}
	if len(e.failed) > 0 && e.policy.config != nil && e.policy.tenant == nil {
		e.skip("signature", "a tenant is kept, and its keys are fetched, only for a token that is valid so far")
		return
	}
	err := e.evaluation.run(stepSignature, nil)
	e.report.Keys = e.policy.status().Keys
	e.add(stepSignature, err, e.describe(stepSignature))
}

// explainAdmission explains each rule by itself. The Token may be of an unverified
// signature, which no other function allows: only rules of this package see it.
func (e *explanation) explainAdmission() {
	if e.token == nil {
		return
	}
	if e.api.revocation != nil && len(e.failed) == 0 {
		e.add(stepAdmit, e.api.checkRevocation(e.ctx, e.token), CheckReport{Check: "revocation", Demanded: "not revoked"})
	}
	for _, first := range []traits{checkedFirst, 0} {
		for _, r := range slices.Concat(e.policy.rules, e.rules) {
			if r.traits()&checkedFirst == first {
				e.explainRule(r)
			}
		}
	}
}

func (e *explanation) explainRule(r Rule) {
	x := r.explain(e.token)
	report := CheckReport{Check: "rule " + x.name, Found: x.found, Demanded: x.demanded}
	if len(e.failed) > 0 && e.callsFunction(r) {
		e.skip(report.Check, "its function is called only with a token that is valid so far")
		return
	}
	err := r.check(e.ctx, e.token)
	if err != nil {
		err = e.token.refused(err)
	}
	e.add(stepAdmit, err, report)
	if err != nil {
		e.failed[len(e.failed)-1].rule = r
		if x.hides {
			e.report.Checks[len(e.report.Checks)-1].Cause = ""
		}
	}
}

// callsFunction reports whether r calls a function of the program.
func (e *explanation) callsFunction(r Rule) bool {
	if _, ok := r.(clientCredentialsRule); ok && e.policy.clientCredentials != nil {
		r = e.policy.clientCredentials
	}
	return r.traits()&callsFunction != 0
}

// add adds the result of a check.
func (e *explanation) add(s step, err *Error, c CheckReport) {
	if err != nil {
		e.fail(s, err, c)
		return
	}
	c.Result = CheckPassed
	e.report.Checks = append(e.report.Checks, c)
}

func (e *explanation) fail(s step, err *Error, c CheckReport) {
	e.failed = append(e.failed, failure{check: len(e.report.Checks), step: s, err: err})
	if c.Result = CheckFailed; err.Err != nil {
		c.Cause = err.Err.Error()
	}
	e.report.Checks = append(e.report.Checks, c)
}

func (e *explanation) skip(check, why string) {
	e.report.Checks = append(e.report.Checks, CheckReport{Check: check, Result: CheckSkipped, Cause: why})
}

func (e *explanation) hasFailed(s step) bool {
	return slices.ContainsFunc(e.failed, func(f failure) bool { return f.step == s })
}

// nearestPolicy returns the policy that was most likely meant by a token of another
// issuer, or nil.
func (e *explanation) nearestPolicy() *issuerPolicy {
	all := e.api.policies
	if len(all) == 1 {
		for _, p := range all {
			return p
		}
	}
	var nearest *issuerPolicy
	best := unlike
	for _, p := range e.configured() {
		if l := likeness(e.named, p.issuer); l != unlike && (best == unlike || l < best) {
			nearest, best = p, l
		}
	}
	return nearest
}

// conclude names the mistakes, when everything about the token is known. The first check
// that failed is the one that refuses; but a token of another kind stays the wrong one,
// whatever else is corrected.
func (e *explanation) conclude() {
	r := &e.report
	if e.work != nil {
		t := newReportedToken(e.work)
		r.token = func() *reportedToken { return t }
	}
	if r.Admitted = len(e.failed) == 0; r.Admitted {
		return
	}
	first := e.failed[0]
	rt := e.api.route(e.rules)
	r.Refusal, r.StoppedAt = e.api.complete(first.err, &rt, ""), r.Checks[first.check].Check
	for _, f := range e.failed {
		r.Checks[f.check].Mistake = e.mistake(f)
	}
	r.Mistake = r.Checks[first.check].Mistake
	for _, f := range e.failed[1:] {
		if m := r.Checks[f.check].Mistake; isKind(m.Code) && !isKind(r.Mistake.Code) {
			r.Mistake = m
		}
	}
}
