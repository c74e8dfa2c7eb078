package main

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const issuerHelp = `usage: jwtguard issuer [flags] URL

Shows an issuer as the library sees it: its metadata and
keys, which keys are used and which not, how long responses
may be cached, how far its clock is from this machine's, and
what to write into verifier.Config.

It makes the requests that a service makes at its start,
with the same limits. If URL is that of the keys, of the
metadata or of the token endpoint, it looks for the issuer.

  --metadata-url URL  where the metadata is, if not at the
                      well-known places of the issuer
  --jwks-url URL      where the keys are, for an issuer
                      without metadata
  --allow-http        plain http also to other hosts than
                      this one
  --json              print JSON

Exit codes: 0 the issuer can be used as given; 1 it cannot,
or not as given; 2 wrong usage; 3 it cannot be reached.
`

type issuerOptions struct {
	metadataURL, jwksURL string
	allowHTTP, json      bool
}

func newIssuer(s *session) (*flag.FlagSet, action) {
	var o issuerOptions
	f := newFlags("issuer")
	f.StringVar(&o.metadataURL, "metadata-url", "", "")
	f.StringVar(&o.jwksURL, "jwks-url", "", "")
	f.BoolVar(&o.allowHTTP, "allow-http", false, "")
	f.BoolVar(&o.json, "json", false, "")
	return f, func(ctx context.Context, args []string) error { return s.issuer(ctx, o, args) }
}

func (s *session) issuer(ctx context.Context, o issuerOptions, args []string) error {
	switch {
	case len(args) == 0 || args[0] == "":
		return misuse("the issuer's URL is missing")
	case len(args) > 1:
		return misuse("one issuer at a time")
	case o.jwksURL != "" && o.metadataURL != "":
		return misuse("--metadata-url and --jwks-url exclude each other")
	}
	for _, u := range []struct{ what, url string }{{"metadata URL", o.metadataURL}, {"keys' URL", o.jwksURL}} {
		if u.url == "" {
			continue
		}
		if err := checkURL(u.what, u.url, o.allowHTTP); err != nil {
			return misuse("%s", err)
		}
	}
	if o.metadataURL == "" && o.jwksURL == "" {
		if err := checkURL("issuer", args[0], o.allowHTTP); err != nil {
			return misuse("%s", err)
		}
	}
	in := newInspection(o, args[0])
	in.run(ctx)
	if in.err != nil && len(in.recorder.exchanges()) == 0 { // nothing was asked
		return misuse("%s", printable(strings.TrimPrefix(in.err.Error(), "jwkscache: ")))
	}
	if o.json {
		if err := s.out.json(in.view()); err != nil {
			return err
		}
	} else {
		in.print(s.out)
	}
	if code := in.exitCode(); code != exitOK {
		return &exitError{code: code}
	}
	return nil
}

// An inspection is what the command finds out about one issuer.
type inspection struct {
	issuerOptions
	given    string
	recorder *recorder
	client   *http.Client

	issuer      string // what Config.Issuer has to be; "" if it was not found
	needsURL    string // what JWKS.MetadataURL has to be; "" for the well-known places
	what        string // what the given URL is, if it is not the issuer
	stats       jwkscache.Stats
	err         error // why the library cannot use the issuer, as it was asked last
	unconfirmed bool  // the issuer is not confirmed by metadata: only the keys were asked for
}

func newInspection(o issuerOptions, given string) *inspection {
	in := &inspection{issuerOptions: o, given: given, recorder: &recorder{next: newTransport()}}
	in.client = newClient(in.recorder)
	return in
}

func (in *inspection) exact() bool { return in.issuer == in.given && !in.unconfirmed }

func (in *inspection) run(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if in.jwksURL != "" {
		in.issuer, in.unconfirmed = in.given, true
		in.err = in.fetch(ctx, func(cfg jwkscache.Config) (*jwkscache.Cache, error) {
			return jwkscache.ForURL(in.jwksURL, cfg)
		})
		return
	}
	if in.err = in.fetchIssuer(ctx, in.given, in.metadataURL); in.err == nil {
		in.issuer, in.needsURL = in.given, in.metadataURL
		return
	}
	if m, place := in.foundMetadata(); m.isMetadata() {
		// The document is there, and names another issuer; or it names this one, and
		// the keys are the trouble.
		in.adopt(ctx, m, place)
		return
	}
	if in.metadataURL == "" && in.reached() {
		in.explore(ctx)
	}
}

// adopt goes on with the issuer that the metadata at place names.
func (in *inspection) adopt(ctx context.Context, m metadata, place string) {
	in.issuer = m.Issuer
	if m.Issuer == in.given {
		return
	}
	if places := wellKnownPlaces(m.Issuer); places == nil || place != places[0] && place != places[1] {
		in.needsURL = place
	}
	in.err = in.fetchIssuer(ctx, m.Issuer, in.needsURL)
}

func (in *inspection) fetchIssuer(ctx context.Context, issuer, metadataURL string) error {
	return in.fetch(ctx, func(cfg jwkscache.Config) (*jwkscache.Cache, error) {
		cfg.MetadataURL = metadataURL
		return jwkscache.ForIssuer(issuer, cfg)
	})
}

// fetch makes a cache and waits for its first fetch, as good or bad as that is.
func (in *inspection) fetch(ctx context.Context, open func(jwkscache.Config) (*jwkscache.Cache, error)) error {
	c, err := openCache(ctx, jwkscache.Config{HTTPClient: in.client, AllowHTTP: in.allowHTTP}, open)
	if err != nil {
		return err
	}
	in.stats = c.Stats()
	return errors.Join(in.stats.LastError, ctx.Err(), c.Close())
}

// foundMetadata returns the last metadata document that was received, and from where.
func (in *inspection) foundMetadata() (m metadata, place string) {
	for _, e := range in.recorder.exchanges() {
		if found := readMetadata(e.body); e.status == http.StatusOK && found.Issuer != "" {
			m, place = found, e.url
		}
	}
	return m, place
}

// explore looks for the issuer that the given URL belongs to: in the document that is
// there, and in the metadata of the paths above it.
func (in *inspection) explore(ctx context.Context) {
	if doc, err := get(ctx, in.client, in.given); err == nil {
		switch m := readMetadata(doc); {
		case m.isMetadata():
			in.what = "the address of the metadata"
			in.adopt(ctx, m, in.given)
			return
		case m.Keys != nil:
			in.what = "the address of the keys"
		}
	}
	const maxAbove = 4
	above, err := url.Parse(in.given)
	if err != nil {
		return
	}
	above.RawQuery, above.Fragment = "", ""
	for range maxAbove {
		if ctx.Err() != nil || above.Path == "" || above.Path == "/" {
			break
		}
		above.Path, above.RawPath = strings.TrimSuffix(path.Dir(above.Path), "/"), ""
		place := above.String() + wellKnown
		doc, err := get(ctx, in.client, place)
		if err != nil {
			continue
		}
		m := readMetadata(doc)
		switch {
		case !m.isMetadata():
			continue
		case m.JWKSURI == in.given:
			in.what = "the address of the keys"
		case m.TokenEndpoint == in.given:
			in.what = "the token endpoint"
		default:
			continue // of another application on that host
		}
		in.adopt(ctx, m, place)
		return
	}
}

func (in *inspection) exitCode() int {
	switch {
	case in.err == nil && in.exact(), in.err == nil && in.unconfirmed:
		return exitOK
	case in.err != nil && in.unreachable():
		return exitUnavailable
	}
	return exitRefused
}

// unreachable reports whether there may be an issuer that could not be asked.
func (in *inspection) unreachable() bool {
	return slices.ContainsFunc(in.recorder.exchanges(), (*exchange).failed)
}

// reached reports whether the library asked nobody yet, or some server responded.
func (in *inspection) reached() bool {
	all := in.recorder.exchanges()
	return len(all) == 0 || slices.ContainsFunc(all, func(e *exchange) bool { return e.status != 0 })
}
