package jwkscache

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
)

// maxAddress is the longest address, in bytes: what RFC 9110 §4.1 recommends that
// everyone supports.
const maxAddress = 8000

// checkURL returns why keys or metadata must not be fetched from raw, or nil.
func checkURL(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case len(raw) > maxAddress:
		return fmt.Errorf("an address of %d bytes is too long", len(raw))
	case err != nil && strings.Contains(raw, "@"): // there may be a password before it
		return errors.New("the address is not a URL")
	case err != nil:
		return fmt.Errorf("%q is not a URL", cut(raw))
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%q is not a URL with https://, with a host, and without user and fragment", cut(u.Redacted()))
	case u.Scheme == "https", u.Scheme == "http" && (allowHTTP || peer.IsLoopback(u.Hostname())):
		return nil
	}
	return fmt.Errorf("%q is not https (plain http is for loopback hosts, or with jwkscache.Config.AllowHTTP)", cut(raw))
}

// checkHop returns why a redirect from one address must not lead to another, or nil.
// It may lead to what could have been configured, and from https to https only: not
// even to a loopback host.
func checkHop(from, to *url.URL, allowHTTP bool) error {
	if err := checkURL(to.String(), allowHTTP); err != nil {
		return fmt.Errorf("redirected: %w", err)
	}
	if from.Scheme == "https" && to.Scheme != "https" && !allowHTTP {
		return fmt.Errorf("redirected from https to %q", cut(to.String()))
	}
	return nil
}

func isHTTPS(raw string) bool {
	u, err := url.Parse(raw) // the scheme is in lower case then
	return err == nil && u.Scheme == "https"
}

// checkIssuer returns why the metadata of issuer must not be fetched, or nil. With
// cfg.MetadataURL the issuer is only compared; otherwise it is an address like any
// other, and has no query either (RFC 8414 §2).
func checkIssuer(issuer string, cfg Config) error {
	switch {
	case issuer == "":
		return errors.New("no issuer")
	case cfg.MetadataURL != "" && isHTTPS(issuer) && !isHTTPS(cfg.MetadataURL) && !cfg.AllowHTTP:
		return errors.New("the MetadataURL of an https issuer is not https")
	case cfg.MetadataURL != "":
		if err := checkURL(cfg.MetadataURL, cfg.AllowHTTP); err != nil {
			return fmt.Errorf("MetadataURL: %w", err)
		}
		return nil
	}
	if err := checkURL(issuer, cfg.AllowHTTP); err != nil {
		return err
	}
	if strings.ContainsAny(issuer, "?#") {
		return fmt.Errorf("issuer %q has a query or a fragment", cut(issuer))
	}
	if what := endpoint(issuer); what != "" {
		return fmt.Errorf("%q looks like the address of %s; the issuer is the value of iss in tokens and of issuer in the metadata (if this is the issuer nevertheless, set MetadataURL)", cut(issuer), what)
	}
	return nil
}

// endpoint returns what an authorization server has at address, if that is clearly
// not its issuer.
func endpoint(address string) string {
	last := address[strings.LastIndexByte(address, '/')+1:]
	switch {
	case last == "jwks", last == "keys", last == "certs", strings.Contains(last, "jwks."):
		return "a key set"
	case last == "token", last == "authorize", last == "introspect", last == "userinfo":
		return "an endpoint"
	case strings.Contains(address, "/.well-known/"):
		return "an issuer's metadata"
	}
	return ""
}
