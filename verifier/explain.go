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
// Explain is for operators: it tells how this API is configured, and in what a token
// falls short. An adapter never calls it, and its result must not be sent to whoever
// sent the token: it would help to forge one, and each call does all of the work that a
// refusal saves.
func (v *Verifier) Explain(ctx context.Context, raw string, rules ...Rule) Report {
	e := &explanation{evaluation: evaluation{Verifier: v, ctx: ctx, raw: raw, now: time.Now()}, rules: rules}
	e.run()
	return e.report
}

// A Report is the result of [Verifier.Explain]. It has no signature and no secret. Of
// the token it has the members of the header that a verifier reads, and claims whose
// names are on a fixed list: those of RFC 7519 and RFC 9068, and those in which common
// issuers have the client, the scopes and the kind of token. The checks quote, wherever
// they are, the client id, the scopes, the roles and the actor. [Report.WithClaims] adds
// all other claims.
//
// [Report.String] is for people, and encoding/json makes it ready for programs.
type Report struct {
	Admitted bool
	Refusal  *Error          // nil if Admitted
	Stopped  string          // the Check that refuses, "" if Admitted
	Mistake  Mistake         // the likely mistake, zero if Admitted
	Checks   []CheckReport   // in the order in which they run
	Keys     jwkscache.Stats // of the issuer, zero unless its keys are ManagedKeys

	now            time.Time
	token          func() *reportedToken // a function for the reason that Token.source is one
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

// The results of a check. The first one that failed is that which refuses the token;
// later ones say what would have come next.
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
