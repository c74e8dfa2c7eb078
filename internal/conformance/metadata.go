package conformance

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// metadata is the table of protected resource metadata, and of the challenges that name
// it (RFC 9728).
func metadata(t *testing.T, build func([]Route) http.Handler, add func(http.Handler, *verifier.Verifier)) {
	iss := verifiertest.NewIssuer(t)
	const orders, billing = verifier.MetadataPath + "/orders", verifier.MetadataPath
	v, err := verifier.Settings{Resources: []verifier.Resource{
		{URL: OrdersAPI + "/orders", Audience: OrdersAPI, Name: "Orders", Documentation: "https://docs.example.com/orders"},
		{URL: BillingAPI + "/"},
	}}.New(iss.Config(OrdersAPI, BillingAPI+"/"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })

	ofOrders, ofBilling := verifier.Audience(OrdersAPI), verifier.Audience(BillingAPI+"/")
	read := Layer{Protect, v, []verifier.Rule{ofOrders, verifier.Scope("orders:read")}}
	const ordersParameter = `resource_metadata="` + OrdersAPI + orders + `"`
	const billingParameter = `resource_metadata="` + BillingAPI + billing + `"`
	app := build([]Route{
		{Path: "/orders", Layers: []Layer{read}, Handle: whoami},
		{Path: "/bills", Layers: []Layer{{Optional, v, []verifier.Rule{ofBilling, verifier.AnyScope("bills:all", "bills:read")}}}, Handle: whoami},
		{Path: "/write", Layers: []Layer{read, {Kind: Require, Rules: []verifier.Rule{verifier.Scope("orders:write")}}}, Handle: whoami},
		{Path: "/both", Layers: []Layer{read, {Kind: Require, Rules: []verifier.Rule{ofBilling}}}, Handle: whoami},
		{Path: "/refuse", Layers: []Layer{read}, Handle: func(*http.Request, *verifier.Token, bool) (string, error) {
			return "", errors.New("another client's")
		}},
		{Path: "/refuse/both", Layers: []Layer{read}, Handle: func(r *http.Request, _ *verifier.Token, _ bool) (string, error) {
			return "", verifier.Require(r.Context(), ofBilling)
		}},
		{Path: "/everything" + orders, Layers: []Layer{{Protect, v, []verifier.Rule{ofOrders}}}, Handle: whoami},
	})
	add(app, v)

	good := iss.Token(verifiertest.Claims{"aud": OrdersAPI, "scope": "orders:read"})
	for _, row := range []struct {
		name, path, token string
		want              answer
	}{
		{"N1 without a token", "/orders", "", noToken.with("orders:read").and(ordersParameter)},
		{"N1 not a JWT", "/orders", "abc", malformed.with("orders:read").and(ordersParameter)},
		{"N1 expired", "/orders", iss.Token(verifiertest.Claims{"aud": OrdersAPI, "exp": 1}), expired.with("orders:read").and(ordersParameter)},
		{"N1 a scope is missing", "/orders", iss.Token(verifiertest.Claims{"aud": OrdersAPI}), lacks("orders:read").and(ordersParameter)},
		{"N1 optional", "/bills", "abc", malformed.with("bills:all").and(billingParameter)},
		{"N1 Require inside", "/write", good, lacks("orders:read orders:write").and(ordersParameter)},
		{"N1 Require of another audience inside", "/both", good, notValid.with("orders:read").and(billingParameter)},
		{"N1 the handler refuses by a rule of another audience", "/refuse/both", good, notValid.with("orders:read").and(billingParameter)},
		{"N1 the handler refuses", "/refuse", good, denied.with("orders:read").and(ordersParameter)},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := row.want
			want.challenges = []string{`Bearer realm="api"` + want.challenges[0][len(`Bearer realm="orders"`):]}
			assert.Equal(t, want, seen(Send(app, "", row.path, row.token, nil)))
		})
	}

	documents := map[string]map[string]any{
		orders: {
			"resource": OrdersAPI + "/orders", "authorization_servers": []any{iss.URL()},
			"scopes_supported": []any{"orders:read"}, "bearer_methods_supported": []any{"header"},
			"resource_name": "Orders", "resource_documentation": "https://docs.example.com/orders",
		},
		billing: {
			"resource": BillingAPI + "/", "authorization_servers": []any{iss.URL()},
			"scopes_supported": []any{"bills:all"}, "bearer_methods_supported": []any{"header"},
		},
	}
	for path, want := range documents {
		t.Run("N2 "+path, func(t *testing.T) {
			for _, header := range []http.Header{nil, {"Authorization": {"Bearer rubbish"}}, {"Origin": {"https://app.example.com"}}} {
				res := Send(app, "", path, "", header)
				assert.Equal(t, http.StatusOK, res.Code)
				var got map[string]any
				require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
				assert.Equal(t, want, got)
				assert.Equal(t, "*", res.Header().Get("Access-Control-Allow-Origin"), "N3")
				assert.Equal(t, "public, max-age=3600", res.Header().Get("Cache-Control"), "N3")
				assert.Equal(t, jsonType, res.Header().Get("Content-Type"))
				assert.Empty(t, res.Header()["Www-Authenticate"])
			}
		})
	}
	t.Run("N3 other methods", func(t *testing.T) {
		res := Send(app, http.MethodHead, orders, "", nil)
		assert.Equal(t, http.StatusOK, res.Code)
		assert.Empty(t, res.Body.String())
		assert.NotEmpty(t, res.Header().Get("Content-Length"))
		res = Send(app, http.MethodOptions, orders, "", http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {"GET"}})
		assert.Equal(t, http.StatusNoContent, res.Code)
		assert.Equal(t, "*", res.Header().Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "*", res.Header().Get("Access-Control-Allow-Headers"))
		assert.Equal(t, "GET, HEAD, OPTIONS", res.Header().Get("Access-Control-Allow-Methods"))
		assert.Equal(t, "3600", res.Header().Get("Access-Control-Max-Age"))
		assert.Equal(t, "GET, HEAD, OPTIONS", res.Header().Get("Allow"))
		res = Send(app, http.MethodPost, orders, good, nil)
		assert.Equal(t, http.StatusMethodNotAllowed, res.Code)
		assert.Equal(t, "GET, HEAD, OPTIONS", res.Header().Get("Allow"))
	})
	t.Run("N2 no such document", func(t *testing.T) {
		for _, path := range []string{billing + "/", billing + "/bills", orders + "/", orders + "/7", "/everything" + orders} {
			res := Send(app, "", path, "", nil)
			assert.Contains(t, []int{http.StatusNotFound, http.StatusUnauthorized}, res.Code, path)
			assert.NotContains(t, res.Body.String(), "authorization_servers")
		}
	})
	t.Run("N4 public where everything is protected", func(t *testing.T) {
		inside := Layer{Protect, v, []verifier.Rule{ofOrders}}
		app := build([]Route{
			{Path: orders, Layers: []Layer{inside}, Handle: whoami},
			{Path: orders + "/7", Layers: []Layer{inside}, Handle: whoami},
		})
		for method, status := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405} {
			res := Send(app, method, orders, "", nil)
			assert.Equal(t, status, res.Code, method)
			assert.Empty(t, res.Header().Get(Ran), "the handler ran")
		}
		assert.Equal(t, http.StatusUnauthorized, Send(app, "", orders+"/7", "", nil).Code)
	})
}
