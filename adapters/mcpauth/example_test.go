package mcpauth_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/exampletb"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A server whose tools require a scope.
func ExampleProtect() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v, err := verifier.Settings{
		Resources: []verifier.Resource{{URL: "https://mcp.example.com/mcp"}},
	}.New(iss.Config("https://mcp.example.com/mcp"))
	if err != nil {
		panic(err)
	}
	defer v.Close()

	server := mcp.NewServer(&mcp.Implementation{Name: "orders", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "list_orders"}, listOrders)
	mux := http.NewServeMux()
	mux.Handle("/mcp", mcpauth.Protect(v, verifier.Scope("orders:read"))(server))
	httpauth.HandleMetadata(mux, v)

	w := post(mux, "", initialize)
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	w = post(mux, iss.Token(verifiertest.Claims{"scope": "orders:read"}), initialize)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output:
	// 401 Bearer realm="api", scope="orders:read", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
	// 200 text/event-stream
}

func listOrders(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
	tok, _ := verifier.FromContext(ctx)
	return text("orders of " + tok.ClientID()), nil, nil
}

// A tool that requires a scope of its own. The challenge names both, so that the client
// requests both.
func ExampleMiddleware() {
	tb := exampletb.New() // for the *testing.T of a test
	defer tb.Close()
	iss := verifiertest.NewIssuer(tb)
	v := iss.Verifier("https://mcp.example.com/mcp")

	server := mcp.NewServer(&mcp.Implementation{Name: "orders", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "list_orders"}, listOrders)
	mcp.AddTool(server, &mcp.Tool{Name: "refund"}, listOrders)
	orders := mcpauth.Middleware{
		Tools: mcpauth.Tools{
			"list_orders": nil,
			"refund":      {verifier.Scope("orders:refund")},
		},
		Options: &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true},
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", orders.Protect(v, verifier.Scope("orders:read"))(server))

	token := iss.Token(verifiertest.Claims{"client_id": "till", "scope": "orders:read"})
	fmt.Println(post(mux, token, call("list_orders")).Body)
	w := post(mux, token, call("refund"))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	// Output:
	// {"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"orders of till"}]}}
	// 403 Bearer realm="api", error="insufficient_scope", error_description="The access token lacks a scope that this needs.", scope="orders:read orders:refund"
}
