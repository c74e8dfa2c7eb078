package dpop_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// Trusted are addresses of connections. Middleware that writes what a field says into
// r.RemoteAddr makes every client a trusted proxy, if it runs outside Protect; inside, it
// changes nothing.
func TestRealIP(t *testing.T) {
	realIP := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if address := r.Header.Get("X-Real-IP"); address != "" {
				r.RemoteAddr = address
			}
			next.ServeHTTP(w, r)
		})
	}
	const other = "https://eu.example.com"
	for _, row := range []struct {
		name    string
		outside bool
		claims  string // what a stranger says its address is
		want    int
	}{
		{"inside", false, "10.0.0.1:4711", 401},
		{"outside, an address as of a connection", true, "10.0.0.1:4711", 200}, // the mistake
		{"outside, an address without port", true, "10.0.0.1", 401},            // as chi's RealIP and gorilla's ProxyHeaders write it
	} {
		t.Run("B6 "+row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, dpop.Config{Origins: []string{api, other}, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
				a := s.attempt()
				a.remote, a.claims["htu"] = "192.0.2.1:1", text(other+"/orders")
				a.more.Set("X-Real-IP", row.claims)
				a.more.Set("X-Forwarded-Host", "eu.example.com")
				var h http.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
				if row.outside {
					h = realIP(httpauth.Protect(s.v)(h))
				} else {
					h = httpauth.Protect(s.v)(realIP(h))
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, a.request())
				assert.Equal(t, row.want, w.Code)
			})
		})
	}
}

// A router that cuts off the beginning of r.URL.Path does not change what htu has to be.
func TestStripPrefix(t *testing.T) {
	for htu, want := range map[string]int{api + "/v1/orders": 200, api + "/orders": 401} {
		t.Run("B5 "+htu, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, dpop.Config{})
				a := s.attempt()
				a.uri, a.claims["htu"] = "/v1/orders?page=1", text(htu)
				w := httptest.NewRecorder()
				http.StripPrefix("/v1", httpauth.Protect(s.v)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					assert.Equal(t, "/orders", r.URL.Path)
				}))).ServeHTTP(w, a.request())
				assert.Equal(t, want, w.Code)
			})
		})
	}
}
