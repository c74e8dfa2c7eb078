package revocation

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
	"unique"
)

// An Entry revokes tokens of one issuer: the one with TokenID; or those with Subject, with
// ClientID, or with both; or, if none of these is set, all. Of those, it revokes the tokens
// that were issued before IssuedBefore. An empty string means "not set", so a token
// without the claim never matches an Entry with it.
//
// Entries may be compared with ==, if their times are in UTC and without a monotonic part.
type Entry struct {
	Issuer string // the iss claim; required

	TokenID  string // the jti claim; set alone
	Subject  string // the sub claim
	ClientID string // as of verifier.Token.ClientID

	// IssuedBefore is compared with the iat claim. A token without iat counts as issued
	// before, and so does one whose iat is up to Config.ClockSkew after it: a client
	// that gets a token within that time after a revocation has to get another, later.
	// Zero means now, and with TokenID whenever the token was issued. A time more than 5
	// minutes in the future counts as in 5 minutes, so that no wrong clock locks
	// anybody out for longer.
	IssuedBefore time.Time

	// Expires is the latest exp of a token that is revoked. The Entry ends 5 minutes
	// later, the longest leeway of a verifier.Config. Zero means that of the longest
	// token, by Config.MaxLifetime. It may be earlier for a TokenID, whose exp is known; for
	// the others, it is at least the sum of IssuedBefore, Config.ClockSkew and
	// Config.MaxLifetime.
	Expires time.Time
}

// maxString is the longest string of an Entry, in bytes: that of a SPIFFE ID.
const maxString = 2048

// maxTime is the latest exp (RFC 7519 §2, as jwtguard limits it).
var maxTime = time.Unix(253402300799, 0)

func (e *Entry) check() error {
	switch {
	case e.Issuer == "":
		return errors.New("no Issuer")
	case e.TokenID != "" && (e.Subject != "" || e.ClientID != ""):
		return errors.New("both a TokenID and a Subject or ClientID")
	}
	for i, s := range [...]string{e.Issuer, e.TokenID, e.Subject, e.ClientID} {
		name := [...]string{"Issuer", "TokenID", "Subject", "ClientID"}[i]
		switch {
		case len(s) > maxString:
			return fmt.Errorf("%s has %d bytes; at most %d are accepted", name, len(s), maxString)
		case !utf8.ValidString(s):
			return fmt.Errorf("%s is not UTF-8", name)
		}
	}
	for i, t := range [...]time.Time{e.IssuedBefore, e.Expires} {
		if t.Before(time.Time{}) || t.After(maxTime) {
			return fmt.Errorf("%s is not in the years 1 to 9999", [...]string{"IssuedBefore", "Expires"}[i])
		}
	}
	return nil
}

// A kind says which members of an Entry are set.
type kind uint8

const (
	byIssuer kind = iota
	bySubject
	byClient
	bySubjectAndClient
	byTokenID
	kinds // the number of them
)

// A key identifies an Entry: of several with the same key, the list keeps one.
type key struct {
	kind   kind
	issuer unique.Handle[string] // many entries have the same
	a, b   string                // TokenID, Subject or ClientID; Subject and ClientID
}

func (e *Entry) key() key {
	k := key{issuer: unique.Make(e.Issuer)}
	switch {
	case e.TokenID != "":
		k.kind, k.a = byTokenID, e.TokenID
	case e.Subject != "" && e.ClientID != "":
		k.kind, k.a, k.b = bySubjectAndClient, e.Subject, e.ClientID
	case e.Subject != "":
		k.kind, k.a = bySubject, e.Subject
	case e.ClientID != "":
		k.kind, k.a = byClient, e.ClientID
	}
	return k
}

// entry returns an Entry without times.
func (k *key) entry() Entry {
	e := Entry{Issuer: k.issuer.Value()}
	switch k.kind {
	case byTokenID:
		e.TokenID = k.a
	case bySubjectAndClient:
		e.Subject, e.ClientID = k.a, k.b
	case bySubject:
		e.Subject = k.a
	case byClient:
		e.ClientID = k.a
	}
	return e
}

// always is the IssuedBefore of a TokenID that is revoked whenever it was issued. It is later
// than any iat.
const always = 1 << 60

// times returns IssuedBefore and Expires of the record of an Entry that is added at the time
// now, in milliseconds since 1970.
func (l *List) times(e *Entry, now int64) (before, expires int64) {
	switch {
	case !e.IssuedBefore.IsZero():
		before = min(ceil(e.IssuedBefore), now+leeway)
	case e.TokenID != "":
		before = always
	default:
		before = now
	}
	switch {
	case !e.Expires.IsZero() && e.TokenID != "":
		return before, ceil(e.Expires)
	case !e.Expires.IsZero():
		return before, max(ceil(e.Expires), before+l.skew+l.lifetime)
	case e.TokenID != "":
		return before, now + leeway + l.lifetime
	}
	// A token without iat is valid if its exp is at most MaxLifetime and the leeway from
	// now, one with iat if its exp is at most MaxLifetime after that.
	return before, max(now+leeway, before+l.skew) + l.lifetime
}

// ceil returns t in milliseconds since 1970, rounded up.
func ceil(t time.Time) int64 {
	return t.Add(time.Millisecond - 1).UnixMilli()
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
