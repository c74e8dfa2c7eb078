package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

var discard = slog.New(slog.DiscardHandler)

// Nobody revokes without the scope, and what is no revocation is refused before it is
// sent to Redis, which does not exist here.
func TestRevocations(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	setEnvironment(t)
	t.Setenv("ISSUER", iss.URL())
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1")
	cfg, err := readConfig()
	require.NoError(t, err)
	p, err := newProtection(cfg, discard)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.close()) })
	for name, row := range map[string]struct {
		scope, body string
		status      int
	}{
		"another scope":     {"orders:read", `{"token_id":"1"}`, 403},
		"nothing":           {"tokens:revoke", `{}`, 400},
		"not JSON":          {"tokens:revoke", `token_id=1`, 400},
		"a misspelt member": {"tokens:revoke", `{"token":"1"}`, 400},
		"too long":          {"tokens:revoke", `{"token_id":"` + strings.Repeat("1", 5000) + `"}`, 400},
		"two kinds":         {"tokens:revoke", `{"token_id":"1","subject":"2"}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/revocations", strings.NewReader(row.body))
			r.Header.Set("Authorization", "Bearer "+iss.Token(verifiertest.Claims{"aud": cfg.audience, "scope": row.scope}))
			w := httptest.NewRecorder()
			routes(p).ServeHTTP(w, r)
			assert.Equal(t, row.status, w.Code, w.Body)
		})
	}
}

// The probes and the status page are not for clients.
func TestInternal(t *testing.T) {
	setEnvironment(t)
	cfg, err := readConfig()
	require.NoError(t, err)
	p, err := newProtection(cfg, discard)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.close()) })
	for path, status := range map[string]int{"/livez": 200, "/readyz": 503, "/startupz": 503, "/status": 200} {
		for handler, want := range map[http.Handler]int{internal(p): status, routes(p): 404} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			assert.Equal(t, want, w.Code, path)
		}
	}
}
