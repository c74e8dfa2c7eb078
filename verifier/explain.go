package verifier

import (
	"context"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// Explain runs every check of [Verifier.Verify] on raw and rules, also those after the
// one that refuses, and reports what each found and demanded. Admitted and Refusal are
// what Verify would return for a token that it does not remember. Explain may wait for
// keys as Verify does; it neither reads nor fills the cache of verified tokens, and
// neither logs nor observes the refusal.
//
// After a check that fails, the later ones run as if it had passed, with the Config of
// the issuer that was most likely meant. But functions of [Check] are called only for a
// token that is valid so far and whose signature was verified, and the keys of a new
// tenant are fetched only for one that is valid so far.
//
// Explain is for operators: it tells how this API is configured, and what a token lacks.
// No adapter calls it. Do not send a Report to the sender of the token: it would help to
// forge one. Each call does all the work that an early refusal saves.
func (v *Verifier) Explain(ctx context.Context, raw string, rules ...Rule) Report {
	e := &explanation{evaluation: evaluation{Verifier: v, ctx: ctx, raw: raw, now: time.Now()}, rules: rules}
	e.explainAll()
	return e.report
}

// A Report is the result of [Verifier.Explain]. It has no signature and no secret. It
// shows the members of the token's header that a verifier reads, and the claims whose
// names are on a fixed list: those of RFC 7519 and RFC 9068, and those in which common
// issuers have the client, the scopes and the kind of token. Of other claims it shows the
// names, and their values only where a check compares them as client id, scopes, roles or
// actor. [Report.WithClaims] adds all values.
//
// [Report.String] is for people, and encoding/json for programs. Its JSON is described in
// docs/explain.md.
type Report struct {
	Admitted  bool            // whether Verify would return a Token
	Refusal   *Error          // nil if Admitted
	StoppedAt string          // the Check that refuses, "" if Admitted
	Mistake   Mistake         // the likely mistake, zero if Admitted
	Checks    []CheckReport   // in the order in which they run
	Keys      jwkscache.Stats // of the issuer; zero if no signature was checked, or without ManagedKeys

	now            time.Time
	token          func() *reportedToken // a function, as Token.source is, so that fmt does not print it
	showsAllClaims bool
}

// A CheckReport is what one check of a token found.
type CheckReport struct {
	Check    string      `json:"check"`            // such as "issuer" or "rule Scope"
	Result   CheckResult `json:"result"`           // of this check alone
	Found    string      `json:"found"`            // in the token, quoted if it is the token's text
	Demanded string      `json:"demanded"`         // by the configuration or the RFC
	Cause    string      `json:"cause,omitempty"`  // of the refusal, or why it was skipped
	Mistake  Mistake     `json:"mistake,omitzero"` // zero unless Failed
}

// CheckResult is the result of one check.
type CheckResult string

// The results of a check. The first check that failed refuses the token; later ones show
// what else is wrong with it.
const (
	CheckPassed  CheckResult = "passed"
	CheckFailed  CheckResult = "failed"
	CheckSkipped CheckResult = "skipped" // it needs what an earlier check did not find
)

// A Mistake is the likely reason for a refusal.
type Mistake struct {
	Code string `json:"code"` // stable, from the list in docs/explain.md
	Text string `json:"text"` // what is wrong, and what to do
}
