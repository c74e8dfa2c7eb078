package mcpauth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// enforce is a receiving middleware, which sees each request as the SDK has parsed it. It
// applies the rules of the tool that is called, if the endpoint has not found the same
// name in the body, and puts the token and its TokenInfo into the handler's context.
func enforce(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		a := admissionOf(req)
		switch {
		case a == nil && ctx.Value(wiring{}) != nil:
			return next(ctx, method, req)
		case a == nil:
			return nil, refusal(verifier.AsError(ctx, &verifier.Error{Err: errors.New("mcpauth: a request has bypassed Protect: serve the MCP server only by the handler that Protect made")}))
		}
		if call, ok := req.(*mcp.CallToolRequest); ok && a.tools != nil {
			key, ok := a.tools.entry(call.Params.Name)
			if !ok {
				return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "unknown tool"}
			}
			if !slices.Contains(a.permitted, key) {
				if err := a.require(key); err != nil {
					return nil, refusal(verifier.AsError(a.ctx, err))
				}
			}
		}
		t, _ := verifier.FromContext(a.ctx)
		ctx = infoContext{verifier.NewContext(ctx, t), a.info}
		if method == "subscriptions/listen" { // a stream
			var cancel context.CancelFunc
			ctx, cancel = verifier.UntilExpiry(ctx)
			defer cancel()
		}
		return next(ctx, method, req)
	}
}

// refusal returns err as a JSON-RPC error, for when the HTTP response is the SDK's.
func refusal(err *verifier.Error) error {
	data, _ := err.MarshalJSON()
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidRequest, Message: err.Description(), Data: data}
}

// Require applies rules to the caller of a tool, for rules that depend on the arguments.
// The error is for the handler to return: its text, which the SDK sends to the client,
// is a constant. It wraps the [*verifier.Error], whose text is for operators.
func Require(ctx context.Context, rules ...verifier.Rule) error {
	if err := verifier.Require(ctx, rules...); err != nil {
		return public{verifier.AsError(ctx, err)}
	}
	return nil
}

type public struct{ err *verifier.Error }

func (p public) Error() string { return p.err.Description() }
func (p public) Unwrap() error { return p.err }

// wiring marks the context in which Protect lists a server's tools.
type wiring struct{}

// checkTools panics unless tools names the tools of s, which only a client can list.
func checkTools(s *mcp.Server, tools Tools) {
	if s == nil {
		panic("mcpauth: nil Server")
	}
	if tools == nil {
		return
	}
	has, err := toolsOf(s)
	if err != nil {
		panic(fmt.Sprintf("mcpauth: listing the server's tools: %v", err))
	}
	for name := range tools {
		if !has[name] && name != Others {
			panic(fmt.Sprintf("mcpauth: Tools has %q, which the server does not have: add the tools before Protect", name))
		}
	}
	for name := range has {
		if _, ok := tools.entry(name); !ok {
			panic(fmt.Sprintf("mcpauth: Tools has no entry for the tool %q, and none for Others: add one, which may be empty", name))
		}
	}
}

func toolsOf(s *mcp.Server) (map[string]bool, error) {
	ctx := context.WithValue(context.Background(), wiring{}, true)
	near, far := mcp.NewInMemoryTransports()
	server, err := s.Connect(ctx, far, nil)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	client, err := mcp.NewClient(&mcp.Implementation{Name: "mcpauth"}, nil).Connect(ctx, near, nil)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	names := make(map[string]bool)
	for t, err := range client.Tools(ctx, nil) {
		if err != nil {
			return nil, err
		}
		names[t.Name] = true
	}
	return names, nil
}
