// Package ordertest tests the example services, which promise the same in three
// frameworks.
package ordertest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// What the services under test are configured with.
const (
	Orders   = "https://api.example.com"
	Invoices = "https://billing.example.com"
)

// InvoiceClients may read invoices.
var InvoiceClients = []string{"ledger", "auditor"}

// Routes tests a service's routes.
func Routes(t *testing.T, routes func(*slog.Logger, *verifier.Verifier) http.Handler) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier(Orders, Invoices)
	require.NoError(t, v.Ready(t.Context()))
	var log bytes.Buffer
	app := routes(slog.New(slog.NewTextHandler(&log, nil)), v)

	reader := verifiertest.Claims{"client_id": "shop", "scope": "orders:read", "tenant": "acme"}
	for _, row := range []struct {
		name, method, path string
		claims             verifiertest.Claims // nil: no token
		status             int
		body               map[string]any
	}{
		{"reads orders", "GET", "/orders", reader, 200, map[string]any{"client_id": "shop", "tenant": "acme", "orders": []any{"o-1"}}},
		{"may not write", "POST", "/orders", reader, 403, nil},
		{"writes", "POST", "/orders", verifiertest.Claims{"scope": "orders:write"}, 201, nil},
		{"a tenant of the wrong kind", "GET", "/orders", verifiertest.Claims{"scope": "orders:read", "tenant": 1}, 401, nil},
		{"orders' token for invoices", "GET", "/invoices", verifiertest.Claims{"client_id": "ledger"}, 401, nil},
		{"reads invoices", "GET", "/invoices", verifiertest.Claims{"client_id": "ledger", "aud": Invoices}, 200, nil},
		{"not on the list", "GET", "/invoices", verifiertest.Claims{"client_id": "shop", "aud": Invoices}, 403, nil},
		{"no token", "GET", "/orders", nil, 401, nil},
		{"health is public", "GET", "/healthz", nil, 200, nil},
		{"ready", "GET", "/readyz", nil, 200, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			token := ""
			if row.claims != nil {
				token = iss.Token(row.claims)
			}
			before := strings.Count(log.String(), "msg=refused")
			w := call(app, row.method, row.path, token)
			assert.Equal(t, row.status, w.Code)
			refused := strings.Count(log.String(), "msg=refused") - before
			assert.Equal(t, row.status >= 400, refused == 1, "logged %d times", refused)
			if row.body != nil {
				var got map[string]any
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
				assert.Equal(t, row.body, got)
			}
		})
	}
	assert.Contains(t, log.String(), "token is for another audience", "the operator reads why")
	assert.Contains(t, log.String(), "by.client_id=shop")

	t.Run("not ready without keys", func(t *testing.T) {
		iss := verifiertest.NewIssuer(t)
		iss.Fail(http.StatusServiceUnavailable)
		app := routes(slog.New(slog.DiscardHandler), iss.Verifier(Orders, Invoices))
		assert.Equal(t, http.StatusServiceUnavailable, call(app, "GET", "/readyz", "").Code)
	})
}

func call(app http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

// Run tests a whole service over sockets: it serves, and ends without an error
// when it is asked to.
func Run(t *testing.T, run func(ctx context.Context, log *slog.Logger, issuer string, l net.Listener) error) {
	iss := verifiertest.NewIssuer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, slog.New(slog.DiscardHandler), iss.URL(), l) }()

	req, err := http.NewRequest(http.MethodGet, "http://"+l.Addr().String()+"/orders", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+iss.Token(verifiertest.Claims{"aud": Orders, "scope": "orders:read"}))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, http.StatusOK, res.StatusCode)
	cancel()
	assert.NoError(t, <-ended)
}
