package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const address = "https://orders.example.com/mcp"

// A caller sends its token with every request, and keeps the last refusal.
type caller struct {
	token   string
	refused *http.Response
}

func (c *caller) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+c.token)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && res.StatusCode >= 400 {
		c.refused = res
	}
	return res, err
}

func TestTools(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v, err := newVerifier(iss.Config(address), address)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	srv := httptest.NewServer(routes(v))
	t.Cleanup(srv.Close)

	for _, row := range []struct {
		name   string
		claims verifiertest.Claims
		tool   string
		args   map[string]any
		said   string // and otherwise
		scopes string // of the challenge
	}{
		{"a tool of all", verifiertest.Claims{"scope": "orders:read"}, "list_orders", nil, "order 17 of till", ""},
		{
			"H2 a scope is missing", verifiertest.Claims{"scope": "orders:read"}, "refund", map[string]any{"order": 17, "amount": 500},
			"", `scope="orders:read orders:refund", resource_metadata="https://orders.example.com/.well-known/oauth-protected-resource/mcp"`,
		},
		{
			"it is there", verifiertest.Claims{"scope": "orders:read orders:refund"}, "refund", map[string]any{"order": 17, "amount": 500},
			"refunded 5.00 of order 17", "",
		},
		{
			"H10 the amount needs a role", verifiertest.Claims{"scope": "orders:read orders:refund"}, "refund", map[string]any{"order": 17, "amount": 100_01},
			"The access token does not permit this.", "",
		},
		{
			"it is there, too", verifiertest.Claims{"scope": "orders:read orders:refund", "roles": []string{"supervisor"}}, "refund", map[string]any{"order": 17, "amount": 100_01},
			"refunded 100.01 of order 17", "",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.claims["client_id"] = "till"
			c := &caller{token: iss.Token(row.claims)}
			session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
				Endpoint: srv.URL + "/mcp", HTTPClient: &http.Client{Transport: c},
			}, nil)
			require.NoError(t, err)
			defer session.Close()
			res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: row.tool, Arguments: row.args})
			if row.said == "" {
				require.Error(t, err)
				assert.Equal(t, http.StatusForbidden, c.refused.StatusCode)
				assert.Contains(t, c.refused.Header.Get("WWW-Authenticate"), row.scopes)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.said, res.Content[0].(*mcp.TextContent).Text)
		})
	}
}

func TestMetadata(t *testing.T) {
	iss := verifiertest.NewIssuer(t)
	v, err := newVerifier(iss.Config(address), address)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, v.Close()) })
	w := httptest.NewRecorder()
	routes(v).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/oauth-protected-resource/mcp", nil))
	var got map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	assert.Equal(t, map[string]any{
		"resource": address, "resource_name": "Orders", "authorization_servers": []any{iss.URL()},
		"scopes_supported": []any{"orders:read"}, "bearer_methods_supported": []any{"header"},
	}, got, "the scope of one tool is not offered to all")
}
