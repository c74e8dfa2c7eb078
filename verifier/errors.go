package verifier

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
)

// An Error is a refusal: a status, header fields and a body for the client, and a
// reason with its cause for the operator. The client's part is made of constants and
// contains nothing of the request. The operator's part quotes at most 200 bytes of it.
// Errors may be shared between requests: do not change one that this package returned.
type Error struct {
	Reason error       // one of this package's, or wrapping one; anything else is a 500
	Scopes []string    // that the rule requires, for ErrScope
	Err    error       // the cause, for operators; may be nil
	Header http.Header // additional fields of the response; may be nil

	api             *api      // that refused; nil means default realm and logger
	challengeScopes []string  // nil means Scopes
	resource        *resource // that was requested, or nil
	caller          Caller
	stepUp          string // parameters of the challenge, of the rule StepUp
	scheme          string // of the credential, "" for Bearer or none
	bound           bool   // the route admits only bound tokens
	ours            bool   // made by this package, which logs it when it refuses
	hidesReason     bool   // Description is the common sentence
}

// refusal returns an Error whose cause is the formatted text.
func refusal(reason error, format string, args ...any) *Error {
	return &Error{Reason: reason, Err: fmt.Errorf(format, args...), ours: true}
}

// configurationError returns the Error for a mistake in the configuration or the
// routes, nil for a nil err.
func configurationError(err error) *Error {
	if err == nil {
		return nil
	}
	return &Error{Err: err, ours: true}
}

// hideReason gives e the common description, because its own would reveal to a forger
// how the API is configured.
func hideReason(e *Error) *Error {
	e.hidesReason = true
	return e
}

// asRefusal returns err as a new Error, because errors may be shared between requests.
// An err without a reason gets the given one.
func asRefusal(err, reason error) *Error {
	var e *Error
	switch {
	case !errors.As(err, &e):
		if i := kindOf(err); i != configurationKind {
			reason = refusalKinds[i].reason
		}
		if err == reason {
			err = nil // the cause would repeat the reason
		}
		return &Error{Reason: reason, Err: err}
	case e == nil: // which would panic when printed
		return &Error{Reason: reason, Err: errors.New("a nil *verifier.Error")}
	}
	c := *e
	if err != error(e) {
		c.Err = err // keeps the text that wraps e
	}
	return &c
}

// complete returns e with the realm of a, and with what rt, which may be nil, and the
// scheme of the token add to its challenge. A refusal by another api is returned unchanged.
// With the default realm and logger and an empty route, e needs no copy: unauthenticated
// clients can cause it at any rate.
func (a *api) complete(e *Error, rt *route, scheme string) *Error {
	if rt == nil {
		rt = &noRoute
	}
	if e.api != nil && e.api != a {
		return e
	}
	if len(rt.scopes) == 0 && rt.resource == nil && (a == nil || a.realm == "" && a.log.logger == nil && a.bindings == nil) {
		return e
	}
	own := e.challengeScopes
	if own == nil {
		own = e.Scopes
	}
	c := *e
	c.api, c.challengeScopes, c.resource = a, slices.Concat(rt.scopes, own), cmp.Or(e.resource, rt.resource)
	c.bound, c.scheme = e.bound || rt.bound, cmp.Or(e.scheme, scheme)
	return &c
}

// Error returns reason and cause, for operators. It never contains the token.
func (e *Error) Error() string {
	reason := "jwtguard: configuration error"
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

// LogValue returns [Error.Error]. Without it, log/slog's JSON handler would write the
// result of MarshalJSON, which is for clients.
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

// kind returns the index in refusalKinds of e's reason.
func (e *Error) kind() int { return kindOf(e.Reason) }

// A Caller identifies the sender of a token whose signature was verified.
type Caller struct {
	Issuer   string // iss
	ClientID string // as Token.ClientID
	Subject  string // sub
	ID       string // jti
}

// Caller returns who was refused, for logs. It is zero if there was no token, or if it
// was refused before its signature was verified.
func (e *Error) Caller() Caller { return e.caller }

func (t *Token) caller() Caller {
	return Caller{Issuer: t.issuer, ClientID: t.clientID, Subject: t.subject, ID: t.id}
}

// refused sets the caller of e, which must not be shared, to that of t.
func (t *Token) refused(e *Error) *Error {
	e.caller, e.ours = t.caller(), true
	return e
}
