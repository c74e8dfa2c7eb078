package dpop

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// maxURI is the maximum length of an htu, in bytes.
const maxURI = 4096

// A target is a URI without query and fragment, normalized (RFC 3986 §6.2.2, §6.2.3).
type target struct {
	scheme string // https or http
	host   string // in lower case, with an IPv6 address in its canonical form
	port   string // "" for the scheme's default
	path   string // begins with a slash
}

func (t target) String() string {
	s := t.scheme + "://" + t.host
	if t.port != "" {
		s += ":" + t.port
	}
	return s + t.path
}

var errURI = errors.New("not an http or https URI with a host, without user")

// parseTarget reads an absolute URI, and ignores its query and fragment (RFC 9449 §4.3).
func parseTarget(uri string) (t target, err error) {
	if len(uri) > maxURI || !isVisibleASCII(uri) {
		return t, errURI
	}
	scheme, rest, found := strings.Cut(uri, "://")
	if !found {
		return t, errURI
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if t, err = parseOrigin(scheme, rest[:end]); err != nil {
		return t, err
	}
	t.path, err = normalPath(withoutQuery(rest[end:]))
	return t, err
}

// parseOrigin reads a scheme and an authority without user (RFC 3986 §3.2).
func parseOrigin(scheme, authority string) (t target, err error) {
	t.scheme = strings.ToLower(scheme)
	if t.scheme != "https" && t.scheme != "http" {
		return t, errURI
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
	}
	if t.port, err = normalPort(t.scheme, port); err != nil {
		return t, err
	}
	t.host, err = normalHost(host)
	return t, err
}

func normalPort(scheme, port string) (string, error) {
	if len(port) > 5 || strings.HasPrefix(port, "0") || strings.Trim(port, "0123456789") != "" {
		return "", errURI
	}
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return "", nil
	}
	return port, nil
}

// normalHost accepts names and IPv4 addresses in the characters of a reg-name, without
// escapes, and IPv6 addresses without a zone, which means nothing to another machine.
func normalHost(host string) (string, error) {
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !found || err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", errURI
		}
		return "[" + addr.String() + "]", nil
	}
	for i := range len(host) {
		if !isUnreserved(host[i]) && strings.IndexByte("!$&'()*+,;=", host[i]) < 0 {
			return "", errURI
		}
	}
	if host == "" {
		return "", errURI
	}
	return strings.ToLower(host), nil
}

func withoutQuery(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}

var errPath = errors.New("a path with characters or escapes that no path has")

// normalPath decodes escapes of unreserved characters, writes all others in upper case,
// and then removes dot segments, so that %2e%2e is one. An escaped slash stays what it
// is, and several slashes stay several.
func normalPath(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	if path[0] != '/' || !isVisibleASCII(path) {
		return "", errPath
	}
	if isNormal(path) {
		return path, nil
	}
	b := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' {
			b = append(b, c)
			continue
		}
		if i+2 >= len(path) {
			return "", errPath
		}
		high, low := unhex(path[i+1]), unhex(path[i+2])
		if high < 0 || low < 0 {
			return "", errPath
		}
		if octet := byte(high<<4 | low); isUnreserved(octet) {
			b = append(b, octet)
		} else {
			b = append(b, '%', upperHex[high], upperHex[low])
		}
		i += 2
	}
	return removeDotSegments(string(b)), nil
}

// isNormal reports whether path has neither escapes nor anything that could be a dot
// segment.
func isNormal(path string) bool {
	return strings.IndexByte(path, '%') < 0 && !strings.Contains(path, "/.")
}

// removeDotSegments is that of RFC 3986 §5.2.4, for a path that begins with a slash.
func removeDotSegments(path string) string {
	segments := strings.Split(path[1:], "/")
	kept := segments[:0]
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".", "..":
			if s == ".." && len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, s)
		}
	}
	return "/" + strings.Join(kept, "/")
}

// pathOf returns the normal path of the request line. That of r.URL may have been
// changed, for example by http.StripPrefix.
func pathOf(r *http.Request) (string, error) {
	uri := r.RequestURI
	if uri == "" { // r was not received, but made of something else
		uri = r.URL.EscapedPath()
	}
	uri, _, _ = strings.Cut(uri, "?")
	if strings.IndexByte(uri, '#') >= 0 { // no fragment is sent: net/http takes it for part of the path
		return "", errPath
	}
	if strings.HasPrefix(uri, "/") {
		return normalPath(uri)
	}
	t, err := parseTarget(uri) // the absolute form (RFC 9112 §3.2.2)
	return t.path, err
}

const upperHex = "0123456789ABCDEF"

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// isUnreserved reports whether c is unreserved (RFC 3986 §2.3).
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// isVisibleASCII reports whether s has only visible ASCII without a backslash, which
// browsers take for a slash.
func isVisibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}
