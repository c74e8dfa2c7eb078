package main

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestRoutes(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	var audited bytes.Buffer
	v, err := verifier.Settings{
		Observe: audit(slog.New(slog.NewTextHandler(&audited, nil))),
		Logger:  slog.New(slog.DiscardHandler),
	}.New(iss.Config("https://api.example.com"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	api := routes(v)
	token := iss.Token(verifiertest.Claims{"scope": "orders:read", "jti": "7"})

	for _, row := range []struct {
		name, method, path, token string
		status                    int
		body, challenge           string
	}{
		{"open", "GET", "/version", "", 200, "1", ""},
		{"R1 no token", "GET", "/orders/17", "", 401, "access token is needed", `Bearer realm="api"`},
		{"a scope that is there", "GET", "/orders/17", token, 200, "order 17 for test-client", ""},
		{"R2 a scope that is not", "POST", "/orders", token, 403, "insufficient_scope", `scope="orders:write"`},
		{"no such route", "GET", "/nothing", token, 404, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(row.method, row.path, nil)
			if row.token != "" {
				r.Header.Set("Authorization", "Bearer "+row.token)
			}
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			assert.Equal(t, row.status, w.Code)
			assert.Contains(t, w.Body.String(), row.body)
			assert.Contains(t, w.Header().Get("WWW-Authenticate"), row.challenge)
		})
	}
	assert.Contains(t, audited.String(), "client_id=test-client jti=7 method=GET route=/orders/{id}")
	assert.Equal(t, 2, strings.Count(audited.String(), "msg=admitted"), "both by Protect; Require is an inner decision")
	assert.NotContains(t, audited.String(), "/orders/17", http.MethodGet)
}
