package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestTwoIssuers(t *testing.T) {
	const audience = "https://api.example.com"
	own, partner := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
	v, err := trust(own.Config(audience), partner.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	require.NoError(t, v.Ready(t.Context()))
	app := routes(v, own.URL())

	listed := verifiertest.Claims{"client_id": "partner-sync", "scope": "orders:read orders:write"}
	for _, row := range []struct {
		name, method string
		iss          *verifiertest.Issuer
		claims       verifiertest.Claims
		status       int
	}{
		{"our client reads", "GET", own, verifiertest.Claims{"scope": "orders:read"}, 200},
		{"our client writes", "POST", own, verifiertest.Claims{"scope": "orders:write"}, 200},
		{"the partner's client reads", "GET", partner, listed, 200},
		{"the partner's client may not write", "POST", partner, listed, 401},
		{"another client of the partner", "GET", partner, verifiertest.Claims{"client_id": "test", "scope": "orders:read"}, 403},
		{"the partner signs as us", "GET", partner, verifiertest.Claims{"iss": own.URL(), "scope": "orders:read"}, 401},
		{"a third issuer", "GET", verifiertest.NewIssuer(t), verifiertest.Claims{"aud": audience, "scope": "orders:read"}, 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(row.method, "/orders", nil)
			r.Header.Set("Authorization", "Bearer "+row.iss.Token(row.claims))
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			assert.Equal(t, row.status, w.Code, w.Body)
		})
	}
}

func TestConfigurationErrorsNameTheIssuer(t *testing.T) {
	good := verifiertest.NewIssuer(t).Config("a")
	bad := good
	bad.Issuer = ""
	_, err := trust(bad, good)
	assert.ErrorContains(t, err, "Config 1")
	_, err = trust(good, bad)
	assert.ErrorContains(t, err, "Config 2")
	_, err = trust(good, good)
	assert.ErrorContains(t, err, "another Config")
}
