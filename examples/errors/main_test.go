package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestProblemDetails(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v := iss.Verifier("https://api.example.com")
	for name, app := range map[string]func(*verifier.Verifier) http.Handler{"net/http": netHTTP, "echo": echoApp, "gin": ginApp} {
		t.Run(name, func(t *testing.T) {
			for _, row := range []struct {
				claims    verifiertest.Claims
				status    int
				challenge string
				body      string
			}{
				{verifiertest.Claims{"exp": 1}, 401, `error="invalid_token"`,
					`{"type":"https://api.example.com/problems/expired-token","title":"The access token has expired.","status":401,"code":"invalid_token"}`},
				{nil, 403, `scope="orders:read"`,
					`{"type":"about:blank","title":"The access token lacks a scope that this needs.","status":403,"code":"insufficient_scope","scopes":["orders:read"]}`},
			} {
				r := httptest.NewRequest(http.MethodGet, "/orders", nil)
				r.Header.Set("Authorization", "Bearer "+iss.Token(row.claims))
				w := httptest.NewRecorder()
				app(v).ServeHTTP(w, r)
				assert.Equal(t, row.status, w.Code)
				assert.JSONEq(t, row.body, w.Body.String())
				assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
				assert.Contains(t, w.Header().Get("WWW-Authenticate"), row.challenge)
				assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			}
		})
	}
}
