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
		return fmt.Errorf("jwkscache: an address of %d bytes", len(raw))
	case err != nil && strings.Contains(raw, "@"): // there may be a password before it
		return errors.New("jwkscache: the address is not a URL")
	case err != nil:
		return fmt.Errorf("jwkscache: %q is not a URL", cut(raw))
	case u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("jwkscache: %q is not a URL with https://, a host, and neither user nor fragment", cut(u.Redacted()))
	case u.Scheme == "https", u.Scheme == "http" && (allowHTTP || isLoopback(u.Hostname())):
		return nil
	}
	return fmt.Errorf("jwkscache: %q is not https (plain http is for loopback hosts, or with AllowHTTP)", cut(raw))
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
