package verifier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// Why a request was refused. Test with errors.Is. An error of your own that
// wraps one of these, from a [Check] or handed to an adapter's Refuse, has its
// status and code.
var (
	ErrNoToken     = errors.New("no access token in the request")                   // 401, no error code
	ErrBadRequest  = errors.New("not exactly one well-formed credential")           // 400 invalid_request
	ErrMalformed   = errors.New("not a well-formed JWT")                            // 401 invalid_token
	ErrAlgorithm   = errors.New("algorithm not allowed")                            // 401 invalid_token
	ErrType        = errors.New("not an access token")                              // 401 invalid_token
	ErrSignature   = errors.New("no key of the issuer fits the signature")          // 401 invalid_token
	ErrIssuer      = errors.New("issuer not trusted")                               // 401 invalid_token
	ErrAudience    = errors.New("token is for another audience")                    // 401 invalid_token
	ErrExpired     = errors.New("token has expired")                                // 401 invalid_token
	ErrNotYetValid = errors.New("token is not valid yet")                           // 401 invalid_token
	ErrClaims      = errors.New("a claim is missing or of the wrong kind")          // 401 invalid_token
	ErrBinding     = errors.New("token is bound to a key that was not proven")      // 401 invalid_token
	ErrRevoked     = errors.New("token has been revoked")                           // 401 invalid_token
	ErrScope       = errors.New("a scope is missing")                               // 403 insufficient_scope
	ErrDenied      = errors.New("this client may not do that")                      // 403 insufficient_scope
	ErrUnavailable = errors.New("the issuer's keys are not available: cannot tell") // 503, Retry-After
)

// retryAfter is what a 503 asks clients to wait, in seconds. A cache without
// keys tries again within seconds at first and within a minute later on.
const retryAfter = 5

// An answer is what the client is told. Descriptions are constants in the
// characters of RFC 6750 §3, and those that a forged token can provoke behind
// the issuer's check share one sentence: nobody can explore the set-up.
type answer struct {
	reason      error
	status      int
	code        string // RFC 6750 §3.1; for 5xx the names of RFC 6749 §4.1.2.1
	description string
}

const notValid = "The access token is not valid for this API."

// wiringRow stands for none of the rows of answers.
const wiringRow = len(answers)

var answers = [...]answer{
	{ErrNoToken, http.StatusUnauthorized, "", "An access token is needed, sent as Authorization: Bearer."},
	{ErrBadRequest, http.StatusBadRequest, "invalid_request", "The request must carry exactly one well-formed access token."},
	{ErrMalformed, http.StatusUnauthorized, "invalid_token", "The access token is not a well-formed JWT."},
	{ErrAlgorithm, http.StatusUnauthorized, "invalid_token", notValid},
	{ErrType, http.StatusUnauthorized, "invalid_token", notValid},
	{ErrSignature, http.StatusUnauthorized, "invalid_token", notValid},
	{ErrIssuer, http.StatusUnauthorized, "invalid_token", notValid},
	{ErrAudience, http.StatusUnauthorized, "invalid_token", notValid},
	{ErrExpired, http.StatusUnauthorized, "invalid_token", "The access token has expired."},
	{ErrNotYetValid, http.StatusUnauthorized, "invalid_token", "The access token is not valid yet."},
	{ErrClaims, http.StatusUnauthorized, "invalid_token", notValid},
	{ErrBinding, http.StatusUnauthorized, "invalid_token", notValid},
	{ErrRevoked, http.StatusUnauthorized, "invalid_token", "The access token has been revoked."},
	{ErrScope, http.StatusForbidden, "insufficient_scope", "The access token lacks a scope that this needs."},
	{ErrDenied, http.StatusForbidden, "insufficient_scope", "The access token does not permit this."},
	{ErrUnavailable, http.StatusServiceUnavailable, "temporarily_unavailable", "The access token cannot be checked at the moment."},
}

var wiringBug = answer{nil, http.StatusInternalServerError, "server_error", "The API is not set up correctly."}

// An Error is a refusal: for the client a status, headers and a body made of
// constants, for the operator a reason and its cause. The client's half never
// holds what a request sent; the operator's quotes it, 200 bytes at most. It may
// be shared between requests: do not change one that this package returned.
type Error struct {
	Reason error    // one of this package's, or wrapping one; anything else answers 500
	Scopes []string // what ErrScope asks for
	Err    error    // the cause, for operators; may be nil

	verifier        *Verifier // whose answer it is; nil stands for one with default realm and logger
	challengeScopes []string  // nil means Scopes
	caller          Caller
	logs            bool // this package made it, and logs it where it refuses
	vague           bool // a forged token could learn something from the reason's sentence
}

// refusal returns an Error whose cause is the formatted text.
func refusal(reason error, format string, args ...any) *Error {
	return &Error{Reason: reason, Err: fmt.Errorf(format, args...), logs: true}
}

// AsError returns err as the answer to the request of ctx: an [*Error] within
// it; else the reason of this package's that err wraps, of several the first in
// their list; else ErrDenied. The cause is err. A 500 is a wiring bug and is
// logged. Adapters use it.
func AsError(ctx context.Context, err error) *Error {
	a, e := admissionOf(ctx), asError(err)
	var refused *Error
	if errors.As(err, &refused) && e.logs && e.row() != wiringRow {
		return a.complete(e, nil) // it was logged when it refused
	}
	e.logs = true
	if a != nil && a.token.verified() {
		e.caller = a.token.caller()
	}
	return a.refuse(ctx, e, nil)
}

// asError returns a copy: errors may be shared between requests.
func asError(err error) *Error {
	var e *Error
	switch {
	case !errors.As(err, &e):
		reason := reasonOf(err)
		if err == reason {
			err = nil // the reason says it all
		}
		return &Error{Reason: reason, Err: err}
	case e == nil: // which would panic when printed
		return refusal(ErrDenied, "a nil *verifier.Error")
	}
	c := *e
	if err != error(e) {
		c.Err = err // and with it what wraps e
	}
	return &c
}

// reasonOf returns the reason that err wraps. In the order of answers, what is
// wrong with the token comes before what it does not permit, and a no before
// "cannot tell".
func reasonOf(err error) error {
	for _, a := range answers {
		if errors.Is(err, a.reason) {
			return a.reason
		}
	}
	return ErrDenied
}

// refuse returns e as the answer of v, which may be nil, to a request on a route
// that needs scopes. It is the way of every refusal, once.
func (v *Verifier) refuse(ctx context.Context, e *Error, scopes []string) *Error {
	e = v.complete(e, scopes)
	v.logRefusal(ctx, e)
	return e
}

// complete returns e with what its challenge says of v and of the route. An
// answer of another Verifier stays as it is. One of none stands for the defaults
// of realm and logger, so that a refusal which anybody can provoke costs nothing.
func (v *Verifier) complete(e *Error, scopes []string) *Error {
	if e.verifier != nil && e.verifier != v {
		return e
	}
	if len(scopes) == 0 && (v == nil || v.realm == "" && v.log.logger == nil) {
		return e
	}
	own := e.challengeScopes
	if own == nil {
		own = e.Scopes
	}
	c := *e
	c.verifier, c.challengeScopes = v, slices.Concat(scopes, own)
	return &c
}

// Error says why, for operators; it never holds the token.
func (e *Error) Error() string {
	reason := "jwtguard: set up wrongly"
	if e.Reason != nil {
		reason = "jwtguard: " + e.Reason.Error()
	}
	if len(e.Scopes) > 0 {
		reason += fmt.Sprintf(" (needs %s)", quoteList(e.Scopes))
	}
	if e.Err != nil {
		reason += ": " + e.Err.Error()
	}
	return reason
}

// LogValue is [Error.Error]: without it, log/slog's JSON handler would write
// MarshalJSON's half, which is for clients.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// Unwrap returns the reason and the cause.
func (e *Error) Unwrap() []error {
	var wrapped []error
	for _, err := range []error{e.Reason, e.Err} {
		if err != nil {
			wrapped = append(wrapped, err)
		}
	}
	return wrapped
}

func (e *Error) answer() answer {
	i := e.row()
	if i == wiringRow {
		return wiringBug
	}
	a := answers[i]
	if e.vague {
		a.description = notValid
	}
	return a
}

// row returns the index in answers of e's reason, or wiringRow.
func (e *Error) row() int {
	for i, a := range answers {
		if errors.Is(e.Reason, a.reason) {
			return i
		}
	}
	return wiringRow
}

// Status returns the HTTP status: 400, 401, 403 or 503, and 500 for a wiring
// bug.
func (e *Error) Status() int { return e.answer().status }

// Code returns the error code of RFC 6750 §3.1: invalid_request, invalid_token
// or insufficient_scope. It is empty when no token came. A 503 has
// temporarily_unavailable and a 500 server_error, after RFC 6749 §4.1.2.1; they
// stand in the body only.
func (e *Error) Code() string { return e.answer().code }

// Description returns the error_description of RFC 6750 §3: a constant, fit for
// the client.
func (e *Error) Description() string { return e.answer().description }

// SetHeaders sets what belongs to the answer besides its body:
// WWW-Authenticate (RFC 6750 §3), added to challenges that are there already,
// Cache-Control: no-store, and Retry-After for a 503.
func (e *Error) SetHeaders(h http.Header) {
	a := e.answer()
	h.Set("Cache-Control", "no-store")
	switch {
	case a.status == http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	case a.status < http.StatusInternalServerError:
		h.Add("WWW-Authenticate", e.challenge(a))
	}
}

// challenge writes RFC 6750 §3. Every part is a constant, the configured realm
// or a scope whose characters are checked.
func (e *Error) challenge(a answer) string {
	realm := defaultRealm
	if e.verifier != nil && e.verifier.realm != "" {
		realm = e.verifier.realm
	}
	s := `Bearer realm="` + realm + `"`
	if a.code != "" {
		s += `, error="` + a.code + `", error_description="` + a.description + `"`
	}
	scopes := e.challengeScopes
	if scopes == nil {
		scopes = e.Scopes
	}
	if scopes = scopeTokens(scopes); len(scopes) > 0 {
		s += `, scope="` + strings.Join(scopes, " ") + `"`
	}
	return s
}

func scopeTokens(scopes []string) (valid []string) {
	for _, s := range scopes {
		if isScopeToken(s) && !slices.Contains(valid, s) {
			valid = append(valid, s)
		}
	}
	return valid
}

// MarshalJSON returns the public half: {"error", "error_description"}, without
// the former where there is no code (RFC 6750 §3.1).
func (e *Error) MarshalJSON() ([]byte, error) {
	a := e.answer()
	return json.Marshal(struct {
		Code        string `json:"error,omitempty"`
		Description string `json:"error_description"`
	}{a.code, a.description})
}
