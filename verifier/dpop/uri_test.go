package dpop_test

import (
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// The spellings of htu that mean the address of the request, and those that do not (RFC
// 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3).
func TestAddresses(t *testing.T) {
	for _, row := range []struct {
		name         string
		origin       string
		request, htu string
		good         bool
	}{
		{"as it is", api, "/orders", api + "/orders", true},
		{"query in the request", api, "/orders?a=b", api + "/orders", true},
		{"query in htu", api, "/orders", api + "/orders?a=b", true},
		{"other queries", api, "/orders?a=b", api + "/orders?c", true},
		{"fragment in htu", api, "/orders", api + "/orders#top", true},
		{"query with a slash", api, "/orders?next=/x", api + "/orders?u=https://e.example/", true},
		{"scheme in upper case", api, "/orders", "HTTPS://api.example.com/orders", true},
		{"host in upper case", api, "/orders", "https://API.Example.COM/orders", true},
		{"default port", api, "/orders", "https://api.example.com:443/orders", true},
		{"empty port", api, "/orders", "https://api.example.com:/orders", true},
		{"default port of the origin", "https://api.example.com:443", "/orders", api + "/orders", true},
		{"default port of http", "http://api.example.com", "/orders", "http://api.example.com:80/orders", true},
		{"no path", api, "/", api, true},
		{"no path, but a query", api, "/?a", api + "?a", true},
		{"escape of a letter", api, "/orders", api + "/%6Frders", true},
		{"escape of a letter in the request", api, "/%6frders", api + "/orders", true},
		{"escape of a tilde", api, "/~a", api + "/%7Ea", true},
		{"escape in lower case", api, "/a%2Fb", api + "/a%2fb", true},
		{"dot segments", api, "/a/b", api + "/a/./x/../b", true},
		{"escaped dot segments", api, "/a/b", api + "/a/%2e/x/%2E%2e/b", true},
		{"too many dot segments", api, "/a", api + "/../../a", true},
		{"dot segment at the end", api, "/a/", api + "/a/b/..", true},
		{"dot segments in the request", api, "/x/../orders", api + "/orders", true},
		{"names with dots", api, "/a/.well-known/...", api + "/a/.well-known/...", true},
		{"absolute form of the request", api, "http://internal/orders?a", api + "/orders", true},
		{"IPv6", "https://[2001:db8::1]", "/a", "https://[2001:0DB8:0:0::0001]:443/a", true},
		{"IPv6 with IPv4 in it", "https://[::ffff:192.0.2.1]", "/a", "https://[::ffff:c000:201]/a", true},
		{"IPv4", "http://192.0.2.1:8080", "/a", "http://192.0.2.1:8080/a", true},
		{"several slashes", api, "//a///b/", api + "//a///b/", true},
		{"sub-delimiters", api, "/a;b=1,2!$&'()*+", api + "/a;b=1,2!$&'()*+", true},
		{"escape of a colon", api, "/a%3Ab", api + "/a%3ab", true},
		{"a bar, as browsers send it", api, "/a|b", api + "/a|b", true},
		{"a prefix that a proxy removes", api + "/v1", "/orders", api + "/v1/orders", true},
		{"a prefix with a slash", api + "/v1/", "/", api + "/v1/", true},

		{"a number sign in the query", api, "/orders?a#b", api + "/orders", true},
		{"an escaped number sign", api, "/orders%23b", api + "/orders%23b#c", true},

		{"a number sign in the request, which is part of its path", api, "/files/a#/../b", api + "/files/a", false},
		{"a number sign in an absolute form", api, "http://internal/files/a#b", api + "/files/a", false},
		{"a number sign, escaped in htu", api, "/files/a#b", api + "/files/a%23b", false},
		{"another path", api, "/orders", api + "/order", false},
		{"a path in another case", api, "/orders", api + "/Orders", false},
		{"a slash at the end", api, "/orders", api + "/orders/", false},
		{"no slash at the end", api, "/orders/", api + "/orders", false},
		{"two slashes", api, "/a/b", api + "/a//b", false},
		{"two slashes at the beginning", api, "/a", api + "//a", false},
		{"an escaped slash", api, "/a%2Fb/c", api + "/a/b/c", false},
		{"a slash that is not escaped", api, "/a/b/c", api + "/a%2Fb/c", false},
		{"a colon that is not escaped", api, "/a%3Ab", api + "/a:b", false},
		{"an escape of an escape", api, "/%61", api + "/%2561", false},
		{"a space that is escaped as plus", api, "/a%20b", api + "/a+b", false},
		{"http", api, "/orders", "http://api.example.com/orders", false},
		{"another port", api, "/orders", "https://api.example.com:8443/orders", false},
		{"the port of http", api, "/orders", "https://api.example.com:80/orders", false},
		{"a port with a zero", api, "/orders", "https://api.example.com:0443/orders", false},
		{"a port that is none", api, "/orders", "https://api.example.com:44x/orders", false},
		{"another host", api, "/orders", "https://api.example.org/orders", false},
		{"a host below", api, "/orders", "https://x.api.example.com/orders", false},
		{"a host with a dot", api, "/orders", "https://api.example.com./orders", false},
		{"a host with an escape", api, "/orders", "https://%61pi.example.com/orders", false},
		{"a user", api, "/orders", "https://u@api.example.com/orders", false},
		{"a user that looks like the host", api, "/orders", "https://api.example.com@evil.example/orders", false},
		{"a backslash", api, "/orders", `https://api.example.com\orders`, false},
		{"a backslash in the host", api, "/orders", `https://evil.example\@api.example.com/orders`, false},
		{"a zone", "https://[fe80::1]", "/a", "https://[fe80::1%25eth0]/a", false},
		{"IPv6 without brackets", "https://[::1]", "/a", "https://::1/a", false},
		{"brackets that are not closed", "https://[::1]", "/a", "https://[::1/a", false},
		{"IPv4 in brackets", "https://127.0.0.1", "/a", "https://[127.0.0.1]/a", false},
		{"IPv4 as a number", "https://127.0.0.1", "/a", "https://2130706433/a", false},
		{"a host that is not ASCII", "https://xn--bcher-kva.example", "/", "https://bücher.example/", false},
		{"a letter that folds to ASCII", "https://api.example.com/", "/", "https://api.example.com/", true},
		{"Kelvin", "https://k.example", "/", "https://\u212a.example/", false},
		{"a path that is not ASCII", api, "/%C3%A9", api + "/é", false},
		{"a path alone", api, "/orders", "/orders", false},
		{"a host alone", api, "/orders", "api.example.com/orders", false},
		{"without a scheme", api, "/orders", "//api.example.com/orders", false},
		{"one slash", api, "/orders", "https:/api.example.com/orders", false},
		{"three slashes", api, "/orders", "https:///api.example.com/orders", false},
		{"white space", api, "/orders", " " + api + "/orders", false},
		{"a line break", api, "/orders", api + "/ord\ners", false},
		{"half an escape", api, "/orders", api + "/orders%2", false},
		{"an escape that is none", api, "/orders", api + "/orders%zz", false},
		{"a prefix that is missing", api + "/v1", "/orders", api + "/orders", false},
		{"a prefix twice", api + "/v1", "/orders", api + "/v1/v1/orders", false},
		{"out of the prefix", api + "/v1", "/../orders", api + "/orders", false},
		{"the asterisk", api, "*", api + "/", false},
		{"the asterisk, and a prefix", api + "/v1", "*", api + "/v1", false},
		{"an authority", api, "api.example.com:443", api, false},
		{"a long one", api, "/orders", api + "/orders?" + strings.Repeat("x", 4096), false},
	} {
		t.Run("B5 "+row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, dpop.Config{Origins: []string{row.origin}})
				a := s.attempt()
				a.uri, a.claims["htu"] = row.request, text(row.htu)
				err := s.send(a.request())
				if row.good {
					require.Nil(t, err)
				} else {
					refused(t, err, verifier.ErrProof, "")
				}
			})
		})
	}
}

// The Host of a request, and what trusted proxies say, choose among the origins, and
// nothing else.
func TestOrigins(t *testing.T) {
	const public, other, prefixed = "https://api.example.com", "https://eu.example.com:8443", "https://api.example.com/v1"
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	const proxy, stranger = "10.1.2.3:4711", "192.0.2.7:4711"
	for _, row := range []struct {
		name    string
		origins []string
		remote  string
		host    string
		header  map[string][]string
		htu     string
		good    bool
	}{
		{"one, whatever the Host", []string{public}, stranger, "evil.example", nil, public, true},
		{"one, and the Host of another API", []string{public}, stranger, "evil.example", nil, "https://evil.example", false},
		{"one, and a proxy that says something else", []string{public}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"evil.example"}}, "https://evil.example", false},
		{"one, whatever a proxy says", []string{public}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"evil.example"}}, public, true},
		{"by the Host", []string{public, other}, stranger, "api.example.com", nil, public, true},
		{"by the Host in upper case, with its port", []string{public, other}, stranger, "API.example.com:443", nil, public, true},
		{"by a Host with a port", []string{public, other}, stranger, "eu.example.com:8443", nil, other, true},
		{"not the one of the Host", []string{public, other}, stranger, "api.example.com", nil, other, false},
		{"a Host that is none", []string{public, other}, stranger, "evil.example", nil, public, false},
		{"a Host that is none, and its htu", []string{public, other}, stranger, "evil.example", nil, "https://evil.example", false},
		{"a Host without its port", []string{public, other}, stranger, "eu.example.com", nil, other, false},
		{"a stranger forwards", []string{public, other}, stranger, "api.example.com", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443"}, "Forwarded": {"host=\"eu.example.com:8443\""}}, other, false},
		{"a stranger forwards, for nothing", []string{public, other}, stranger, "api.example.com", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443"}, "Forwarded": {"host=\"eu.example.com:8443\""}}, public, true},
		{"X-Forwarded-Host", []string{public, other}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443"}}, other, true},
		{"X-Forwarded-Host and -Port", []string{public, other}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"eu.example.com"}, "X-Forwarded-Port": {"8443"}}, other, true},
		{"a proxy with an IPv6 address", []string{public, other}, "[fd00::7]:4711", "internal", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443"}}, other, true},
		{"a proxy with an IPv4 address in IPv6", []string{public, other}, "[::ffff:10.1.2.3]:4711", "internal", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443"}}, other, true},
		{"a proxy without an address", []string{public, other}, "@", "internal", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443"}}, other, false},
		{"the last of several", []string{public, other}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"evil.example, api.example.com", "x, eu.example.com:8443"}}, other, true},
		{"not the first of several", []string{public, other}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443, api.example.com"}}, other, false},
		{"Forwarded", []string{public, other}, proxy, "internal", map[string][]string{"Forwarded": {`for=192.0.2.7;Host="eu.example.com:8443";proto=https`}}, other, true},
		{"the last of Forwarded", []string{public, other}, proxy, "internal", map[string][]string{"Forwarded": {`host=api.example.com, for=192.0.2.7; host="eu.example.com:8443"`}}, other, true},
		{"Forwarded before X-Forwarded", []string{public, other}, proxy, "internal", map[string][]string{"Forwarded": {`host=api.example.com`}, "X-Forwarded-Host": {"eu.example.com:8443"}}, public, true},
		{"Forwarded without host", []string{public, other}, proxy, "api.example.com", map[string][]string{"Forwarded": {`for=192.0.2.7`}}, public, true},
		{"another scheme", []string{public, "http://api.example.com"}, proxy, "api.example.com", map[string][]string{"X-Forwarded-Proto": {"http"}}, "http://api.example.com", true},
		{"not another scheme", []string{public, "http://api.example.com"}, proxy, "api.example.com", map[string][]string{"X-Forwarded-Proto": {"https"}}, "http://api.example.com", false},
		{"a prefix", []string{public, prefixed}, proxy, "api.example.com", map[string][]string{"X-Forwarded-Prefix": {"/v1"}}, prefixed, true},
		{"a prefix with a slash", []string{public, prefixed}, proxy, "api.example.com", map[string][]string{"X-Forwarded-Prefix": {"/%761/"}}, prefixed, true},
		{"a prefix that is none", []string{public, prefixed}, proxy, "api.example.com", map[string][]string{"X-Forwarded-Prefix": {"/v2"}}, public, false},
		{"a prefix of a stranger", []string{public, prefixed}, stranger, "api.example.com", map[string][]string{"X-Forwarded-Prefix": {"/v1"}}, prefixed, false},
		{"no prefix", []string{prefixed, public}, proxy, "api.example.com", nil, public, true},
		{"a prefix of the only one with this Host, and none said", []string{prefixed, other}, stranger, "api.example.com", nil, prefixed, true},
		{"a prefix without its slash", []string{public, prefixed}, proxy, "api.example.com", map[string][]string{"X-Forwarded-Prefix": {"v1"}}, prefixed, false},
		{"a prefix that cannot be read", []string{public, other}, proxy, "api.example.com", map[string][]string{"X-Forwarded-Prefix": {"/%zz"}}, public, false},
		{"the scheme in Forwarded", []string{public, "http://api.example.com"}, proxy, "api.example.com", map[string][]string{"Forwarded": {"for=192.0.2.7;proto=HTTP"}}, "http://api.example.com", true},
		{"a port twice", []string{public, other}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"eu.example.com:8443"}, "X-Forwarded-Port": {"443"}}, other, true},
		{"half a quotation", []string{public, other}, proxy, "internal", map[string][]string{"Forwarded": {`host="api.example.com`}}, public, false},
		{"half a quotation at the end", []string{public, other}, proxy, "internal", map[string][]string{"Forwarded": {`host=api.example.com"`}}, public, false},
		{"a quotation mark alone", []string{public, other}, proxy, "api.example.com", map[string][]string{"Forwarded": {`host="`}}, public, false},
		{"an IPv6 address and a port", []string{public, "https://[2001:db8::1]:8443"}, proxy, "internal", map[string][]string{"X-Forwarded-Host": {"[2001:db8::1]"}, "X-Forwarded-Port": {"8443"}}, "https://[2001:db8::1]:8443", true},
		{"several prefixes, and the last is used", []string{prefixed, public + "/v2"}, proxy, "api.example.com", nil, public + "/v2", false},
		{"several prefixes, and none said", []string{prefixed, public + "/v2"}, proxy, "api.example.com", nil, prefixed, false},
	} {
		t.Run("B6 "+row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, dpop.Config{Origins: row.origins, Trusted: proxies})
				a := s.attempt()
				a.host, a.remote, a.claims["htu"] = row.host, row.remote, text(row.htu+"/orders")
				for name, values := range row.header {
					a.more[name] = values
				}
				err := s.send(a.request())
				if row.good {
					require.Nil(t, err)
				} else {
					refused(t, err, verifier.ErrProof, "")
				}
			})
		})
	}
}

// FuzzAddress compares the normal form with that of net/url and package path, where
// these know one.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{api, api + "/a/%2e%2e/b%2f?q#f", "HTTP://[::1]:80//x/./y/", "https://u@h/", "https://h:0/%zz", "https://h/%7e%7E~/..", "https://H.:443"} {
		f.Add(s)
	}
	escape := regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	f.Fuzz(func(t *testing.T, uri string) {
		got, ok := dpop.Normal(uri)
		if !ok {
			return
		}
		u, err := url.Parse(uri)
		if err != nil {
			// net/url is stricter with brackets and with escapes in a query.
			u, err = url.Parse(uri[:strings.IndexAny(uri+"?", "?#")])
		}
		require.NoError(t, err)
		assert.Nil(t, u.User)
		again, ok := dpop.Normal(got)
		assert.True(t, ok)
		assert.Equal(t, got, again, "the normal form is its own")

		// The second implementation.
		p := escape.ReplaceAllStringFunc(u.EscapedPath(), func(e string) string {
			if s, _ := url.PathUnescape(e); strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") {
				return s
			}
			return strings.ToUpper(e)
		})
		if strings.Contains(p, "//") || strings.ContainsAny(uri, "\"<>^`{|}[]") {
			return // path.Clean folds slashes, and net/url escapes what RFC 3986 does not know
		}
		clean := path.Clean("/" + p)
		if last := p[strings.LastIndexByte(p, '/')+1:]; clean != "/" && (last == "" || last == "." || last == "..") {
			clean += "/"
		}
		_, rest, _ := strings.Cut(got, "://")
		assert.Equal(t, clean, rest[strings.IndexByte(rest, '/'):])
	})
}
