package jwkscache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// confirms responds with 304 to a request with a validator (RFC 9110 §13.1.2), and
// otherwise as first does.
func confirms(first responder) responder {
	return func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
			return reply(http.StatusNotModified, "")(r)
		}
		return first(r)
	}
}

// Only a complete response counts, and for MaxStale only.
func TestNoConditionalRequests(t *testing.T) {
	a, foreign := newKey("a"), newKey("foreign")
	own := tagged(`"honest"`, a)

	for name, bad := range map[string]responder{
		"ETag: *":                     reply(200, setOf(a, foreign), "ETag", "*"),
		"the honest server's ETag":    reply(200, setOf(a, foreign), "ETag", `"honest"`),
		"a Last-Modified ahead of us": reply(200, setOf(a, foreign), "Last-Modified", "Fri, 31 Dec 2100 23:59:59 GMT"),
	} {
		t.Run("K4 one response with a foreign key and "+name+" does not last", inBubble(func(t *testing.T) {
			s := newServer(bad)
			c := open(t, s, jwkscache.Config{Refresh: 2 * time.Hour})
			serves(t, c, foreign)
			s.serve(confirms(own))
			pass(2 * time.Hour)
			denies(t, c, "foreign")
			pass(30 * day)
			denies(t, c, "foreign")
			serves(t, c, a)
			for _, r := range s.requests(jwksURL) {
				require.NotContains(t, r.header, "If-None-Match")
				require.NotContains(t, r.header, "If-Modified-Since")
			}
		}))
	}

	t.Run("K4 an ETag of 9 KiB does not break requests", inBubble(func(t *testing.T) {
		long := `"` + strings.Repeat("e", 9<<10) + `"`
		s := newServer(func(r *http.Request) (*http.Response, error) {
			if size := len(toJSON(r.Header)); size > 8<<10 {
				return reply(http.StatusRequestHeaderFieldsTooLarge, "")(r)
			}
			return reply(200, setOf(a), "ETag", long)(r)
		})
		c := open(t, s, jwkscache.Config{Refresh: 2 * time.Hour})
		pass(30 * day)
		serves(t, c, a)
		assert.Zero(t, c.Stats().Failures)
	}))

	t.Run("K4 304 is a failure, at the start and later", inBubble(func(t *testing.T) {
		s := newServer(reply(http.StatusNotModified, "", "ETag", "*"))
		c := open(t, s, jwkscache.Config{})
		require.Equal(t, jwkscache.Empty, c.Stats().State)
		require.ErrorContains(t, c.Health(), "304")
		s.serve(reply(200, setOf(a), "ETag", "*"))
		require.NoError(t, c.Refresh(t.Context()))
		s.serve(reply(http.StatusNotModified, "", "ETag", "*"))
		require.ErrorContains(t, c.Refresh(t.Context()), "304")
		pass(day - 1)
		serves(t, c, a)
		pass(1)
		require.ErrorContains(t, c.Health(), "304")
	}))
}

func TestFetchMode(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K9 no-cache is in every request, or in none", inBubble(func(t *testing.T) {
		s := newServer(publish(a))
		s.at(rfcForm, metadata(issuer, jwksURL))
		for _, noCache := range []bool{true, false} {
			f, err := jwkscache.NewFetcher(issuer, "", configFor(s, jwkscache.Config{}))
			require.NoError(t, err)
			_, err = f.Fetch(noCache, false)
			require.NoError(t, err)
		}
		require.Equal(t, []string{oidcForm, rfcForm, jwksURL, oidcForm, rfcForm, jwksURL}, s.urls())
		for _, url := range []string{oidcForm, rfcForm, jwksURL} {
			got := s.requests(url)
			require.Equal(t, []string{"no-cache"}, got[0].header["Cache-Control"], url)
			require.NotContains(t, got[1].header, "Cache-Control", url)
		}
	}))

	t.Run("K9 no-cache is on every hop of a redirect", inBubble(func(t *testing.T) {
		s := newServer(reply(http.StatusFound, "", "Location", movedURL))
		s.at(movedURL, publish(a))
		f, err := jwkscache.NewFetcher("", jwksURL, configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		_, err = f.Fetch(true, false)
		require.NoError(t, err)
		require.Equal(t, "no-cache", s.requests(movedURL)[0].header.Get("Cache-Control"))
	}))

	t.Run("K10 rediscovery on demand", inBubble(func(t *testing.T) {
		s := newIssuer(publish(a))
		f, err := jwkscache.NewFetcher(issuer, "", configFor(s, jwkscache.Config{}))
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.NoError(t, err)
		s.at(oidcForm, metadata(issuer, movedURL))
		s.at(movedURL, publish(b))
		_, err = f.Fetch(true, false)
		require.NoError(t, err)
		serves(t, f.Cache, a)
		_, err = f.Fetch(true, true)
		require.NoError(t, err)
		serves(t, f.Cache, b)
		require.Equal(t, []string{oidcForm, jwksURL, jwksURL, oidcForm, movedURL}, s.urls())
	}))
}

// Whatever the server does, for 23 hours, good keys are served, its bad responses
// are not, and fetching works again by itself.
func TestBadResponses(t *testing.T) {
	good, never := newKey("good"), newKey("never")
	set := setOf(never)
	later := fail(503, "Retry-After", "300")
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	for _, row := range []struct {
		name  string
		hours int
		a     responder
	}{
		{"K7 500", 23, fail(500)},
		{"K7 503", 1, fail(503)},
		{"K7 404", 1, fail(404)},
		{"K7 201 with a good set", 1, reply(201, set)},
		{"K7 203 with a good set", 1, reply(203, set)},
		{"K7 206 with a good set", 1, reply(206, set)},
		{"K7 500 with a good set", 1, reply(500, set)},
		{"K7 301 to nowhere", 1, fail(301)},
		{"K7 304", 23, reply(304, "")},
		{"K7 204", 1, reply(204, "")},
		{"K7 nothing", 1, reply(200, "")},
		{"K7 garbage", 23, reply(200, "\x00\xff\x17garbage")},
		{"K7 HTML", 23, reply(200, "<!DOCTYPE html><html><body>Log in, please.</body></html>")},
		{`K7 {"keys":[]}`, 23, reply(200, `{"keys":[]}`)},
		{`K7 {"keys":null}`, 1, reply(200, `{"keys":null}`)},
		{`K7 {"keys":{}}`, 1, reply(200, `{"keys":{}}`)},
		{`K7 {"Keys":...}`, 1, reply(200, strings.Replace(set, "keys", "Keys", 1))},
		{"K7 keys twice", 1, reply(200, `{"keys":[],`+strings.TrimPrefix(set, "{"))},
		{"K7 {}", 23, reply(200, `{}`)},
		{"K7 null", 23, reply(200, `null`)},
		{"K7 an array of keys", 1, reply(200, `[`+never.jwk.String()+`]`)},
		{"K7 a lone JWK", 23, reply(200, never.jwk.String())},
		{"K7 none usable", 1, reply(200, rawSet(`{"kty":"mystery"}`, `{}`, `7`))},
		{"K7 A4 only a point that verifies anything", 1, reply(200, rawSet(edKey("never").jwk.with("x", b64(append([]byte{1}, make([]byte, 31)...))).String()))},
		{"K7 A4 only a key that is not a point", 1, reply(200, rawSet(edKey("never").jwk.with("x", b64(append([]byte{2}, make([]byte, 31)...))).String()))},
		{"K7 A4 only an RSA key with a huge exponent", 1, reply(200, rawSet(rsaKey("never").jwk.with("e", b64(append([]byte{1}, make([]byte, 200)...))).String()))},
		{"K7 trailing bytes", 23, reply(200, set+"x")},
		{"K7 a trailing second set", 1, reply(200, set+set)},
		{"K7 a trailing bracket", 1, reply(200, set+"}")},
		{"K7 one comma too many", 1, reply(200, strings.Replace(set, "]", ",]", 1))},
		{"K7 two byte order marks", 1, reply(200, "\ufeff\ufeff"+set)},
		{"K7 a byte order mark after a space", 1, reply(200, " \ufeff"+set)},
		{"K7 a byte order mark and nothing", 1, reply(200, "\ufeff")},
		{"K7 UTF-16", 1, reply(200, "\xff\xfe{\x00}\x00")},
		{"K7 truncated after the keys", 23, reply(200, strings.TrimSuffix(set, "}"))},
		{"K7 truncated after a key", 1, reply(200, strings.TrimSuffix(set, "]}"))},
		{"K7 truncated inside a key", 1, reply(200, set[:len(set)/2])},
		{"K7 a broken member", 1, reply(200, `{"a":tru,`+strings.TrimPrefix(set, "{"))},
		{"K7 a member too deep to read", 0, reply(200, `{"a":`+deep+`,`+strings.TrimPrefix(set, "{"))},
		{"K7 cut off", 1, cutOff(set, errors.New("connection reset"))},
		{"K7 one byte over 512 KiB", 0, reply(200, set+strings.Repeat(" ", 512<<10-len(set)+1))},
		{"K7 over 512 KiB", 23, seldom(reply(200, set+strings.Repeat(" ", 512<<10)), later)},
		{"K7 257 keys", 23, seldom(reply(200, rawSet(strings.Repeat(`{},`, 256)+never.jwk.String())), later)},
		{"K7 a timeout before the response", 23, hang},
		{"K7 a timeout just after 10 s", 1, slow(10*time.Second+1, reply(200, set))},
		{"K7 a timeout inside the body", 23, cutOff(set, nil)},
		{"K7 a byte each second", 23, trickle(set)},
		{"K3 no connection", 23, broken(errors.New("connection refused"))},
		{"K3 a transport that panics", 1, func(*http.Request) (*http.Response, error) { panic("a bug elsewhere") }},
	} {
		t.Run(fmt.Sprintf("%s, %d hours", row.name, row.hours), inBubble(func(t *testing.T) {
			s := newServer(publish(good))
			c := open(t, s, jwkscache.Config{})
			s.serve(row.a)
			pass(14 * minute) // past the first refresh
			for range row.hours * 12 {
				serves(t, c, good)
				pass(5 * minute)
			}
			serves(t, c, good)
			st := c.Stats()
			assert.Contains(t, []jwkscache.State{jwkscache.Fresh, jwkscache.Stale}, st.State)
			assert.Equal(t, 1, st.Keys)
			assert.Error(t, st.LastError)
			assert.GreaterOrEqual(t, st.Failures, 1+row.hours*11)
			assert.LessOrEqual(t, st.Failures, 50+row.hours*135)
			_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "never", Algorithm: "ES256"})
			require.ErrorIs(t, err, jwkscache.ErrUnavailable)

			s.serve(publish(good, newKey("more")))
			pass(6 * minute)
			assert.Equal(t, jwkscache.Fresh, c.Stats().State)
			assert.Equal(t, 2, c.Stats().Keys)
			assert.NoError(t, c.Stats().LastError)
			serves(t, c, good)
		}))
	}
}

// seldom answers one request in six as a does, which is costly to make, and the
// others as b does.
func seldom(a, b responder) responder {
	n := 0 // only one request runs at a time
	return func(r *http.Request) (*http.Response, error) {
		if n++; n%6 == 1 {
			return a(r)
		}
		return b(r)
	}
}

// Just within the bounds, or merely unusual.
func TestGoodResponses(t *testing.T) {
	a := newKey("a")
	set := setOf(a)
	for _, row := range []struct {
		name string
		a    responder
	}{
		{"K7 exactly 512 KiB", reply(200, set+strings.Repeat(" ", 512<<10-len(set)))},
		{"K7 exactly 256 keys", reply(200, rawSet(strings.Repeat(`{},`, 255)+a.jwk.String()))},
		{"K7 a byte order mark before the set", reply(200, "\ufeff"+set)},
		{"K7 just within 10 s", slow(10*time.Second-1, publish(a))},
		{"K7 other members around the keys", reply(200, `{"a":[1,{"keys":[]}],`+strings.TrimSuffix(strings.TrimPrefix(set, "{"), "}")+`,"z":null}`)},
		{"K7 white space around it", reply(200, "\r\n\t "+set+"\r\n\t ")},
		{"K7 any Content-Type", reply(200, set, "Content-Type", "text/html")},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			c := open(t, newServer(row.a), jwkscache.Config{})
			pass(10 * time.Second)
			serves(t, c, a)
			assert.Equal(t, jwkscache.Fresh, c.Stats().State)
		}))
	}
}

// A countedBody counts the bodies that are open.
type countedBody struct {
	io.Reader
	open *atomic.Int32
}

func (b countedBody) Close() error {
	b.open.Add(-1)
	return nil
}

func TestFetchesLeaveNothingBehind(t *testing.T) {
	set := setOf(newKey("a"))
	for name, a := range map[string]responder{
		"K12 200":                 reply(200, set, "ETag", `"1"`),
		"K12 304":                 reply(304, ""),
		"K12 500":                 fail(500),
		"K12 200 with no key set": reply(200, "{}"),
		"K12 200 over 512 KiB":    reply(200, set+strings.Repeat(" ", 512<<10)),
		"K12 200 that breaks off": cutOff(set, errors.New("connection reset")),
	} {
		t.Run(name+": its body is closed and its context done", inBubble(func(t *testing.T) {
			var requests []*http.Request
			var bodies atomic.Int32
			s := newServer(func(r *http.Request) (*http.Response, error) {
				requests = append(requests, r)
				res, err := a(r)
				bodies.Add(1)
				res.Body = countedBody{res.Body, &bodies}
				return res, err
			})
			c := open(t, s, jwkscache.Config{})
			_ = c.Refresh(t.Context()) // some of them are failures
			synctest.Wait()
			require.GreaterOrEqual(t, len(requests), 2)
			assert.Zero(t, bodies.Load())
			for _, r := range requests {
				assert.ErrorIs(t, r.Context().Err(), context.Canceled)
			}
		}))
	}
}
