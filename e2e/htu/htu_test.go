package htu

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A judge asks package dpop about requests and proofs that differ in their addresses.
type judge struct {
	key   *verifiertest.DPoPKey
	token *verifier.Token
}

func newJudge(t *testing.T) *judge {
	t.Helper()
	iss, j := verifiertest.NewIssuer(t), &judge{key: verifiertest.NewDPoPKey()}
	binding, err := dpop.New(dpop.Config{Origins: []string{"https://api.example.com"}})
	require.NoError(t, err)
	v, err := verifier.Settings{Bindings: []verifier.Binding{binding}}.New(iss.Config("https://api.example.com"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/", nil)
	require.NoError(t, err)
	j.key.Authorize(r, iss.DPoPToken(j.key, nil))
	j.token, err = v.Authenticate(r)
	require.NoError(t, err)
	return j
}

// binding returns one for an origin.
func (j *judge) binding(t *rapid.T, origin string) verifier.Binding {
	b, err := dpop.New(dpop.Config{Origins: []string{origin}})
	require.NoError(t, err, origin)
	return b
}

// admits reports whether a proof with htu is one for the request line "GET target".
func (j *judge) admits(t *rapid.T, b verifier.Binding, target, htu string) bool {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: internal\r\n\r\n")))
	require.NoError(t, err)
	r.Header.Set("DPoP", j.key.Proof(http.MethodGet, "https://unused.example", j.token.Raw(), verifiertest.Claims{"htu": htu}))
	_, err = b.Confirm(r, j.token, j.key.Thumbprint())
	if err != nil {
		require.ErrorIs(t, err, verifier.ErrProof)
	}
	return err == nil
}

// An address in its normal form.
type address struct {
	scheme, host, port string // port is "" for the default
	segments           []string
}

func (a address) origin() string {
	if a.port != "" {
		return a.scheme + "://" + a.host + ":" + a.port
	}
	return a.scheme + "://" + a.host
}

func (a address) path() string { return "/" + strings.Join(a.segments, "/") }

const (
	unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
	others     = "!$&'()*+,;=:@" // that a segment can have
)

// unit is a character of a segment, or an escape of one that needs it.
var unit = rapid.OneOf(
	rapid.SampledFrom(strings.Split(unreserved, "")),
	rapid.SampledFrom(strings.Split(others, "")),
	rapid.Map(rapid.Byte().Filter(func(c byte) bool { return strings.IndexByte(unreserved, c) < 0 }),
		func(c byte) string { return fmt.Sprintf("%%%02X", c) }),
)

var segment = rapid.Map(rapid.SliceOfN(unit, 0, 6), func(units []string) string { return strings.Join(units, "") }).
	Filter(func(s string) bool { return s != "." && s != ".." })

var addresses = rapid.Custom(func(t *rapid.T) address {
	return address{
		scheme: rapid.SampledFrom([]string{"https", "http"}).Draw(t, "scheme"),
		host: rapid.SampledFrom([]string{
			"api.example.com", "a", "xn--bcher-kva.example", "a_b.example", "127.0.0.1", "[::1]", "[2001:db8::1:0:7]", "[::ffff:c000:201]",
		}).Draw(t, "host"),
		port:     rapid.SampledFrom([]string{"", "", "8443", "1", "65535"}).Draw(t, "port"),
		segments: rapid.SliceOfN(segment, 1, 4).Draw(t, "segments"),
	}
})

// respell writes the same origin in another way.
func respellOrigin(t *rapid.T, a address) string {
	host := a.host
	if longer := map[string][]string{
		"[::1]":             {"[0:0:0:0:0:0:0:1]", "[::0001]", "[0::0.0.0.1]"},
		"[2001:db8::1:0:7]": {"[2001:0DB8:0:0:0:1:0:7]", "[2001:db8:0::1:0:7]", "[2001:db8::0:1:0:0007]"},
		"[::ffff:c000:201]": {"[::ffff:192.0.2.1]", "[::FFFF:C000:0201]", "[0:0:0:0:0:ffff:192.0.2.1]"},
		"api.example.com":   {"API.example.com", "api.EXAMPLE.com"},
		"a_b.example":       {"A_B.EXAMPLE"},
	}[host]; longer != nil {
		host = rapid.SampledFrom(append(longer, host)).Draw(t, "host respelled")
	}
	scheme := rapid.SampledFrom([]string{a.scheme, strings.ToUpper(a.scheme), strings.ToUpper(a.scheme[:1]) + a.scheme[1:]}).Draw(t, "scheme respelled")
	port := a.port
	if port != "" {
		return scheme + "://" + host + ":" + port
	}
	standard := map[string]string{"http": ":80", "https": ":443"}[a.scheme]
	return scheme + "://" + host + rapid.SampledFrom([]string{"", ":", standard}).Draw(t, "port respelled")
}

// respellPath writes the same path in another way.
func respellPath(t *rapid.T, a address) string {
	escape := func(s string) string {
		b := new(strings.Builder)
		for i := 0; i < len(s); i++ {
			switch {
			case s[i] == '%':
				hex := s[i+1 : i+3]
				if rapid.Bool().Draw(t, "lower case") {
					hex = strings.ToLower(hex)
				}
				b.WriteString("%" + hex)
				i += 2
			case strings.IndexByte(unreserved, s[i]) >= 0 && rapid.IntRange(0, 3).Draw(t, "escaped") == 0:
				format := rapid.SampledFrom([]string{"%%%02x", "%%%02X"}).Draw(t, "format")
				fmt.Fprintf(b, format, s[i])
			default:
				b.WriteByte(s[i])
			}
		}
		return b.String()
	}
	var all []string
	for _, s := range a.segments {
		switch rapid.IntRange(0, 5).Draw(t, "dots") {
		case 0:
			all = append(all, escape("."))
		case 1:
			all = append(all, escape(segment.Draw(t, "left again")), escape(".."))
		}
		all = append(all, escape(s))
	}
	if last := len(all) - 1; all[last] == "" && last > 0 && rapid.Bool().Draw(t, "dot at the end") {
		all[last] = escape(".")
	}
	path := "/" + strings.Join(all, "/")
	if rapid.IntRange(0, 5).Draw(t, "above the root") == 0 {
		path = "/" + escape("..") + path
	}
	return path
}

// Respellings that RFC 3986 §6.2.2 and §6.2.3 call equivalent pass: those of the
// configured origin, of the request and of the proof.
func TestEquivalent(t *testing.T) {
	j := newJudge(t)
	t.Run("B5", rapid.MakeCheck(func(t *rapid.T) {
		a := addresses.Draw(t, "address")
		b := j.binding(t, respellOrigin(t, a))
		target, path := respellPath(t, a), respellPath(t, a)
		if a.path() == "/" && rapid.Bool().Draw(t, "empty path") {
			path = ""
		}
		htu := respellOrigin(t, a) + path
		htu += rapid.SampledFrom([]string{"", "?", "?a=b/../c", "#", "#x?y", "?q#f", "?%zz"}).Draw(t, "query and fragment")
		target += rapid.SampledFrom([]string{"", "?", "?page=2", "?/../x"}).Draw(t, "query")
		require.True(t, j.admits(t, b, target, htu), "%s for %s of %s", htu, target, a.origin())

		// And so says the second implementation.
		origin, normalized, ok := normal(htu)
		wantOrigin, want, _ := normal(a.origin() + a.path())
		require.True(t, ok)
		require.Equal(t, wantOrigin+want, origin+normalized)
		require.Equal(t, a.path(), normalized)
	}))
}

// A change of anything that has a meaning is refused.
func TestSignificant(t *testing.T) {
	j := newJudge(t)
	t.Run("B5", rapid.MakeCheck(func(t *rapid.T) {
		a := addresses.Draw(t, "address")
		b := j.binding(t, a.origin())
		c := a
		c.segments = slices.Clone(a.segments)
		at := rapid.IntRange(0, len(c.segments)-1).Draw(t, "which")
		switch rapid.IntRange(0, 6).Draw(t, "change") {
		case 0:
			c.scheme = map[string]string{"http": "https", "https": "http"}[a.scheme]
		case 1:
			c.port = rapid.SampledFrom([]string{"2", "444", "8444", "0443", "08443", "65536a"}).Draw(t, "another port")
		case 2:
			c.host = rapid.SampledFrom([]string{
				"b.example", a.host + ".", "x." + a.host, "u@" + a.host, "%61" + a.host, "[::2]", "[fe80::1%25eth0]", "127.1", "api.example.com@b",
			}).Draw(t, "another host")
		case 3:
			c.segments[at] = segment.Filter(func(s string) bool { return s != a.segments[at] }).Draw(t, "another segment")
		case 4:
			c.segments = slices.Insert(c.segments, at, segment.Draw(t, "one more"))
		case 5: // a slash that becomes a part of a segment
			if len(c.segments) == 1 {
				c.segments = append(c.segments, "x")
				break
			}
			at = min(at, len(c.segments)-2)
			joined := c.segments[at] + rapid.SampledFrom([]string{"%2F", "%2f", "%5C", "\\", "%252F"}).Draw(t, "joined by") + c.segments[at+1]
			c.segments = slices.Replace(c.segments, at, at+2, joined)
		case 6: // one byte of the path
			units := splitUnits(a.path()[1:])
			if len(units) == 0 {
				c.segments = []string{"x"}
				break
			}
			i := rapid.IntRange(0, len(units)-1).Draw(t, "unit")
			units[i] = unit.Filter(func(u string) bool { return u != units[i] && u != "." }).Draw(t, "another unit")
			c.segments = strings.Split(strings.Join(units, ""), "/")
		}
		htu := c.origin() + respellPath(t, c)
		require.False(t, j.admits(t, b, a.path(), htu), "%s for %s", htu, a.origin()+a.path())
	}))
}

// splitUnits splits a path into characters and escapes.
func splitUnits(path string) (units []string) {
	for path != "" {
		n := 1
		if path[0] == '%' {
			n = 3
		}
		units, path = append(units, path[:n]), path[n:]
	}
	return units
}

// Whatever an htu is, both implementations decide alike.
func TestSecondImplementation(t *testing.T) {
	j := newJudge(t)
	admitted, refused := 0, 0
	t.Run("B5", rapid.MakeCheck(func(t *rapid.T) {
		a := addresses.Draw(t, "address")
		prefix := rapid.SampledFrom([]string{"", "", "/v1", "/v1/", "/%761/a"}).Draw(t, "prefix")
		target := respellPath(t, a)
		htu := respellOrigin(t, a) + strings.TrimRight(prefix, "/") + respellPath(t, a)
		odd := rapid.SampledFrom([]string{"", "", "", "|", `\`, `"`, "^", "{}", "[", "<"}).Draw(t, "in both")
		target, htu = target+odd, htu+odd // what no path has, and some clients and servers let pass
		for range rapid.IntRange(0, 3).Draw(t, "edits") {
			i := rapid.IntRange(0, len(htu)).Draw(t, "where")
			end := min(len(htu), i+rapid.IntRange(0, 2).Draw(t, "removed"))
			piece := rapid.SampledFrom([]string{
				"", "", "/", "//", ".", "/.", "/..", "%2e", "%2F", "%", "%4", "?", "#", "@", ":", "[", "]", "\\", " ", "|", "é", "\x00", "\n", "a", "A", "0", "443", "%41", "%c3%89",
			}).Draw(t, "inserted")
			htu = htu[:i] + piece + htu[end:]
		}
		if htu != strings.ToValidUTF8(htu, "") {
			htu = strings.ToValidUTF8(htu, "") // JSON has no other
		}
		origin, before, ok := normal(a.origin() + prefix)
		require.True(t, ok)
		_, path, good := normal(a.origin() + target)
		gotOrigin, gotPath, ok := normal(htu)
		want := good && ok && gotOrigin == origin && gotPath == strings.TrimRight(before, "/")+path
		require.Equal(t, want, j.admits(t, j.binding(t, a.origin()+prefix), target, htu), "%q for %s of %s", htu, target, a.origin()+prefix)
		if want {
			admitted++
		} else {
			refused++
		}
	}))
	assert.Positive(t, admitted)
	assert.Positive(t, refused)
}
