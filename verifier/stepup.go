package verifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

type stepUpRule struct {
	ruleList // of acr values
	maxAge   time.Duration
}

// StepUp requires that a user has authenticated in one of these authentication contexts
// (acr) and not longer than maxAge ago (auth_time); otherwise the response is 401 with
// insufficient_user_authentication and what is required (RFC 9470 §3), so that the
// client can send its user to the authorization server again. Of several contexts give
// the preferred one first. A maxAge of zero means any time, and no acr any context; one
// of the two must be there. A token without the claim does not pass. The issuer's leeway
// applies to auth_time.
//
// The tokens of a client-credentials grant have no user and never pass: put the rule
// only on routes for clients of users. Give all requirements of a route in one rule: a
// client learns of those of the first that fails.
func StepUp(maxAge time.Duration, acr ...string) Rule {
	r := stepUpRule{maxAge: maxAge}
	switch {
	case len(acr) > 0:
		r.ruleList = newScopeList("StepUp", acr)
	case maxAge == 0:
		r.wrong = errors.New("rule StepUp: it needs a maximum age or an acr")
	}
	if maxAge != 0 && maxAge < time.Second {
		r.wrong = fmt.Errorf("rule StepUp: a maximum age of %d ns: negative, or is the unit missing?", maxAge)
	}
	return r
}

func (r stepUpRule) check(_ context.Context, t *Token) *Error {
	err := r.compare(t)
	if err == nil {
		return nil
	}
	return &Error{Reason: ErrAuthentication, Err: err, stepUp: r.parameters()}
}

// compare returns what is not as r requires.
func (r stepUpRule) compare(t *Token) error {
	if !r.hasContext(t) {
		return fmt.Errorf("acr is %s; the rule requires one of %s", foundValue(t.members().Value("acr")), quoteList(r.values))
	}
	if r.maxAge == 0 {
		return nil
	}
	at, _ := dateOf(t.members(), "auth_time") // zero if it is not a date
	now := time.Now()
	switch {
	case at.IsZero():
		return errors.New("there is no auth_time, or one that is not a date; the rule requires one")
	case at.After(now.Add(t.policy.leeway)):
		return fmt.Errorf("auth_time is %s, in the future", at.Format(time.RFC3339))
	case now.Sub(at) > r.maxAge+t.policy.leeway:
		return fmt.Errorf("auth_time is %s, %s ago; the rule requires at most %s", at.Format(time.RFC3339), now.Sub(at).Round(time.Second), r.maxAge)
	}
	return nil
}

// hasContext reports whether the authentication context is one of those required.
func (r stepUpRule) hasContext(t *Token) bool {
	acr, _ := t.members().String("acr") // empty, which is never required, if it is not a string
	return len(r.values) == 0 || slices.Contains(r.values, acr)
}

// parameters returns those of the challenge (RFC 9470 §3).
func (r stepUpRule) parameters() (s string) {
	if len(r.values) > 0 {
		s = `, acr_values="` + strings.Join(r.values, " ") + `"`
	}
	if r.maxAge > 0 {
		s += `, max_age="` + strconv.FormatInt(int64(r.maxAge/time.Second), 10) + `"`
	}
	return s
}

func (r stepUpRule) explain(t *Token) ruleReport {
	value := func(name string) string { return name + " " + foundValue(t.members().Value(name)) }
	var demanded []string
	if len(r.values) > 0 {
		demanded = append(demanded, "acr is one of "+quoteList(r.values))
	}
	if r.maxAge > 0 {
		demanded = append(demanded, "auth_time is at most "+roughly(r.maxAge)+" ago")
	}
	return ruleReport{name: "StepUp", found: value("acr") + ", " + value("auth_time"), demanded: strings.Join(demanded, ", ")}
}

func (r stepUpRule) mistake(t *Token) Mistake {
	claims := t.members()
	switch {
	case claims.Value("acr") == "" && claims.Value("auth_time") == "":
		return Mistake{"no_user_authentication", "The token does not say how or when a user authenticated. Tokens of a client-credentials grant never do: there is no user. For others, let the issuer put acr and auth_time into its access tokens (RFC 9068 section 2.2.1)."}
	case !r.hasContext(t):
		return Mistake{"acr_other", "The user authenticated in another way than the rule requires. The client must send the user to the authorization server with these acr_values."}
	}
	return Mistake{"authentication_old", "The user authenticated too long ago, or the token does not say when. The client must send the user to the authorization server with this max_age."}
}
