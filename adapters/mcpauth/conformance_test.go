package mcpauth_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Each route is a server with one tool, which every request calls. The rules of a
// Require are the tool's. What MCP has no word for is made of httpauth, so that the
// tables run as they are: Optional, Require outside Protect, a Protect within another,
// and handlers that refuse, since a tool does not write the HTTP response. A rule of a
// tool that Protect refuses at wiring, where others find it in a request, is httpauth's
// Require, too.
func TestConformance(t *testing.T) {
	conformance.Run(t, conformance.Framework{
		Build: build, Hooks: true,
		Route: func(method, path string) string {
			if path != "/optional" && path != "/twice" { // which are httpauth's
				method = http.MethodPost
			}
			return method + " " + path
		},
		Metadata: func(h http.Handler, v *verifier.Verifier) { httpauth.HandleMetadata(h.(*http.ServeMux), v) },
	})
}

func build(routes []conformance.Route) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		route := plainRoute
		if hasWords(rt.Layers) && !strings.HasPrefix(rt.Path, "/refuse") {
			route = toolRoute
		}
		mux.Handle(rt.Path, route(rt))
	}
	return mux
}

// hasWords reports whether mcpauth has words for the layers.
func hasWords(layers []conformance.Layer) bool {
	if layers[0].Kind != conformance.Protect || layers[0].Verifier == nil {
		return false
	}
	for _, l := range layers[1:] {
		if l.Kind != conformance.Require {
			return false
		}
		if layers[0].Verifier.CheckRules(l.Rules...) != nil {
			return false
		}
	}
	return true
}

func plainRoute(rt conformance.Route) http.Handler {
	m := httpauth.Middleware{OnError: rt.Hook}
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		new(outcome).run(rt, r).write(m, w)
	})
	layers := conformance.Middleware(rt, m.Protect, m.Optional, m.Require)
	for _, l := range slices.Backward(layers) {
		h = l(h)
	}
	return h
}

// An outcome is what the route's handler has done.
type outcome struct {
	r      *http.Request
	ran    bool
	body   string
	refuse error
}

func (o *outcome) run(rt conformance.Route, r *http.Request) *outcome {
	tok, ok := httpauth.Token(r)
	o.r, o.ran = r, true
	o.body, o.refuse = rt.Handle(r, tok, ok)
	return o
}

func (o *outcome) write(m httpauth.Middleware, w http.ResponseWriter) {
	w.Header().Set(conformance.Ran, "yes")
	if o.refuse != nil {
		m.Refuse(w, o.r, o.refuse)
		return
	}
	_, _ = w.Write([]byte(o.body))
}

type outcomeKey struct{}

// toolRoute calls the tool with every request but HEAD, and writes what came of it as
// the other frameworks' handlers do.
func toolRoute(rt conformance.Route) http.Handler {
	s := mcp.NewServer(&mcp.Implementation{Name: "conformance"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "handle"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		o := ctx.Value(outcomeKey{}).(*outcome)
		o.run(rt, o.r.WithContext(ctx))
		return text("ok"), nil, nil
	})
	options := *stateless
	options.DisableLocalhostProtection = true // the table's requests have any Host
	m := mcpauth.Middleware{OnError: rt.Hook, Options: &options}
	for _, l := range rt.Layers[1:] {
		m.Tools = mcpauth.Tools{"handle": append(m.Tools["handle"], l.Rules...)}
	}
	h := m.Protect(rt.Layers[0].Verifier, rt.Layers[0].Rules...)(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := &outcome{r: r}
		calling := r.Clone(context.WithValue(r.Context(), outcomeKey{}, o))
		if r.Method != http.MethodHead && !strings.HasPrefix(rt.Path, verifier.MetadataPath) {
			calling.Method = http.MethodPost
		}
		like := newRequest(http.MethodPost, "", call("handle"))
		calling.Body = like.Body
		calling.Header["Content-Type"], calling.Header["Accept"] = like.Header["Content-Type"], like.Header["Accept"]
		h.ServeHTTP(&toolWriter{w, o}, calling)
		if o.ran {
			w.Header().Del("Content-Type")
			w.Header().Del("Cache-Control")
			o.write(httpauth.Middleware{OnError: rt.Hook}, w)
		}
	})
}

// A toolWriter drops the SDK's response when the tool has run.
type toolWriter struct {
	http.ResponseWriter
	outcome *outcome
}

func (w *toolWriter) WriteHeader(status int) {
	if !w.outcome.ran {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *toolWriter) Write(b []byte) (int, error) {
	if w.outcome.ran {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func (w *toolWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
