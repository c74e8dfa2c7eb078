package mcpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// H4: requests that bypass Protect are refused.
func TestH4BypassingProtect(t *testing.T) {
	log := captureLog(t)
	s := newShop(t, mcpauth.Middleware{})
	bare := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s.mcp }, stateless)
	ways := map[string]http.Handler{
		"H4 the SDK's handler": bare,
		"H4 the SDK's handler behind the SDK's check": auth.RequireBearerToken(func(context.Context, string, *http.Request) (*auth.TokenInfo, error) {
			return &auth.TokenInfo{UserID: "x", Expiration: time.Now().Add(time.Hour), Extra: map[string]any{"github.com/seed-12ed5b1c/jwtguard": "x"}}, nil
		}, nil)(bare),
	}
	for name, h := range ways {
		t.Run(name, func(t *testing.T) {
			w := post(h, s.token("orders:read"), call("list"))
			assert.Contains(t, said(t, w), "The API is not set up correctly.")
			assert.Empty(t, s.tools())
		})
	}
	t.Run("H4 another transport", func(t *testing.T) {
		near, far := mcp.NewInMemoryTransports()
		server, err := s.mcp.Connect(t.Context(), far, nil)
		require.NoError(t, err)
		defer server.Close()
		client, err := mcp.NewClient(&mcp.Implementation{Name: "c"}, nil).Connect(t.Context(), near, nil)
		if assert.ErrorContains(t, err, "The API is not set up correctly.") {
			return
		}
		assert.NoError(t, client.Close())
	})
	assert.Contains(t, log.String(), "level=ERROR")
	assert.Contains(t, log.String(), "bypassed Protect")
}

// H4: one server may have several endpoints, each with its own rules.
func TestH4SeveralEndpoints(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Tools: refundOnly, Options: stateless})
	strict := mcpauth.Middleware{Tools: mcpauth.Tools{"list": {verifier.Scope("orders:list")}, "refund": nil}, Options: stateless}.Protect(s.v)(s.mcp)
	read := s.token("orders:read")
	assert.Equal(t, 403, post(s, read, call("refund")).Code)
	assert.Equal(t, 200, post(s, read, call("list")).Code)
	assert.Equal(t, 200, post(strict, read, call("refund")).Code)
	assertRefused(t, post(strict, read, call("list")), 403, `scope="orders:list"`)
}

// H9: mistakes show when the handler is made.
func TestH9Wiring(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{})
	for name, row := range map[string]struct {
		make func()
		want string
	}{
		"H9 no server":               {func() { mcpauth.Protect(s.v)(nil) }, "nil Server"},
		"H9 no verifier":             {func() { mcpauth.Protect(nil) }, "nil Verifier"},
		"H9 a rule that cannot work": {func() { mcpauth.Protect(s.v, verifier.Scope()) }, "the list is empty"},
		"H9 a tool's rule that cannot work": {func() {
			mcpauth.Middleware{Tools: mcpauth.Tools{"list": {verifier.Scope("")}}}.Protect(s.v)
		}, "empty string"},
		"H9 an audience that nobody configured, of a tool": {func() {
			mcpauth.Middleware{Tools: mcpauth.Tools{"list": {verifier.Audience("https://x.example.com")}}}.Protect(s.v)
		}, "no Config.Audiences lists it"},
		"H9 a tool that does not exist": {func() {
			mcpauth.Middleware{Tools: mcpauth.Tools{"refnud": {verifier.Scope("x")}, mcpauth.Others: nil}}.Protect(s.v)(s.mcp)
		}, `Tools has "refnud", which the server does not have`},
		"H9 a tool without an entry": {func() {
			mcpauth.Middleware{Tools: mcpauth.Tools{"refund": {verifier.Scope("x")}}}.Protect(s.v)(s.mcp)
		}, `Tools has no entry for the tool "list", and none for Others`},
		"H9 no entries": {func() { mcpauth.Middleware{Tools: mcpauth.Tools{}}.Protect(s.v)(s.mcp) }, `Tools has no entry for the tool "`},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { assert.Contains(t, fmt.Sprint(recover()), row.want) }()
			row.make()
		})
	}
	t.Run("H9 all pages of tools are looked through", func(t *testing.T) {
		many := mcp.NewServer(&mcp.Implementation{Name: "many"}, &mcp.ServerOptions{PageSize: 2})
		tools := mcpauth.Tools{}
		for i := range 7 {
			name := fmt.Sprint("t", i)
			tools[name] = []verifier.Rule{verifier.Scope("x")}
			mcp.AddTool(many, &mcp.Tool{Name: name}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
				return nil, nil, nil
			})
		}
		h := mcpauth.Middleware{Tools: tools, Options: stateless}.Protect(s.v)(many)
		tools["t6"][0], tools["t5"] = verifier.Scope("z"), nil // what was handed in may change
		assert.Equal(t, 403, post(h, s.token("z"), call("t6")).Code)
		assert.Equal(t, 403, post(h, s.token("z"), call("t5")).Code)
		for range many.Sessions() {
			assert.Fail(t, "a session is left")
		}
	})
}

// H10: a client reads constants, in HTTP responses and in those of tools.
func TestH10Secrecy(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Options: stateless})
	var returned error
	mcp.AddTool(s.mcp, &mcp.Tool{Name: "dynamic"}, func(ctx context.Context, _ *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
		returned = mcpauth.Require(ctx, verifier.Scope("orders:secret"))
		return text("done"), nil, returned
	})
	t.Run("H10 rules in a handler", func(t *testing.T) {
		w := post(s, s.token("orders:read"), call("dynamic"))
		assert.Equal(t, "The access token lacks a scope that this needs.", said(t, w))
		assert.NotContains(t, w.Body.String(), "orders:secret")
		var refused *verifier.Error
		require.ErrorAs(t, returned, &refused)
		assert.ErrorIs(t, returned, verifier.ErrScope)
		assert.Contains(t, refused.Error(), "orders:secret")
		assert.Equal(t, "done", said(t, post(s, s.token("orders:read orders:secret"), call("dynamic"))))
	})
	for name, raw := range map[string]string{
		"another audience": s.token("orders:read", verifiertest.Claims{"aud": "guess"}), "another issuer": s.token("orders:read", verifiertest.Claims{"iss": "guess"}),
		"another key": verifiertest.NewIssuer(t).Token(verifiertest.Claims{"aud": audience, "iss": s.iss.URL(), "sub": "guess"}),
	} {
		t.Run("H10 "+name, func(t *testing.T) {
			w := post(s, raw, call("list"))
			assertRefused(t, w, 401, `error="invalid_token", error_description="The access token is not valid for this API."`)
			assert.Equal(t, `{"error":"invalid_token","error_description":"The access token is not valid for this API."}`+"\n", w.Body.String())
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			assert.NotContains(t, w.Body.String()+challenge(w), "guess")
		})
	}
	t.Run("H10 no keys", func(t *testing.T) {
		s.iss.Fail(500)
		cold := mcpauth.Protect(s.iss.Verifier(audience))(s.mcp)
		w := post(cold, s.token("orders:read"), call("list"))
		assertRefused(t, w, 503)
		assert.Equal(t, "5", w.Header().Get("Retry-After"))
		assert.NotContains(t, w.Body.String(), "500")
	})
}
