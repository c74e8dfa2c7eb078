package e2e

import (
	"context"
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// npm oauth4webapi calls a tool of an MCP server with proofs. MCP's own clients have none.
func TestMCPProofs(t *testing.T) {
	s := startOIDCProvider(t, "ES256-1")
	srv, origin := listen(t)
	proofs, err := dpop.New(dpop.Config{Origins: []string{origin}, NonceSecrets: [][]byte{make([]byte, 32)}})
	require.NoError(t, err)
	v := boundVerifier(t, s.issuer, jwkscache.Config{}, proofs)
	tools := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	mcp.AddTool(tools, &mcp.Tool{Name: "list"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
		tok, _ := verifier.FromContext(ctx)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "list for " + tok.ClientID()}}}, nil, nil
	})
	shop := mcpauth.Middleware{Options: &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}}
	serve(srv, shop.Protect(v, verifier.Bound())(tools))

	client := startClient(t, "oauth4webapi.mjs")
	token := client.grant(t, s.issuer, s.client, s.secret).Token
	call := func(c boundClient) reply {
		return c.do(t, "call", order{
			"url": origin + "/mcp", "method": http.MethodPost, "token": token,
			"headers": map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream"},
			"body":    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list","arguments":{}}}`,
		})
	}
	for _, tries := range []int{2, 1} { // the first learns the nonce
		got := call(client)
		assert.Equal(t, http.StatusOK, got.Status, got.Body)
		assert.Contains(t, got.Body, "list for shop")
		assert.Equal(t, tries, got.Tries)
	}
	thief := call(client.with("ES256-2"))
	assert.Equal(t, http.StatusUnauthorized, thief.Status)
	require.Len(t, thief.Challenges, 1)
	assert.Equal(t, "invalid_token", thief.Challenges[0].Parameters["error"])
	assert.Equal(t, http.StatusOK, call(client).Status)
}
