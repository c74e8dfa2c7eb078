package verifier

import (
	"context"
	"net/http"
	"strings"
)

type tokenFrom func(*http.Request) string

// Authenticate takes the token from r, verifies it and applies rules. The error
// is an [*Error]: its SetHeaders, Status and MarshalJSON are the answer to
// send. The token is read from exactly one Authorization field (RFC 6750 §2.1),
// or from where Config.TokenFrom looks; never from the query or a form.
//
// With it the library fits any framework that gives out an *http.Request. Prefer
// [Verifier.Protect] where the rules are fixed, which checks them once.
func (v *Verifier) Authenticate(r *http.Request, rules ...Rule) (*Token, error) {
	raw, err := v.credential(r)
	if err == nil {
		err = v.checkRouteRules(rules)
	}
	var t *Token
	if err == nil {
		t, err = v.verifyCredential(r.Context(), raw, rules)
	}
	if err != nil {
		return nil, v.refuse(r.Context(), err, challengeScopes(rules))
	}
	return t, nil
}

// verifyCredential is verify for what came in a request, of which a text that no
// token can be is refused in its own way. Only what is not well-formed is looked
// through for that.
func (v *Verifier) verifyCredential(ctx context.Context, raw string, rules []Rule) (*Token, *Error) {
	t, err := v.verify(ctx, raw, rules)
	if err != nil && err.Reason == ErrMalformed && len(raw) <= v.lengthAtMost && !isB64Token(raw) {
		return nil, notB64Token
	}
	return t, err
}

var (
	noToken     = &Error{Reason: ErrNoToken, logs: true}
	otherScheme = refusal(ErrNoToken, "there is an Authorization field, but its scheme is not Bearer")
	inTwoPlaces = refusal(ErrBadRequest, "a token in two places")
	notB64Token = refusal(ErrBadRequest, "the token is empty or has characters that no token has")
)

// credential returns the one token that r carries.
func (v *Verifier) credential(r *http.Request) (string, *Error) {
	fields := r.Header["Authorization"]
	if len(fields) > 1 {
		return "", refusal(ErrBadRequest, "%d Authorization fields", len(fields))
	}
	raw, bearer := "", false
	if len(fields) == 1 {
		raw, bearer = cutBearer(fields[0])
	}
	if v.tokenFrom != nil {
		if other := v.tokenFrom(r); other != "" {
			if bearer {
				return "", inTwoPlaces
			}
			raw, bearer = other, true
		}
	}
	switch {
	case !bearer && len(fields) == 1:
		return "", otherScheme
	case !bearer:
		return "", noToken
	}
	return raw, nil
}

// cutBearer returns what follows the scheme Bearer, which is compared without
// case (RFC 9110 §11.1), and spaces; false for another scheme.
func cutBearer(field string) (string, bool) {
	const scheme = "Bearer"
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

// isTchar reports whether c can be in a scheme (RFC 9110 §5.6.2).
func isTchar(c byte) bool { return isAlphaNum(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 }

func isAlphaNum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// b64token are the characters of one, before its padding (RFC 6750 §2.1).
var b64token = func() (set [256]bool) {
	for c := range 256 {
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
