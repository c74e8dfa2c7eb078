package jwkscache_test

import (
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// proxied has the addresses that were asked of the process's proxy.
var proxied sync.Map

// net/http reads the proxy environment once, so the process has one from the
// start. Loopback, where the other tests are, is exempt.
func TestMain(m *testing.M) {
	k := newKey("from-the-proxy")
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied.Store(r.URL.String(), true)
		io.WriteString(w, setOf(k))
	}))
	defer proxy.Close()
	os.Setenv("HTTP_PROXY", proxy.URL)
	os.Setenv("NO_PROXY", "")
	os.Unsetenv("REQUEST_METHOD")
	m.Run()
}

// own returns a cache of url with its own client, or with cfg's.
func own(t *testing.T, url string, cfg jwkscache.Config) *jwkscache.Cache {
	t.Helper()
	cfg.Logger = (&journal{}).logger()
	c, err := jwkscache.ForURL(url, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// trusting returns the cache's own client, made to trust srv's certificate.
func trusting(srv *httptest.Server) *http.Client {
	client := jwkscache.NewOwnClient(false)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	client.Transport.(*http.Transport).TLSClientConfig.RootCAs = pool
	return client
}

func TestOwnClient(t *testing.T) {
	k := newKey("k")
	keys := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, setOf(k)) })

	t.Run("K9 loopback http", func(t *testing.T) {
		srv := httptest.NewServer(keys)
		defer srv.Close()
		require.NoError(t, own(t, srv.URL, jwkscache.Config{}).Refresh(t.Context()))
	})

	t.Run("K9 what a request looks like", func(t *testing.T) {
		var seen atomic.Pointer[http.Request]
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen.Store(r)
			keys(w, r)
		}))
		defer srv.Close()
		require.NoError(t, own(t, srv.URL+"/jwks?v=1", jwkscache.Config{}).Refresh(t.Context()))
		r := seen.Load()
		assert.Equal(t, "GET", r.Method)
		assert.Equal(t, "/jwks?v=1", r.RequestURI)
		assert.Contains(t, r.Header.Get("Accept"), "application/json")
		assert.Contains(t, r.Header.Get("Accept"), "application/jwk-set+json")
		assert.Equal(t, "jwtguard", r.UserAgent())
	})

	t.Run("K9 HTTP/2 where the server has it", func(t *testing.T) {
		var protocol atomic.Value
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			protocol.Store(r.Proto)
			keys(w, r)
		}))
		srv.EnableHTTP2 = true
		srv.StartTLS()
		defer srv.Close()
		require.NoError(t, own(t, srv.URL, jwkscache.Config{HTTPClient: trusting(srv)}).Refresh(t.Context()))
		assert.Equal(t, "HTTP/2.0", protocol.Load())
	})

	t.Run("K9 https, its certificate verified", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(keys)
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		var versions atomic.Value
		srv.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			versions.Store(hello.SupportedVersions)
			return nil, nil
		}}
		srv.StartTLS()
		defer srv.Close()
		var unknown x509.UnknownAuthorityError
		require.ErrorAs(t, own(t, srv.URL, jwkscache.Config{}).Refresh(t.Context()), &unknown)
		assert.GreaterOrEqual(t, slices.Min(versions.Load().([]uint16)), uint16(tls.VersionTLS12), "K9 TLS 1.2 or later is offered")

		require.NoError(t, own(t, srv.URL, jwkscache.Config{HTTPClient: trusting(srv)}).Refresh(t.Context()))
	})

	for version, good := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		t.Run("K9 TLS >= 1.2: a server with "+tls.VersionName(version), func(t *testing.T) {
			srv := httptest.NewUnstartedServer(keys)
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.TLS = &tls.Config{MinVersion: version, MaxVersion: version}
			srv.StartTLS()
			defer srv.Close()
			err := own(t, srv.URL, jwkscache.Config{HTTPClient: trusting(srv)}).Refresh(t.Context())
			require.Equal(t, good, err == nil, "%v", err)
		})
	}

	t.Run("K9 no cookies", func(t *testing.T) {
		var cookies atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cookies.Add(int32(len(r.Cookies())))
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "1", Path: "/"})
			keys(w, r)
		}))
		defer srv.Close()
		c := own(t, srv.URL, jwkscache.Config{})
		require.NoError(t, c.Refresh(t.Context()))
		require.NoError(t, c.Refresh(t.Context()))
		assert.Zero(t, cookies.Load())
	})

	t.Run("K9 the proxy environment is honoured, and AllowHTTP", func(t *testing.T) {
		const url = "http://keys.invalid/jwks"
		_, err := jwkscache.ForURL(url, jwkscache.Config{})
		require.Error(t, err)
		c := own(t, url, jwkscache.Config{AllowHTTP: true})
		require.NoError(t, c.Refresh(t.Context()))
		_, asked := proxied.Load(url)
		assert.True(t, asked)
	})

	t.Run("K9 headers are bounded", func(t *testing.T) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 100<<10))
			keys(w, r)
		}))
		defer srv.Close()
		require.Error(t, own(t, srv.URL, jwkscache.Config{}).Refresh(t.Context()))
	})

	t.Run("K9 a long body is cut off", func(t *testing.T) {
		var sent atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 64 {
				n, err := io.WriteString(w, strings.Repeat(" ", 1<<20))
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		}))
		err := own(t, srv.URL, jwkscache.Config{}).Refresh(t.Context())
		srv.Close() // waits for the handler
		require.ErrorContains(t, err, "524288")
		assert.Less(t, sent.Load(), int64(64<<20), "the rest was not read")
	})

	t.Run("K9 a compressed body is bounded", func(t *testing.T) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, setOf(k)+strings.Repeat(" ", 512<<10))
			z.Close()
		}))
		defer srv.Close()
		require.ErrorContains(t, own(t, srv.URL, jwkscache.Config{}).Refresh(t.Context()), "524288")
	})

	t.Run("K12 no connection is left behind", func(t *testing.T) {
		closed, opened := make(chan struct{}, 10), new(atomic.Int32)
		srv := httptest.NewUnstartedServer(keys)
		srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				opened.Add(1)
			case http.StateClosed:
				closed <- struct{}{}
			}
		}
		srv.Start()
		defer srv.Close()
		c := own(t, srv.URL, jwkscache.Config{})
		require.NoError(t, c.Refresh(t.Context()))
		require.NoError(t, c.Refresh(t.Context()))
		require.GreaterOrEqual(t, opened.Load(), int32(2)) // 3 when the first fetch was over before Refresh could join it
		for range opened.Load() {
			select {
			case <-closed:
			case <-time.After(10 * time.Second): // only ever reached when a connection stays
				t.Fatal("a connection stays open")
			}
		}
	})
}

func TestCallersClient(t *testing.T) {
	k := newKey("k")

	t.Run("K9 a caller's client is used as given: its redirects, its cookies", inBubble(func(t *testing.T) {
		s := newServer(reply(http.StatusFound, "", "Location", movedURL, "Set-Cookie", "session=1; Domain=example"))
		s.at(movedURL, publish(k))
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		cfg := configFor(s, jwkscache.Config{})
		cfg.HTTPClient.Jar = jar
		c, err := jwkscache.ForURL("https://issuer.example/jwks", cfg)
		opened(t, c, err)
		serves(t, c, k)
		require.NoError(t, c.Refresh(t.Context()))
		assert.Empty(t, s.requests(jwksURL)[0].header.Get("Cookie"))
		assert.Equal(t, "session=1", s.requests(jwksURL)[1].header.Get("Cookie"))
	}))

	t.Run("K9 a caller's client may time out earlier", inBubble(func(t *testing.T) {
		cfg := configFor(newServer(hang), jwkscache.Config{})
		cfg.HTTPClient.Timeout = time.Second
		c, err := jwkscache.ForURL(jwksURL, cfg)
		opened(t, c, err)
		pass(time.Second)
		assert.Equal(t, 1, c.Stats().Failures)
	}))

	t.Run("K9 a caller's client without a time-out: 30 s", inBubble(func(t *testing.T) {
		for _, none := range []time.Duration{0, -1} {
			cfg := configFor(newServer(hang), jwkscache.Config{})
			cfg.HTTPClient.Timeout = none
			c, err := jwkscache.ForURL(jwksURL, cfg)
			opened(t, c, err)
			pass(30*time.Second - 1)
			assert.Zero(t, c.Stats().Failures)
			pass(1)
			assert.Equal(t, 1, c.Stats().Failures)
			assert.ErrorContains(t, c.Health(), "no complete response within 30s")
		}
	}))

	t.Run("K9 a caller's client may wait longer than ours", inBubble(func(t *testing.T) {
		for _, a := range []responder{slow(50*time.Second, publish(k)), slowly(50*time.Second, setOf(k))} {
			cfg := configFor(newServer(a), jwkscache.Config{})
			cfg.HTTPClient.Timeout = time.Minute
			c, err := jwkscache.ForURL(jwksURL, cfg)
			opened(t, c, err)
			pass(50 * time.Second)
			serves(t, c, k)
		}
	}))

	t.Run("K9 our own client's time-out is 10 s", func(t *testing.T) {
		assert.Equal(t, 10*time.Second, jwkscache.NewOwnClient(false).Timeout, "which includes the body")
	})
}

// slowly responds at once, with a body that takes d.
func slowly(d time.Duration, body string) responder {
	return func(r *http.Request) (*http.Response, error) {
		res, err := reply(http.StatusOK, "")(r)
		reader, writer := io.Pipe()
		res.Body = reader
		go func() {
			select {
			case <-time.After(d):
				io.WriteString(writer, body)
			case <-r.Context().Done():
			}
			writer.Close()
		}()
		return res, err
	}
}
