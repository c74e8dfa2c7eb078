package conformance

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// Observed returns a verifier, a token for it, and its decisions since the last call.
func Observed(t *testing.T) (*verifier.Verifier, string, func() []verifier.Decision) {
	t.Helper()
	iss := verifiertest.NewIssuer(t)
	var seen []verifier.Decision
	v, err := verifier.Settings{
		Logger:  slog.New(slog.DiscardHandler),
		Observe: func(_ context.Context, d verifier.Decision) { seen = append(seen, d) },
	}.New(iss.Config(OrdersAPI))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	return v, iss.Token(verifiertest.Claims{"sub": "billing", "client_id": "billing", "scope": "orders:read"}), func() []verifier.Decision {
		defer func() { seen = nil }()
		return seen
	}
}

// Each layer of a route makes one decision, of which the outermost knows the route.
func observe(t *testing.T, f Framework) {
	v, good, seen := Observed(t)
	scope := verifier.Scope("orders:read")
	routes := []Route{
		{Path: "/plain", Layers: []Layer{{Protect, v, nil}}, Handle: whoami},
		{Path: "/inner", Layers: []Layer{{Protect, v, nil}, {Require, nil, []verifier.Rule{scope}}}, Handle: whoami},
		{Path: "/optional", Layers: []Layer{{Optional, v, nil}}, Handle: whoami},
		{Path: "/denied", Layers: []Layer{{Protect, v, nil}}, Handle: func(*http.Request, *verifier.Token, bool) (string, error) {
			return "", fmt.Errorf("not today: %w", verifier.ErrDenied)
		}},
	}
	app := f.Build(routes)
	route := f.Route
	if route == nil {
		route = func(method, path string) string { return method + " " + path }
	}
	for _, row := range []struct {
		name, path, token string
		want              []string
	}{
		{"O1 admitted", "/plain", good, []string{"admitted " + route("GET", "/plain") + " billing"}},
		{"O1 refused", "/plain", good + "x", []string{"refused " + route("GET", "/plain") + " "}},
		{"O1 inner", "/inner", good, []string{"admitted " + route("GET", "/inner") + " billing", "admitted   billing"}},
		{"O1 anonymous", "/optional", "", []string{"anonymous " + route("GET", "/optional") + " "}},
		{"O1 refused by the handler", "/denied", good, []string{"admitted " + route("GET", "/denied") + " billing", "refused   billing"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			Send(app, http.MethodGet, row.path, row.token, nil)
			var got []string
			for _, d := range seen() {
				got = append(got, fmt.Sprint(d.Outcome, " ", d.Method, " ", d.Route, " ", d.Caller.ClientID))
			}
			assert.Equal(t, row.want, got)
		})
	}
}
