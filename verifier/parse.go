package verifier

import (
	"encoding/base64"
	"errors"
	"strings"
)

// A compact is a JWS in compact serialization (RFC 7515 §7.1), taken apart but
// not yet believed.
type compact struct {
	signed    string // what the signature is over
	header    header
	claims    *claimsText
	signature []byte
}

// A header holds what a JOSE header may tell us. Whatever would choose a key
// (jku, x5u, jwk, x5c) is not read.
type header struct {
	alg, kid, typ string
	hasTyp        bool
}

// parse takes raw apart, or says what is wrong with it. Its length is checked
// before anything else.
func parse(raw string, lengthAtMost int) (*compact, *Error) {
	if len(raw) > lengthAtMost {
		return nil, refusal(ErrMalformed, "the token has %d bytes, %d are allowed", len(raw), lengthAtMost)
	}
	head, rest, _ := strings.Cut(raw, ".")
	body, sig, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(sig, ".") {
		return nil, refusal(ErrMalformed, "not three segments")
	}
	var segments [3][]byte
	for i, s := range []string{head, body, sig} {
		var err error
		if segments[i], err = decodeSegment(s); err != nil {
			return nil, refusal(ErrMalformed, "segment %d: %w", i+1, err)
		}
	}
	c := &compact{signed: raw[:len(head)+1+len(body)], claims: &claimsText{payload: segments[1]}, signature: segments[2]}
	var refused *Error
	if c.header, refused = readHeader(segments[0]); refused != nil {
		return nil, refused
	}
	var err error
	if c.claims.members, err = readObject(c.claims.payload); err != nil {
		return nil, refusal(ErrMalformed, "claims: %w", err)
	}
	return c, nil
}

// decodeSegment reads unpadded base64url (RFC 7515 §2) and nothing else. Go's
// decoder skips CR and LF even when strict, which the length betrays.
func decodeSegment(s string) ([]byte, error) {
	if s == "" {
		return nil, errors.New("empty")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(b)) != len(s) {
		return nil, errors.New("not base64url")
	}
	return b, nil
}

// readHeader reads a JOSE header (RFC 7515 §4). It understands no extension, so
// everything critical is refused (§4.1.11), and so is b64 (RFC 7797 §7). A zip
// member means nothing in a JWS.
func readHeader(text []byte) (h header, refused *Error) {
	o, err := readObject(text)
	if err != nil {
		return h, refusal(ErrMalformed, "header: %w", err)
	}
	if o.has("crit") || o.has("b64") {
		return h, refusal(ErrMalformed, "header: crit and b64 are not supported")
	}
	var errs [4]error
	var cty string
	h.alg, errs[0] = o.str("alg")
	h.kid, errs[1] = o.str("kid")
	h.typ, errs[2] = o.str("typ")
	cty, errs[3] = o.str("cty")
	if err := errors.Join(errs[:]...); err != nil {
		return h, refusal(ErrMalformed, "header: alg, kid, typ or cty is no string")
	}
	h.hasTyp = o.has("typ")
	switch {
	case h.alg == "":
		return h, refusal(ErrAlgorithm, "the header has no alg")
	case sameType(cty, "JWT"):
		return h, refusal(ErrType, "a nested JWT")
	}
	return h, nil
}

// sameType compares media types as typ and cty write them: without case, and
// with "application/" left out where no other slash follows (RFC 7515 §4.1.9).
func sameType(a, b string) bool {
	return strings.EqualFold(shortType(a), shortType(b))
}

func shortType(t string) string {
	const prefix = "application/"
	if len(t) > len(prefix) && strings.EqualFold(t[:len(prefix)], prefix) && !strings.Contains(t[len(prefix):], "/") {
		return t[len(prefix):]
	}
	return t
}
