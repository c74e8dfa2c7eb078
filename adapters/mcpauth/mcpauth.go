package mcpauth

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Protect serves an MCP server over streamable HTTP to requests whose token is valid
// for v and passes rules. It is [Middleware.Protect] with the zero Middleware.
func Protect(v *verifier.Verifier, rules ...verifier.Rule) func(*mcp.Server) http.Handler {
	return Middleware{}.Protect(v, rules...)
}

// Tools maps the names of a server's tools to the rules that a call of the tool must pass,
// in addition to those of Protect. A tool may have none.
type Tools map[string][]verifier.Rule

// Others is the key in Tools for all tools without an entry of their own.
const Others = "*"

// entry returns the key of the rules that a tool has, and false if there is none.
func (t Tools) entry(tool string) (key string, ok bool) {
	if _, ok := t[tool]; ok {
		return tool, true
	}
	_, ok = t[Others]
	return Others, ok
}

// A Middleware is the settings of its Protect method.
type Middleware struct {
	// Tools are the rules of single tools. Nil means that all tools need only the rules
	// of Protect; otherwise it has an entry for every tool, or one for Others. A call
	// without the scopes of its tool gets 403, whose challenge names the scopes of
	// Protect's rules and of the tool's, so that a client which requests them keeps
	// what it had. The metadata does not list the scopes of tools.
	Tools Tools

	// Options are the SDK's. Its limit on the body is also the one for finding out
	// which tool is called.
	Options *mcp.StreamableHTTPOptions

	// OnError writes the response to a refused request, as in [httpauth.Middleware].
	OnError func(http.ResponseWriter, *http.Request, *verifier.Error)
}

// Protect returns a function that makes an MCP server's streamable HTTP handler, as
// mcp.NewStreamableHTTPHandler does, for requests whose token is valid for v and passes
// rules. It panics on a rule that cannot work. The function panics on a tool without an
// entry in Tools, and on an entry without a tool, so add the tools to the server first. A
// tool without an entry that is added later cannot be called.
//
// From then on the server refuses requests that bypass this handler, through another
// handler or another transport.
func (m Middleware) Protect(v *verifier.Verifier, rules ...verifier.Rule) func(*mcp.Server) http.Handler {
	front := httpauth.Middleware{OnError: m.OnError}
	protect := front.Protect(v, rules...)
	tools := maps.Clone(m.Tools)
	for name, rules := range tools {
		tools[name] = slices.Clone(rules)
		if err := v.CheckRules(rules...); err != nil {
			panic(fmt.Sprintf("mcpauth: the tool %q: %v", name, err))
		}
	}
	var options mcp.StreamableHTTPOptions
	if m.Options != nil {
		options = *m.Options
	}
	return func(s *mcp.Server) http.Handler {
		checkTools(s, tools)
		s.AddReceivingMiddleware(enforce)
		get := func(*http.Request) *mcp.Server { return s }
		return protect(&endpoint{front, tools, bodyLimit(options), mcp.NewStreamableHTTPHandler(get, &options)})
	}
}

// An endpoint is a server's handler behind Protect.
type endpoint struct {
	front   httpauth.Middleware
	tools   Tools
	maxBody int64
	mcp     http.Handler
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &admission{ctx: r.Context(), tools: e.tools}
	if e.tools != nil && r.Method == http.MethodPost {
		a.permitted = calledTools(r, e.tools, e.maxBody)
		if err := a.require(a.permitted...); err != nil {
			e.front.Refuse(w, r, err)
			return
		}
	}
	ctx, cancel := a.forSDK(r.Method == http.MethodGet)
	defer cancel()
	e.mcp.ServeHTTP(w, r.WithContext(ctx))
}
