package dpop

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
)

// origins are the configured base URLs, and the proxies that may choose among them.
type origins struct {
	all     []target // whose path is the prefix that a proxy has removed, "" for none
	trusted peer.Set
}

func newOrigins(urls []string, trusted []netip.Prefix) (o origins, err error) {
	if len(urls) == 0 {
		return o, errors.New("no Origins: set the addresses of this API, such as https://api.example.com")
	}
	for _, u := range urls {
		t, err := parseTarget(u)
		if err != nil || strings.ContainsAny(u, "?#") {
			return o, fmt.Errorf("%s in Origins is %w, and without query and fragment", ascii.Quote(u), errURI)
		}
		t.path = strings.TrimRight(t.path, "/")
		for _, other := range o.all {
			if other == t {
				return o, fmt.Errorf("%q is in Origins twice", u)
			}
		}
		o.all = append(o.all, t)
	}
	if o.trusted, err = peer.NewSet(trusted); err != nil {
		return o, fmt.Errorf("in Trusted: %w", err)
	}
	return o, nil
}

// target returns the URI that a proof for r must name.
func (o *origins) target(r *http.Request) (target, error) {
	t, err := o.choose(r)
	if err != nil {
		return t, err
	}
	path, err := pathOf(r)
	if err != nil {
		return t, err
	}
	t.path += path
	return t, nil
}

// choose returns the only origin, or else the one that the request names.
func (o *origins) choose(r *http.Request) (found target, err error) {
	if len(o.all) == 1 {
		return o.all[0], nil
	}
	named := hint{host: r.Host}
	if o.trusted.Has(r.RemoteAddr) {
		named = forwarded(r.Header, named)
	}
	matches := 0
	for _, t := range o.all {
		if !named.fits(t) {
			continue
		}
		if t.path == "" && named.prefix == "" {
			return t, nil // no proxy has removed anything, as far as is known
		}
		found = t
		matches++
	}
	if matches != 1 {
		return target{}, fmt.Errorf("the host that the request names, %s, is that of none of the Origins, or of several", ascii.Quote(named.host))
	}
	return found, nil
}

// A hint is what a request says about the address that its client used. Empty fields say
// nothing.
type hint struct{ scheme, host, prefix string }

func (h hint) fits(t target) bool {
	at, err := parseOrigin(t.scheme, h.host)
	if err != nil || at.host != t.host || at.port != t.port {
		return false
	}
	if h.scheme != "" && !strings.EqualFold(h.scheme, t.scheme) {
		return false
	}
	if h.prefix == "" {
		return true
	}
	prefix, err := normalPath(h.prefix)
	return err == nil && strings.TrimRight(prefix, "/") == t.path
}

// forwarded returns what a trusted proxy says (RFC 7239, or the X-Forwarded fields that
// came before it) instead of h. Of several values the last counts, which that proxy has
// added; those before it may be the client's.
func forwarded(header http.Header, h hint) hint {
	if last := lastValue(header["Forwarded"]); last != "" {
		for pair := range strings.SplitSeq(last, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			value = unquote(value)
			switch {
			case strings.EqualFold(name, "host"):
				h.host = value
			case strings.EqualFold(name, "proto"):
				h.scheme = value
			}
		}
	} else {
		if host := lastValue(header["X-Forwarded-Host"]); host != "" {
			h.host = host
		}
		if port := lastValue(header["X-Forwarded-Port"]); port != "" && strings.LastIndexByte(h.host, ':') <= strings.LastIndexByte(h.host, ']') {
			h.host += ":" + port
		}
		h.scheme = lastValue(header["X-Forwarded-Proto"])
	}
	h.prefix = lastValue(header["X-Forwarded-Prefix"])
	return h
}

// lastValue returns the last element of a list in one or several fields.
func lastValue(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	last := fields[len(fields)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}

// unquote removes the quotation marks of a quoted-string without escapes.
func unquote(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
