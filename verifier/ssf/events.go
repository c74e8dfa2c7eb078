package ssf

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// The types of the events that revoke tokens by default, those of CAEP 1.0 §3 and RISC 1.0
// §2.
const (
	SessionRevoked       = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
	TokenClaimsChange    = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change"
	CredentialChange     = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
	AccountDisabled      = "https://schemas.openid.net/secevent/risc/event-type/account-disabled"
	AccountPurged        = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
	CredentialCompromise = "https://schemas.openid.net/secevent/risc/event-type/credential-compromise"
)

var defaultEvents = []string{SessionRevoked, TokenClaimsChange, CredentialChange, AccountDisabled, AccountPurged, CredentialCompromise}

// The events that are about the stream itself (SSF 1.0 §8.1.4.1, §8.1.5).
const (
	verificationEvent  = "https://schemas.openid.net/secevent/ssf/event-type/verification"
	streamUpdatedEvent = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
)

// apply does what the events of s say, and adds to d what that was.
func (r *Receiver) apply(ctx context.Context, s *set, d Delivery) (Delivery, *refusal) {
	var entries []revocation.Entry
	var refused *refusal
	jose.EachMember(s.claims.Value("events"), func(name, payload string) bool {
		more, outcome, err := r.readEvent(s, name, payload)
		if outcome == InvalidRequest {
			refused = refuse(outcome, malformed).because(err)
		}
		entries = append(entries, more...)
		if slices.Index(ranked, outcome) > slices.Index(ranked, d.Outcome) {
			d.Event, d.Outcome, d.Err = r.known(name), outcome, err
		}
		return true
	})
	switch {
	case refused != nil:
		return d, refused
	case d.Outcome == "":
		return d, refuse(InvalidRequest, "The events are not an object with at least one event.")
	case len(entries) > 0:
		if err := r.revoke(ctx, entries...); err != nil {
			return d, unavailable(err)
		}
		d.Entries = len(entries)
	}
	if r.record.isReplay(s) && d.Outcome == Applied {
		d.Outcome = Replayed
	}
	return d, nil
}

// ranked are the outcomes of events. A SET of several events counts as the last of theirs.
var ranked = []Outcome{Verification, StreamUpdated, Unsupported, OtherIssuer, Applied}

// known returns the name of an event, or "" for one that is just any text of the SET.
func (r *Receiver) known(name string) string {
	if r.events[name] || name == verificationEvent || name == streamUpdatedEvent {
		return name
	}
	return ""
}

const malformed = "An event is not as its type defines it."

var (
	errNoObject  = errors.New("it is not an object") // RFC 8417 §2.2
	errNoSubject = errors.New("it does not say whom it is about")
)

// readEvent returns what one event revokes, or why it revokes nothing.
func (r *Receiver) readEvent(s *set, name, payload string) ([]revocation.Entry, Outcome, error) {
	switch {
	case payload[0] != '{':
		return nil, InvalidRequest, errNoObject
	case name == verificationEvent: // SSF 1.0 §8.1.4: 202 says that the stream works
		return nil, Verification, nil
	case name == streamUpdatedEvent:
		status, _ := jose.StringValue(jose.MemberOf(payload, "status"))
		s.transmitter.stream.update(status, s.issuedAt)
		return nil, StreamUpdated, nil
	case !r.events[name]:
		return nil, Unsupported, notSupported("the event type " + name)
	}
	// The subject is in sub_id; older transmitters have it in the event only, where SSF 1.0
	// §3.1.1 still allows it.
	subject := s.claims.Value("sub_id")
	if subject == "" {
		subject = jose.MemberOf(payload, "subject")
	}
	if subject == "" || subject[0] != '{' {
		return nil, InvalidRequest, errNoSubject
	}
	entries, err := s.transmitter.identify(subject)
	switch {
	case err == errOtherIssuer:
		return nil, OtherIssuer, err
	case err != nil:
		return nil, Unsupported, err
	}
	cut := s.eventTime(payload)
	for i := range entries {
		if entries[i].TokenID == "" { // a jti is never issued again
			entries[i].IssuedBefore = cut
		}
	}
	return entries, Applied, nil
}

// eventTime returns when the event occurred: its event_timestamp (CAEP 1.0 §2), else the toe
// of the SET (RFC 8417 §2.2), else when the SET was issued. What cannot be read, such as a
// time in milliseconds, counts as absent: the later time revokes no less. A time after the
// SET was issued counts as that one.
func (s *set) eventTime(payload string) time.Time {
	for _, value := range []string{jose.MemberOf(payload, "event_timestamp"), s.claims.Value("toe")} {
		if at, err := jose.Date(value); err == nil && value != "" {
			if at.After(s.issuedAt) {
				break
			}
			return at
		}
	}
	return s.issuedAt
}
