// Mcp is an MCP server whose tools clients call with access tokens. It tells clients where
// to get a token, gives each tool the caller, and demands a scope of its own for a tool
// that moves money: a client that lacks it is told which scopes to request.
//
//	ISSUER=https://login.example.com/ URL=https://orders.example.com/mcp go run .
//
// URL is the server's address as clients use it, and the audience of its tokens. Behind a
// proxy on the same host, the SDK refuses requests for another host than localhost: set
// DisableLocalhostProtection in its options. A web page cannot call the tools without a
// token, whatever its origin.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func main() {
	if os.Getenv("URL") == "" {
		log.Fatal("set URL to the address of this server as its clients use it, such as https://orders.example.com/mcp")
	}
	v, err := newVerifier(verifier.Config{Issuer: os.Getenv("ISSUER")}, os.Getenv("URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer v.Close()
	s := &http.Server{
		Addr:              cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080"),
		Handler:           routes(v),
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Println(s.ListenAndServe())
}

// newVerifier returns a Verifier of cfg's tokens for the server at url.
func newVerifier(cfg verifier.Config, url string) (*verifier.Verifier, error) {
	cfg.Audiences = []string{url}
	return verifier.Settings{
		Resources: []verifier.Resource{{URL: url, Name: "Orders"}},
	}.New(cfg)
}

func routes(v *verifier.Verifier) http.Handler {
	server := mcp.NewServer(&mcp.Implementation{Name: "orders", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "list_orders", Description: "Lists your orders."}, listOrders)
	mcp.AddTool(server, &mcp.Tool{Name: "refund", Description: "Refunds an order."}, refund)

	orders := mcpauth.Middleware{
		Tools: mcpauth.Tools{
			"list_orders": nil, // needs no more than all of them
			"refund":      {verifier.Scope("orders:refund")},
		},
		// Without sessions, any replica can answer any request, and clients of the
		// protocol's version 2026-07-28 are served.
		Options: &mcp.StreamableHTTPOptions{Stateless: true},
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", orders.Protect(v, verifier.Scope("orders:read"))(server))
	httpauth.HandleMetadata(mux, v)
	return mux
}

func listOrders(ctx context.Context, _ *mcp.CallToolRequest, _ struct{}) (*mcp.CallToolResult, any, error) {
	tok, _ := verifier.FromContext(ctx)
	return text("order 17 of " + tok.ClientID()), nil, nil
}

type refundInput struct {
	Order  int `json:"order" jsonschema:"number of the order"`
	Amount int `json:"amount" jsonschema:"in cents"`
}

// refund needs more for large amounts, which only the arguments tell.
func refund(ctx context.Context, _ *mcp.CallToolRequest, in refundInput) (*mcp.CallToolResult, any, error) {
	if in.Amount > 100_00 {
		if err := mcpauth.Require(ctx, verifier.Role("supervisor")); err != nil {
			return nil, nil, err
		}
	}
	return text(fmt.Sprintf("refunded %d.%02d of order %d", in.Amount/100, in.Amount%100, in.Order)), nil, nil
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}
