package verifier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
)

// An Error is a refusal: for the client a status, headers and a body made of
// constants, for the operator a reason and its cause. The client's part never
// holds what a request sent; the operator's quotes it, at most 200 bytes of it.
// It may be shared between requests: do not change one that this package
// returned.
type Error struct {
	Reason error       // one of this package's, or wrapping one; anything else answers 500
	Scopes []string    // that ErrScope asks for
	Err    error       // the cause, for operators; may be nil
	Header http.Header // that the response gets besides the usual ones; may be nil

	api             *api     // whose refusal it is; nil stands for one with default realm and logger
	challengeScopes []string // nil means Scopes
	caller          Caller
	ours            bool // this package made it, and logs it where it refuses
	hidesReason     bool // the description says no more than that the token is not valid
}

// refusal returns an Error whose cause is the formatted text.
func refusal(reason error, format string, args ...any) *Error {
	return &Error{Reason: reason, Err: fmt.Errorf(format, args...), ours: true}
}

// configurationError returns the Error for a mistake in how the API is put
// together, nil for a nil err.
func configurationError(err error) *Error {
	if err == nil {
		return nil
	}
	return &Error{Err: err}
}

// hideReason is for a reason that could tell a forger something of what is
// configured.
func hideReason(e *Error) *Error {
	e.hidesReason = true
	return e
}

// AsError returns err as the response to the request of ctx: an [*Error] within
// it; else the reason of this package's that err wraps, of several the first in
// their list; else ErrDenied. The cause is err. A configuration error (500) is
// logged. Adapters use it.
func AsError(ctx context.Context, err error) *Error {
	a, e := admissionOf(ctx), asRefusal(err, ErrDenied)
	var refused *Error
	if errors.As(err, &refused) && e.ours && e.kind() != configurationKind {
		return a.complete(e, nil) // it was logged when it refused
	}
	e.ours = true
	if a != nil && a.token.isVerified() {
		e.caller = a.token.caller()
	}
	return a.refuse(ctx, e, nil)
}

// asRefusal returns err as an Error of its own, since errors may be shared
// between requests. An err without a reason gets the one given.
func asRefusal(err, reason error) *Error {
	var e *Error
	switch {
	case !errors.As(err, &e):
		if i := kindOf(err); i != configurationKind {
			reason = refusalKinds[i].reason
		}
		if err == reason {
			err = nil // the reason says it all
		}
		return &Error{Reason: reason, Err: err}
	case e == nil: // which would panic when printed
		return refusal(reason, "a nil *verifier.Error")
	}
	c := *e
	if err != error(e) {
		c.Err = err // and with it what wraps e
	}
	return &c
}

// complete returns e with what its challenge says of a and of the route. A
// refusal of another api stays as it is. One of none stands for the defaults of
// realm and logger, so that a refusal which anybody can cause needs no copy.
func (a *api) complete(e *Error, scopes []string) *Error {
	if e.api != nil && e.api != a {
		return e
	}
	if len(scopes) == 0 && (a == nil || a.realm == "" && a.log.logger == nil) {
		return e
	}
	own := e.challengeScopes
	if own == nil {
		own = e.Scopes
	}
	c := *e
	c.api, c.challengeScopes = a, slices.Concat(scopes, own)
	return &c
}

// Error says why, for operators; it never holds the token.
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

// LogValue is [Error.Error]: without it, log/slog's JSON handler would write
// what MarshalJSON returns, which is for clients.
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

// A Caller is who sent a token that was refused after its signature was
// verified.
type Caller struct {
	Issuer   string // iss
	ClientID string // as Token.ClientID
	Subject  string // sub
	ID       string // jti
}

// Caller returns who was refused, for logs. It is zero where no signature
// vouches for that: where there was no token, or it was refused before its
// signature was verified.
func (e *Error) Caller() Caller { return e.caller }

func (t *Token) caller() Caller {
	return Caller{Issuer: t.issuer, ClientID: t.clientID, Subject: t.subject, ID: t.id}
}

// refused returns e, of its own for this call, as a refusal of t.
func (t *Token) refused(e *Error) *Error {
	e.caller, e.ours = t.caller(), true
	return e
}
