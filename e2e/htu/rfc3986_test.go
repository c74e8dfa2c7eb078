package htu

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// The second implementation, by the text of RFC 3986 and by regular expressions, where
// the first one counts bytes.

var (
	// Appendix B.
	parts = regexp.MustCompile(`^(([^:/?#]+):)?(//([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?$`)
	// §3.2.2 and §3.2.3, without user, escapes, zones (RFC 6874) and ports that begin with 0.
	authority = regexp.MustCompile(`^(\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9._~!$&'()*+,;=-]+)(:([1-9][0-9]{0,4})?)?$`)
	triplet   = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	plain     = regexp.MustCompile(`^[A-Za-z0-9._~-]$`)
	visible   = regexp.MustCompile(`^[!-\[\]-~]*$`)
	group     = regexp.MustCompile(`^[0-9A-Fa-f]{1,4}$`)
	octet     = regexp.MustCompile(`^(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])$`)
)

// normal returns origin and path of a URI in their normal form (§6.2.2, §6.2.3).
func normal(uri string) (origin, path string, ok bool) {
	if len(uri) > 4096 || !visible.MatchString(uri) {
		return "", "", false
	}
	m := parts.FindStringSubmatch(uri)
	scheme := strings.ToLower(m[2])
	port, known := map[string]string{"http": "80", "https": "443"}[scheme]
	at := authority.FindStringSubmatch(m[4])
	if !known || m[3] == "" || at == nil {
		return "", "", false
	}
	host := strings.ToLower(at[1])
	if at[2] != "" {
		if host, ok = ipv6(at[2]); !ok {
			return "", "", false
		}
	}
	if at[4] != "" {
		port = at[4]
	}
	path, ok = normalPath(m[5])
	return scheme + "://" + host + ":" + port, path, ok
}

// ipv6 returns the groups of an address (RFC 4291 §2.2).
func ipv6(s string) (string, bool) {
	groups := func(s string, last bool) (all []string, ok bool) {
		if s == "" {
			return nil, true
		}
		list := strings.Split(s, ":")
		for i, g := range list {
			if four := strings.Split(g, "."); last && i == len(list)-1 && len(four) == 4 {
				var n [4]int
				for j, o := range four {
					if !octet.MatchString(o) {
						return nil, false
					}
					n[j], _ = strconv.Atoi(o)
				}
				all = append(all, fmt.Sprintf("%x", n[0]<<8|n[1]), fmt.Sprintf("%x", n[2]<<8|n[3]))
				continue
			}
			if !group.MatchString(g) {
				return nil, false
			}
			n, _ := strconv.ParseUint(g, 16, 16)
			all = append(all, strconv.FormatUint(n, 16))
		}
		return all, true
	}
	before, after, short := strings.Cut(s, "::")
	left, ok1 := groups(before, !short)
	right, ok2 := groups(after, true)
	if !ok1 || !ok2 {
		return "", false
	}
	zeros := 8 - len(left) - len(right)
	if short != (zeros > 0) || zeros < 0 {
		return "", false
	}
	for range zeros {
		left = append(left, "0")
	}
	return "[" + strings.Join(append(left, right...), ":") + "]", true
}

// normalPath is §6.2.2.1 and §6.2.2.2, then §6.2.2.3, and §6.2.3 for the empty one.
func normalPath(path string) (string, bool) {
	if path == "" {
		return "/", true
	}
	if path[0] != '/' || strings.Contains(triplet.ReplaceAllString(path, ""), "%") {
		return "", false
	}
	in := triplet.ReplaceAllStringFunc(path, func(t string) string {
		if c, _ := url.PathUnescape(t); plain.MatchString(c) {
			return c
		}
		return strings.ToUpper(t)
	})
	out := "" // §5.2.4, of whose steps A and D concern paths without a slash
	for in != "" {
		switch {
		case strings.HasPrefix(in, "/./"): // B
			in = in[2:]
		case in == "/.":
			in = "/"
		case strings.HasPrefix(in, "/../"), in == "/..": // C
			in = "/" + strings.TrimPrefix(in[3:], "/")
			out = out[:max(strings.LastIndex(out, "/"), 0)]
		default: // E
			end := strings.Index(in[1:], "/") + 1
			if end == 0 {
				end = len(in)
			}
			out, in = out+in[:end], in[end:]
		}
	}
	return out, true
}
