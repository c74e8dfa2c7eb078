package verifier

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// An ActingParty is who acts for the subject of a token, by the claims of an act
// claim (RFC 8693 §4.1); each is "" if there is none.
type ActingParty struct {
	Issuer   string // iss, within which Subject is unique
	Subject  string // sub
	ClientID string // client_id
}

// maxActors is how many acting parties are read of a token.
const maxActors = 16

// Actors returns who acts for the subject (RFC 8693 §4.1): first the current
// actor, which alone counts for access, then those before it, at most 16. It is
// empty where the subject acts itself.
func (t *Token) Actors() (actors []ActingParty) {
	for value := t.members().Value("act"); value != "" && len(actors) < maxActors; value = jose.MemberOf(value, "act") {
		actors = append(actors, actingParty(value))
	}
	return actors
}

// actingParty reads one act claim. What is not a string in it is "".
func actingParty(act string) ActingParty {
	text := func(name string) string {
		s, _ := jose.StringValue(jose.MemberOf(act, name))
		return s
	}
	return ActingParty{Issuer: text("iss"), Subject: text("sub"), ClientID: text("client_id")}
}

type (
	directRule struct{ plainRule }
	actorRule  struct{ ruleList }
)

// Direct requires that nobody acts for the subject (RFC 8693 §4.1); otherwise the response
// is 403. The token has no act claim, whatever is in it; null is none.
func Direct() Rule { return directRule{} }

// Actor requires that the current actor's sub (RFC 8693 §4.1) is one of these; otherwise
// the response is 403. A token without act claim does not pass, nor does one whose actor has another
// iss than the token. With several issuers, it needs an [Issuer] rule beside it, as
// [Client] does.
func Actor(subjects ...string) Rule { return actorRule{newList("Actor", subjects)} }

var errActs = errors.New("the token has act: somebody acts for its subject")

func (directRule) check(_ context.Context, t *Token) *Error {
	if t.members().Value("act") != "" {
		return &Error{Reason: ErrDenied, Err: errActs}
	}
	return nil
}

func (r actorRule) check(_ context.Context, t *Token) *Error {
	act := t.members().Value("act")
	if act == "" {
		return refusal(ErrDenied, "the token has no act: nobody acts for its subject")
	}
	iss := jose.MemberOf(act, "iss")
	switch actor := actingParty(act); {
	case iss != "" && actor.Issuer != t.issuer: // also where it is not a string
		return refusal(ErrDenied, "the actor is of the issuer %s", quote(iss))
	case !slices.Contains(r.values, actor.Subject):
		return refusal(ErrDenied, "the actor %s is not on the list", quote(actor.Subject))
	}
	return nil
}

func (actorRule) traits() traits { return needsIssuer }
