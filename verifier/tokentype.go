package verifier

import (
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// checkType refuses JWTs of this issuer that are not access tokens.
//
// The header's typ distinguishes them (RFC 8725 §3.11, RFC 9068 §2.1), but servers that
// do not follow RFC 9068 omit it or write JWT, in ID tokens too. Therefore claims of
// other kinds of JWT are refused: events (RFC 8417), at_hash and c_hash (OpenID Connect
// Core 1.0 §3.3.2.11), token_use (Cognito), and those of [issuerPolicy.checkPayload].
func (p *issuerPolicy) checkType(h *jose.Header, members jose.Object) *Error {
	accepted := func(typ string) bool {
		if typ == "" {
			return !h.HasTyp
		}
		return jose.SameMediaType(typ, h.Typ)
	}
	if !slices.ContainsFunc(p.types, accepted) {
		return p.wrongType(h)
	}
	for _, name := range []string{"events", "at_hash", "c_hash"} {
		if members.Has(name) {
			return refusal(ErrType, "the token has %s: an ID token or a logout token?", name)
		}
	}
	if members.Value("token_use") != "" {
		if use, err := members.String("token_use"); err != nil || use != "access" {
			return refusal(ErrType, "token_use is not access")
		}
	}
	return nil
}

// checkPayload refuses a token with certain values of the claim typ (Keycloak), and one
// with a nonce but no permission, like an ID token. The lists that it reads can be as
// long as a token, so it runs after the signature is verified.
func (p *issuerPolicy) checkPayload(members jose.Object) *Error {
	typ := func(kind string) (found bool) {
		_ = jose.EachString(members.Value("typ"), func(quoted string) {
			found = found || strings.EqualFold(jose.Unquote(quoted), kind)
		})
		return found
	}
	for _, other := range []string{"ID", "Refresh", "Offline", "Logout"} {
		if typ(other) {
			return refusal(ErrType, "the payload's typ is %s", other)
		}
	}
	if members.Value("nonce") != "" && !typ("Bearer") && !p.grantsAny(members) {
		return refusal(ErrType, "a nonce but no permission: an ID token?")
	}
	return nil
}

// grantsAny reports whether there is a scope or a role, at the configured places or at
// the common ones.
func (p *issuerPolicy) grantsAny(members jose.Object) bool {
	grants := func(value string) bool {
		some := false
		err := jose.EachString(value, func(quoted string) { some = some || strings.Trim(jose.Unquote(quoted), " ") != "" })
		return err == nil && some
	}
	for _, all := range []places{p.scopes, p.roles} {
		for _, place := range all {
			if grants(members.At(place.path)) {
				return true
			}
		}
	}
	for _, name := range []string{"scope", "scp", "roles"} {
		if grants(members.Value(name)) {
			return true
		}
	}
	return false
}
