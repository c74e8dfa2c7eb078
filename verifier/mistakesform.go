package verifier

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// unpaste removes what is often pasted with a token. The code is that of the mistake, ""
// if there was nothing to remove.
func unpaste(raw string) (token, code string) {
	token = raw
	mark := func(c string) {
		if code == "" {
			code = c
		}
	}
	for changed := true; changed; {
		before := token
		token = strings.TrimFunc(token, isBlank)
		for _, prefix := range []string{"authorization:", "bearer ", "dpop "} {
			if len(token) > len(prefix) && strings.EqualFold(token[:len(prefix)], prefix) {
				token = token[len(prefix):]
				mark("pasted_with_scheme")
			}
		}
		if strings.EqualFold(token, "bearer") {
			token = ""
			mark("pasted_with_scheme")
		}
		if bare := strings.Trim(token, "\"'`“”‘’,"); bare != token {
			token = bare
			mark("pasted_with_quotes")
		}
		changed = token != before
	}
	joined := strings.Join(strings.FieldsFunc(token, isBlank), "")
	if inText := jwtIn(token); inText != "" && !isB64Token(joined) {
		return inText, "pasted_with_text"
	}
	if joined != raw {
		mark("pasted_with_line_break")
	}
	return joined, code
}

var jwtPattern = regexp.MustCompile(`eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+`)

// jwtIn returns the JWT in a longer text, such as a token response. It returns "" if there
// is none, or several of which none is named access_token.
func jwtIn(text string) string {
	_, named, ok := strings.Cut(text, "access_token")
	if !ok {
		named = text
	}
	found := jwtPattern.FindAllStringIndex(named, 2)
	if len(found) == 0 || len(found) > 1 && !ok {
		return ""
	}
	start, end := found[0][0], found[0][1]
	if end < len(named) && strings.IndexByte("+/=.", named[end]) >= 0 || end-start == len(text) {
		return ""
	}
	return named[start:end]
}

// isPlaceholder reports whether s is what programs send for a variable that has no value,
// or whose value they did not insert.
func isPlaceholder(s string) bool {
	switch strings.ToLower(s) {
	case "undefined", "null", "none", "nil", "nan", "false", "[object", "[objectobject]", "[objectpromise]":
		return true
	}
	return s != "" && strings.IndexByte("$<{%", s[0]) >= 0
}

// isBlank reports whether r is white space or invisible.
func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Cc) }

func (e *explanation) formMistake(err *Error) Mistake {
	if err == e.tooLong {
		return Mistake{"too_long", fmt.Sprintf("The token is longer than Settings.MaxTokenLength, %d bytes. Let the issuer put less into it, or raise the limit.", e.maxTokenLength)}
	}
	if err = e.formErr; err == nil {
		return pastedMistake(e.pasted)
	}
	raw := e.raw
	head := decodeSegment(raw, 0)
	switch dots := strings.Count(raw, "."); {
	case raw == "":
		return Mistake{"no_token", "There is no token."}
	case isPlaceholder(raw):
		return Mistake{"no_token", "This is not a token, but something sent in its place: a missing value such as undefined, a placeholder, or an error response."}
	case err == noAlgorithm:
		return Mistake{"unsigned", "The header has no alg, so nobody can tell how the token is signed."}
	case err == nestedJWT:
		return Mistake{"nested_token", "The token contains another JWT (cty JWT) instead of claims. That is not supported."}
	case strings.HasSuffix(raw, "…") || strings.HasSuffix(raw, ".."):
		return Mistake{"truncated", "The token ends in dots: it was copied from a display that shows only its beginning."}
	case dots >= 2 && hasMember(head, "enc"):
		return Mistake{"encrypted_token", "The token is encrypted (JWE), and only the server that has the key can read it. Let the issuer send signed tokens for this API."}
	case dots == 0 && !strings.HasPrefix(raw, "eyJ"), dots != 2 && !isObject(head) && !isObject(decodeSegment(raw, 1)):
		return Mistake{"opaque_token", "This is not a JWT: only its issuer knows what it means. Let the issuer send JWT access tokens for this API; some do so only if the client names the API in its request."}
	case dots < 2:
		return Mistake{"truncated", "A part of the token is missing: it has fewer than the three segments of a JWT."}
	case dots > 2:
		return Mistake{"not_a_jwt", "The token has more than the three segments of a JWT. Were two tokens joined?"}
	case strings.HasSuffix(raw, "."):
		return Mistake{"unsigned", "There is no signature after the last dot: the token is not signed, or its end is missing."}
	case isStandardBase64(raw):
		return Mistake{"standard_base64", "The token is in standard base64, but a JWT is in base64url without padding (RFC 7515 section 2). Whoever made or changed it must fix that."}
	case isCutBase64(raw):
		return Mistake{"truncated", "The last segment is not whole base64url: the end of the token is missing, or was changed."}
	}
	return e.jsonMistake(err, head)
}

func pastedMistake(code string) Mistake {
	switch code {
	case "pasted_with_scheme":
		return Mistake{"pasted_with_scheme", "The scheme was copied with the token. What follows \"Bearer \" is the token."}
	case "pasted_with_quotes":
		return Mistake{"pasted_with_quotes", "There are quotation marks around the token. Leave them out."}
	case "pasted_with_text":
		return Mistake{"pasted_with_text", "There is other text around the token, as in a token response. Send the value of access_token alone."}
	}
	return Mistake{"pasted_with_line_break", "There is white space in or around the token, such as a line break. Leave it out."}
}

// jsonMistake returns what is wrong with three segments that are base64url, or nearly.
func (e *explanation) jsonMistake(err *Error, head []byte) Mistake {
	body := decodeSegment(e.raw, 1)
	if !isObject(head) && isObject(body) {
		return Mistake{"truncated", "The first segment is no JSON object, but the second is one: the beginning of the token is missing."}
	}
	for _, doc := range [][]byte{head, body} {
		if name := duplicateName(doc); name != "" {
			return Mistake{"duplicate_name", "The name " + quote(name) + " is twice in one object, and readers disagree on which counts. The issuer must fix that."}
		}
	}
	switch {
	case errors.Is(err.Err, jose.ErrVariant):
		return Mistake{"name_spelling", "The name of a registered claim or header member is spelled with other upper and lower case, so that readers disagree on it. The issuer must fix that."}
	case hasMember(head, "crit"), hasMember(head, "b64"):
		return Mistake{"critical_header", "The header has crit or b64: it demands an extension that is not supported here (RFC 7515 section 4.1.11)."}
	case !isObject(head) && !isObject(body):
		return Mistake{"opaque_token", "This is not a JWT: only its issuer knows what it means. Let the issuer send JWT access tokens for this API."}
	}
	return Mistake{"not_strict_json", "Header or payload is not one strict JSON object: see the cause. The token was changed on its way, or the issuer must fix that."}
}

// decodeSegment decodes a segment as well as it can be, for people.
func decodeSegment(raw string, i int) []byte {
	segments := strings.SplitN(raw, ".", 3)
	if i >= len(segments) {
		return nil
	}
	s := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(segments[i])
	doc, _ := base64.RawURLEncoding.DecodeString(s)
	return doc
}

func isObject(doc []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(doc), []byte("{"))
}

var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// hasMember reports whether an object has a member with that name.
func hasMember(doc []byte, name string) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(doc), lenient...)
	if t, err := dec.ReadToken(); err != nil || t.Kind() != '{' {
		return false
	}
	for {
		t, err := dec.ReadToken()
		if err != nil || t.Kind() != '"' {
			return false
		}
		if t.String() == name {
			return true
		}
		if dec.SkipValue() != nil {
			return false
		}
	}
}

// duplicateName returns a name that an object has twice, or "".
func duplicateName(doc []byte) string {
	dec := jsontext.NewDecoder(bytes.NewReader(doc), jsontext.AllowInvalidUTF8(true))
	err := dec.SkipValue()
	var syntactic *jsontext.SyntacticError
	if !errors.Is(err, jsontext.ErrDuplicateName) || !errors.As(err, &syntactic) {
		return ""
	}
	return syntactic.JSONPointer.LastToken()
}

// isStandardBase64 reports whether raw has characters of standard base64 that base64url
// has not, and no others.
func isStandardBase64(raw string) bool {
	return strings.ContainsAny(raw, "+/=") && isB64Token(strings.ReplaceAll(raw, "=", ""))
}

// isCutBase64 reports whether the last segment has a length that base64 never has.
func isCutBase64(raw string) bool {
	last := raw[strings.LastIndexByte(raw, '.')+1:]
	_, ok := jose.AppendDecode(nil, []byte(last))
	return !ok && isB64Token(last)
}
