package verifier

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// registeredNames are the claims of which a token may have no other spelling.
var registeredNames = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "cnf"}

// registeredClaims are those of RFC 7519 §4.1.
type registeredClaims struct {
	issuer, subject, id            string
	audience                       []string
	issuedAt, notBefore, expiresAt time.Time
	bound                          bool // there is a cnf (RFC 7800 §3.1)
}

// unverifiedClaims are claims whose signature has not been verified yet.
type unverifiedClaims struct {
	registeredClaims
	audiences [2]string // room for the audience of most tokens
}

// read reads the registered claims, each of the right kind, with exp and iss
// present.
func (c *unverifiedClaims) read(members jose.Object) *Error {
	var errs [6]error
	c.issuer, errs[0] = members.String("iss")
	c.subject, errs[1] = members.String("sub")
	c.id, errs[2] = members.String("jti")
	c.audience, errs[3] = audienceOf(members, c.audiences[:0])
	c.expiresAt, errs[4] = dateOf(members, "exp")
	c.notBefore, errs[5] = dateOf(members, "nbf")
	for i, err := range errs {
		if err != nil {
			name := [...]string{"iss", "sub", "jti", "aud", "exp", "nbf"}[i]
			return refusal(ErrClaims, "%s: %w", name, dateHint(members, name, err))
		}
	}
	switch {
	case members.Value("exp") == "":
		return refusal(ErrClaims, "no exp")
	case c.issuer == "":
		return refusal(ErrIssuer, "no iss")
	}
	c.issuedAt, _ = dateOf(members, "iat") // a bad iat counts as none (RFC 7519 §4.1.6)
	c.bound = members.Has("cnf")
	return nil
}

func (c *registeredClaims) isExpired(now time.Time, leeway time.Duration) bool {
	return !now.Before(c.expiresAt.Add(leeway))
}

func (c *registeredClaims) isEarly(now time.Time, leeway time.Duration) bool {
	return now.Add(leeway).Before(c.notBefore)
}

// checkTimes compares exp and nbf with the clock (RFC 7519 §4.1.4, §4.1.5).
func (c *registeredClaims) checkTimes(now time.Time, leeway time.Duration) *Error {
	switch {
	case c.isExpired(now, leeway):
		return refusal(ErrExpired, "exp is %s, %s ago%s", c.expiresAt.Format(time.RFC3339), now.Sub(c.expiresAt).Round(time.Second), c.clockHint(now))
	case c.isEarly(now, leeway):
		return refusal(ErrNotYetValid, "nbf is %s, in %s%s", c.notBefore.Format(time.RFC3339), c.notBefore.Sub(now).Round(time.Second), c.clockHint(now))
	}
	return nil
}

// checkLifetime refuses a token that is valid for longer than p allows.
func (p *issuerPolicy) checkLifetime(c *registeredClaims, now time.Time) *Error {
	if p.maxLifetime == 0 {
		return nil
	}
	if life := c.expiresAt.Sub(c.issuedAt); !c.issuedAt.IsZero() && life > p.maxLifetime {
		return refusal(ErrClaims, "exp is %s after iat; MaxLifetime is %s", life.Round(time.Second), p.maxLifetime)
	}
	if life := c.expiresAt.Sub(now); life-p.leeway > p.maxLifetime {
		return refusal(ErrClaims, "exp is %s from now; MaxLifetime is %s", life.Round(time.Second), p.maxLifetime)
	}
	return nil
}

// checkProfile checks what RFC 9068 §2.2 requires of an access token.
func (p *issuerPolicy) checkProfile(c *registeredClaims, members jose.Object, now time.Time) *Error {
	if !p.rfc9068 {
		return nil
	}
	for _, name := range []string{"sub", "client_id", "jti"} {
		if s, err := members.String(name); err != nil || s == "" {
			return refusal(ErrClaims, "no %s", name)
		}
	}
	switch {
	case !slices.ContainsFunc(c.audience, func(a string) bool { return a != "" }):
		return refusal(ErrClaims, "no aud")
	case c.issuedAt.IsZero():
		return refusal(ErrClaims, "no iat, or one that is not a date")
	case now.Add(p.leeway).Before(c.issuedAt):
		return hideReason(refusal(ErrNotYetValid, "iat is %s", c.issuedAt.Format(time.RFC3339)))
	}
	return nil
}

// maxAudiences is how many elements aud may have.
const maxAudiences = 256

// audienceOf returns the aud claim, an array of strings or a single string (RFC 7519
// §4.1.3), in list if that has room.
func audienceOf(o jose.Object, list []string) ([]string, error) {
	return jose.Strings(o.Value("aud"), maxAudiences, list)
}

// splitScopes returns the scopes of one claim: a string with spaces between them
// (RFC 8693 §4.2) or an array with one in each element. They are counted before
// memory is allocated for them.
func splitScopes(value string) ([]string, error) {
	if value == "" || value[0] != '"' {
		return splitList(value)
	}
	text, n := jose.Unquote(value), 0
	for range words(text) {
		n++
	}
	if n == 0 {
		return nil, nil
	}
	return slices.AppendSeq(make([]string, 0, n), words(text)), nil
}

// splitList returns the elements of an array of strings, or a single string, without
// empty ones. They are counted before memory is allocated for them.
func splitList(value string) (list []string, err error) {
	n := 0
	err = jose.EachString(value, func(quoted string) {
		if quoted != `""` {
			n++
		}
	})
	if err != nil || n == 0 {
		return nil, err
	}
	list = make([]string, 0, n)
	_ = jose.EachString(value, func(quoted string) {
		if quoted != `""` {
			list = append(list, jose.Unquote(quoted))
		}
	})
	return list, nil
}

// words yields the parts of s between spaces.
func words(s string) iter.Seq[string] {
	return strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' })
}

// dateOf returns the claim name, a NumericDate (RFC 7519 §2), or the zero time if there
// is none.
func dateOf(o jose.Object, name string) (time.Time, error) { return jose.Date(o.Value(name)) }
