package verifier

import (
	"crypto"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// A Token is a verified access token. It is immutable and may be shared between
// requests. There is no way to make one but to verify it; tests use
// verifiertest.NewToken.
type Token struct {
	verifier *Verifier
	trust    *trust // nil: no token

	issuer, subject, clientID, id  string
	audience, scopes               []string
	issuedAt, notBefore, expiresAt time.Time
	bound                          bool // to a sender's key (RFC 7800)

	// A function, so that nothing that prints or dumps a Token shows what it was
	// read from, even where it was copied into a field.
	evidence func() *evidence
}

// An evidence is what a token was read from and verified by.
type evidence struct {
	raw     string // of a remembered token: a copy of the token itself
	payload string // the very bytes that were signed
	members object // of payload
	header  *header
	key     crypto.PublicKey // that fits the signature

	audience [2]string // room for what most tokens have

	// When a remembered token is good: from nbf to exp, with leeway, and until
	// it is to be verified again.
	begins, ends, again time.Time
}

// A tokenMemory is a Token and its evidence in one piece.
type tokenMemory struct {
	token    Token
	evidence evidence
}

// newToken returns the Token of e.
func newToken(e evidence) *Token {
	whole := &tokenMemory{evidence: e}
	whole.token.evidence = func() *evidence { return &whole.evidence }
	return &whole.token
}

func (t *Token) members() object { return t.evidence().members }

// Issuer returns the iss claim (RFC 7519 §4.1.1).
func (t *Token) Issuer() string { return t.issuer }

// Subject returns the sub claim (RFC 7519 §4.1.2), "" if there is none. With
// the client-credentials grant it names the client, in the issuer's own way:
// use [Token.ClientID] for that.
func (t *Token) Subject() string { return t.subject }

// ClientID returns the client that the token was issued to (RFC 8693 §4.3): the
// claim client_id, else azp, or what [Config.Claims] says; "" if there is none.
func (t *Token) ClientID() string { return t.clientID }

// ID returns the jti claim (RFC 7519 §4.1.7), "" if there is none.
func (t *Token) ID() string { return t.id }

// Audience returns a copy of the aud claim (RFC 7519 §4.1.3).
func (t *Token) Audience() []string { return slices.Clone(t.audience) }

// Scopes returns a copy of the granted scopes (RFC 8693 §4.2): the claim scope,
// else scp, or what [Config.Claims] says.
func (t *Token) Scopes() []string { return slices.Clone(t.scopes) }

// HasScope reports whether the scope s was granted. Case matters.
func (t *Token) HasScope(s string) bool { return s != "" && slices.Contains(t.scopes, s) }

// IssuedAt returns the iat claim (RFC 7519 §4.1.6) in UTC, zero if there is
// none.
func (t *Token) IssuedAt() time.Time { return t.issuedAt }

// NotBefore returns the nbf claim (RFC 7519 §4.1.5) in UTC, zero if there is
// none.
func (t *Token) NotBefore() time.Time { return t.notBefore }

// Expiry returns the exp claim (RFC 7519 §4.1.4) in UTC.
func (t *Token) Expiry() time.Time { return t.expiresAt }

// LogValue says who is calling, for log/slog. It shows neither the payload nor
// anything that could be used as a credential.
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

// String says who is calling. It has a value receiver, so that a copied Token
// does not print its payload either.
func (t Token) String() string {
	return fmt.Sprintf("Token(iss=%q client_id=%q sub=%q jti=%q)", t.issuer, t.clientID, t.subject, t.id)
}

// GoString is [Token.String].
func (t Token) GoString() string { return t.String() }

func (t *Token) verified() bool { return t != nil && t.trust != nil }
