package faults

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const ordersAPI = "https://api.example.com"

// A world is an authorization server behind a proxy that can be made faulty.
type world struct {
	*authserver.Server
	proxy *toxiproxy.Proxy
	conns connections // that the proxy opened to the server: one per client's
}

func newWorld(t *testing.T) *world {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxics log to stderr
	w := &world{}
	upstream := httptest.NewUnstartedServer(http.HandlerFunc(w.serve))
	upstream.Config.ConnState = w.conns.note
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w.proxy = toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", upstream.Listener.Addr().String())
	require.NoError(t, w.proxy.Start())
	var err error
	w.Server, err = authserver.New("http://"+w.proxy.Listen, "ES256")
	require.NoError(t, err)
	upstream.Start()
	t.Cleanup(upstream.Close)
	t.Cleanup(w.proxy.Stop)
	return w
}

// serve makes key sets as long as those with certificates are.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/jwks.json" {
		w.ServeHTTP(rw, r)
		return
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	for _, name := range []string{"ETag", "Cache-Control", "Content-Type"} {
		rw.Header().Set(name, rec.Header().Get(name))
	}
	rw.WriteHeader(rec.Code)
	if rest, ok := strings.CutPrefix(rec.Body.String(), "{"); ok {
		_, _ = rw.Write([]byte(`{"ballast":"` + strings.Repeat("A", 8<<10) + `",` + rest))
	}
}

// An api is a protected handler and the keys that it relies on.
type api struct {
	http.Handler
	v    *verifier.Verifier
	keys *jwkscache.Cache
}

// open starts an API whose cache's goroutines are labelled as label.
func (w *world) open(t *testing.T, label string, cfg jwkscache.Config) *api {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	a := &api{}
	var err error
	labelled(label, func() { a.keys, err = jwkscache.ForIssuer(w.Issuer(), cfg) })
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.keys.Close()) })
	a.v, err = verifier.New(verifier.Config{Issuer: w.Issuer(), Audiences: []string{ordersAPI}, Keys: a.keys})
	require.NoError(t, err)
	a.Handler = httpauth.Protect(a.v)(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusOK)
	}))
	return a
}

// ask sends one request to the API.
func (a *api) ask(token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, r)
	return rec
}
