package jwkscache

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// checkURL reports whether keys or metadata may be fetched from raw.
func checkURL(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case len(raw) > maxAddress:
		return fmt.Errorf("an address of %d bytes", len(raw))
	case err != nil && strings.Contains(raw, "@"): // there may be a password before it
		return errors.New("the address is not a URL")
	case err != nil:
		return fmt.Errorf("%q is not a URL", cut(raw))
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%q is not a URL with https://, a host, and neither user nor fragment", cut(u.Redacted()))
	case u.Scheme == "https", u.Scheme == "http" && (allowHTTP || isLoopback(u.Hostname())):
		return nil
	}
	return fmt.Errorf("%q is not https (plain http is for loopback hosts, or with jwkscache.Config.AllowHTTP)", cut(raw))
}

// checkHop reports whether a redirect from one address may lead to another: to
// what could have been asked itself, and from https to nothing else, not even to
// a loopback host.
func checkHop(from, to *url.URL, allowHTTP bool) error {
	if err := checkURL(to.String(), allowHTTP); err != nil {
		return fmt.Errorf("redirected: %w", err)
	}
	if from.Scheme == "https" && to.Scheme != "https" && !allowHTTP {
		return fmt.Errorf("redirected from https to %q", cut(to.String()))
	}
	return nil
}

// maxAddress is how long an address may be: more than any server reads (RFC 9110
// §4.1 recommends 8,000).
const maxAddress = 8000

// cut keeps what a server wrote from filling a log.
func cut(s string) string { return s[:min(len(s), 200)] }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func isHTTPS(raw string) bool {
	u, err := url.Parse(raw) // which lowers the scheme
	return err == nil && u.Scheme == "https"
}

// checkIssuer reports whether the metadata of issuer may be fetched, as cfg has
// it. Where only issuer says where that is, it is an address like any other, with
// no query either (RFC 8414 §2); otherwise it is compared and nothing else.
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
		return fmt.Errorf("%q looks like the address of %s; the issuer is what tokens have as iss, and its metadata as issuer (if that is it, set MetadataURL)", cut(issuer), what)
	}
	return nil
}

// endpoint names what an authorization server has at address, if that is clearly
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
