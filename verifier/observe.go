package verifier

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// A Decision is what [Settings.Observe] receives: the result of one decision, for
// metrics, traces and audit logs. Except for Caller, which the issuer's signature
// vouches for, it contains only what this program has configured: nothing in it was
// chosen by the sender of the request. Its strings may share the memory of the token:
// clone those that are kept.
type Decision struct {
	Outcome Outcome

	// Reason is why the request was not admitted: one of this package's errors,
	// such as ErrExpired. It is nil if the request was admitted, and with
	// OutcomeMisconfigured. [ReasonName] returns its name.
	Reason error

	// Issuer is the issuer that the token names, if it is trusted, else "". Before
	// the signature is checked, anybody can name one: see Caller.
	Issuer string

	// Caller is zero unless the token's signature was verified.
	Caller Caller

	Remembered bool // the token was verified in an earlier request
	Inner      bool // by Require, RequireGuard or a handler, of a request that was admitted before

	// Method is the request's method, or "_OTHER" if it is not one of RFC 9110 §9
	// or PATCH. Route is the request's Pattern, "" if the Guard runs before a mux has
	// found the route. The adapters for Echo and Gin set Pattern to their route's
	// path if it is empty, and that for gRPC to the full name of the method. Both are empty under Verify and if Inner.
	Method, Route string

	// Duration is that of the whole decision, zero for a refusal by a handler.
	// KeyLookup and Signature are parts of it: the time in the KeySource, with any
	// wait for a fetch, and the time of the signature checks. They are zero if there
	// were none. If Remembered, no signature is checked, and KeyLookup is not measured.
	Duration, KeyLookup, Signature time.Duration
}

// An Outcome is the result of a [Decision].
type Outcome string

// The outcomes of decisions.
const (
	OutcomeAdmitted      Outcome = "admitted"      // with a valid token
	OutcomeAnonymous     Outcome = "anonymous"     // admitted by Optional without a token
	OutcomeRefused       Outcome = "refused"       // 4xx
	OutcomeUnavailable   Outcome = "unavailable"   // 503
	OutcomeMisconfigured Outcome = "misconfigured" // 500
)

// ReasonName returns a short name of the reason that err is or wraps, for metrics and
// logs: "no_token" for ErrNoToken, and so on. It returns "misconfigured" for any other
// error, and "" for nil.
func ReasonName(err error) string {
	if err == nil {
		return ""
	}
	for i := range refusalKinds {
		if k := &refusalKinds[i]; err == k.reason {
			return k.name
		}
	}
	return refusalKinds[asRefusal(err, nil).kind()].name
}

// An observer has the functions of [Settings.Observe] and [Settings.ObserveKeys].
type observer struct {
	observe     func(context.Context, Decision)
	observeKeys func(jwkscache.Event)
}

// measured is what a decision notes for the observer.
type measured struct {
	began                time.Time // zero without an observer
	issuer               string    // trusted
	remembered           bool
	keyLookup, signature time.Duration
}

// A stopwatch measures the parts of one check of a signature.
type stopwatch struct {
	last                 time.Time // of the last lap; zero without an observer
	keyLookup, signature time.Duration
}

// lap adds the time since the last lap to sum.
func (w *stopwatch) lap(sum *time.Duration) {
	if !w.last.IsZero() {
		now := time.Now()
		*sum += now.Sub(w.last)
		w.last = now
	}
}

// observed returns the Decision about c without its result.
func (c *call) observed(m *measured) Decision {
	d := Decision{
		Issuer: m.issuer, Remembered: m.remembered,
		Duration: time.Since(m.began), KeyLookup: m.keyLookup, Signature: m.signature,
	}
	if c.request != nil {
		d.Method, d.Route = knownMethod(c.request.Method), c.request.Pattern
	}
	return d
}

func knownMethod(m string) string {
	switch m {
	case "": // of a request that no server has read
		return http.MethodGet
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return m
	}
	return "_OTHER"
}

// trustedIssuer returns the issuer that the token names, "" if it is not known to be
// trusted.
func (d *evaluation) trustedIssuer() string {
	p := d.policy
	if p == nil {
		p = d.api.policies[d.work.claims.issuer]
	}
	if p == nil {
		p = d.api.tenants.kept(d.work.claims.issuer)
	}
	if p == nil {
		return ""
	}
	return p.issuer
}

// report completes d, the Decision about an admission with t, which may be nil, or
// about a refusal, and calls the observer.
func (a *api) report(ctx context.Context, d Decision, t *Token, err *Error) {
	if t.isVerified() {
		d.Outcome, d.Issuer, d.Caller = OutcomeAdmitted, t.policy.issuer, t.caller()
	} else {
		d.Outcome = OutcomeAnonymous
	}
	if err != nil {
		kind := &refusalKinds[err.kind()]
		d.Outcome, d.Reason, d.Caller = OutcomeRefused, kind.reason, err.caller
		switch kind.status {
		case http.StatusInternalServerError:
			d.Outcome = OutcomeMisconfigured
		case http.StatusServiceUnavailable:
			d.Outcome = OutcomeUnavailable
		}
	}
	a.submit(ctx, &d)
}

// submit calls the observer. While FirstOf may still admit the request, it keeps a
// refusal in the trial instead.
func (a *api) submit(ctx context.Context, d *Decision) {
	if d.Outcome == OutcomeRefused {
		if t := trialOf(ctx); t != nil {
			t.keep(a, d)
			return
		}
	}
	defer func() {
		if p := recover(); p != nil {
			a.reportBug(ctx, fmt.Errorf("Settings.Observe panicked: %s", quote(fmt.Sprint(p))))
		}
	}()
	a.observe(ctx, *d)
}

// A triedRefusal is by a Guard of FirstOf. It is reported if FirstOf returns the error of
// that Guard.
type triedRefusal struct {
	api *api
	Decision
}

func (t *trial) keep(a *api, d *Decision) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refusals = append(t.refusals, triedRefusal{a, *d})
}

// reportRefusals reports the refusals that t kept. t is over.
func (t *trial) reportRefusals(ctx context.Context) {
	t.mu.Lock()
	refusals := t.refusals
	t.mu.Unlock()
	for i := range refusals {
		refusals[i].api.submit(ctx, &refusals[i].Decision)
	}
}
