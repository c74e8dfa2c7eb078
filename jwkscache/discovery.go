package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	rediscoverAfter = 24 * time.Hour
	rediscoverAgain = time.Hour // after one that failed
)

// locate finds the key set's address, where it is not given, not known or a day
// old, or where mode asks for it. It returns the metadata if that was asked and
// is good. An address that is known outlives discovery that fails.
func (c *Cache) locate(ctx context.Context, mode fetchMode) (*document, error) {
	s := &c.source
	if s.issuer == "" || s.jwksURI != "" && !mode.rediscover && c.clock().since(s.discovered) < rediscoverAfter {
		return nil, nil
	}
	metadata, err := c.rediscover(ctx, mode)
	if err == nil || s.jwksURI == "" {
		return metadata, err
	}
	s.discovered = c.clock().add(rediscoverAgain - rediscoverAfter)
	return nil, nil
}

// rediscover replaces the key set's address, if discovery succeeds.
func (c *Cache) rediscover(ctx context.Context, mode fetchMode) (*document, error) {
	uri, metadata, err := c.discover(ctx, mode)
	if err == nil {
		c.source.jwksURI, c.source.discovered = uri, c.clock()
	}
	return metadata, err
}

// discover asks both well-known places and believes the first whose document
// is the configured issuer's.
func (c *Cache) discover(ctx context.Context, mode fetchMode) (string, *document, error) {
	var failed []error
	found := false
	for _, address := range wellKnown(c.source.issuer) {
		metadata, err := c.get(ctx, address, mode)
		if err == nil {
			var uri string
			if uri, err = parseMetadata(metadata.body, c.source.issuer, c.cfg.AllowHTTP); err == nil {
				return uri, metadata, nil
			}
		}
		found = found || !gone(err)
		failed = append(failed, fmt.Errorf("metadata at %s: %w", address, err))
	}
	err := errors.Join(failed...)
	if !found {
		err = fmt.Errorf("%w: %w", errNoMetadata, err)
	}
	return "", nil, err
}

// What waiting does not mend, unless somebody changes the server or the
// configuration.
var (
	errOtherIssuer = errors.New("the document's issuer is")
	errNoMetadata  = errors.New("there is no metadata")
)

// hopelessness weighs a failure that waiting does not mend: two are enough for
// Ready to return. That metadata is not found may be a server's start; that it
// names another issuer is settled.
func hopelessness(err error) int {
	switch {
	case errors.Is(err, errOtherIssuer):
		return 2
	case errors.Is(err, errNoMetadata):
		return 1
	}
	return 0
}

// wellKnown returns where an issuer's metadata may be: appended (OpenID Connect
// Discovery 1.0 §4) and inserted before the path (RFC 8414 §3.1).
func wellKnown(issuer string) []string {
	trimmed := strings.TrimSuffix(issuer, "/")
	u, err := url.Parse(trimmed)
	if err != nil { // checkIssuer has seen to that
		return nil
	}
	return []string{
		trimmed + "/.well-known/openid-configuration",
		u.Scheme + "://" + u.Host + "/.well-known/oauth-authorization-server" + u.EscapedPath(),
	}
}

// parseMetadata returns the jwks_uri of a document that names issuer exactly
// (RFC 8414 §3.3).
func parseMetadata(doc []byte, issuer string, allowHTTP bool) (string, error) {
	var m struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	// Only these two members matter, and the issuer's is compared exactly: what
	// else is in the document may be as odd as it likes.
	lenient := json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := json.Unmarshal(doc, &m, lenient); err != nil {
		return "", errors.New("not a metadata document")
	}
	if m.Issuer != issuer {
		hint := ""
		if strings.TrimSuffix(m.Issuer, "/") == strings.TrimSuffix(issuer, "/") {
			hint = ": they differ in the slash at the end"
		}
		return "", fmt.Errorf("%w %.200q, configured is %q%s", errOtherIssuer, m.Issuer, issuer, hint)
	}
	if err := checkURL(m.JWKSURI, allowHTTP); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	if isHTTPS(issuer) && !isHTTPS(m.JWKSURI) && !allowHTTP {
		return "", errors.New("jwks_uri of an https issuer is not https")
	}
	return m.JWKSURI, nil
}

func isHTTPS(raw string) bool {
	u, err := url.Parse(raw) // which lowers the scheme
	return err == nil && u.Scheme == "https"
}

// checkIssuer is checkURL for an issuer identifier, which has no query either
// (RFC 8414 §2).
func checkIssuer(issuer string, allowHTTP bool) error {
	if issuer == "" {
		return errors.New("jwkscache: no issuer")
	}
	if strings.ContainsAny(issuer, "?#") {
		return fmt.Errorf("jwkscache: issuer %q has a query or a fragment", issuer)
	}
	if strings.Contains(issuer, "/.well-known/") {
		return fmt.Errorf("jwkscache: %q is where an issuer's metadata is; the issuer is what stands there as \"issuer\"", issuer)
	}
	return checkURL(issuer, allowHTTP)
}
