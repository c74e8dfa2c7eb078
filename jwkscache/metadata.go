package jwkscache

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A metadataError is the reason why a document is not the issuer's metadata.
type metadataError struct {
	reason      string
	otherIssuer bool
}

func (e *metadataError) Error() string { return e.reason }

// parseMetadata returns the jwks_uri of a document from address, whose issuer must
// be exactly this one (RFC 8414 §3.3).
func parseMetadata(doc []byte, issuer, address string, allowHTTP bool) (string, error) {
	var m struct {
		Issuer  string         `json:"issuer"`
		JWKSURI string         `json:"jwks_uri"`
		Keys    jsontext.Value `json:"keys"`
	}
	// Only these members matter, and the issuer is compared exactly, so the rest of
	// the document need not be strict JSON.
	lenient := json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	err := json.Unmarshal(trimBOM(doc), &m, lenient)
	switch {
	case err != nil && bytes.HasPrefix(bytes.TrimSpace(doc), []byte("<")):
		return "", &metadataError{reason: "an HTML or XML page, not a metadata document"}
	case err != nil:
		return "", &metadataError{reason: "not a metadata document"}
	case m.Issuer == "" && m.Keys != nil:
		return "", &metadataError{reason: "a JWK Set, not a metadata document: is the address of the keys configured as the issuer, or as MetadataURL?"}
	case m.Issuer != issuer:
		return "", &metadataError{
			reason:      fmt.Sprintf("the document's issuer is %q, the configured one is %q%s", cut(m.Issuer), issuer, differenceHint(m.Issuer, issuer)),
			otherIssuer: true,
		}
	}
	if err := checkURL(m.JWKSURI, allowHTTP); err != nil {
		return "", &metadataError{reason: "jwks_uri: " + err.Error()}
	}
	if isHTTPS(address) && !isHTTPS(m.JWKSURI) && !allowHTTP {
		return "", &metadataError{reason: "jwks_uri is not https, but the metadata is"}
	}
	return m.JWKSURI, nil
}

// differenceHint names the difference of two issuers that look alike.
func differenceHint(got, want string) string {
	noSlash := func(s string) string { return strings.TrimRight(s, "/") }
	noScheme := func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://") }
	switch {
	case noSlash(got) == noSlash(want):
		return ": they differ in the slash at the end"
	case noScheme(got) == noScheme(want):
		return ": one is http, the other https"
	case strings.EqualFold(got, want):
		return ": they differ in capital letters"
	}
	return ""
}
