package jwkscache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// metadataPeriod is how long the metadata is not asked again. An address counts
// for MaxStale after the last good answer, as keys do, so it is asked about as
// often as they are: otherwise it would end in the midst of an outage.
const metadataPeriod = time.Hour

// locate finds the key set's address, where it is not given, not known or no
// more believed, and asks for it again where that is due or mode wants it. It
// returns the metadata if that was asked and is good.
func (c *Cache) locate(ctx context.Context, mode fetchMode) (*document, error) {
	s := &c.source
	if s.issuer == "" {
		return nil, nil
	}
	if c.clock().before(s.due) && !mode.rediscover { // due comes before tooOld
		return nil, nil
	}
	metadata, err := c.rediscover(ctx, mode)
	if err != nil && c.clock().before(s.tooOld) {
		return nil, nil
	}
	return metadata, err
}

// rediscover replaces the key set's address, if discovery succeeds.
func (c *Cache) rediscover(ctx context.Context, mode fetchMode) (*document, error) {
	s := &c.source
	uri, metadata, err := c.discover(ctx, mode)
	if err == nil {
		s.jwksURI, s.tooOld = uri, metadata.made.add(c.cfg.MaxStale)
	}
	s.failing = err
	now := c.clock()
	s.due = now.add(min(metadataPeriod, -now.since(s.tooOld)/4))
	return metadata, err
}

// discover asks the places where the metadata may be, and believes the first
// document that is the configured issuer's.
func (c *Cache) discover(ctx context.Context, mode fetchMode) (string, *document, error) {
	failed := new(discoveryError)
	for _, address := range c.source.places() {
		metadata, err := c.get(ctx, address, mode)
		if err == nil {
			var uri string
			if uri, err = parseMetadata(metadata.body, c.source.issuer, address, c.cfg.AllowHTTP); err == nil {
				return uri, metadata, nil
			}
		}
		failed.places, failed.errs = append(failed.places, address), append(failed.errs, err)
	}
	return "", nil, failed
}

// places returns where the issuer's metadata may be.
func (s *source) places() []string {
	if s.metadata != "" {
		return []string{s.metadata}
	}
	return wellKnown(s.issuer)
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

// logChange logs the metadata's first failure and the end of it, where an
// address of it is in use; and when a server's clock is found to differ from
// ours, or no longer to. fresh is what a fetch brought, nil if that failed.
func (s *source) logChange(log *slog.Logger, fresh *snapshot) {
	if fails := s.failing != nil; fails != s.reported && (s.jwksURI != "" || !fails) {
		s.reported = fails
		if fails {
			log.Warn("jwtguard: the issuer's metadata cannot be had; the address of its keys stays in use for now",
				"jwks_uri", cut(s.jwksURI), "until", s.tooOld.wall, "error", s.failing)
		} else {
			log.Info("jwtguard: the issuer's metadata can be had again", "jwks_uri", cut(s.jwksURI))
		}
	}
	if fresh == nil {
		return
	}
	if skewed := fresh.clockDiff.Abs() > maxClockDifference; skewed != s.skewed {
		s.skewed = skewed
		if skewed {
			log.Warn("jwtguard: the clock of the issuer's server differs from ours, so tokens may count as expired or not yet valid",
				"ahead", fresh.clockDiff)
		} else {
			log.Info("jwtguard: the clock of the issuer's server agrees with ours again")
		}
	}
}

// maxClockDifference is the default leeway of a verifier.
const maxClockDifference = time.Minute

// A discoveryError says of each place why the issuer's metadata is not there.
type discoveryError struct {
	places []string
	errs   []error
}

func (e *discoveryError) Error() string {
	var b strings.Builder
	for i, err := range e.errs {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "metadata at %s: %v", e.places[i], err)
	}
	return b.String()
}

func (e *discoveryError) Unwrap() []error { return e.errs }

// hopelessness weighs a failure that waiting does not mend, unless somebody
// changes the server or the configuration: two are enough for Ready to return.
// Every place for metadata has answered then. That none has any may be a
// server's start; that it is another issuer's is settled.
func hopelessness(err error) int {
	var e *discoveryError
	switch {
	case !errors.As(err, &e):
		return 0
	case slices.ContainsFunc(e.errs, isOtherIssuer) && !slices.ContainsFunc(e.errs, mayPass):
		return 2
	case !slices.ContainsFunc(e.errs, func(err error) bool { return !isNotFound(err) }):
		return 1
	}
	return 0
}

func isOtherIssuer(err error) bool {
	var e *metadataError
	return errors.As(err, &e) && e.otherIssuer
}

// mayPass reports whether err is of the network, or of a server that is busy or
// broken.
func mayPass(err error) bool {
	var document *metadataError
	var status *statusError
	switch {
	case errors.As(err, &document):
		return false
	case errors.As(err, &status):
		return status.status >= 500 || status.status == http.StatusTooManyRequests || status.status == http.StatusRequestTimeout
	}
	return true
}

// A metadataError says why a document is not the issuer's metadata.
type metadataError struct {
	why         string
	otherIssuer bool
}

func (e *metadataError) Error() string { return e.why }

// parseMetadata returns the jwks_uri of a document from address that names issuer
// exactly (RFC 8414 §3.3).
func parseMetadata(doc []byte, issuer, address string, allowHTTP bool) (string, error) {
	var m struct {
		Issuer  string         `json:"issuer"`
		JWKSURI string         `json:"jwks_uri"`
		Keys    jsontext.Value `json:"keys"`
	}
	// Only these members matter, and the issuer's is compared exactly: what else
	// is in the document may be as odd as it likes.
	lenient := json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	err := json.Unmarshal(trimBOM(doc), &m, lenient)
	switch {
	case err != nil && bytes.HasPrefix(bytes.TrimSpace(doc), []byte("<")):
		return "", &metadataError{why: "a page of HTML or XML, not a metadata document"}
	case err != nil:
		return "", &metadataError{why: "not a metadata document"}
	case m.Issuer == "" && m.Keys != nil:
		return "", &metadataError{why: "a JWK Set, not a metadata document: is the address of the keys configured as the issuer, or as MetadataURL?"}
	case m.Issuer != issuer:
		return "", &metadataError{
			why:         fmt.Sprintf("the document's issuer is %q, configured is %q%s", cut(m.Issuer), issuer, differenceHint(m.Issuer, issuer)),
			otherIssuer: true,
		}
	}
	if err := checkURL(m.JWKSURI, allowHTTP); err != nil {
		return "", &metadataError{why: "jwks_uri: " + err.Error()}
	}
	if isHTTPS(address) && !isHTTPS(m.JWKSURI) && !allowHTTP {
		return "", &metadataError{why: "jwks_uri is not https, but the metadata is"}
	}
	return m.JWKSURI, nil
}

// differenceHint names what two issuers that look alike differ in.
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
