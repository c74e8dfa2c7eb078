package verifier

import (
	"net/http"
	"strings"
)

type tokenFrom func(*http.Request) string

// Authenticate takes the token from r, verifies it and applies rules. The error
// is an [*Error]: its SetHeaders, Status and MarshalJSON are the answer to
// send. The token is read from exactly one Authorization field (RFC 6750 §2.1),
// or from where Config.TokenFrom looks; never from the query or a form.
//
// It is what the adapters stand on; with it the library fits any framework that
// gives out an *http.Request. Prefer [Verifier.Protect] for that, which checks
// the rules once, at wiring.
func (v *Verifier) Authenticate(r *http.Request, rules ...Rule) (*Token, error) {
	raw, err := v.credential(r)
	if err != nil {
		return nil, v.answer(err)
	}
	return v.Verify(r.Context(), raw, rules...)
}

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
				return "", refusal(ErrBadRequest, "a token in two places")
			}
			raw, bearer = other, true
		}
	}
	switch {
	case !bearer && len(fields) == 1:
		return "", refusal(ErrNoToken, "there is an Authorization field, but its scheme is not Bearer")
	case !bearer:
		return "", &Error{Reason: ErrNoToken}
	case len(raw) > v.lengthAtMost:
		return raw, nil // for parse to refuse: nothing of that length is looked through
	case !isB64Token(raw):
		return "", refusal(ErrBadRequest, "the token is empty or has characters that no token has")
	}
	return raw, nil
}

// cutBearer returns what follows the scheme Bearer, which is compared without
// case (RFC 9110 §11.1), and spaces; false for another scheme.
func cutBearer(field string) (string, bool) {
	scheme := field
	if i := strings.IndexFunc(field, notInScheme); i >= 0 {
		scheme = field[:i]
	}
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	rest := field[len(scheme):]
	token := strings.TrimLeft(rest, " ")
	if len(token) == len(rest) {
		return "", true // no space after the scheme: not well-formed
	}
	return token, true
}

// notInScheme tells what ends a scheme: anything but a tchar (RFC 9110 §5.6.2).
func notInScheme(c rune) bool {
	return !isAlphaNum(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

func isAlphaNum(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isB64Token tells whether s is a b64token (RFC 6750 §2.1).
func isB64Token(s string) bool {
	body := strings.TrimRight(s, "=")
	return body != "" && strings.IndexFunc(body, func(c rune) bool {
		return !isAlphaNum(c) && !strings.ContainsRune("-._~+/", c)
	}) < 0
}
