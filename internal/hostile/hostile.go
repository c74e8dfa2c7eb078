// Package hostile makes tokens without a valid signature that are as expensive as possible
// to refuse. It is for tests and benchmarks.
package hostile

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Length is the maximum length of the tokens, which is a verifier's default limit.
const Length = 16 << 10

// A Token has a signature of one byte, which is refused before any RSA operation.
type Token struct{ Kind, Raw string }

// An Aim is the issuer and the audience in the tokens, so that they pass these checks.
type Aim struct{ Issuer, Audience, Alg, KeyID string }

// Tokens returns a token of each kind.
func (a Aim) Tokens() (all []Token) {
	header := object{{"alg", quoted(a.Alg)}, {"kid", quoted(a.KeyID)}, {"typ", `"at+jwt"`}}
	exp := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	claims := object{{"iss", quoted(a.Issuer)}, {"aud", quoted(a.Audience)}, {"exp", exp}}
	room := base64.RawURLEncoding.DecodedLen(Length) - len("..AA")
	for _, k := range claimKinds {
		all = append(all, Token{k.name, token(header.text(), claims.with(k, room-len(header.text())))})
	}
	for _, k := range headerKinds {
		all = append(all, Token{"header: " + k.name, token(header.with(k, room-len(claims.text())), claims.text())})
	}
	return append(all, texts...)
}

// texts are not JWTs.
var texts = []Token{
	{"one segment", strings.Repeat("A", Length)},
	{"one segment of dashes", strings.Repeat("-", Length)},
	{"segments", strings.Repeat(".", Length)},
	{"base64 that ends badly", "e30." + strings.Repeat("A", Length-len("e30.*.AA")) + "*.AA"},
}

func token(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + ".AA"
}

type object []struct{ name, value string }

func (o object) text() string { return "{" + o.members("") + "}" }

func (o object) members(without string) string {
	var all []string
	for _, m := range o {
		if m.name != without {
			all = append(all, quoted(m.name)+":"+m.value)
		}
	}
	return strings.Join(all, ",")
}

// with returns o with the members of k, in at most size bytes.
func (o object) with(k kind, size int) string {
	rest := o.members(k.instead)
	return "{" + k.fill(size-len("{,}")-len(rest)-len(k.end)) + "," + rest + "}" + k.end
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }
