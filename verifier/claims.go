package verifier

import (
	"slices"
	"strings"
	"time"
)

// readClaims reads the registered claims (RFC 7519 §4.1) into t, each of the
// right kind, exp present.
func (t *Token) readClaims() *Error {
	o := t.members()
	var errs [6]error
	t.issuer, errs[0] = o.str("iss")
	t.subject, errs[1] = o.str("sub")
	t.id, errs[2] = o.str("jti")
	t.audience, errs[3] = o.audiences(t.evidence().audience[:0])
	t.expiresAt, errs[4] = o.date("exp")
	t.notBefore, errs[5] = o.date("nbf")
	for i, err := range errs {
		if err != nil {
			name := [...]string{"iss", "sub", "jti", "aud", "exp", "nbf"}[i]
			return refusal(ErrClaims, "%s: %w", name, o.dateHint(name, err))
		}
	}
	switch {
	case o.get("exp") == "":
		return refusal(ErrClaims, "no exp")
	case t.issuer == "":
		return refusal(ErrIssuer, "no iss")
	}
	t.issuedAt, _ = o.date("iat") // no limit, so nothing in it refuses (RFC 7519 §4.1.6)
	t.bound = o.has("cnf")
	return nil
}

// checkType refuses what is a JWT of this issuer but no access token.
//
// The typ header settles it (RFC 8725 §3.11, RFC 9068 §2.1), but servers that
// do not follow RFC 9068 omit it or write JWT, as they do for ID tokens. What
// tells those apart is what the others must or never carry: events (RFC 8417),
// at_hash and c_hash (OpenID Connect Core 1.0 §3.3.2.11), token_use (Cognito),
// a payload typ (Keycloak), a nonce without any permission.
func (tr *trust) checkType(h *header, t *Token) *Error {
	if !slices.ContainsFunc(tr.types, func(typ string) bool { return sameType(typ, h.typ) }) && (h.hasTyp || tr.profile) {
		return tr.wrongType(h)
	}
	o := t.members()
	for _, name := range []string{"events", "at_hash", "c_hash"} {
		if o.has(name) {
			return refusal(ErrType, "the token has %s: an ID token or a logout token?", name)
		}
	}
	if o.get("token_use") != "" {
		if use, err := o.str("token_use"); err != nil || use != "access" {
			return refusal(ErrType, "token_use is not access")
		}
	}
	return nil
}

// checkPayload refuses what only the claims tell from an access token. It reads
// lists, and so belongs after the signature.
func (tr *trust) checkPayload(t *Token) *Error {
	o := t.members()
	is := func(kind string) (found bool) {
		_ = o.strings("typ", func(s string) { found = found || strings.EqualFold(s, kind) })
		return found
	}
	for _, other := range []string{"ID", "Refresh", "Offline", "Logout"} {
		if is(other) {
			return refusal(ErrType, "the payload's typ is %s", other)
		}
	}
	if o.get("nonce") != "" && !is("Bearer") && !o.permits(tr.scopes) {
		return refusal(ErrType, "a nonce but no permission: an ID token?")
	}
	return nil
}

// permits reports whether the claims grant anything, by the names configured or
// by the common ones.
func (o object) permits(configured []string) bool {
	grants := func(name string) bool {
		some := false
		err := o.strings(name, func(s string) { some = some || strings.Trim(s, " ") != "" })
		return err == nil && some
	}
	return slices.ContainsFunc(configured, grants) || slices.ContainsFunc([]string{"scope", "scp", "roles"}, grants)
}

// readClient finds the client id and the scopes where this issuer puts them.
func (tr *trust) readClient(t *Token) *Error {
	for _, name := range tr.clientID {
		id, err := t.members().str(name)
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

// checkProfile demands what RFC 9068 §2.2 requires of an access token.
func (t *Token) checkProfile(now time.Time) *Error {
	for _, name := range []string{"sub", "client_id", "jti"} {
		if s, err := t.members().str(name); err != nil || s == "" {
			return refusal(ErrClaims, "no %s", name)
		}
	}
	switch {
	case !slices.ContainsFunc(t.audience, func(a string) bool { return a != "" }):
		return refusal(ErrClaims, "no aud")
	case t.issuedAt.IsZero():
		return refusal(ErrClaims, "no iat, or one that is no date")
	case now.Add(t.trust.leeway).Before(t.issuedAt):
		err := refusal(ErrNotYetValid, "iat is %s", t.issuedAt.Format(time.RFC3339))
		err.vague = true
		return err
	}
	return nil
}

// quoteList is quote for the values of a claim.
func quoteList(values []string) string {
	var text strings.Builder
	for i, v := range values {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(v[:min(len(v), maxQuoted)])
		if text.Len() > maxQuoted {
			break
		}
	}
	return quote(text.String())
}
