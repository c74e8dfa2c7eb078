package jwkscache_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// redirected returns a server where each address leads to the next, and the last
// has k's set.
func redirected(k key, addresses ...string) *server {
	s := newServer(nil)
	for i, to := range addresses[1:] {
		s.at(addresses[i], reply(http.StatusFound, "", "Location", to))
	}
	s.at(addresses[len(addresses)-1], publish(k))
	return s
}

func TestEveryHopIsChecked(t *testing.T) {
	k := newKey("k")
	const at, loopback = "https://a.example/jwks", "http://127.0.0.1/jwks"
	for _, row := range []struct {
		name                 string
		hops                 []string
		plain, withAllowHTTP bool
	}{
		{"K9 https, https", []string{at, "https://b.example/jwks"}, true, true},
		{"K9 https, http", []string{at, "http://b.example/jwks"}, false, true},
		{"K9 https, http, https", []string{at, "http://b.example/jwks", "https://c.example/jwks"}, false, true},
		{"K9 https, https, http, https", []string{at, "https://b.example/1", "http://b.example/2", "https://c.example/jwks"}, false, true},
		{"K9 https, loopback http", []string{at, loopback}, false, true},
		{"K9 https, loopback http, https", []string{at, loopback, "https://c.example/jwks"}, false, true},
		{"K9 https, a user", []string{at, "https://u:secret@b.example/jwks"}, false, false},
		{"K9 loopback http, loopback http", []string{loopback, "http://localhost/other"}, true, true},
		{"K9 loopback http, https", []string{loopback, at}, true, true},
		{"K9 loopback http, https, loopback http", []string{loopback, at, "http://localhost/other"}, true, true},
		{"K9 loopback http, http", []string{loopback, "http://b.example/jwks"}, false, true},
	} {
		for allowHTTP, want := range map[bool]bool{false: row.plain, true: row.withAllowHTTP} {
			name := row.name
			if allowHTTP {
				name += ", AllowHTTP"
			}
			// The hops are followed by net/http, by a policy of the caller's, or by
			// the caller's RoundTripper, where only the last one is seen.
			t.Run(name, inBubble(func(t *testing.T) {
				for _, policy := range []func(*http.Request, []*http.Request) error{
					nil, func(*http.Request, []*http.Request) error { return nil },
				} {
					s := redirected(k, row.hops...)
					cfg := configFor(s, jwkscache.Config{AllowHTTP: allowHTTP})
					cfg.HTTPClient.CheckRedirect = policy
					f, err := jwkscache.NewFetcher("", row.hops[0], cfg)
					require.NoError(t, err)
					_, err = f.Fetch(false, false)
					require.Equal(t, want, err == nil, "%v", err)
					if !want {
						assert.ErrorContains(t, err, "redirected")
						assert.NotContains(t, err.Error(), "secret")
						assert.Less(t, len(s.urls()), len(row.hops), "what must not be asked is not")
					}
				}
			}))
		}
	}

	for _, last := range []string{"http://b.example/jwks", loopback} {
		t.Run("K9 a RoundTripper that follows redirects by itself, to "+last, inBubble(func(t *testing.T) {
			cfg := jwkscache.Config{HTTPClient: &http.Client{Transport: tripper(func(r *http.Request) (*http.Response, error) {
				res, err := publish(k)(r)
				res.Request = httptest.NewRequest(http.MethodGet, last, nil)
				return res, err
			})}}
			f, err := jwkscache.NewFetcher("", at, cfg)
			require.NoError(t, err)
			_, err = f.Fetch(false, false)
			require.ErrorContains(t, err, "redirected")
		}))
	}

	t.Run("K9 a RoundTripper that does not set Response.Request", inBubble(func(t *testing.T) {
		f, err := jwkscache.NewFetcher("", at, jwkscache.Config{HTTPClient: &http.Client{Transport: tripper(publish(k))}})
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.NoError(t, err)
	}))
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCallersRedirectPolicy(t *testing.T) {
	k := newKey("k")
	const a, b, c = "https://a.example/jwks", "https://b.example/jwks", "https://c.example/jwks"

	t.Run("K9 a policy is asked at each hop, and may refuse", inBubble(func(t *testing.T) {
		s := redirected(k, a, b, c)
		var hops []string
		cfg := configFor(s, jwkscache.Config{})
		cfg.HTTPClient.CheckRedirect = func(req *http.Request, via []*http.Request) error {
			hops = append(hops, req.URL.String())
			return nil
		}
		f, err := jwkscache.NewFetcher("", a, cfg)
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.NoError(t, err)
		require.Equal(t, []string{b, c}, hops)

		for policy, text := range map[error]string{
			http.ErrUseLastResponse: `302 Found, a redirect to "` + b + `"`, errors.New("not today"): "not today",
		} {
			cfg.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return policy }
			f, err := jwkscache.NewFetcher("", a, cfg)
			require.NoError(t, err)
			_, err = f.Fetch(false, false)
			require.ErrorContains(t, err, text)
		}
	}))

	t.Run("K9 without a policy ten redirects are followed, as by net/http", inBubble(func(t *testing.T) {
		loop := newServer(reply(http.StatusFound, "", "Location", jwksURL))
		f, err := jwkscache.NewFetcher("", jwksURL, configFor(loop, jwkscache.Config{}))
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.ErrorContains(t, err, "10 redirects")
		require.Equal(t, 10, loop.fetches())
	}))

	t.Run("K9 the caller's client is not changed", inBubble(func(t *testing.T) {
		s := redirected(k, a, "http://b.example/jwks")
		cfg := configFor(s, jwkscache.Config{})
		before := *cfg.HTTPClient
		f, err := jwkscache.NewFetcher("", a, cfg)
		require.NoError(t, err)
		_, err = f.Fetch(false, false)
		require.Error(t, err)
		require.Equal(t, before, *cfg.HTTPClient)
		res, err := cfg.HTTPClient.Get(a)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusOK, res.StatusCode)
	}))
}

func TestRedirects(t *testing.T) {
	k := newKey("k")
	mux := http.NewServeMux()
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, setOf(k)) })
	mux.Handle("/1", http.RedirectHandler("/jwks", http.StatusFound))
	mux.Handle("/2", http.RedirectHandler("/1", http.StatusMovedPermanently))
	mux.Handle("/3", http.RedirectHandler("/2", http.StatusTemporaryRedirect))
	mux.Handle("/4", http.RedirectHandler("/3", http.StatusPermanentRedirect))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler(srv.URL+"/jwks", http.StatusFound))
	defer elsewhere.Close()

	for _, row := range []struct {
		name, url  string
		sameOrigin bool
		good       bool
	}{
		{"K9 no redirect is followed", srv.URL + "/1", false, false},
		{"K9 a same-origin redirect with the option", srv.URL + "/1", true, true},
		{"K9 three same-origin redirects", srv.URL + "/3", true, true},
		{"K9 four are too many", srv.URL + "/4", true, false},
		{"K9 a loop ends", srv.URL + "/loop", true, false},
		{"K9 another port is another origin", elsewhere.URL, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := own(t, row.url, jwkscache.Config{SameOriginRedirects: row.sameOrigin}).Refresh(t.Context())
			require.Equal(t, row.good, err == nil, "%v", err)
			if err != nil {
				require.ErrorContains(t, err, "30", "the redirect is the response")
			}
		})
	}

	for _, row := range []struct {
		name, from, to string
		good           bool
	}{
		{"K9 same origin", "https://keys.example/a", "https://keys.example/b", true},
		{"K9 a downgrade to http", "https://keys.example/a", "http://keys.example/b", false},
		{"K9 another host", "https://keys.example/a", "https://evil.example/b", false},
		{"K9 a subdomain", "https://keys.example/a", "https://evil.keys.example/b", false},
		{"K9 another port", "https://keys.example/a", "https://keys.example:8443/b", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			from, err := http.NewRequest("GET", row.from, nil)
			require.NoError(t, err)
			to, err := http.NewRequest("GET", row.to, nil)
			require.NoError(t, err)
			to.Response = &http.Response{StatusCode: http.StatusFound}
			err = jwkscache.NewOwnClient(true).CheckRedirect(to, []*http.Request{from})
			require.Equal(t, row.good, err == nil)
			require.Error(t, jwkscache.NewOwnClient(false).CheckRedirect(to, []*http.Request{from}))
		})
	}
}

// The error says where a redirect leads, and what to do.
func TestRedirectsAreNamed(t *testing.T) {
	long := strings.Repeat("x", 60_000)
	for _, row := range []struct {
		name, location string
		sameOrigin     bool
		want           []string
	}{
		{"K9 to the same origin", "/v2/jwks", false, []string{"301 Moved Permanently", "/v2/jwks", "SameOriginRedirects"}},
		{"K9 to another origin", "https://www.keys.example/jwks", false, []string{"301", `"https://www.keys.example/jwks"`, "another origin", "configure the address"}},
		{"K9 to another origin, with the option", "https://www.keys.example/jwks", true, []string{"another origin"}},
		{"K9 in a circle", "/jwks", true, []string{"301", "fourth redirect"}},
		{"K9 with a password", "https://u:secret@keys.example/jwks", false, []string{"u:xxxxx@keys.example"}},
		{"K9 to a long host", "https://" + long, false, []string{"301", "https://xxx", "another origin"}},
		{"K9 to a long path", "/" + long, false, []string{"301", "/xxx", "SameOriginRedirects"}},
		{"K9 to nowhere", "", false, []string{"301 Moved Permanently"}},
		{"K9 to what is not a URL", "http://[::1" + long, false, []string{"Location"}},
		{"K9 with a line break", "/a%0Ab", false, []string{"301", "a%0Ab"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if row.location != "" {
					w.Header()["Location"] = []string{row.location}
				}
				w.WriteHeader(http.StatusMovedPermanently)
			}))
			defer srv.Close()
			err := own(t, srv.URL+"/jwks", jwkscache.Config{SameOriginRedirects: row.sameOrigin}).Refresh(t.Context())
			require.Error(t, err)
			for _, want := range row.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Less(t, len(err.Error()), 1000)
			assert.NotContains(t, err.Error(), "secret")
			assert.NotContains(t, err.Error(), "\t")
		})
	}
}
