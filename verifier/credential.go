package verifier

import (
	"net/http"
	"strings"
)

type tokenFrom func(*http.Request) string

var (
	noToken     = &Error{Reason: ErrNoToken, ours: true}
	otherScheme = refusal(ErrNoToken, "there is an Authorization field, but its scheme is not Bearer, nor that of one of Settings.Bindings")
	inTwoPlaces = refusal(ErrBadRequest, "a token in two places")
	notB64Token = refusal(ErrBadRequest, "the token is empty or has characters that no token has")
)

// readCredential returns the one token of r (RFC 6750 §2.1), and the binding whose
// scheme it was sent with, nil for Bearer.
func (v *Verifier) readCredential(r *http.Request) (raw string, scheme *Binding, err *Error) {
	fields := r.Header["Authorization"]
	if len(fields) > 1 {
		return "", nil, refusal(ErrBadRequest, "%d Authorization fields", len(fields))
	}
	found := false
	if len(fields) == 1 {
		if raw, found = cutScheme(fields[0], "Bearer"); !found {
			raw, scheme, found = v.api.cutBindingScheme(fields[0])
		}
	}
	if v.tokenFrom != nil {
		if other := v.tokenFrom(r); other != "" {
			if found {
				return "", nil, inTwoPlaces
			}
			raw, found = other, true
		}
	}
	switch {
	case !found && len(fields) == 1:
		return "", nil, otherScheme
	case !found:
		return "", nil, noToken
	}
	return raw, scheme, nil
}

// cutScheme returns what follows scheme and spaces. The scheme is compared without
// case (RFC 9110 §11.1). It returns false for another scheme.
func cutScheme(field, scheme string) (string, bool) {
	if len(field) < len(scheme) || !strings.EqualFold(field[:len(scheme)], scheme) {
		return "", false
	}
	rest := field[len(scheme):]
	if rest != "" && isTchar(rest[0]) {
		return "", false
	}
	token := strings.TrimLeft(rest, " ")
	if len(token) == len(rest) {
		return "", true // no space after the scheme: not well-formed
	}
	return token, true
}

// isTchar reports whether c is allowed in a scheme (RFC 9110 §5.6.2).
func isTchar(c byte) bool { return isAlphaNum(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 }

func isAlphaNum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// b64token are the characters of a b64token before its padding (RFC 6750 §2.1).
var b64token = func() (set [256]bool) {
	for c := range set {
		set[c] = isAlphaNum(byte(c)) || strings.IndexByte("-._~+/", byte(c)) >= 0
	}
	return set
}()

// isB64Token reports whether s is a b64token (RFC 6750 §2.1).
func isB64Token(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		if !b64token[body[i]] {
			return false
		}
	}
	return body != ""
}
