// Package jwttest makes tokens for tests, genuine and forged ones: a [Signer] signs
// whatever header and payload it is given. It shares no code with the package jose.
package jwttest

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// Members are the members of a JSON object: their values, as JSON, by name. A value of
// "" leaves the member out.
type Members map[string]string

// Text returns the object, with its members sorted by name.
func (m Members) Text() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" {
			parts = append(parts, `"`+name+`":`+m[name])
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Over returns a copy of base in which the members of m replace those of base.
func (m Members) Over(base Members) Members {
	all := maps.Clone(base)
	maps.Copy(all, m)
	return all
}

// With returns the object with more text, which need not be valid, after its last
// member.
func (m Members) With(more string) string {
	return strings.TrimSuffix(m.Text(), "}") + "," + more + "}"
}

// Encode returns text in base64url without padding (RFC 7515 §2).
func Encode[T string | []byte](text T) string {
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// Attach returns the token of its first two segments and a signature.
func Attach(signed string, signature []byte) string { return signed + "." + Encode(signature) }

// JWKS returns a JWK Set of these JWKs.
func JWKS(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }
