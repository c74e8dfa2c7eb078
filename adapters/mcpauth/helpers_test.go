package mcpauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const audience = "https://mcp.example.com/mcp"

// A shop is a protected MCP server with two tools, of which refund has a rule.
type shop struct {
	http.Handler
	iss *verifiertest.Issuer
	v   *verifier.Verifier
	mcp *mcp.Server

	mu  sync.Mutex
	ran []string
}

// tools returns which tools have run since the last call.
func (s *shop) tools() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, s.ran = s.ran, nil
	return names
}

var refundOnly = mcpauth.Tools{"refund": {verifier.Scope("orders:refund")}, mcpauth.Others: nil}

// newShop makes a shop with scope orders:read as its base.
func newShop(t testing.TB, m mcpauth.Middleware) *shop {
	t.Helper()
	s := &shop{iss: verifiertest.NewIssuer(t)}
	s.v = s.iss.Verifier(audience)
	s.mcp = mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	for _, name := range []string{"list", "refund"} {
		mcp.AddTool(s.mcp, &mcp.Tool{Name: name}, func(ctx context.Context, _ *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
			s.mu.Lock()
			s.ran = append(s.ran, name)
			s.mu.Unlock()
			t, _ := verifier.FromContext(ctx)
			return text(fmt.Sprint("ran for ", t.ClientID(), " with ", t.Scopes())), nil, nil
		})
	}
	s.Handler = m.Protect(s.v, verifier.Scope("orders:read"))(s.mcp)
	return s
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}

// token returns one with scopes, and with more claims.
func (s *shop) token(scopes string, more ...verifiertest.Claims) string {
	claims := verifiertest.Claims{"client_id": "till", "sub": "till", "scope": scopes}
	for _, m := range more {
		for name, value := range m {
			claims[name] = value
		}
	}
	return s.iss.Token(claims)
}

var stateless = &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`

func call(tool string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":{}}}`
}

// post sends a body to h, with fields as name and value in turn.
func post(h http.Handler, token, body string, fields ...string) *httptest.ResponseRecorder {
	return send(h, newRequest(http.MethodPost, token, body, fields...))
}

func newRequest(method, token, body string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, "/mcp", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	return r
}

func send(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// open opens a session and returns its id.
func open(t *testing.T, h http.Handler, token string) string {
	t.Helper()
	w := post(h, token, initialize)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	id := w.Header().Get("Mcp-Session-Id")
	require.NotEmpty(t, id)
	w = post(h, token, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, "Mcp-Session-Id", id)
	require.Equal(t, http.StatusAccepted, w.Code, w.Body)
	return id
}

// said returns the text of a tool's result, or the JSON-RPC error.
func said(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	var res struct {
		Result struct {
			Content []struct{ Text string }
		}
		Error json.RawMessage
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &res), w.Body)
	if res.Error != nil {
		return string(res.Error)
	}
	require.Len(t, res.Result.Content, 1)
	return res.Result.Content[0].Text
}

func challenge(w *httptest.ResponseRecorder) string {
	return strings.Join(w.Header().Values("WWW-Authenticate"), "; ")
}

func assertRefused(t *testing.T, w *httptest.ResponseRecorder, status int, parts ...string) {
	t.Helper()
	assert.Equal(t, status, w.Code, w.Body)
	for _, part := range parts {
		assert.Contains(t, challenge(w), part)
	}
}

// captureLog returns what slog's default logger writes until the test ends.
func captureLog(t *testing.T) *bytes.Buffer {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &log
}
