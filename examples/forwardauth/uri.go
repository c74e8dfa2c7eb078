package main

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

var errURI = errors.New("a path that programs may read differently")

// parseURI parses the request target that a client sent. Rules are chosen by its path
// here, and the API chooses the handler, maybe after the gateway has rewritten it. So a
// path is accepted only if all of them must read it alike: it has no empty segment
// except the last, no . and .., no semicolon (a parameter, to Java servers), no
// backslash, and nothing is percent-encoded that could be any of these, that decodes
// to a percent sign, or that need not be encoded (RFC 3986 §2.3).
func parseURI(uri string) (*url.URL, error) {
	raw, _, _ := strings.Cut(uri, "?")
	u, err := url.ParseRequestURI(uri)
	if err != nil || !strings.HasPrefix(raw, "/") || !utf8.ValidString(u.Path) {
		return nil, errURI
	}
	segments := strings.Split(raw[1:], "/")
	for i, s := range segments {
		if s == "" && i < len(segments)-1 || s == "." || s == ".." {
			return nil, errURI
		}
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			if !isUnreserved(raw[i]) && !strings.ContainsRune("/!$&'()*+,=:@", rune(raw[i])) {
				return nil, errURI
			}
			continue
		}
		c, err := url.PathUnescape(raw[i : i+3]) // within raw, or the parser had failed
		if err != nil || isUnreserved(c[0]) || c[0] < ' ' || c[0] == 0x7f || strings.ContainsAny(c, `/\;%?#`) {
			return nil, errURI
		}
		i += 2
	}
	return u, nil
}

// isUnreserved reports whether c stands for itself in a URI (RFC 3986 §2.3).
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || slices.Contains([]byte("-._~"), c)
}
