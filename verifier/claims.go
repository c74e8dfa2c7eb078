package verifier

import (
	"slices"
	"strings"
)

// readClaims reads the registered claims (RFC 7519 §4.1), each of the right
// kind, exp present.
func readClaims(c *compact) (*Token, *Error) {
	t := &Token{claims: &c.claims}
	o := c.claims.members
	var err error
	read := func(name string, f func() error) {
		if e := f(); e != nil && err == nil {
			err = refusal(ErrClaims, "%s: %w", name, e)
		}
	}
	read("iss", func() (err error) { t.issuer, err = o.str("iss"); return })
	read("sub", func() (err error) { t.subject, err = o.strOrNull("sub"); return })
	read("jti", func() (err error) { t.id, err = o.strOrNull("jti"); return })
	read("aud", func() (err error) { t.audience, err = o.stringList("aud"); return })
	read("exp", func() (err error) { t.expiresAt, err = o.date("exp"); return })
	read("nbf", func() (err error) { t.notBefore, err = o.date("nbf"); return })
	read("iat", func() (err error) { t.issuedAt, err = o.date("iat"); return })
	switch e, _ := err.(*Error); {
	case e != nil:
		return nil, e
	case !o.has("exp"):
		return nil, refusal(ErrClaims, "no exp")
	case t.issuer == "":
		return nil, refusal(ErrIssuer, "no iss")
	}
	return t, nil
}

// checkType refuses what is a JWT of this issuer but no access token.
//
// The typ header settles it (RFC 8725 §3.11, RFC 9068 §2.1), but servers that
// do not follow RFC 9068 omit it or write JWT, as they do for ID tokens. What
// tells those apart is what the others must or never carry: events (RFC 8417),
// at_hash and c_hash (OpenID Connect Core 1.0 §3.3.2.11), token_use (Cognito),
// a payload typ (Keycloak), a nonce without any permission.
func (tr *trust) checkType(h header, t *Token) *Error {
	if !slices.ContainsFunc(tr.types, func(typ string) bool { return sameType(typ, h.typ) }) && (h.hasTyp || tr.profile) {
		return refusal(ErrType, "typ is %s", quote(h.typ))
	}
	o := t.members()
	for _, name := range []string{"events", "at_hash", "c_hash"} {
		if o.has(name) {
			return refusal(ErrType, "the token has %s: an ID token or a logout token?", name)
		}
	}
	if o.has("token_use") {
		if use, err := o.str("token_use"); err != nil || use != "access" {
			return refusal(ErrType, "token_use is not access")
		}
	}
	typ, _ := o.stringList("typ")
	is := func(kind string) bool {
		return slices.ContainsFunc(typ, func(s string) bool { return strings.EqualFold(s, kind) })
	}
	for _, other := range []string{"ID", "Refresh", "Offline", "Logout"} {
		if is(other) {
			return refusal(ErrType, "the payload's typ is %s", other)
		}
	}
	permits := is("Bearer")
	for _, name := range []string{"scope", "scp", "roles"} {
		list, err := o.scopeList(name)
		permits = permits || err == nil && len(list) > 0
	}
	if o.has("nonce") && !permits {
		return refusal(ErrType, "a nonce but no permission: an ID token?")
	}
	return nil
}

// readClient finds the client id and the scopes where this issuer puts them.
func (tr *trust) readClient(t *Token) *Error {
	for _, name := range tr.clientID {
		id, err := t.members().strOrNull(name)
		if err != nil {
			return refusal(ErrClaims, "%s: %w", name, err)
		}
		if id != "" {
			t.clientID = id
			break
		}
	}
	for _, name := range tr.scopes {
		list, err := t.members().scopeList(name)
		if err != nil {
			return refusal(ErrClaims, "%s: %w", name, err)
		}
		if len(list) > 0 {
			t.scopes = list
			break
		}
	}
	return nil
}

// scopeList reads scopes: a string with spaces between them (RFC 8693 §4.2) or
// an array with one in each element.
func (o object) scopeList(name string) ([]string, error) {
	v := o.get(name)
	if v == nil || v.Kind() == 'n' {
		return nil, nil
	}
	list, err := o.stringList(name)
	if err != nil {
		return nil, err
	}
	if v.Kind() == '"' {
		list = strings.Split(list[0], " ")
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" }), nil
}

// checkProfile demands what RFC 9068 §2.2 requires of an access token.
func (t *Token) checkProfile() *Error {
	for _, name := range []string{"sub", "client_id", "jti"} {
		if s, err := t.members().str(name); err != nil || s == "" {
			return refusal(ErrClaims, "no %s", name)
		}
	}
	switch {
	case !slices.ContainsFunc(t.audience, func(a string) bool { return a != "" }):
		return refusal(ErrClaims, "no aud")
	case !t.members().has("iat"):
		return refusal(ErrClaims, "no iat")
	}
	return nil
}

// quoteList is quote for the values of a claim.
func quoteList(values []string) string { return quote(strings.Join(values, " ")) }
