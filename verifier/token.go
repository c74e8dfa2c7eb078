package verifier

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A Token is a verified access token. It is immutable and may be shared between
// requests. The only way to make one is to verify it; tests use
// verifiertest.NewToken.
type Token struct {
	registeredClaims
	policy   *issuerPolicy // nil in a zero Token, which no verifier made
	clientID string
	scopes   []string

	// A function, so that printing or dumping a Token does not show its text, not
	// even if the Token was copied into a field.
	source func() *tokenSource
}

// A tokenSource is the text of a Token, and its claims.
type tokenSource struct {
	text, raw, payload string
	members            jose.Object // of payload
}

// tokenMemory has everything of a Token in one allocation.
type tokenMemory struct {
	token     Token
	source    tokenSource
	audiences [2]string
}

// newToken returns the Token of a JWS whose signature was verified.
func (p *issuerPolicy) newToken(jws *jose.Compact, c *registeredClaims) (*Token, *Error) {
	m := &tokenMemory{source: tokenSource{jws.Text, jws.Raw, jws.Payload, jws.Claims}}
	t := &m.token
	t.registeredClaims, t.policy = *c, p
	if len(t.audience) <= len(m.audiences) {
		t.audience = append(m.audiences[:0], t.audience...) // the memory of c is reused
	}
	t.source = func() *tokenSource { return &m.source }
	err := p.checkPayload(jws.Claims)
	if err == nil {
		t.clientID, err = p.clientID.first(jws.Claims)
	}
	if err == nil {
		t.scopes, err = p.readScopes(jws.Claims)
	}
	if err != nil {
		return nil, t.refused(err)
	}
	return t, nil
}

// first returns the first string that is not empty.
func (all places) first(members jose.Object) (string, *Error) {
	for _, place := range all {
		s, err := jose.StringValue(members.At(place.path))
		if err != nil {
			return "", refusal(ErrClaims, "%s: %w", place.name, err)
		}
		if s != "" {
			return s, nil
		}
	}
	return "", nil
}

// readScopes returns the union of the scopes at all places.
func (p *issuerPolicy) readScopes(members jose.Object) (union []string, _ *Error) {
	for _, place := range p.scopes {
		list, err := splitScopes(members.At(place.path))
		switch {
		case err != nil:
			return nil, refusal(ErrClaims, "%s: %w", place.name, err)
		case union == nil:
			union = list
		case list != nil:
			union = merge(union, list)
		}
	}
	return union, nil
}

// merge appends to a the elements of b that a lacks, in linear time.
func merge(a, b []string) []string {
	seen := make(map[string]bool)
	for _, s := range a {
		seen[s] = true
	}
	for _, s := range b {
		if !seen[s] {
			seen[s] = true
			a = append(a, s)
		}
	}
	return slices.Clone(a) // without spare room, which the token cache does not count
}

// isVerified reports whether a verifier made t.
func (t *Token) isVerified() bool { return t != nil && t.policy != nil }

func (t *Token) members() jose.Object {
	if !t.isVerified() {
		return nil
	}
	return t.source().members
}

func (t *Token) rolePlaces() places {
	if !t.isVerified() {
		return nil
	}
	return t.policy.roles
}

// Raw returns the token as it was sent. It is for token exchange (RFC 8693) only:
// whoever has it can call this API as its client until it expires.
func (t *Token) Raw() string {
	if !t.isVerified() {
		return ""
	}
	return t.source().raw
}

// Issuer returns the iss claim (RFC 7519 §4.1.1).
func (t *Token) Issuer() string { return t.issuer }

// Subject returns the sub claim (RFC 7519 §4.1.2), "" if there is none. With the
// client-credentials grant it identifies the client, in a way that differs between
// issuers: use [Token.ClientID] for that.
func (t *Token) Subject() string { return t.subject }

// ClientID returns the client that the token was issued to (RFC 8693 §4.3): the
// claim client_id, else azp, or the first at the places in [Config.Claims]; "" if there
// is none.
func (t *Token) ClientID() string { return t.clientID }

// ID returns the jti claim (RFC 7519 §4.1.7), "" if there is none.
func (t *Token) ID() string { return t.id }

// Audience returns a copy of the aud claim (RFC 7519 §4.1.3).
func (t *Token) Audience() []string { return slices.Clone(t.audience) }

// Scopes returns a copy of the granted scopes (RFC 8693 §4.2): those of the claims scope
// and scp, or at the places in [Config.Claims].
func (t *Token) Scopes() []string { return slices.Clone(t.scopes) }

// HasScope reports whether the scope s was granted. Case matters.
func (t *Token) HasScope(s string) bool { return s != "" && slices.Contains(t.scopes, s) }

// Roles returns the roles (RFC 9068 §2.2.3.1): those of the claim roles, or at the places
// in [Config.Claims]. A role is a string, or an object with a value as in SCIM (RFC 7643
// §4.1.2); anything else is ignored. Each call reads them again.
func (t *Token) Roles() (roles []string) {
	seen := make(map[string]bool)
	t.eachRole(func(role string) {
		if !seen[role] {
			seen[role] = true
			roles = append(roles, role)
		}
	})
	return roles
}

// HasRole reports whether the token has the role r. Case matters.
func (t *Token) HasRole(r string) (found bool) {
	t.eachRole(func(role string) { found = found || role == r })
	return found
}

// eachRole calls f with each role, some of them more than once.
func (t *Token) eachRole(f func(role string)) {
	for _, place := range t.rolePlaces() {
		jose.EachElement(t.members().At(place.path), func(element string) {
			if element[0] == '{' {
				element = jose.MemberOf(element, "value")
			}
			if role, err := jose.StringValue(element); err == nil && role != "" {
				f(role)
			}
		})
	}
}

// IssuedAt returns the iat claim (RFC 7519 §4.1.6) in UTC, zero if there is
// none.
func (t *Token) IssuedAt() time.Time { return t.issuedAt }

// NotBefore returns the nbf claim (RFC 7519 §4.1.5) in UTC, zero if there is
// none.
func (t *Token) NotBefore() time.Time { return t.notBefore }

// Expiry returns the exp claim (RFC 7519 §4.1.4) in UTC.
func (t *Token) Expiry() time.Time { return t.expiresAt }

// LogValue returns issuer, client id, subject and jti, for log/slog. They cannot be used
// as a credential.
func (t *Token) LogValue() slog.Value {
	if t == nil {
		return slog.Value{}
	}
	return slog.GroupValue(
		slog.String("iss", t.issuer),
		slog.String("client_id", t.clientID),
		slog.String("sub", t.subject),
		slog.String("jti", t.id),
	)
}

// String returns issuer, client id, subject and jti. It has a value receiver, so that
// printing a copy of a Token does not show its claims either.
func (t Token) String() string {
	return fmt.Sprintf("Token(iss=%q client_id=%q sub=%q jti=%q)", t.issuer, t.clientID, t.subject, t.id)
}

// GoString returns [Token.String].
func (t Token) GoString() string { return t.String() }
