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

// Tools are the rules of a server's tools by name, beside those that every request must
// pass. A tool may have none.
type Tools map[string][]verifier.Rule

// Others, as a name in Tools, is for all tools without a line of their own.
const Others = "*"

// line returns the name whose rules a tool has, and false if it has none.
func (t Tools) line(tool string) (name string, ok bool) {
	if _, ok := t[tool]; ok {
		return tool, true
	}
	_, ok = t[Others]
	return Others, ok
}

// A Middleware has Protect with more settings.
type Middleware struct {
	// Tools are demanded of the requests that call these tools; nil means that they
	// need only the rules of Protect. Otherwise it has a line for every tool, or one
	// for Others. A missing scope is answered with 403, whose challenge names the scopes
	// of Protect's rules and of the tool's, so that a client which requests them keeps
	// what it had. The metadata does not offer the scopes of tools.
	Tools Tools

	// Options are the SDK's. Its limit on the body is also the one for finding out
	// which tool is called.
	Options *mcp.StreamableHTTPOptions

	// OnError writes the response to a refused request, as in [httpauth.Middleware].
	OnError func(http.ResponseWriter, *http.Request, *verifier.Error)
}

// Protect returns a function that makes an MCP server's streamable HTTP handler, as
// mcp.NewStreamableHTTPHandler does, for requests whose token is valid for v and passes
// rules. It panics on a rule that cannot work, and the function unless Tools names all of
// the server's tools, and only those: add the tools first. One that is added later and not
// named cannot be called.
//
// From then on the server refuses whatever comes past the handler: another handler, or
// another transport.
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
