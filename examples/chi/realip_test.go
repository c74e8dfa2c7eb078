package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// chi's RealIP writes what the client says into r.RemoteAddr, without a port. dpop.Config
// .Trusted are addresses of connections, and nothing without a port is one: outside
// Protect, RealIP hides the proxy, and makes nobody one. It belongs inside.
func TestRealIP(t *testing.T) {
	iss, key := verifiertest.NewIssuer(t), verifiertest.NewDPoPKey()
	const internal, public = "http://orders.internal", "https://api.example.com"
	proofs, err := dpop.New(dpop.Config{Origins: []string{internal, public}, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	require.NoError(t, err)
	v, err := verifier.Settings{Bindings: []verifier.Binding{proofs}}.New(iss.Config(public))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	for _, row := range []struct {
		name    string
		outside bool
		from    string
		want    int
	}{
		{"B6 the proxy, RealIP inside", false, "10.0.0.1:4711", 200},
		{"B6 the proxy, RealIP outside", true, "10.0.0.1:4711", 401},
		{"B6 a stranger, RealIP inside", false, "192.0.2.7:4711", 401},
		{"B6 a stranger, RealIP outside", true, "192.0.2.7:4711", 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := chi.NewRouter()
			//lint:ignore SA1019 deprecated, and in use
			layers := []func(http.Handler) http.Handler{httpauth.Protect(v), middleware.RealIP}
			if row.outside {
				layers[0], layers[1] = layers[1], layers[0]
			}
			r.Use(layers...)
			r.Get("/orders", func(http.ResponseWriter, *http.Request) {})
			req := httptest.NewRequest("GET", public+"/orders", nil)
			key.Authorize(req, iss.DPoPToken(key, nil))
			req.Host, req.RemoteAddr = "orders.internal", row.from
			req.Header.Set("X-Forwarded-Host", "api.example.com")
			req.Header.Set("X-Forwarded-For", "10.0.0.9")
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			assert.Equal(t, row.want, w.Code)
		})
	}
}
