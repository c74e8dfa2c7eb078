package jwkscache

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// metadataPeriod is the time between two readings of the metadata. It is not longer
// than the period of keys can be, because the address is used for MaxStale after the
// last good metadata: an outage should not end that much earlier than the keys.
const metadataPeriod = time.Hour

// A fetchMode says how a fetch differs from a scheduled one.
type fetchMode struct {
	noCache    bool // ask intermediate caches to ask the server (RFC 9111 §5.2.1.4)
	rediscover bool // read the metadata again, although the address is known
}

// A locator knows the address of the key set, or discovers it.
type locator struct {
	issuer      string // "" where the key set's address was given
	metadataURL string // "" means the well-known places
	address     string // of the key set; "" until discovered
	file        string // or folder, instead of all that

	due    moment // when to read the metadata again
	tooOld moment // from when on the discovered address is not used
	err    error  // why the metadata was not good when it was last read

	keepMetadata bool // for the Store
	metadata     *response

	getter   *getter
	clock    func() moment
	maxStale time.Duration
}

// source returns what is configured.
func (l *locator) source() source {
	if l.issuer == "" {
		return source{address: l.address}
	}
	return source{issuer: l.issuer, metadataURL: l.metadataURL}
}

// locate discovers the address of the key set where that is not given, not known
// or too old, and again where that is due or mode wants it. It returns the
// metadata if that was read and is good.
func (l *locator) locate(ctx context.Context, mode fetchMode) (*response, error) {
	if l.issuer == "" {
		return nil, nil
	}
	if l.clock().before(l.due) && !mode.rediscover { // due comes before tooOld
		return nil, nil
	}
	metadata, err := l.discover(ctx, mode)
	if err != nil && l.clock().before(l.tooOld) {
		return nil, nil
	}
	return metadata, err
}

// discover reads the metadata, and replaces the address if that is good.
func (l *locator) discover(ctx context.Context, mode fetchMode) (*response, error) {
	address, metadata, err := l.readMetadata(ctx, mode)
	if err == nil {
		l.address, l.tooOld = address, metadata.createdAt.add(l.maxStale)
		if l.keepMetadata {
			l.metadata = metadata
		}
	}
	l.err = err
	l.schedule(l.clock())
	return metadata, err
}

// schedule makes reading the metadata again due, which was read at readAt.
func (l *locator) schedule(readAt moment) {
	l.due = readAt.add(min(metadataPeriod, readAt.until(l.tooOld)/4))
}

// readMetadata tries the places where the metadata may be, and returns the first
// document that is the configured issuer's, with its jwks_uri.
func (l *locator) readMetadata(ctx context.Context, mode fetchMode) (string, *response, error) {
	failed := new(discoveryError)
	for _, place := range l.places() {
		metadata, err := l.getter.get(ctx, place, mode.noCache)
		if err == nil {
			var address string
			if address, err = parseMetadata(metadata.body, l.issuer, place, l.getter.allowHTTP); err == nil {
				return address, metadata, nil
			}
		}
		failed.places, failed.errs = append(failed.places, place), append(failed.errs, err)
	}
	return "", nil, failed
}

func (l *locator) places() []string {
	if l.metadataURL != "" {
		return []string{l.metadataURL}
	}
	return wellKnown(l.issuer)
}

// wellKnown returns the well-known places of an issuer's metadata: appended
// (OpenID Connect Discovery 1.0 §4) and inserted before the path (RFC 8414 §3.1).
func wellKnown(issuer string) []string {
	trimmed := strings.TrimSuffix(issuer, "/")
	u, err := url.Parse(trimmed)
	if err != nil { // checkIssuer excludes that
		return nil
	}
	return []string{
		trimmed + "/.well-known/openid-configuration",
		u.Scheme + "://" + u.Host + "/.well-known/oauth-authorization-server" + u.EscapedPath(),
	}
}

// A discoveryError has the error of each place where the metadata may be.
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
