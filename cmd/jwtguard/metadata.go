package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A metadata is what this program reads of an authorization server's metadata (RFC
// 8414 §2), or of a JWK Set in its place.
type metadata struct {
	Issuer        string           `json:"issuer"`
	JWKSURI       string           `json:"jwks_uri"`
	TokenEndpoint string           `json:"token_endpoint"`
	AuthMethods   []string         `json:"token_endpoint_auth_methods_supported"`
	Keys          []jsontext.Value `json:"keys"`
}

// lenient reads what jwkscache also reads: only its keys and tokens are strict JSON.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// readMetadata reads what it can of a document. What it cannot read is empty.
func readMetadata(doc []byte) (m metadata) {
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	_ = json.Unmarshal(doc, &m, lenient)
	return m
}

func (m *metadata) isMetadata() bool { return m.Issuer != "" && m.JWKSURI != "" }

const wellKnown = "/.well-known/openid-configuration"

// wellKnownPlaces returns where an issuer's metadata is: appended (OpenID Connect
// Discovery 1.0 §4) and inserted before the path (RFC 8414 §3.1).
func wellKnownPlaces(issuer string) []string {
	trimmed := strings.TrimSuffix(issuer, "/")
	u, err := url.Parse(trimmed)
	if err != nil {
		return nil
	}
	return []string{
		trimmed + wellKnown,
		u.Scheme + "://" + u.Host + "/.well-known/oauth-authorization-server" + u.EscapedPath(),
	}
}

// discover returns the metadata of an issuer, which must be exactly this one (RFC
// 8414 §3.3). An error has an exit code.
func discover(ctx context.Context, client *http.Client, issuer, metadataURL string) (metadata, error) {
	places := wellKnownPlaces(issuer)
	if metadataURL != "" {
		places = []string{metadataURL}
	}
	var failures []string
	for _, place := range places {
		doc, err := get(ctx, client, place)
		if err != nil {
			failures = append(failures, address(place)+": "+err.Error())
			continue
		}
		m := readMetadata(doc)
		switch {
		case m.Issuer == "":
			failures = append(failures, address(place)+": not a metadata document")
			continue
		case m.Issuer != issuer:
			return m, fail(exitUsage, "the metadata's issuer is %s, not %s%s", quoted(m.Issuer), quoted(issuer), difference(m.Issuer, issuer))
		}
		return m, nil
	}
	return metadata{}, fail(exitUnavailable, "the issuer's metadata was not found: %v", printable(strings.Join(failures, "; ")))
}

// difference names the difference of two issuers that look alike, "" if they do not.
func difference(got, want string) string {
	noScheme := func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://") }
	switch {
	case strings.TrimRight(got, "/") == strings.TrimRight(want, "/"):
		return ": they differ in the slash at the end"
	case noScheme(got) == noScheme(want):
		return ": one is http, the other https"
	case strings.EqualFold(got, want):
		return ": they differ in capital letters"
	}
	return ""
}
